//! A client for Tidings: publish events, read, change and delete them, and follow the live stream, which
//! reconnects and resumes automatically.
//!
//! ```no_run
//! use tidings_client::{Client, Event, Received, ResourceId, Severity, Start, StreamItem};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::new("http://127.0.0.1:9081".parse()?)?;
//! let mut subscription = client.subscribe(Start::Now);
//!
//! let event = Event::builder()
//!     .acted_upon(ResourceId::mint())
//!     .with_category("connection")
//!     .with_action("register")
//!     .with_severity(Severity::Success)
//!     .build()?;
//! client.publish(event).await?;
//!
//! loop {
//!     match subscription.next().await? {
//!         Received::Item(StreamItem::Created { event, .. }) => println!("{}", event.description),
//!         Received::Disconnected { error, retry_in } => {
//!             eprintln!("{error}; connecting again in {retry_in:?}");
//!         }
//!         _ => {}
//!     }
//! }
//! # }
//! ```
//!
//! # Publish until it succeeds
//!
//! The id of an event makes it safe to repeat a request:
//!
#![doc = concat!("```no_run\n", include_str!("../examples/publish_with_retry.rs"), "```")]
//!
//! # Connections
//!
//! The client uses no proxy unless [`ClientBuilder::with_proxy`] sets one, so that it always reaches a
//! server on the same machine. Over https it trusts the certificate authorities of the machine and those
//! of [`ClientBuilder::with_ca_certificates`]. A token from a [`TokenSource`] leaves the machine over https
//! only.
//!
//! # Compatibility
//!
//! Structs and enums that can grow are `#[non_exhaustive]` and have constructors or `with_…` methods.
//! [`Received`] is exhaustive, so that every program decides how to handle a lost connection.
//!
//! The API has types of three crates beside those of the vocabulary: `url::Url` for addresses, because a
//! server's address is parsed once; `http`'s `HeaderMap` and `reqwest::Client`, so that a program can share
//! its connections and headers with the client; and `futures_core`'s `Stream`. The crate re-exports
//! [`reqwest`], which has `Url` and `header::HeaderMap`: a new major version of it is a breaking change here.
//!
//! # Vocabulary
//!
//! The crate re-exports the types of `tidings-event`, so that a program needs no other crate to publish
//! and read events.

mod backoff;
mod builder;
mod change;
mod client;
mod connection;
mod error;
mod fault;
mod health;
mod past_event;
mod publish;
mod recipients;
mod renewal;
mod response;
mod retraction;
mod sse;
mod subscription;
mod token;
mod transport;
mod update;

pub use backoff::Backoff;
pub use builder::ClientBuilder;
pub use client::Client;
pub use error::{ClientError, ErrorKind};
pub use fault::{OptionFault, ProtocolFault, TokenFault, TrustFault, UrlFault};
pub use health::Health;
pub use past_event::PastEvent;
pub use subscription::{Received, Subscription};
pub use token::TokenSource;

/// The HTTP library, for [`ClientBuilder::with_http_client`] and [`ClientBuilder::with_headers`].
pub use reqwest;
/// The vocabulary; see the documentation of `tidings-event`.
pub use tidings_event::{
    Action, Category, Cause, CauseSeverity, Change, ChangeOutcome, Changes, ContentChange,
    CountDelta, Cursor, Deletion, Draft, ErrorBody, ErrorCode, ErrorSeverity, Event, EventBuilder,
    EventFilter, EventId, EventPage, EventRef, EventTypes, Given, InboxSummary, Limits, Metadata,
    NewEvent, NewRetraction, NewUpdate, OperationId, OwnerId, OwnerKind, OwnerName, PageRequest,
    PageToken, Paging, Past, Receipt, Recipients, ResetReason, ResourceId, Retraction, Rev,
    Selection, Severity, SeverityCount, SharedReceipt, SharedUpdateReceipt, Sort, SortKey,
    SortOrder, Start, Status, StatusChange, StreamItem, Summary, SystemId, Timestamp, Total,
    Update, UpdateBuilder, Violation, Violations, Warning, WarningCode,
};

/// Compiles the examples in the README of this crate.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;
