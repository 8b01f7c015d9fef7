//! How much one caller may ask for, so that the others are served as before.

mod delay;
mod error;
#[cfg(feature = "jwt")]
mod rate;
#[cfg(not(feature = "jwt"))]
#[path = "limits/no_rate.rs"]
mod rate;
mod streams;
mod uri;

use std::net::IpAddr;
use std::num::NonZeroU32;

use tidings_event::OwnerId;

pub(crate) use delay::delay_refusal;
pub(crate) use error::LimitError;
pub(crate) use streams::StreamSlot;
pub(crate) use uri::check_uri;

use rate::Rate;
use streams::Streams;

/// The bytes of a publish request that count as one event of a caller who publishes to themselves. An
/// event of the largest size takes the server a hundred times the time of a small one.
const OWN_EVENT_BYTES: u64 = 8 * 1024;

/// How much one caller may ask for. `None` is any number, and the default: without a login all requests
/// come from the same caller.
///
/// The rates need the feature `jwt`, which tells callers apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallerLimits {
    /// The events that one caller who may publish to anybody may publish a second, whoever gets them.
    /// As many may come at once, and the largest batch always.
    #[cfg(feature = "jwt")]
    pub publish_rate: Option<NonZeroU32>,
    /// The events that a caller a second may publish who may publish to themselves only: ten times as
    /// many may come at once, and the largest batch always. Each 8 KiB of a request count as one event
    /// at least. Such a caller is a person's page or script, where `publish_rate` is for backends that
    /// publish for everyone.
    #[cfg(feature = "jwt")]
    pub own_publish_rate: Option<NonZeroU32>,
    /// The requests by which one caller may list, count, look at, follow, mark and delete events a
    /// second: all but those that publish. As many may come at once.
    #[cfg(feature = "jwt")]
    pub request_rate: Option<NonZeroU32>,
    /// The live streams that one user may have open.
    pub streams_per_owner: Option<NonZeroU32>,
    /// The live streams that may be open to one address; in IPv6 to one network of 64 bits, which is
    /// what one client has.
    pub streams_per_address: Option<NonZeroU32>,
}

impl CallerLimits {
    /// A third of what a small server commits one by one; a backend that publishes for everyone is one
    /// caller.
    pub const DEFAULT_PUBLISH_RATE: NonZeroU32 = NonZeroU32::new(10_000).expect("it is not 0");
    /// Far above what a person's script tells them, and a hundred users who overdo it leave a small
    /// server most of its time.
    pub const DEFAULT_OWN_PUBLISH_RATE: NonZeroU32 = NonZeroU32::new(20).expect("it is not 0");
    /// Far above what a page and its reloads ask for.
    pub const DEFAULT_REQUEST_RATE: NonZeroU32 = NonZeroU32::new(1_000).expect("it is not 0");
    /// Every tab of every device, and those that went away unnoticed.
    pub const DEFAULT_STREAMS_PER_OWNER: NonZeroU32 = NonZeroU32::new(100).expect("it is not 0");

    /// What suits a server that tells its users apart. Any number of streams to an address: all that
    /// come through a proxy have one.
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

/// To whom a caller may publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    Themselves,
    Everyone,
}

/// What every caller has of late asked for.
#[derive(Debug)]
pub(crate) struct Callers {
    publishes: Option<Rate>,
    own_publishes: Option<Rate>,
    requests: Option<Rate>,
    streams: Streams,
}

impl Callers {
    /// A batch has at most `batch_events`.
    pub(crate) fn new(limits: &CallerLimits, batch_events: usize) -> Self {
        let [publishes, own_publishes, requests] = Rate::all(limits, batch_events);
        Self {
            publishes,
            own_publishes,
            requests,
            streams: Streams::new(limits.streams_per_owner, limits.streams_per_address),
        }
    }

    /// Counts a request that is no publish.
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

