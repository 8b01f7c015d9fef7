//! Limits for one caller, so that no caller slows down the others.

mod delay;
mod error;
#[cfg(feature = "jwt")]
mod rate;
#[cfg(not(feature = "jwt"))]
#[path = "limits/no_rate.rs"]
mod rate;
mod streams;
#[cfg(test)]
#[cfg(feature = "jwt")]
mod tests;
mod uri;

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use tidings_event::OwnerId;

pub(crate) use delay::{delay_rejected_request, delay_rejected_stream};
pub(crate) use error::LimitError;
pub(crate) use streams::StreamSlot;
pub(crate) use uri::check_uri;

use rate::Rate;
use streams::Streams;

/// The bytes of a publish request that count as one event of a caller with the reach
/// [`Reach::Themselves`]. The largest event costs the server a hundred times as much as a small one.
const OWN_EVENT_BYTES: u64 = 8 * 1024;

/// Limits for one caller. `None` is unlimited. It is the default, since without authentication all requests
/// come from the same caller.
///
/// The rates need the feature `jwt`, which tells callers apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallerLimits {
    /// Events per second of one caller that can publish to every owner, such as a backend. The burst is
    /// one second's worth, and at least the largest batch.
    #[cfg(feature = "jwt")]
    pub publish_rate: Option<NonZeroU32>,
    /// Events per second of one caller that can publish to itself only, such as a user's page or
    /// script. The burst is ten seconds' worth, and at least the largest batch. Each 8 KiB of a request
    /// count as at least one event.
    #[cfg(feature = "jwt")]
    pub own_publish_rate: Option<NonZeroU32>,
    /// Requests per second of one caller, except those that publish. The burst is one second's worth.
    #[cfg(feature = "jwt")]
    pub request_rate: Option<NonZeroU32>,
    /// Open live streams of one user.
    pub streams_per_owner: Option<NonZeroU32>,
    /// Open live streams of one client address. An IPv6 network of 64 bits counts as one address, since
    /// one client has a whole network.
    pub streams_per_address: Option<NonZeroU32>,
}

impl CallerLimits {
    /// A third of the rate at which a small server commits single events. A backend that publishes for
    /// everyone is one caller.
    pub const DEFAULT_PUBLISH_RATE: NonZeroU32 = NonZeroU32::new(10_000).expect("it is not 0");
    /// Far above the rate of a user's own script. A hundred users at this rate still leave a small
    /// server most of its time.
    pub const DEFAULT_OWN_PUBLISH_RATE: NonZeroU32 = NonZeroU32::new(20).expect("it is not 0");
    /// Far above the rate of a page and its reloads.
    pub const DEFAULT_REQUEST_RATE: NonZeroU32 = NonZeroU32::new(1_000).expect("it is not 0");
    /// Enough for every tab of every device, and for streams whose client has gone unnoticed.
    pub const DEFAULT_STREAMS_PER_OWNER: NonZeroU32 = NonZeroU32::new(100).expect("it is not 0");

    /// The defaults of a server that can tell its users apart. Streams per address are unlimited, since
    /// all clients of a proxy share its address.
    #[cfg(feature = "jwt")]
    pub const fn with_login() -> Self {
        Self {
            publish_rate: Some(Self::DEFAULT_PUBLISH_RATE),
            own_publish_rate: Some(Self::DEFAULT_OWN_PUBLISH_RATE),
            request_rate: Some(Self::DEFAULT_REQUEST_RATE),
            streams_per_owner: Some(Self::DEFAULT_STREAMS_PER_OWNER),
            streams_per_address: None,
        }
    }
}

/// The owners that a caller can publish to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    Themselves,
    Everyone,
}

/// The size of a response that counts as one further request of its caller. A page of 25 ordinary events
/// has less.
const RESPONSE_BYTES: usize = 32 * 1024;

/// The longest delay of a response that exceeds its caller's rate.
const MAX_DELAY: Duration = Duration::from_secs(10);

/// The recent requests and the open streams of every caller.
#[derive(Debug)]
pub(crate) struct Callers {
    publishes: Option<Rate>,
    own_publishes: Option<Rate>,
    requests: Option<Rate>,
    streams: Streams,
}

impl Callers {
    /// `batch_events` is the size of the largest batch.
    pub(crate) fn new(limits: &CallerLimits, batch_events: usize) -> Self {
        let [publishes, own_publishes, requests] = Rate::all(limits, batch_events);
        Self {
            publishes,
            own_publishes,
            requests,
            streams: Streams::new(limits.streams_per_owner, limits.streams_per_address),
        }
    }

