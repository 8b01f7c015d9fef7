//! Moves of a store between two engines, some of which are interrupted.

use std::error::Error as _;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tidings::moving::{MoveError, Moved, MovedTokens, move_store};
use tidings::sqlite::DirectoryError;
use tidings::wire::RevokedToken;
use tidings::{OpenError, StoreConfig};
use tokio::sync::Notify;

use crate::reader::STUCK;

/// The steps after which a move is interrupted, one after the other; 0 is none. A move of a history has about a
/// dozen.
const INTERRUPTED_AFTER: [usize; 11] = [0, 1, 5, 3, 0, 8, 2, 11, 6, 4, 9];

/// The moves of one store.
#[derive(Debug, Default)]
pub(crate) struct Moves {
    begun: AtomicUsize,
}

impl Moves {
    /// Moves a store, perhaps after moves that were interrupted.
    pub(crate) async fn run(&self, from: &StoreConfig, to: &StoreConfig) {
        loop {
            let number = self.begun.fetch_add(1, Ordering::Relaxed);
            match INTERRUPTED_AFTER[number % INTERRUPTED_AFTER.len()] {
                0 => break,
                // It can have less.
                steps => {
                    if begin(from, to, steps).await.is_some() {
                        return;
                    }
                }
            }
        }
        finish(from, to).await.expect("the store moves");
    }
}

/// Moves a store, or ends after some steps.
pub(crate) async fn begin(from: &StoreConfig, to: &StoreConfig, steps: usize) -> Option<Moved> {
    let (mut left, stop) = (steps, Notify::new());
    let moved = patiently(from, to, || {
        left = left.saturating_sub(1);
        if left == 0 {
            stop.notify_one();
        }
    });
    tokio::select! {
        biased;
        () = stop.notified() => None,
        moved = moved => Some(moved.expect("the store moves")),
    }
}

/// A move of stores without revoked tokens.
pub(crate) fn no_tokens(
    keep: &mut (dyn FnMut(Vec<RevokedToken>) -> io::Result<()> + Send),
) -> MovedTokens<'_> {
    MovedTokens::new(Vec::new(), keep)
}

/// Moves a store.
pub(crate) async fn finish(from: &StoreConfig, to: &StoreConfig) -> Result<Moved, MoveError> {
    patiently(from, to, || {}).await
}

/// Moves a store. The locks of a move that was dropped before can last for a moment, unlike those of a process that
/// was killed.
async fn patiently(
    from: &StoreConfig,
    to: &StoreConfig,
    mut step: impl FnMut(),
) -> Result<Moved, MoveError> {
    let moved = async {
        loop {
            match move_store(from, to, no_tokens(&mut |_| Ok(())), |_| step()).await {
                Err(MoveError::Source(error) | MoveError::Target(error)) if is_in_use(&error) => {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                moved => break moved,
            }
        }
    };
    tokio::time::timeout(STUCK, moved)
        .await
        .expect("no other process uses the stores")
}

fn is_in_use(error: &OpenError) -> bool {
    match error {
        OpenError::Directory(error) => matches!(error, DirectoryError::InUse { .. }),
        error => error
            .source()
            .is_some_and(|cause| cause.to_string().contains("servers use the database")),
    }
}
