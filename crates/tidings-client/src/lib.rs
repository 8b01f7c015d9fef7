//! A typed client for Tidings: publish events, read, mark and delete them, and follow the live stream,
//! which reconnects and resumes by itself.
//!
//! It never goes through a proxy, so that a server on this machine is reached whatever the environment
//! says. Over https it trusts whom the machine trusts, and a private authority if it is told to; with a
//! [`TokenSource`] it shows a token, which leaves the machine over https only.
//!
//! ```no_run
//! use tidings_client::{Client, Followed};
//! use tidings_event::{Event, ResourceId, Severity, Start, StreamItem};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::new("http://127.0.0.1:9081".parse()?)?;
//! let mut follow = client.follow(Start::Now);
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
//!     match follow.next().await? {
//!         Followed::Item(StreamItem::Created { event, .. }) => println!("{}", event.description),
//!         Followed::Item(_) => {}
//!         Followed::Disconnected { error, retry_in } => {
//!             eprintln!("{error}; again in {retry_in:?}");
//!         }
//!     }
//! }
//! # }
//! ```

mod backoff;
mod builder;
mod change;
mod client;
mod connection;
mod error;
mod fault;
mod follow;
mod health;
mod list_query;
mod past_event;
mod publish;
mod renewal;
mod response;
mod sse;
mod token;
mod transport;

pub use backoff::Backoff;
pub use builder::ClientBuilder;
pub use client::Client;
pub use error::{ClientError, ErrorKind};
pub use fault::{ProtocolFault, TokenFault, TrustFault, UrlFault};
pub use follow::{Follow, Followed};
pub use health::Health;
pub use past_event::PastEvent;
pub use publish::{BatchReceipt, Receipt};
pub use token::TokenSource;
