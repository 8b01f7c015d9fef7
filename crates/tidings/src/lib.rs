//! The Tidings engine, to embed: it commits events, shows them live to every subscriber of their
//! owner, and keeps them to be listed.
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
//! It runs on a Tokio runtime, and only one process at a time can have a data directory open.

mod activity;
mod bulk_changes;
mod changes;
mod clock;
mod committer;
mod config;
mod ended_overlay;
mod engine;
mod error;
mod frame;
mod hub;
mod metrics;
mod operation;
mod page;
mod quota;
mod retention;
#[cfg(test)]
mod schedules;
mod search;
mod start;
mod store;
mod subscription;
mod sync;
mod timekeeper;
mod turns;
mod upkeep;
mod vitals;

pub use bulk_changes::RunningChange;
pub use changes::ChangeOutcome;
pub use clock::{Clock, ManualClock};
pub use config::{Config, Reserve};
pub use engine::{Prepared, Tidings};
pub use error::{ChangeError, OpenError, PublishError};
pub use frame::StreamFrame;
pub use operation::Operation;
pub use page::{EncodedPage, PageRest};
pub use retention::Retention;
pub use store::{
    Audit, AuditError, BackupError, DirectoryError, StoreError, StoreSummary, WrongCount, audit,
    backup, backup_to_writer, restore, restore_from_reader, schema_differences,
};
pub use subscription::Subscription;

/// Events: building one, and what it is made of; from `tidings-event`, so that a program which
/// embeds the engine needs no other crate to say what happened.
pub use tidings_event::{
    Action, Category, Cause, CauseSeverity, Draft, Event, EventBuilder, EventId, IntoDraft, Limits,
    Metadata, OperationId, OwnerId, Receipt, ResourceId, Severity, Status, SystemId, Timestamp,
    Violation, Violations, Warning, WarningCode,
};
/// Reading and changing an inbox, and following it; from `tidings-event`.
pub use tidings_event::{
    Change, Changes, CountDelta, Cursor, Deletion, EventFilter, EventPage, EventRef, EventType,
    EventTypes, InboxSummary, OwnerKind, PageRequest, PageToken, Paging, ResetReason, Rev,
    Selection, SeverityCount, Sort, SortKey, SortOrder, Start, StatusChange, StreamItem, Summary,
    Total,
};

/// Compiles the program in the README of the repository.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct RepositoryReadmeDoctests;

/// Compiles the examples in the README of this crate.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;
