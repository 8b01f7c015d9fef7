//! Parts for programs that serve the engine over a protocol of their own: events that are encoded as JSON
//! once, before they are stored, and are sent on without being parsed.
//!
//! A program that publishes, reads and follows events in Rust needs nothing from here.

pub use crate::engine::Prepared;
pub use crate::follower::{FollowedChanges, Follower, ReadDone, Step, StoreRead};
pub use crate::frame::StreamFrame;
pub use crate::hub::FollowerWaker;
pub use crate::page::{EncodedPage, PageRest};
