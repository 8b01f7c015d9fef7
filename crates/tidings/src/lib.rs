//! The engine of Tidings, a durable notification inbox, for programs that embed it.
//!
//! [`Tidings::publish`] stores an event on disk and delivers it to every open [`Subscription`] of its owner.
//! A subscription that starts from an earlier [`Cursor`] first receives what it missed. [`Tidings::list`]
//! returns the events as an inbox with exact counts. The crate `tidings-server` serves all this over HTTP.
//!
//! ```
//! use tidings::{Config, Event, OwnerId, Rev, Severity, Start, StreamItem, Tidings};
//! # use uuid::Uuid;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! let tidings = Tidings::open(Config::new(directory.path())).await?;
//! let user = OwnerId::mint();
//! let mut subscription = tidings.subscribe(user, Start::Now).await?;
//! assert!(matches!(subscription.next().await?, Some(StreamItem::Ready { .. })));
//! assert!(matches!(subscription.next().await?, Some(StreamItem::Live { .. })));
//!
//! let event = Event::builder()
//!     .for_user(user)
//!     .acted_upon(Uuid::now_v7())
//!     .with_category("deployment")
//!     .with_action("apply")
//!     .with_severity(Severity::Success)
//!     .with_description("Deployed version 12")
//!     .build()?;
//! let receipt = tidings.publish(event).await?;
//! assert_eq!(receipt.rev, Some(Rev::new(1)));
//! assert!(matches!(
//!     subscription.next().await?,
//!     Some(StreamItem::Created { event, .. }) if event.id == receipt.id
//! ));
//! tidings.close().await;
//! # Ok(())
//! # }
//! ```
//!
//! # Progress of a long operation
//!
//! The events of an operation share its id, so that a page can show them as one entry:
//!
#![doc = concat!("```no_run\n", include_str!("../examples/long_operation.rs"), "```")]
//!
//! # Compatibility
//!
//! Structs and enums that can grow are `#[non_exhaustive]` and have constructors or `with_…` methods. Errors
//! can grow, so a program needs a way to handle an unknown one. [`wire`] is for servers that are released
//! with the engine: its enums of errors and steps are exhaustive.
//!
//! The API has types of five other crates. Four of them are those of `tidings-event`: ids are
//! `uuid::Uuid`s, times are [`Timestamp`]s of `jiff`, metadata is `serde_json` data, and encoded events are
//! `bytes::Bytes`. The fifth is `prometheus_client`'s `Registry`, which `Tidings::register_metrics` (feature
//! `metrics`) fills, so that the engine's metrics appear in the same report as those of the program. A
//! [`Subscription`] implements `Stream` of `futures_core`.
//!
//! # Requirements
//!
//! The engine runs on a Tokio runtime. One process at a time can open a data directory.

mod activity;
mod bulk_changes;
mod bus;
mod changes;
mod clock;
mod committer;
mod config;
mod deliveries;
mod ended_overlay;
mod engine;
mod error;
mod follower;
mod frame;
mod heads;
mod hub;
mod metrics;
#[cfg(feature = "postgres")]
pub mod moving;
mod nodes;
mod one_line;
mod operation;
mod page;
#[cfg(feature = "postgres")]
pub mod postgres;
mod quota;
mod refill;
mod retention;
mod revoked_tokens;
#[cfg(test)]
mod schedules;
mod search;
mod shared_json;
pub mod sqlite;
mod start;
mod store;
mod subscription;
mod sync;
mod timekeeper;
mod turns;
mod upkeep;
mod vitals;
pub mod wire;

pub use bus::BusError;
pub use clock::{Clock, ManualClock};
#[cfg(feature = "nats")]
pub use config::NatsConfig;
#[cfg(feature = "postgres")]
pub use config::PostgresConfig;
pub use config::{BusConfig, Config, Reserve, SqliteConfig, StoreConfig};
pub use engine::Tidings;
pub use error::{ChangeError, OpenError, PublishError, RetractError, UpdateError};
pub use operation::Operation;
pub use retention::Retention;
pub use store::StoreError;
pub use subscription::Subscription;

/// Events and their parts, from `tidings-event`: a program that embeds the engine needs no other crate to
/// build an event.
pub use tidings_event::{
    Action, Category, Cause, CauseSeverity, Draft, Event, EventBuilder, EventId, IntoDraft, Limits,
    Metadata, OperationId, OwnerId, Receipt, ResourceId, Retraction, Severity, Status, SystemId,
    Timestamp, Update, UpdateBuilder, Violation, Violations, Warning, WarningCode,
};
/// Lists, changes and streams, from `tidings-event`.
pub use tidings_event::{
    Change, ChangeOutcome, Changes, ContentChange, CountDelta, Cursor, Deletion, EventFilter,
    EventPage, EventRef, EventType, EventTypes, InboxSummary, OwnerKind, PageRequest, PageToken,
    Paging, Recipients, ResetReason, Rev, Selection, SeverityCount, SharedReceipt,
    SharedUpdateReceipt, Sort, SortKey, SortOrder, Start, StatusChange, StreamItem, Summary, Total,
};

/// Compiles the program in the README of the repository.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct RepositoryReadmeDoctests;

/// Compiles the examples in the README of this crate.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;
