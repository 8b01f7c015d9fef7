//! A live stream that reconnects and resumes automatically.

use std::fmt;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use tidings_event::{Cursor, OwnerKind, Start, StreamItem};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::backoff::Backoff;
use crate::connection::{Connection, Frame};
use crate::error::{ClientError, ErrorKind};
use crate::renewal::{Renewal, TokenQuery};
use crate::token::Token;
use crate::transport::{Attempt, Transport};

/// Three keepalives of the server, which sends one every 15 seconds: one can be late and one lost.
const SILENCE_LIMIT: Duration = Duration::from_secs(45);

/// An item of the live stream, or the loss of its connection.
///
/// The enum is exhaustive, so that every program decides how to handle a lost connection.
#[derive(Debug)]
pub enum Received {
    /// An item of the stream.
    Item(StreamItem),
    /// The connection was lost or failed. The next call of [`Subscription::next`] waits, then connects
    /// again; a `ready` item follows when that succeeds.
    Disconnected {
        /// The error.
        error: ClientError,
        /// The time that the next call waits.
        retry_in: Duration,
    },
}

/// A live stream that survives the loss of connections; created by
/// [`Client::subscribe`](crate::Client::subscribe).
///
/// Read it with [`next`](Self::next), or as a [`Stream`] that never ends.
///
/// If the connection is lost, the server responds with 5xx or ends the stream, or nothing arrives for 45
/// seconds, the stream reports [`Received::Disconnected`] once, waits and resumes after the last item. No
/// item is missed and no created event is repeated. The wait is an exponential backoff with full jitter;
/// the server's `retry:` sets the first step, and `Retry-After` is added. The stream never gives up on a
/// server that is only unavailable.
///
/// If the server announces that the token expires soon (`expiring`), the stream queries the client's
/// [`TokenSource`](crate::TokenSource) every two seconds and reconnects as soon as there is a new token. It
/// does the same immediately if the server rejects an expired token. If the source still returns the
/// expired token, the stream ends with the server's error.
///
/// Each connection begins with a `ready` item and reports `live` after the replay. `ready` can also repeat
/// without a lost connection; it has the same meaning for the counts. Kinds of items that this version
/// does not know are skipped, and their cursors kept.
pub struct Subscription {
    transport: Transport,
    start: Start,
    /// The position of the reader; `None` until the server has sent the start of the stream.
    cursor: Option<Cursor>,
    /// The position before the last frame.
    before: Option<Cursor>,
    /// A frame could not be read, and the cursor has not moved since then.
    stumbled: bool,
    /// The token of the last attempt to connect.
    token: Option<Token>,
    /// The server rejected a token, another was used immediately, and no frame has arrived since then.
    renewed: bool,
    /// A frame has arrived on any connection.
    has_worked: bool,
    backoff: Backoff,
    silence_limit: Duration,
    state: State,
}

enum State {
    Waiting {
        pause: Option<Pin<Box<Sleep>>>,
    },
    Connecting(Pin<Box<dyn Future<Output = Attempt> + Send>>),
    Open {
        connection: Box<Connection>,
        /// Present after the server has announced that the token expires soon.
        renewal: Option<Renewal>,
    },
    /// The server rejected the token or ended the stream because of it. A query looks for another.
    Querying {
        error: ClientError,
        query: TokenQuery,
    },
}

impl Subscription {
    pub(crate) fn new(transport: Transport, start: Start) -> Self {
        Self {
            transport,
            start,
            cursor: match start {
                Start::After(cursor) => Some(cursor),
                Start::Now | Start::Earliest | Start::Malformed => None,
            },
            before: None,
            stumbled: false,
            token: None,
            renewed: false,
            has_worked: false,
            backoff: Backoff::new(),
            silence_limit: SILENCE_LIMIT,
            state: State::Waiting { pause: None },
        }
    }

    /// Sets the silence after which a stream counts as dead; 45 seconds by default. The server sends a
    /// keepalive every 15 seconds, so that a lower limit interrupts quiet streams again and again.
    #[must_use]
    pub fn with_silence_limit(mut self, limit: Duration) -> Self {
        self.silence_limit = limit;
        self
    }