    /// Counts a publish request by its size, before its body is read: as one event, and as more if it
    /// is large. So a request without a valid event costs its sender something as well.
    pub(crate) fn count_publish(
        &self,
        caller: OwnerId,
        reach: Reach,
        bytes: u64,
    ) -> Result<(), LimitError> {
        self.count_events(caller, reach, events_of(reach, bytes), 0)
    }

    /// Counts a request whose size was not known before its body was read.
    pub(crate) fn count_undeclared(
        &self,
        caller: OwnerId,
        reach: Reach,
        bytes: u64,
    ) -> Result<(), LimitError> {
        let counted = events_of(reach, 0);
        self.count_events(caller, reach, events_of(reach, bytes) - counted, counted)
    }

    /// Counts the events of a batch beyond those that its size was counted as.
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

    /// Counts further events of a request of which `counted` were counted before. Sent again, it needs
    /// room for those, too.
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

    /// Counts a stream of `owner` until what is returned is dropped.
    pub(crate) fn open_stream(
        &self,
        owner: OwnerId,
        address: Option<IpAddr>,
    ) -> Result<StreamSlot, LimitError> {
        self.streams.open(owner, address)
    }
}

/// How many events a request of this size counts as before its events are counted.
fn events_of(reach: Reach, bytes: u64) -> u32 {
    match reach {
        Reach::Everyone => 1,
        Reach::Themselves => {
            let events = bytes.div_ceil(OWN_EVENT_BYTES).max(1);
            u32::try_from(events).unwrap_or(u32::MAX)
        }
    }
}

