//! Learns of the tokens that other servers with the same store revoke.

use std::error::Error;
use std::time::Duration;

use tidings::wire::{RevokedToken, RevokedTokens};
use tokio::time::{MissedTickBehavior, interval};

/// A revoked token is rejected everywhere within a second.
const INTERVAL: Duration = Duration::from_millis(500);

/// Reads the revoked tokens, and then again and again those that are added. Passes them to `learn`, and `None`
/// whenever it has read all, until `learn` returns `false`. If the store cannot be read, the known tokens stay
/// revoked, which is logged once.
pub(super) async fn follow(
    store: RevokedTokens,
    mut learn: impl FnMut(Option<Vec<RevokedToken>>) -> bool,
) {
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut version, mut fails) = (0, false);
    loop {
        ticks.tick().await;
        loop {
            let page = match store.after(version).await {
                Ok(page) => page,
                Err(error) => {
                    if !fails {
                        let error: &dyn Error = &error;
                        tracing::warn!(
                            error,
                            "could not read the revoked tokens from the store; those already known stay revoked"
                        );
                    }
                    fails = true;
                    break;
                }
            };
            version = page.version;
            if !page.tokens.is_empty() && !learn(Some(page.tokens)) {
                return;
            }
            if page.has_more {
                continue;
            }
            if std::mem::take(&mut fails) {
                tracing::info!("read the revoked tokens from the store again");
            }
            if !learn(None) {
                return;
            }
            break;
        }
    }
}
