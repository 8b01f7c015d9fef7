//! The vocabulary of Tidings, spoken by the engine, the server and the client: what an event is,
//! what may be in it, how a reader says how far it has got, and the bodies of the HTTP API.
//!
//! Nothing here does I/O.
//!
//! ```
//! use tidings_event::{Cause, Event, Severity};
//! use uuid::Uuid;
//!
//! let connection = Uuid::now_v7();
//! let user = Uuid::now_v7();
//! // Fill in what is known, then branch: both outcomes share the operation id.
//! let ping = Event::builder()
//!     .from_user(user)
//!     .acted_upon(connection)
//!     .with_category("connection")
//!     .with_action("ping");
//! let reached = ping
//!     .clone()
//!     .with_severity(Severity::Success)
//!     .with_description("Reached the cluster")
//!     .build()?;
//! let refused = ping
//!     .with_severity(Severity::Error)
//!     .with_description("Could not reach the cluster")
//!     .with_error(
//!         Cause::new("the API server refused the connection")
//!             .with_probable_cause("the cluster is stopped")
//!             .with_suggested_remediation("start the cluster, then ping again"),
//!     )
//!     .build()?;
//! assert_eq!(reached.operation_id, refused.operation_id);
//! # Ok::<(), tidings_event::Violations>(())
//! ```

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
mod fit;
mod given;
mod id;
mod judge;
mod kind;
mod moment;
mod new_event;
mod number;
#[cfg(feature = "openapi")]
mod openapi;
mod past;
mod policy;
mod query;
mod quote;
mod reading;
mod repeat;
mod rules;
mod stored_cause;
mod stream;
mod unique_object;
mod warning;

pub use api::{
    CountDelta, DeletedEvents, EventPage, EventType, EventTypes, InboxSummary, SeverityCount,
    Summary, UpdatedEvent, UpdatedEvents,
};
pub use builder::EventBuilder;
pub use cause::{Cause, CauseSeverity};
pub use change::{Change, Selection};
pub use cursor::{Cursor, CursorError, CursorTag, Epoch, Start};
pub use digest::{Digest, Digests};
pub use draft::Draft;
pub use encoding::EventFields;
pub use error_body::{ErrorBody, ErrorCode, ErrorSeverity};
pub use event::{Event, Metadata};
pub use given::{Given, OwnerName};
pub use id::{EventId, IdError, OperationId, OwnerId, ResourceId, Rev, SystemId};
pub use kind::{Action, Category, NameError, Severity, SeverityError, Status, StatusError};
pub use new_event::NewEvent;
pub use past::Past;
pub use policy::Policy;
pub use query::{
    EventFilter, OwnerKind, PageRequest, PageToken, PageTokenError, Paging, Sort, SortKey,
    SortOrder, Total,
};
pub use rules::{Limits, Violation, Violations};

pub use stream::{Deletion, ResetReason, StatusChange, StreamItem};
pub use warning::{Warning, WarningCode};

/// The moment type of every event: an instant in UTC with nanoseconds.
pub use jiff::Timestamp;
