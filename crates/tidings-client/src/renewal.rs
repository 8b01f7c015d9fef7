//! Another token for a stream whose own is about to end.

use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::error::ClientError;
use crate::token::Token;
use crate::transport::Transport;

/// How often the source is asked. The server warns a minute before a token ends, or for a short-lived
/// one when half of what is left has passed; the sources of most tokens renew them later than that.
const ASK_EVERY: Duration = Duration::from_secs(2);

/// What is being asked of a source of tokens.
pub(crate) type Asking = Pin<Box<dyn Future<Output = Result<Option<Token>, ClientError>> + Send>>;

/// Asks for another token than the one that was shown, again and again.
pub(crate) struct Renewal {
    shown: Option<Token>,
    step: Step,
}

enum Step {
    Pause(Instant),
    Asking(Asking),
}

impl Renewal {
    pub(crate) fn new(shown: Option<Token>) -> Self {
        Self {
            shown,
            step: Step::Pause(Instant::now()),
        }
    }

    /// Waits until there is another token. Cancel-safe: what is being asked is asked on.
    ///
    /// A source that has none now may have one next time, and the stream is still open.
    pub(crate) async fn has_come(&mut self, transport: &Transport) {
        loop {
            match &mut self.step {
                Step::Pause(until) => {
                    sleep_until(*until).await;
                    self.step = Step::Asking(Box::pin(transport.token()));
                }
                Step::Asking(asking) => {
                    let answer = asking.await;
                    self.step = Step::Pause(Instant::now() + ASK_EVERY);
                    if matches!(answer, Ok(token) if token != self.shown) {
                        return;
                    }
                }
            }
        }
    }
}
