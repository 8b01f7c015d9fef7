//! One open stream, until it ends.

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Response;
use tidings_event::{Cursor, CursorError, StreamItem};
use tokio::time::{Instant, Sleep, sleep_until};
use url::Url;

use crate::error::{ClientError, ErrorKind};
use crate::fault::ProtocolFault;
use crate::response;
use crate::sse::{MAX_EVENT_BYTES, SseEvent, SseParser};

/// One frame: the position of the reader after it, and its item, if this version knows its kind.
pub(crate) struct Frame {
    pub cursor: Cursor,
    pub item: Option<StreamItem>,
}

/// An open stream.
#[derive(Debug)]
pub(crate) struct Connection {
    response: Response,
    server: Url,
    parser: SseParser,
    /// Bytes that were received and not parsed yet.
    unread: Bytes,
    silence_limit: Duration,
    /// Ends when the stream has been silent for too long. The timer outlives the future of
    /// [`next`](Self::next), so that it still wakes a caller that polls the stream.
    silence: Pin<Box<Sleep>>,
    /// The silence limit has passed, and the stream has a last chance.
    in_grace: bool,
}

/// The time for data to arrive from the socket after a caller that was busy returns.
const GRACE: Duration = Duration::from_secs(5);

impl Connection {
    pub(crate) fn new(response: Response, server: Url, silence_limit: Duration) -> Self {
        Self {
            response,
            server,
            parser: SseParser::new(),
            unread: Bytes::new(),
            silence_limit,
            silence: Box::pin(sleep_until(Instant::now() + silence_limit)),
            in_grace: false,
        }
    }

    /// The next frame. Cancel-safe: received bytes are kept in `self`.
    ///
    /// # Errors
    ///
    /// The reason why the stream ended. The connection must then be dropped.
    pub(crate) async fn next(&mut self) -> Result<Frame, ClientError> {
        if self.silence.deadline() <= Instant::now() && !self.in_grace {
            // The time ran out while nobody waited here. Data that the server sent since then is possibly
            // still in the socket.
            self.in_grace = true;
            self.silence_after(GRACE.min(self.silence_limit));
        }
        loop {
            match self.parser.read(&mut self.unread) {
                Ok(Some(event)) => return self.frame(&event),
                Ok(None) => {}
                Err(error) => {
                    let fault = ProtocolFault::FrameTooLarge(MAX_EVENT_BYTES);
                    return Err(ClientError::protocol(&self.server, fault).with_source(error));
                }
            }
            let chunk = tokio::select! {
                biased;
                chunk = response::chunk(&mut self.response, &self.server) => chunk?,
                () = &mut self.silence => {
                    return Err(ClientError::new(ErrorKind::StreamSilent {
                        server: self.server.clone(),
                        limit: self.silence_limit,
                    }));
                }
            };
            let Some(bytes) = chunk else {
                let server = self.server.clone();
                return Err(ClientError::new(ErrorKind::StreamEnded { server }));
            };
            self.unread = bytes;
            self.in_grace = false;
            self.silence_after(self.silence_limit);
        }
    }

    fn silence_after(&mut self, limit: Duration) {
        self.silence.as_mut().reset(Instant::now() + limit);
    }

    /// The server's `retry:`, if one arrived since the last call.
    pub(crate) fn take_retry(&mut self) -> Option<Duration> {
        self.parser.take_retry()
    }

    fn frame(&self, event: &SseEvent) -> Result<Frame, ClientError> {
        let cursor: Cursor = event.id.parse().map_err(|error: CursorError| {
            ClientError::protocol(&self.server, ProtocolFault::FrameId).with_source(error)
        })?;
        let item = StreamItem::read(&event.name, cursor, &event.data).map_err(|error| {
            ClientError::protocol(&self.server, ProtocolFault::FrameData).with_source(error)
        })?;
        let cursor = item.as_ref().map_or(cursor, StreamItem::cursor);
        Ok(Frame { cursor, item })
    }
}
