//! The vocabulary of Tidings: events and the rules they satisfy, cursors, filters, and the bodies of the
//! HTTP API. The engine, the server and the client share these types.
//!
//! The crate does no I/O and needs no runtime.
//!
//! Build an event with [`Event::builder`]:
//!
//! ```
//! use tidings_event::{Cause, Event, Severity};
//! use uuid::Uuid;
//!
//! let connection = Uuid::now_v7();
//! let user = Uuid::now_v7();
//! // Set the common fields, then branch: both outcomes share the operation id.
//! let ping = Event::builder()
//!     .for_user(user)
//!     .acted_upon(connection)
//!     .with_category("connection")
//!     .with_action("ping");
//! let reached = ping
//!     .clone()
//!     .with_severity(Severity::Success)
//!     .with_description("Reached the cluster")
//!     .build()?;
//! let rejected = ping
//!     .with_severity(Severity::Error)
//!     .with_description("Could not reach the cluster")
//!     .with_error(
//!         Cause::new("the API server refused the connection")
//!             .with_probable_cause("the cluster is stopped")
//!             .with_suggested_remediation("start the cluster, then ping again"),
//!     )
//!     .build()?;
//! assert_eq!(reached.operation_id, rejected.operation_id);
//! # Ok::<(), tidings_event::Violations>(())
//! ```
//!
//! # Compatibility
//!
//! Structs and enums that can grow are `#[non_exhaustive]` and have constructors or `with_…` methods.
//! The other types are complete by the wire contract or by what they distinguish: a new field or variant
//! of theirs is a breaking change.
//!
//! Types of four other crates are part of the API: ids are `uuid::Uuid`s, times are
//! [`jiff::Timestamp`]s, metadata is `serde_json` data, and [`Receipt::json`] returns `bytes::Bytes`.

mod api;
mod builder;
mod careful;
mod cause;
mod change;
mod cursor;
mod digest;
mod draft;
mod encoding;
mod error_body;
mod event;
mod event_ref;
mod filter;
mod fit;
#[cfg(feature = "openapi")]
mod frame_counts;
mod given;
mod id;
mod judge;
mod list_query;
mod moment;
mod name;
mod new_event;
mod new_update;
mod number;
#[cfg(feature = "openapi")]
mod openapi;
mod page_request;
mod page_token;
mod past;
mod policy;
mod quote;
mod reading;
mod receipt;
mod recipients;
mod repeat;
mod retraction;
mod rules;
mod serde_text;
mod severity;
mod sort;
mod status;
mod stored_cause;
mod stream;
mod unique_object;
mod update;
mod warning;
pub mod wire;

pub use api::{
    CountDelta, DeletedEvents, EventPage, EventType, EventTypes, InboxSummary, SeverityCount,
    Summary, UpdatedEvent, UpdatedEvents,
};
pub use builder::EventBuilder;
pub use cause::{Cause, CauseSeverity};
pub use change::{Change, ChangeOutcome, Changes, Selection};
pub use cursor::{Cursor, CursorError, CursorTag, Start};
pub use draft::{Draft, IntoDraft};
pub use error_body::{ErrorBody, ErrorCode, ErrorSeverity};
pub use event::{Event, Metadata};
pub use event_ref::EventRef;
pub use filter::{EventFilter, OwnerKind};
pub use given::{Given, OwnerName};
pub use id::{EventId, IdError, OperationId, OwnerId, ResourceId, Rev, SystemId};
pub use name::{Action, Category, NameError};
pub use new_event::NewEvent;
pub use new_update::NewUpdate;
pub use page_request::{PageRequest, Paging, Total};
pub use page_token::{PageToken, PageTokenError};
pub use past::Past;
pub use receipt::Receipt;
pub use recipients::{Recipients, SharedReceipt, SharedUpdateReceipt};
pub use retraction::{NewRetraction, Retraction};
pub use rules::{Limits, Violation, Violations};
pub use severity::{Severity, SeverityError};
pub use sort::{Sort, SortKey, SortOrder};
pub use status::{Status, StatusError};
pub use stream::{ContentChange, Deletion, ResetReason, StatusChange, StreamItem};
pub use update::{Update, UpdateBuilder};
pub use warning::{Warning, WarningCode};

/// The time type of every event: an instant in UTC with nanoseconds.
pub use jiff::Timestamp;

/// Compiles the examples in the README of this crate.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;
