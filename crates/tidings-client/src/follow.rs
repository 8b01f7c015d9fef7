//! The stream that reconnects and resumes by itself.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use tidings_event::{Cursor, Start, StreamItem};
use tokio::time::{Instant, sleep_until};

use crate::backoff::Backoff;
use crate::connection::{Connection, Frame};
use crate::error::{ClientError, ErrorKind};
use crate::renewal::{Asking, Renewal};
use crate::token::Token;
use crate::transport::{Attempt, Transport};

/// Three of the server's keepalives, which come every 15 seconds: one may be late, another lost in
/// a hiccup of the network.
const SILENCE_LIMIT: Duration = Duration::from_secs(45);

/// What came while following.
#[derive(Debug)]
pub enum Followed {
    /// An item of the stream.
    Item(StreamItem),
    /// The connection is lost or could not be made. The next call of [`Follow::next`] waits, then
    /// tries again; a `ready` item says that it worked.
    Disconnected {
        /// Why.
        error: ClientError,
        /// How long the next call waits.
        retry_in: Duration,
    },
}

/// A live stream that outlives its connections; made by [`Client::follow`].
///
/// It remembers how far it has got. When the connection breaks, when the server answers 5xx or ends
/// the stream, and when nothing has come for 45 seconds, it reports so once, waits (exponential
/// backoff with full jitter; the server's `retry:` sets the first step, and its `Retry-After` is waited
/// for) and resumes behind the last item, so that nothing is missed and no created event comes twice. It
/// never gives up on a server that is merely away.
///
/// When the server announces that the token is about to end (`expiring`), the client's
/// [`TokenSource`](crate::TokenSource) is asked every two seconds, and the stream goes on with another
/// token as soon as there is one. So it does, at once, when the server refuses a token that has ended
/// and there is another by then. With the same one it ends with what the server says.
///
/// Each connection begins with another `ready` item and reports `live` once it has caught up. `ready`
/// may come again without a lost connection; what it means for the counts is the same.
/// Kinds of items that this version does not know are skipped, and their cursors kept.
pub struct Follow {
    transport: Transport,
    start: Start,
    /// How far the reader has got; `None` until the server has said where the stream starts.
    cursor: Option<Cursor>,
    /// A frame could not be read, and the cursor has not moved since.
    stumbled: bool,
    /// The token of the last attempt to connect.
    token: Option<Token>,
    /// A token was refused, another was shown at once, and no frame has come since.
    renewed: bool,
    /// A frame has come at some time.
    has_worked: bool,
    backoff: Backoff,
    silence_limit: Duration,
    state: State,
}

enum State {
    Waiting {
        until: Option<Instant>,
    },
    Connecting(Pin<Box<dyn Future<Output = Attempt> + Send>>),
    Open {
        connection: Box<Connection>,
        /// The server has said that the token is about to end.
        renewal: Option<Renewal>,
    },
    /// The connection was refused, or ended, over the token: is there another?
    Asking {
        error: ClientError,
        asking: Asking,
    },
}

impl Follow {
    pub(crate) fn new(transport: Transport, start: Start) -> Self {
        Self {
            transport,
            start,
            cursor: match start {
                Start::After(cursor) => Some(cursor),
                Start::Now | Start::Earliest | Start::Malformed => None,
            },
            stumbled: false,
            token: None,
            renewed: false,
            has_worked: false,
            backoff: Backoff::new(),
            silence_limit: SILENCE_LIMIT,
            state: State::Waiting { until: None },
        }
    }

    /// Counts a stream as dead when nothing has come for `limit`, instead of 45 seconds. Below the
    /// server's 15 seconds between keepalives, quiet streams are broken off again and again.
    #[must_use]
    pub fn with_silence_limit(mut self, limit: Duration) -> Self {
        self.silence_limit = limit;
        self
    }

    /// Waits at most `base` after a first failure, instead of one second, until the server sets it
    /// by `retry:`.
    #[must_use]
    pub fn with_retry_base(mut self, base: Duration) -> Self {
        self.backoff.set_base(base);
        self
    }

    /// How far the reader has got: what [`Start::After`] takes to go on from here in another
    /// process. `None` until the server has said where the stream starts.
    pub fn cursor(&self) -> Option<Cursor> {
        self.cursor
    }