    /// Sets the maximum wait after the first failure; 1 second by default. The server can change it with
    /// `retry:`.
    #[must_use]
    pub fn with_retry_base(mut self, base: Duration) -> Self {
        self.backoff.set_base(base);
        self
    }

    /// The position of the reader. [`Start::After`] continues from here, for example in another process.
    /// `None` until the server has sent the start of the stream.
    pub fn cursor(&self) -> Option<Cursor> {
        self.cursor
    }

    /// Whose event the last [`Created`](StreamItem::Created) item is: the user's own or the system's. Both can
    /// have an event with the same id. `None` after an item that moved the position in neither feed.
    ///
    /// [`StatusChange::events`](tidings_event::StatusChange::events) and
    /// [`Deletion::events`](tidings_event::Deletion::events) tell which events a change is about.
    pub fn owner_kind(&self) -> Option<OwnerKind> {
        let (before, now) = (self.before?, self.cursor?);
        match (now.own != before.own, now.system != before.system) {
            (true, false) => Some(OwnerKind::User),
            (false, true) => Some(OwnerKind::System),
            _ => None,
        }
    }

    /// Waits for the next item, or for the notice of a lost connection.
    ///
    /// Cancel-safe: dropping the future loses nothing, and the next call continues an attempt to connect.
    /// It can be used in `select!`.
    ///
    /// # Errors
    ///
    /// Errors that another attempt cannot resolve:
    ///
    /// - a rejection with 4xx other than 408 and 429 (for expired tokens see [`Subscription`]);
    /// - a response that is not a stream;
    /// - a missing token or an untrusted certificate, if no connection has worked yet;
    /// - a frame that cannot be read. The first time it is reported as [`Received::Disconnected`]; it is
    ///   an error if it happens again before the cursor has moved.
    ///
    /// The caller can call again, for example after the cause was removed. The stream then continues
    /// after the usual wait.
    pub async fn next(&mut self) -> Result<Received, ClientError> {
        loop {
            match &mut self.state {
                State::Waiting { pause } => {
                    if let Some(pause) = pause {
                        pause.await;
                    }
                    let start = self.cursor.map_or(self.start, Start::After);
                    let attempt = self.transport.subscribe(start);
                    self.state = State::Connecting(Box::pin(attempt));
                }
                State::Connecting(attempt) => {
                    let Attempt { token, response } = attempt.await;
                    self.token = token;
                    match response {
                        Ok(response) => {
                            let server = self.transport.server().clone();
                            let connection = Connection::new(response, server, self.silence_limit);
                            self.state = State::Open {
                                connection: Box::new(connection),
                                renewal: None,
                            };
                        }
                        Err(error) => {
                            if let Some(end) = self.disconnected(error) {
                                return end;
                            }
                        }
                    }
                }
                State::Open {
                    connection,
                    renewal,
                } => {
                    let frame = tokio::select! {
                        frame = connection.next() => frame,
                        () = another_token(renewal, &self.transport) => {
                            // Frames that were received and not parsed arrive again after the cursor.
                            self.state = State::Waiting { pause: None };
                            continue;
                        }
                    };
                    if let Some(retry) = connection.take_retry() {
                        self.backoff.set_server_base(retry);
                    }
                    match frame.map(|frame| self.accept(frame)) {
                        Ok(Some(item)) => return Ok(Received::Item(item)),
                        Ok(None) => {}
                        Err(error) => {
                            if let Some(end) = self.disconnected(error) {
                                return end;
                            }
                        }
                    }
                }
                State::Querying { query, .. } => {
                    let found = query.await;
                    let waiting = State::Waiting { pause: None };
                    if let State::Querying { error, .. } =
                        std::mem::replace(&mut self.state, waiting)
                    {
                        return self.rejected(error, found);
                    }
                }
            }
        }
    }

