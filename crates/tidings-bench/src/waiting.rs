//! Waits for conditions.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

/// Far longer than any step takes. If it passes, something is stuck.
const STUCK: Duration = Duration::from_secs(120);

/// Waits for something that must happen.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> anyhow::Result<T> {
    tokio::time::timeout(STUCK, future)
        .await
        .with_context(|| format!("waited for {what} for {STUCK:?}"))
}

/// The interval of polls, for changes without a signal.
const LOOK: Duration = Duration::from_millis(10);

/// Waits until `look` finds nothing left to do. Fails if the rest stops shrinking.
pub(crate) async fn until_none_is_left(
    what: &str,
    mut look: impl AsyncFnMut() -> anyhow::Result<u64>,
) -> anyhow::Result<()> {
    let (mut least, mut moved) = (u64::MAX, Instant::now());
    loop {
        let left = look().await?;
        if left == 0 {
            return Ok(());
        }
        if left < least {
            (least, moved) = (left, Instant::now());
        }
        ensure!(
            moved.elapsed() < STUCK,
            "waited for {what} for {STUCK:?}, and {left} are left"
        );
        tokio::time::sleep(LOOK).await;
    }
}