/// At least one: a client that comes back at once would only be refused again.
fn whole_seconds(wait: std::time::Duration) -> u32 {
    let seconds = wait.as_nanos().div_ceil(1_000_000_000).max(1);
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[cfg(feature = "jwt")]
mod tests {
    use std::time::Duration;

    use uuid::Uuid;

    use super::*;

    const fn owner(number: u128) -> OwnerId {
        OwnerId::from_uuid(Uuid::from_u128(number))
    }

    #[test]
    fn a_wait_is_told_in_whole_seconds() {
        for (milliseconds, seconds) in [(0, 1), (1, 1), (1_000, 1), (1_001, 2), (60_000, 60)] {
            let wait = Duration::from_millis(milliseconds);
            assert_eq!(whole_seconds(wait), seconds, "{milliseconds}");
        }
        assert_eq!(whole_seconds(Duration::MAX), u32::MAX);
    }

    #[test]
    fn without_limits_nothing_is_counted() {
        let callers = Callers::new(&CallerLimits::default(), 10);
        for _ in 0..10_000 {
            assert_eq!(callers.count_request(owner(1)), Ok(()));
            assert_eq!(
                callers.count_publish(owner(1), Reach::Everyone, 100),
                Ok(())
            );
            assert_eq!(
                callers.count_batch(owner(1), Reach::Everyone, 10, 100),
                Ok(())
            );
        }
    }

    #[test]
    fn the_largest_batch_is_served_whatever_the_rate() {
        let limits = CallerLimits {
            publish_rate: NonZeroU32::new(1),
            ..CallerLimits::default()
        };
        let callers = Callers::new(&limits, 1_000);
        assert_eq!(
            callers.count_publish(owner(1), Reach::Everyone, 100),
            Ok(())
        );
        assert_eq!(
            callers.count_batch(owner(1), Reach::Everyone, 1_000, 100),
            Ok(())
        );
        let refused = callers
            .count_batch(owner(1), Reach::Everyone, 1_000, 100)
            .unwrap_err();
        let LimitError::Publishes {
            reach: Reach::Everyone,
            rate,
            seconds,
        } = refused
        else {
            panic!("{refused:?}");
        };
        assert_eq!(rate.get(), 1);
        assert!((999..=1_000).contains(&seconds), "{seconds}");
        // The others have their own.
        assert_eq!(
            callers.count_publish(owner(2), Reach::Everyone, 100),
            Ok(())
        );
        assert_eq!(
            callers.count_batch(owner(2), Reach::Everyone, 1_000, 100),
            Ok(())
        );
    }

    #[test]
    fn who_publishes_to_themselves_has_a_rate_of_their_own() {
        let limits = CallerLimits {
            publish_rate: NonZeroU32::new(1),
            own_publish_rate: NonZeroU32::new(2),
            ..CallerLimits::default()
        };
        // A batch smaller than what ten seconds bring.
        let callers = Callers::new(&limits, 5);
        let own = |events| callers.count_batch(owner(1), Reach::Themselves, events, 100);
        assert_eq!(own(16), Ok(()));
        assert_eq!(
            callers.count_publish(owner(1), Reach::Themselves, 100),
            Ok(())
        );
        for _ in 0..4 {
            // What has come back by now, if this machine sleeps in between.
            let _ = callers.count_publish(owner(1), Reach::Themselves, 100);
        }
        let refused = own(21).unwrap_err();
        let LimitError::Publishes {
            reach: Reach::Themselves,
            rate,
            ..
        } = refused
        else {
            panic!("{refused:?}");
        };
        assert_eq!(rate.get(), 2);
        // The largest batch of who publishes for everyone is counted apart.
        assert_eq!(
            callers.count_batch(owner(1), Reach::Everyone, 6, 100),
            Ok(())
        );
    }

    #[test]
    fn large_requests_of_one_s_own_count_as_several_events() {
        let limits = CallerLimits {
            publish_rate: NonZeroU32::new(1),
            own_publish_rate: NonZeroU32::new(1),
            ..CallerLimits::default()
        };
        let callers = Callers::new(&limits, 64);
        // Nine events, then more than is left even if a minute passes in between.
        let publish =
            |caller, bytes| callers.count_publish(owner(caller), Reach::Themselves, bytes);
        assert_eq!(publish(1, 8 * OWN_EVENT_BYTES + 1), Ok(()));
        assert!(publish(1, 64 * OWN_EVENT_BYTES).is_err());
        // If the size was not declared, the rest is counted later.
        assert_eq!(publish(2, 0), Ok(()));
        let rest = callers.count_undeclared(owner(2), Reach::Themselves, 60 * OWN_EVENT_BYTES);
        assert_eq!(rest, Ok(()));
        assert!(publish(2, 64 * OWN_EVENT_BYTES).is_err());
        // The largest batch of small events is served, whatever its size.
        assert_eq!(publish(3, 10 * OWN_EVENT_BYTES), Ok(()));
        let batch = callers.count_batch(owner(3), Reach::Themselves, 64, 10 * OWN_EVENT_BYTES);
        assert_eq!(batch, Ok(()));
        // A backend pays by the event.
        let backend = callers.count_publish(owner(4), Reach::Everyone, 1_000 * OWN_EVENT_BYTES);
        assert_eq!(backend, Ok(()));
    }

    #[test]
    fn requests_and_events_are_counted_apart() {
        let limits = CallerLimits {
            publish_rate: NonZeroU32::new(1),
            request_rate: NonZeroU32::new(1),
            ..CallerLimits::default()
        };
        let callers = Callers::new(&limits, 1_000);
        assert_eq!(
            callers.count_batch(owner(1), Reach::Everyone, 1_001, 100),
            Ok(())
        );
        assert!(
            callers
                .count_batch(owner(1), Reach::Everyone, 1_001, 100)
                .is_err()
        );
        let refused = LimitError::Requests {
            rate: NonZeroU32::MIN,
            seconds: 1,
        };
        assert_eq!(callers.count_request(owner(1)), Ok(()));
        // The second is refused unless this machine sleeps for a second in between.
        let counted = (0..100).find_map(|_| callers.count_request(owner(1)).err());
        assert_eq!(counted, Some(refused));
        assert_eq!(callers.count_request(owner(2)), Ok(()));
    }
}