    /// Moves the cursor, and returns the item unless it is a created event that the reader already has.
    fn accept(&mut self, frame: Frame) -> Option<StreamItem> {
        self.backoff.succeeded();
        self.has_worked = true;
        self.renewed = false;
        let Frame { cursor, item } = frame;
        if matches!(item, Some(StreamItem::Expiring { .. }))
            && let State::Open { renewal, .. } = &mut self.state
        {
            renewal.get_or_insert_with(|| Renewal::new(self.token.clone()));
        }
        // Only a reset moves the cursor back.
        let reset = matches!(item, Some(StreamItem::Reset { .. }));
        let seen = !reset && self.cursor.is_some_and(|seen| covers(seen, cursor));
        if !seen {
            self.stumbled &= self.cursor == Some(cursor);
            self.before = self.cursor.replace(cursor);
        } else {
            self.before = self.cursor;
        }
        item.filter(|item| !seen || !matches!(item, StreamItem::Created { .. }))
    }

    /// Drops the connection. Returns the result for the reader, or `None` if the token is the cause: the
    /// source must be queried first.
    fn disconnected(&mut self, error: ClientError) -> Option<Result<Received, ClientError>> {
        let announced = matches!(&self.state, State::Open { renewal, .. } if renewal.is_some())
            && matches!(error.kind(), ErrorKind::StreamEnded { .. });
        if announced || error.requires_another_token() {
            let query = Box::pin(self.transport.token());
            self.state = State::Querying { error, query };
            return None;
        }
        Some(self.given_up_or_again(error))
    }

    /// Continues after the server rejected the token and the source returned `found`.
    fn rejected(
        &mut self,
        error: ClientError,
        found: Result<Option<Token>, ClientError>,
    ) -> Result<Received, ClientError> {
        match found {
            Ok(token) if token != self.token => {
                // If every token is rejected, the attempts need a pause.
                let retry_in = if std::mem::replace(&mut self.renewed, true) {
                    self.wait_after(&error)
                } else {
                    Duration::ZERO
                };
                Ok(Received::Disconnected { error, retry_in })
            }
            Ok(_) => self.given_up_or_again(error),
            Err(without_token) => self.given_up_or_again(without_token),
        }
    }

    /// Decides whether another connection may help.
    fn given_up_or_again(&mut self, error: ClientError) -> Result<Received, ClientError> {
        let retry_in = self.wait_after(&error);
        // After a reconnect the same frame arrives again. The first failure can come from the network
        // path; the second at the same position comes from the server.
        let again = error.is_malformed_frame() && !std::mem::replace(&mut self.stumbled, true);
        // A fault of this machine is an error at the start only; later the stream waits for its repair.
        let is_repairable = self.has_worked && error.is_local();
        if again || is_repairable || error.is_temporary() {
            Ok(Received::Disconnected { error, retry_in })
        } else {
            Err(error)
        }
    }

    fn wait_after(&mut self, error: &ClientError) -> Duration {
        let retry_in = self.backoff.failed_with(error);
        let pause = Box::pin(sleep_until(Instant::now() + retry_in));
        self.state = State::Waiting { pause: Some(pause) };
        retry_in
    }
}

/// The items of [`Subscription::next`]. The stream never ends; it can be polled after an error like
/// [`next`](Subscription::next).
impl Stream for Subscription {
    type Item = Result<Received, ClientError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // `next` is cancel-safe and keeps its timers in `self`, so that they wake this task although the
        // future is dropped here.
        pin!(self.get_mut().next()).poll(context).map(Some)
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Waiting { .. } => "waiting",
            State::Connecting(_) => "connecting",
            State::Open { .. } => "open",
            State::Querying { .. } => "querying the token source",
        };
        f.debug_struct("Subscription")
            .field("server", &self.transport.server().as_str())
            .field("start", &self.start)
            .field("cursor", &self.cursor)
            .field("state", &state)
            .finish_non_exhaustive()
    }
}

/// Waits for another token, if one is needed.
async fn another_token(renewal: &mut Option<Renewal>, transport: &Transport) {
    match renewal {
        Some(renewal) => renewal.completed(transport).await,
        None => std::future::pending().await,
    }
}

/// Whether a reader at `seen` has already received the item at `cursor`.
fn covers(seen: Cursor, cursor: Cursor) -> bool {
    seen.tag == cursor.tag && cursor.own <= seen.own && cursor.system <= seen.system
}
