//! A new token for a stream whose token is about to expire.

use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::error::ClientError;
use crate::token::Token;
use crate::transport::Transport;

/// The interval between queries of the source. The server warns a minute before a token expires, or for a
/// short-lived token after half of its remaining time; most sources renew their token later than that.
const QUERY_INTERVAL: Duration = Duration::from_secs(2);

/// A query of a source of tokens.
pub(crate) type TokenQuery =
    Pin<Box<dyn Future<Output = Result<Option<Token>, ClientError>> + Send>>;

/// Queries the source until it returns another token than the one in use.
pub(crate) struct Renewal {
    in_use: Option<Token>,
    step: Step,
}

enum Step {
    Pause(Pin<Box<Sleep>>),
    Query(TokenQuery),
}

impl Renewal {
    pub(crate) fn new(in_use: Option<Token>) -> Self {
        Self {
            in_use,
            step: Step::Pause(Box::pin(sleep_until(Instant::now()))),
        }
    }

    /// Waits for another token. Cancel-safe: a query continues with the next call.
    ///
    /// An error of the source is ignored, because it can succeed next time and the stream is still open.
    pub(crate) async fn completed(&mut self, transport: &Transport) {
        loop {
            match &mut self.step {
                Step::Pause(pause) => {
                    pause.await;
                    self.step = Step::Query(Box::pin(transport.token()));
                }
                Step::Query(query) => {
                    let result = query.await;
                    let end = Instant::now() + QUERY_INTERVAL;
                    self.step = Step::Pause(Box::pin(sleep_until(end)));
                    if matches!(result, Ok(token) if token != self.in_use) {
                        return;
                    }
                }
            }
        }
    }
}
