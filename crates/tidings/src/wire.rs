//! The engine for programs that serve it over a protocol of their own: events that are encoded as JSON
//! once, before they are stored, and are sent on without being parsed.
//!
//! [`Engine`] is a second view of [`Tidings`](crate::Tidings). A program that publishes, reads and follows
//! events in Rust needs nothing from here.

mod engine;
mod faults;
mod frame_subscription;

pub use crate::bulk_changes::RunningChange;
pub use crate::engine::{Prepared, PreparedForMany};
pub use crate::follower::{FollowedFrames, Follower, ReadDone, Step, StoreRead};
pub use crate::frame::StreamFrame;
pub use crate::hub::FollowerWaker;
pub use crate::page::{EncodedPage, PageRest};
pub use crate::revoked_tokens::RevokedTokens;
pub use crate::store::{RevokedPage, RevokedToken};
pub use engine::Engine;
pub use faults::{ChangeFault, PublishFault, RetractFault, StoreFault, UpdateFault};
pub use frame_subscription::FrameSubscription;