    /// The next item, or the notice of a lost connection.
    ///
    /// Cancel-safe: if the future is dropped, nothing is lost and a connection being made goes on
    /// being made, so it may stand in a `select!`.
    ///
    /// # Errors
    ///
    /// What another attempt would not mend: a refusal (4xx other than 408 and 429; for a token that has
    /// ended see above), an answer that is not a stream, a missing token or a certificate that is not
    /// trusted before the stream has ever worked, or a frame that cannot be read. The last is first
    /// reported as
    /// [`Followed::Disconnected`], and is an error when a frame cannot be read again before the
    /// cursor has moved.
    ///
    /// One may still call again, for example once the cause is removed; the stream then goes on
    /// after the usual wait.
    pub async fn next(&mut self) -> Result<Followed, ClientError> {
        loop {
            match &mut self.state {
                State::Waiting { until } => {
                    if let Some(until) = *until {
                        sleep_until(until).await;
                    }
                    let start = self.cursor.map_or(self.start, Start::After);
                    let attempt = self.transport.subscribe(start);
                    self.state = State::Connecting(Box::pin(attempt));
                }
                State::Connecting(attempt) => {
                    let Attempt { token, answer } = attempt.await;
                    self.token = token;
                    match answer {
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
                            // What is received and not yet read comes again behind the cursor.
                            self.state = State::Waiting { until: None };
                            continue;
                        }
                    };
                    if let Some(retry) = connection.take_retry() {
                        self.backoff.set_server_base(retry);
                    }
                    match frame.map(|frame| self.accept(frame)) {
                        Ok(Some(item)) => return Ok(Followed::Item(item)),
                        Ok(None) => {}
                        Err(error) => {
                            if let Some(end) = self.disconnected(error) {
                                return end;
                            }
                        }
                    }
                }
                State::Asking { asking, .. } => {
                    let answer = asking.await;
                    let waiting = State::Waiting { until: None };
                    if let State::Asking { error, .. } = std::mem::replace(&mut self.state, waiting)
                    {
                        return self.refused(error, answer);
                    }
                }
            }
        }
    }

    /// Moves the cursor and lets through what the reader has not had.
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
        // Only a reset moves it back: the server's word is then all there is.
        let reset = matches!(item, Some(StreamItem::Reset { .. }));
        let seen = !reset && self.cursor.is_some_and(|seen| covers(seen, cursor));
        if !seen {
            self.stumbled &= self.cursor == Some(cursor);
            self.cursor = Some(cursor);
        }
        item.filter(|item| !seen || !matches!(item, StreamItem::Created { .. }))
    }

    /// Drops the connection; what that means to the reader, unless it is about the token, which has to
    /// be asked for first.
    fn disconnected(&mut self, error: ClientError) -> Option<Result<Followed, ClientError>> {
        let announced = matches!(&self.state, State::Open { renewal, .. } if renewal.is_some())
            && matches!(error.kind(), ErrorKind::StreamEnded { .. });
        if announced || error.asks_for_another_token() {
            let asking = Box::pin(self.transport.token());
            self.state = State::Asking { error, asking };
            return None;
        }
        Some(self.given_up_or_again(error))
    }

    /// The server did not go on with the token that was shown, and the source has now answered.
    fn refused(
        &mut self,
        error: ClientError,
        answer: Result<Option<Token>, ClientError>,
    ) -> Result<Followed, ClientError> {
        match answer {
            Ok(token) if token != self.token => {
                // A source whose every token is refused must not be asked without a pause.
                let retry_in = if std::mem::replace(&mut self.renewed, true) {
                    self.wait_after(&error)
                } else {
                    Duration::ZERO
                };
                Ok(Followed::Disconnected { error, retry_in })
            }
            Ok(_) => self.given_up_or_again(error),
            Err(without_token) => self.given_up_or_again(without_token),
        }
    }

    /// Decides whether another connection may help.
    fn given_up_or_again(&mut self, error: ClientError) -> Result<Followed, ClientError> {
        let retry_in = self.wait_after(&error);
        // Resuming brings the same frame again. Once may be the fault of something between us and
        // the server; twice at the same place is the server's.
        let again = error.is_malformed_frame() && !std::mem::replace(&mut self.stumbled, true);
        // What is wrong on this machine is said at the start; a stream that runs outlasts it.
        let mendable = self.has_worked && error.is_mendable_here();
        if again || mendable || error.is_temporary() {
            Ok(Followed::Disconnected { error, retry_in })
        } else {
            Err(error)
        }
    }

    fn wait_after(&mut self, error: &ClientError) -> Duration {
        let retry_in = self.backoff.failed_with(error);
        let until = Some(Instant::now() + retry_in);
        self.state = State::Waiting { until };
        retry_in
    }
}

impl fmt::Debug for Follow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Waiting { .. } => "waiting",
            State::Connecting(_) => "connecting",
            State::Open { .. } => "open",
            State::Asking { .. } => "asking for a token",
        };
        f.debug_struct("Follow")
            .field("server", &self.transport.server().as_str())
            .field("start", &self.start)
            .field("cursor", &self.cursor)
            .field("state", &state)
            .finish_non_exhaustive()
    }
}

/// Waits for another token, if one is wanted.
async fn another_token(renewal: &mut Option<Renewal>, transport: &Transport) {
    match renewal {
        Some(renewal) => renewal.has_come(transport).await,
        None => std::future::pending().await,
    }
}

/// Whether who has got as far as `seen` has had what `cursor` stands for.
fn covers(seen: Cursor, cursor: Cursor) -> bool {
    seen.tag == cursor.tag && cursor.own <= seen.own && cursor.system <= seen.system
}
