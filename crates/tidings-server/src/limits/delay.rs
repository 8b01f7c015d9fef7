//! A moment before a refused stream is told so.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::shutdown::Drain;

/// How long a refusal of a stream is held back, in milliseconds: existing clients ask again as soon as
/// they are refused. Spread, so that many who were refused together do not stay together.
const DELAY_MS: RangeInclusive<u64> = 750..=1_250;

/// Waits before a request for a stream is refused, and not when the server ends. Call it when nothing
/// large is held.
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
    async fn a_refusal_waits_about_a_second() {
        let start = Instant::now();
        delay_refusal(&Drain::default()).await;
        let delay = start.elapsed().as_millis();
        assert!((750..=1_251).contains(&delay), "{delay}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_ends_waits_for_no_refusal() {
        let drain = Drain::default();
        let start = Instant::now();
        let begin = async { drain.begin() };
        tokio::join!(delay_refusal(&drain), begin);
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}
