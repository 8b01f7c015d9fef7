//! The delay before a stream is refused.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::shutdown::Drain;

/// The delay of a stream's refusal in milliseconds. Existing clients retry as soon as they are refused.
/// The delay is random, so that clients that were refused together do not retry together.
const DELAY_MS: RangeInclusive<u64> = 750..=1_250;

/// Waits before a stream is refused, but not while the server shuts down. The caller should hold no
/// large memory meanwhile.
pub(crate) async fn delay_refusal(drain: &Drain) {
    let delay = Duration::from_millis(fastrand::u64(DELAY_MS));
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
    async fn delays_a_refusal_by_about_a_second() {
        let start = Instant::now();
        delay_refusal(&Drain::default()).await;
        let delay = start.elapsed().as_millis();
        assert!((750..=1_251).contains(&delay), "{delay}");
    }

    #[tokio::test(start_paused = true)]
    async fn does_not_delay_refusals_during_the_shutdown() {
        let drain = Drain::default();
        let start = Instant::now();
        let begin = async { drain.begin() };
        tokio::join!(delay_refusal(&drain), begin);
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}
