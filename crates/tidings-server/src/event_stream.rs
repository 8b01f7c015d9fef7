//! The body of a stream: it reads the subscription only when the connection has room, so that a slow
//! reader holds back nobody and keeps nothing but its own place.

use std::convert::Infallible;
use std::pin::Pin;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use jiff::Timestamp;
use tidings::Subscription;
use tidings_event::Cursor;
use tokio::time::{Instant, Sleep};

use crate::error_chain::chain;
use crate::identity::{Credential, Ending, Watch};
use crate::limits::StreamPlace;
use crate::state::AppState;

/// How soon a reader whose connection is cut comes back, in milliseconds: spread, so that the many
/// readers of a server that died do not return at once.
const RETRY_MS: std::ops::RangeInclusive<u32> = 1_000..=4_000;

/// The same for a reader that is sent away: the server needs time to come back.
const RETRY_AFTER_END_MS: std::ops::RangeInclusive<u32> = 1_000..=10_000;

/// A comment without a blank line: readers that hand every block to their caller would make an empty
/// message of it.
const KEEPALIVE: &[u8] = b": keepalive\n";

/// One reader's stream.
pub(crate) struct EventStream {
    subscription: Subscription,
    /// Free for another stream once this one is dropped.
    _place: StreamPlace,
    /// `None` where no login is needed.
    credential: Option<Watch>,
    /// Ready when the server ends and it is this stream's turn.
    farewell: Pin<Box<dyn Future<Output = ()> + Send>>,
    keepalive: Duration,
    /// Runs on while frames are sent, and is set anew only when it ends: that is cheaper than to set
    /// it with every frame.
    silence: Pin<Box<Sleep>>,
    last_sent: Instant,
    phase: Phase,
}

#[derive(Clone, Copy)]
enum Phase {
    Opening,
    Flowing,
    Ended,
}

/// What a stream has while it lasts.
#[derive(Debug)]
pub(crate) struct Keeping {
    pub(crate) place: StreamPlace,
    /// By what its reader was let in; `None` where no login is needed.
    pub(crate) credential: Option<Credential>,
}

impl EventStream {
    pub(crate) fn new(subscription: Subscription, keeping: Keeping, state: &AppState) -> Self {
        let Keeping { place, credential } = keeping;
        Self {
            subscription,
            _place: place,
            credential: credential.map(Credential::watch),
            farewell: Box::pin(state.drain.farewell(state.drain_spread)),
            keepalive: state.keepalive,
            silence: Box::pin(tokio::time::sleep(state.keepalive)),
            last_sent: Instant::now(),
            phase: Phase::Opening,
        }
    }

    /// The body of the answer.
    pub(crate) fn into_body(self) -> Body {
        Body::from_stream(stream::unfold(self, |mut stream| async move {
            let bytes = stream.next().await?;
            Some((Ok::<_, Infallible>(bytes), stream))
        }))
    }

    async fn next(&mut self) -> Option<Bytes> {
        let bytes = match self.phase {
            Phase::Opening => {
                self.phase = Phase::Flowing;
                retry(RETRY_MS)
            }
            Phase::Flowing => self.flow().await,
            Phase::Ended => return None,
        };
        self.last_sent = Instant::now();
        Some(bytes)
    }

    async fn flow(&mut self) -> Bytes {
        // Where its reader is, whatever is taken for it meanwhile.
        let cursor = self.subscription.cursor();
        loop {
            tokio::select! {
                // The farewell comes first: a busy feed would put it off forever.
                biased;
                () = &mut self.farewell => break,
                ending = ending(&mut self.credential) => match ending {
                    Ending::Soon(at) => return Subscription::expiring_frame(cursor, at),
                    Ending::Now => return self.expire(cursor),
                },
                frames = self.subscription.next_frames() => match frames {
                    // They stay for the reader who comes back with a good credential.
                    Ok(Some(_)) if self.credential.as_ref().is_some_and(Watch::is_over) => {
                        return self.expire(cursor);
                    }
                    Ok(Some(frames)) => return frames,
                    // The engine is closed.
                    Ok(None) => break,
                    Err(error) => {
                        tracing::error!(cause = chain(&error), "could not go on with a stream");
                        break;
                    }
                },
                () = &mut self.silence => {
                    let now = Instant::now();
                    let due = self.last_sent + self.keepalive;
                    if due <= now {
                        self.silence.as_mut().reset(now + self.keepalive);
                        return Bytes::from_static(KEEPALIVE);
                    }
                    self.silence.as_mut().reset(due);
                }
            }
        }
        self.phase = Phase::Ended;
        retry(RETRY_AFTER_END_MS)
    }

    /// Ends it for a reader who has got as far as `cursor`.
    fn expire(&mut self, cursor: Cursor) -> Bytes {
        self.phase = Phase::Ended;
        Subscription::expiring_frame(cursor, Timestamp::now())
    }
}

/// What becomes of the credential next; nothing, if none is needed.
async fn ending(credential: &mut Option<Watch>) -> Ending {
    match credential {
        Some(watch) => watch.next().await,
        None => std::future::pending().await,
    }
}

/// The body of a stream that ends before it has begun. An error status instead would end a browser's
/// `EventSource` for good; so it comes back.
pub(crate) fn ended() -> Body {
    Body::from(retry(RETRY_AFTER_END_MS))
}

/// A `retry:` field as the first line of the next block, or the last line of the stream. Readers apply
/// it when the line ends (HTML standard §9.2.6); a blank line after it would make an empty message of
/// it for readers that hand every block to their caller.
fn retry(milliseconds: std::ops::RangeInclusive<u32>) -> Bytes {
    format!("retry: {}\n", fastrand::u32(milliseconds)).into()
}
