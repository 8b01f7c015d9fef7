//! One open stream, until it breaks.

use std::time::Duration;

use bytes::Bytes;
use reqwest::Response;
use tidings_event::{Cursor, CursorError, StreamItem};
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::error::{ClientError, ErrorKind};
use crate::fault::ProtocolFault;
use crate::response;
use crate::sse::{MAX_EVENT_BYTES, SseEvent, SseParser};

/// One frame: how far the reader has got with it, and its item, if its kind is known here.
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
    /// Received and not yet read.
    unread: Bytes,
    silence_limit: Duration,
    /// When the stream counts as dead, unless something comes before.
    dead_at: Instant,
}

impl Connection {
    pub(crate) fn new(response: Response, server: Url, silence_limit: Duration) -> Self {
        Self {
            response,
            server,
            parser: SseParser::new(),
            unread: Bytes::new(),
            silence_limit,
            dead_at: Instant::now() + silence_limit,
        }
    }

    /// The next frame. Cancel-safe: all that is received is kept in `self`.
    ///
    /// # Errors
    ///
    /// Why there is none; the stream is then of no more use.
    pub(crate) async fn next(&mut self) -> Result<Frame, ClientError> {
        if self.dead_at <= Instant::now() {
            // Nobody was waiting when the time ran out: the caller was busy elsewhere, and what the
            // server has sent since then may not have been taken from the socket yet.
            self.dead_at = Instant::now() + self.silence_limit;
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
            let chunk = response::chunk(&mut self.response, &self.server);
            match timeout_at(self.dead_at, chunk).await {
                Ok(Ok(Some(bytes))) => self.unread = bytes,
                Ok(Ok(None)) => {
                    let server = self.server.clone();
                    return Err(ClientError::new(ErrorKind::StreamEnded { server }));
                }
                Ok(Err(error)) => return Err(error),
                Err(_) => {
                    return Err(ClientError::new(ErrorKind::StreamSilent {
                        server: self.server.clone(),
                        limit: self.silence_limit,
                    }));
                }
            }
            self.dead_at = Instant::now() + self.silence_limit;
        }
    }

    /// The server's `retry:`, if one came since the last call.
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
