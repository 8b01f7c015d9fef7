//! The delay before a request or a stream is rejected.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::shutdown::Drain;

/// The delay of a stream's rejection in milliseconds. Existing clients retry as soon as they are rejected.
/// The delay is random, so that clients that were rejected together do not retry together.
const STREAM_DELAY_MS: RangeInclusive<u64> = 750..=1_250;

/// The delay of a request that exceeds a limit of its caller. A client that sends the next request, or
/// connects again, as soon as it is rejected would otherwise use more of the processor for its rejections
/// than the limit leaves it for requests.
const REQUEST_DELAY_MS: RangeInclusive<u64> = 75..=125;

/// Waits before a stream is rejected. The caller should hold no large memory meanwhile.
pub(crate) async fn delay_rejected_stream(drain: &Drain) {
    delay(STREAM_DELAY_MS, drain).await;
}

/// Waits before a request is rejected by a limit of its caller.
pub(crate) async fn delay_rejected_request(drain: &Drain) {
    delay(REQUEST_DELAY_MS, drain).await;
}

/// Does not wait while the server shuts down.
async fn delay(milliseconds: RangeInclusive<u64>, drain: &Drain) {
    let delay = Duration::from_millis(fastrand::u64(milliseconds));
    tokio::select! {
        () = drain.begun() => {}
        () = tokio::time::sleep(delay) => {}
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn delays_a_rejected_stream_by_about_a_second() {
        let start = Instant::now();
        delay_rejected_stream(&Drain::default()).await;
        let delay = start.elapsed().as_millis();
        assert!((750..=1_251).contains(&delay), "{delay}");
    }

    #[tokio::test(start_paused = true)]
    async fn does_not_delay_rejections_during_the_shutdown() {
        let drain = Drain::default();
        let start = Instant::now();
        let begin = async { drain.begin() };
        tokio::join!(delay_rejected_stream(&drain), begin);
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}
