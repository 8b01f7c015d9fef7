//! Live streams: the state and messages of every stream, and the body of a stream that has a task.
//!
//! The body reads the subscription only when the connection has room, so that a slow client delays no other
//! client and occupies no memory beyond its position.

pub(crate) mod sse;

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use jiff::Timestamp;
use tidings::wire::{Follower, FrameSubscription, Step};
use tidings_event::{Cursor, StreamItem};
use tokio::time::{Instant, Sleep};

use crate::identity::{Credential, CredentialWatch, Ending};
use crate::limits::StreamSlot;
use crate::state::AppState;
use crate::stream_reads::StreamReads;

/// The delay before a client reconnects after its connection is cut, in milliseconds. The range spreads
/// the clients of a server that has crashed.
const RETRY_MS: std::ops::RangeInclusive<u32> = 1_000..=4_000;

/// The delay before a client reconnects after the server has ended its stream. The server needs time to
/// restart.
const RETRY_AFTER_END_MS: std::ops::RangeInclusive<u32> = 1_000..=10_000;

/// A comment without a blank line: clients that pass every block to their caller would turn one with a
/// blank line into an empty message.
pub(crate) const KEEPALIVE: &[u8] = b": keepalive\n";

/// A stream and what it holds until it ends.
#[derive(Debug)]
pub(crate) struct LiveStream {
    pub(crate) follower: Follower,
    /// The slot that is freed when this stream is dropped.
    pub(crate) slot: StreamSlot,
    /// The credential of its request; `None` if no authentication is needed.
    pub(crate) credential: Option<Credential>,
}

impl LiveStream {
    /// The first bytes of the stream, as far as the store need not be read for them.
    pub(crate) fn begin(&mut self) -> Bytes {
        let mut bytes = BytesMut::from(&retry(RETRY_MS)[..]);
        // Any other step comes again.
        while let Step::Notice(frame) = self.follower.step() {
            bytes.extend_from_slice(&sse::frames(&[frame]));
        }
        self.follower.forget_read();
        bytes.freeze()
    }
}

/// A stream that is a task.
pub(crate) struct EventStream {
    subscription: FrameSubscription,
    _slot: StreamSlot,
    credential: Option<CredentialWatch>,
    /// Ready when the server shuts down and this stream must end.
    farewell: Pin<Box<dyn Future<Output = ()> + Send>>,
    keepalive: Duration,
    /// The timer is reset only when it fires, since a reset with every frame would cost more.
    silence: Pin<Box<Sleep>>,
    last_sent: Instant,
    reads: Arc<StreamReads>,
    phase: Phase,
}

#[derive(Clone, Copy)]
enum Phase {
    Opening,
    Flowing,
    Ended,
}

impl EventStream {
    pub(crate) fn new(stream: LiveStream, state: &AppState) -> Self {
        Self {
            subscription: stream.follower.into(),
            _slot: stream.slot,
            credential: stream.credential.map(Credential::watch),
            farewell: Box::pin(state.drain.farewell(state.drain_spread)),
            keepalive: state.keepalive,
            silence: Box::pin(tokio::time::sleep(state.keepalive)),
            last_sent: Instant::now(),
            reads: Arc::clone(&state.stream_reads),
            phase: Phase::Opening,
        }
    }

    /// The body of the response.
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
        // The position of the client if the frames that are read now are not sent.
        let cursor = self.subscription.cursor();
        loop {
            tokio::select! {
                // The farewell is polled first, since a busy feed would delay it forever.
                biased;
                () = &mut self.farewell => break,
                ending = ending(&mut self.credential) => match ending {
                    Ending::Soon(at) => return sse::item(&StreamItem::Expiring { cursor, at }),
                    Ending::Now => return self.expire(cursor),
                },
                frames = self.subscription.next() => match frames {
                    // A client that reconnects with a valid credential gets these frames again.
                    Ok(Some(_)) if self.credential.as_ref().is_some_and(CredentialWatch::is_over) => {
                        return self.expire(cursor);
                    }
                    Ok(Some(frames)) => return sse::frames(&frames),
                    // The engine is closed.
                    Ok(None) => break,
                    Err(error) => {
                        self.reads.note_failure(&error);
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
        farewell()
    }

    /// Ends the stream of a client at `cursor`.
    fn expire(&mut self, cursor: Cursor) -> Bytes {
        self.phase = Phase::Ended;
        expired(cursor)
    }
}

/// The last frame of a stream at `cursor` whose credential has ended.
pub(crate) fn expired(cursor: Cursor) -> Bytes {
    let at = Timestamp::now();
    sse::item(&StreamItem::Expiring { cursor, at })
}

/// The last line of a stream that the server ends.
pub(crate) fn farewell() -> Bytes {
    retry(RETRY_AFTER_END_MS)
}

/// Waits for the next warning or the end of the credential; forever if none is needed.
async fn ending(credential: &mut Option<CredentialWatch>) -> Ending {
    match credential {
        Some(watch) => watch.next().await,
        None => std::future::pending().await,
    }
}

/// The body of a stream that ends before it has begun. A browser's `EventSource` reconnects after it, and
/// would not after an error status.
pub(crate) fn ended() -> Body {
    Body::from(farewell())
}

/// A `retry:` field as the first line of the next block, or the last line of the stream. Clients apply it
/// when the line ends (HTML standard §9.2.6); a blank line after it would turn it into an empty message for
/// clients that pass every block to their caller.
fn retry(milliseconds: std::ops::RangeInclusive<u32>) -> Bytes {
    format!("retry: {}\n", fastrand::u32(milliseconds)).into()
}
