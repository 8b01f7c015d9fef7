use std::time::Duration;

use futures_util::FutureExt as _;
use uuid::Uuid;

use super::*;

const fn owner(number: u128) -> OwnerId {
    OwnerId::from_uuid(Uuid::from_u128(number))
}

#[test]
fn rounds_a_wait_up_to_whole_seconds() {
    for (milliseconds, seconds) in [(0, 1), (1, 1), (1_000, 1), (1_001, 2), (60_000, 60)] {
        let wait = Duration::from_millis(milliseconds);
        assert_eq!(whole_seconds(wait), seconds, "{milliseconds}");
    }
    assert_eq!(whole_seconds(Duration::MAX), u32::MAX);
}

#[tokio::test]
async fn counts_the_bytes_of_a_response_as_requests() {
    let limits = CallerLimits {
        request_rate: NonZeroU32::new(100),
        ..CallerLimits::default()
    };
    let callers = Callers::new(&limits, 10);
    callers
        .count_response(owner(1), 60 * RESPONSE_BYTES + RESPONSE_BYTES / 2)
        .await;
    let accepted = (0..).take_while(|_| callers.count_request(owner(1)).is_ok());
    // The rate allows one more every 10 ms.
    assert!((40..60).contains(&accepted.count()));
    let waiting = callers.count_response(owner(1), 100 * RESPONSE_BYTES);
    assert!(waiting.now_or_never().is_none(), "it does not wait");
    let small = callers.count_response(owner(1), RESPONSE_BYTES - 1);
    assert!(
        small.now_or_never().is_some(),
        "it waits for a small response"
    );
    let other = callers.count_response(owner(2), 100 * RESPONSE_BYTES);
    assert!(
        other.now_or_never().is_some(),
        "it waits for another caller"
    );
}

#[tokio::test(start_paused = true)]
async fn delays_a_response_for_a_bounded_time() {
    let limits = CallerLimits {
        request_rate: NonZeroU32::new(1),
        ..CallerLimits::default()
    };
    let callers = Callers::new(&limits, 10);
    let begun = tokio::time::Instant::now();
    callers
        .count_response(owner(1), 1_000 * RESPONSE_BYTES)
        .await;
    assert_eq!(begun.elapsed().as_secs(), MAX_DELAY.as_secs());
}

#[test]
fn accepts_everything_without_limits() {
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
fn accepts_the_largest_batch_at_any_rate() {
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
    let rejected = callers
        .count_batch(owner(1), Reach::Everyone, 1_000, 100)
        .unwrap_err();
    let LimitError::Publishes {
        reach: Reach::Everyone,
        rate,
        seconds,
    } = rejected
    else {
        panic!("{rejected:?}");
    };
    assert_eq!(rate.get(), 1);
    assert!((999..=1_000).contains(&seconds), "{seconds}");
    // Other callers have their own burst.
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
fn limits_publishing_to_oneself_separately() {
    let limits = CallerLimits {
        publish_rate: NonZeroU32::new(1),
        own_publish_rate: NonZeroU32::new(2),
        ..CallerLimits::default()
    };
    // A batch smaller than the burst of ten seconds.
    let callers = Callers::new(&limits, 5);
    let own = |events| callers.count_batch(owner(1), Reach::Themselves, events, 100);
    assert_eq!(own(16), Ok(()));
    assert_eq!(
        callers.count_publish(owner(1), Reach::Themselves, 100),
        Ok(())
    );
    for _ in 0..4 {
        // Uses up the events that become available if this machine pauses in between.
        let _ = callers.count_publish(owner(1), Reach::Themselves, 100);
    }
    let rejected = own(21).unwrap_err();
    let LimitError::Publishes {
        reach: Reach::Themselves,
        rate,
        ..
    } = rejected
    else {
        panic!("{rejected:?}");
    };
    assert_eq!(rate.get(), 2);
    // The largest batch of a backend is counted separately.
    assert_eq!(
        callers.count_batch(owner(1), Reach::Everyone, 6, 100),
        Ok(())
    );
}

#[test]
fn counts_large_requests_to_oneself_as_several_events() {
    let limits = CallerLimits {
        publish_rate: NonZeroU32::new(1),
        own_publish_rate: NonZeroU32::new(1),
        ..CallerLimits::default()
    };
    let callers = Callers::new(&limits, 64);
    // Nine events, then more than remain even if a minute passes in between.
    let publish = |caller, bytes| callers.count_publish(owner(caller), Reach::Themselves, bytes);
    assert_eq!(publish(1, 8 * OWN_EVENT_BYTES + 1), Ok(()));
    assert!(publish(1, 64 * OWN_EVENT_BYTES).is_err());
    // The rest of a request of undeclared size is counted later.
    assert_eq!(publish(2, 0), Ok(()));
    let rest = callers.count_undeclared(owner(2), Reach::Themselves, 60 * OWN_EVENT_BYTES);
    assert_eq!(rest, Ok(()));
    assert!(publish(2, 64 * OWN_EVENT_BYTES).is_err());
    // The largest batch of small events is accepted, whatever its size.
    assert_eq!(publish(3, 10 * OWN_EVENT_BYTES), Ok(()));
    let batch = callers.count_batch(owner(3), Reach::Themselves, 64, 10 * OWN_EVENT_BYTES);
    assert_eq!(batch, Ok(()));
    // A backend's events are counted one by one, whatever their size.
    let backend = callers.count_publish(owner(4), Reach::Everyone, 1_000 * OWN_EVENT_BYTES);
    assert_eq!(backend, Ok(()));
}

#[test]
fn counts_requests_and_events_separately() {
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
    let rejected = LimitError::Requests {
        rate: NonZeroU32::MIN,
        seconds: 1,
    };
    assert_eq!(callers.count_request(owner(1)), Ok(()));
    // The second request is rejected unless this machine pauses for a second in between.
    let counted = (0..100).find_map(|_| callers.count_request(owner(1)).err());
    assert_eq!(counted, Some(rejected));
    assert_eq!(callers.count_request(owner(2)), Ok(()));
}