    /// Counts a request that does not publish.
    pub(crate) fn count_request(&self, caller: OwnerId) -> Result<(), LimitError> {
        let Some(requests) = &self.requests else {
            return Ok(());
        };
        requests
            .take(caller, 1)
            .map_err(|wait| LimitError::Requests {
                rate: requests.per_second(),
                seconds: whole_seconds(wait),
            })
    }

    /// Counts the bytes of a response as further requests, and waits until the caller's rate has room for
    /// them. A caller who reads large pages as fast as possible would otherwise keep the server busy
    /// although every request is within the rate. The response is never rejected: it is delayed, by
    /// [`MAX_DELAY`] at most.
    pub(crate) async fn count_response(&self, caller: OwnerId, bytes: usize) {
        let Some(requests) = &self.requests else {
            return;
        };
        let counted = async {
            // One at a time, so that the caller's small requests do not keep a large response waiting.
            for _ in 0..bytes / RESPONSE_BYTES {
                while let Err(wait) = requests.take(caller, 1) {
                    tokio::time::sleep(wait).await;
                }
            }
        };
        // After that time the response is sent although its bytes are not all counted.
        let _ = tokio::time::timeout(MAX_DELAY, counted).await;
    }

    /// Counts a publish request by its size before its body is read: as one event, or as several if it
    /// is large. A request without a valid event therefore counts, too.
    pub(crate) fn count_publish(
        &self,
        caller: OwnerId,
        reach: Reach,
        bytes: u64,
    ) -> Result<(), LimitError> {
        self.count_events(caller, reach, events_of(reach, bytes), 0)
    }

    /// Counts the rest of a publish request whose size was unknown before its body was read.
    pub(crate) fn count_undeclared(
        &self,
        caller: OwnerId,
        reach: Reach,
        bytes: u64,
    ) -> Result<(), LimitError> {
        let counted = events_of(reach, 0);
        self.count_events(caller, reach, events_of(reach, bytes) - counted, counted)
    }

    /// Counts the events of a batch that [`Self::count_publish`] has not counted by its size.
    pub(crate) fn count_batch(
        &self,
        caller: OwnerId,
        reach: Reach,
        events: usize,
        bytes: u64,
    ) -> Result<(), LimitError> {
        let events = u32::try_from(events).unwrap_or(u32::MAX);
        let counted = events_of(reach, bytes);
        self.count_events(caller, reach, events.saturating_sub(counted), counted)
    }

    /// Counts further events of a request of which `counted` events are counted already. A retry needs
    /// room for those, too, so the wait includes them.
    fn count_events(
        &self,
        caller: OwnerId,
        reach: Reach,
        events: u32,
        counted: u32,
    ) -> Result<(), LimitError> {
        let Some(publishes) = self.publishes(reach) else {
            return Ok(());
        };
        publishes.take(caller, events).map_err(|wait| {
            let again = publishes.period().saturating_mul(counted);
            LimitError::Publishes {
                reach,
                rate: publishes.per_second(),
                seconds: whole_seconds(wait.saturating_add(again)),
            }
        })
    }

    const fn publishes(&self, reach: Reach) -> Option<&Rate> {
        match reach {
            Reach::Themselves => self.own_publishes.as_ref(),
            Reach::Everyone => self.publishes.as_ref(),
        }
    }

    /// Counts a stream of `owner` until the returned slot is dropped.
    pub(crate) fn open_stream(
        &self,
        owner: OwnerId,
        address: Option<IpAddr>,
    ) -> Result<StreamSlot, LimitError> {
        self.streams.open(owner, address)
    }
}

/// The number of events that a request of this size counts as before its body is parsed.
fn events_of(reach: Reach, bytes: u64) -> u32 {
    match reach {
        Reach::Everyone => 1,
        Reach::Themselves => {
            let events = bytes.div_ceil(OWN_EVENT_BYTES).max(1);
            u32::try_from(events).unwrap_or(u32::MAX)
        }
    }
}

/// At least one second: a client that retries at once would be rejected again.
fn whole_seconds(wait: Duration) -> u32 {
    let seconds = wait.as_nanos().div_ceil(1_000_000_000).max(1);
    u32::try_from(seconds).unwrap_or(u32::MAX)
}
