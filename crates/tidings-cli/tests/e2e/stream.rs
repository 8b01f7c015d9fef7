//! The event stream read raw, so that nothing between us and the server can hide a fault.

use std::net::SocketAddr;

use reqwest::StatusCode;
use serde_json::Value;

use crate::server::soon;

/// A frame as it came over the wire.
#[derive(Clone, Debug, Default)]
pub(crate) struct Frame {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) data: Value,
}

impl Frame {
    /// The own and the system rev of its cursor.
    pub(crate) fn revs(&self) -> (u64, u64) {
        let mut parts = self
            .id
            .split('-')
            .map(|part| part.parse().expect("a rev is a number"));
        match (parts.next(), parts.next()) {
            (Some(own), Some(system)) => (own, system),
            _ => panic!("not a cursor: {:?}", self.id),
        }
    }
}

/// A connection to `/subscribe`.
pub(crate) struct Stream {
    response: reqwest::Response,
    /// What was received and not yet taken.
    text: String,
    /// The last `retry:`, in milliseconds.
    pub(crate) retry: Option<u64>,
}

impl Stream {
    /// Connects; `cursor` goes into `Last-Event-ID` unless it is empty.
    pub(crate) async fn connect(server: SocketAddr, cursor: &str) -> reqwest::Result<Self> {
        Self::connect_as(server, cursor, None).await
    }

    /// The same with a token.
    pub(crate) async fn connect_as(
        server: SocketAddr,
        cursor: &str,
        token: Option<&str>,
    ) -> reqwest::Result<Self> {
        let http = reqwest::Client::builder().no_proxy().build()?;
        let mut request = http.get(format!("http://{server}/api/system/events/subscribe"));
        if !cursor.is_empty() {
            request = request.header("Last-Event-ID", cursor);
        }
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = soon("the stream's headers", request.send()).await?;
        assert_eq!(response.status(), StatusCode::OK);
        let media_type = &response.headers()["content-type"];
        assert_eq!(media_type, "text/event-stream; charset=utf-8");
        Ok(Self {
            response,
            text: String::new(),
            retry: None,
        })
    }

    /// The next frame; `None` when the server ended the stream, an error when it broke.
    pub(crate) async fn next(&mut self) -> reqwest::Result<Option<Frame>> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let frame = read(block, &mut self.retry);
                self.text = rest.to_owned();
                return Ok(Some(frame.expect("every block is a frame")));
            }
            let Some(chunk) = soon("more of the stream", self.response.chunk()).await? else {
                // The last line may be a `retry:`, which needs no blank line.
                let last = read(&self.text, &mut self.retry);
                assert!(last.is_none(), "the stream ended within a frame");
                return Ok(None);
            };
            // A character is never cut: the server writes whole frames, but the network may cut
            // them, so this is read as ASCII; the tests send nothing else.
            assert!(chunk.is_ascii());
            self.text
                .push_str(std::str::from_utf8(&chunk).expect("ASCII is UTF-8"));
        }
    }

    /// The next frame of a stream that must not end.
    pub(crate) async fn must_next(&mut self) -> Frame {
        self.next()
            .await
            .expect("the stream holds")
            .expect("the stream goes on")
    }
}

/// Reads lines up to a blank one: a frame, if they have data. A `retry:` among them is kept.
fn read(block: &str, retry: &mut Option<u64>) -> Option<Frame> {
    let mut frame = Frame::default();
    let mut is_frame = false;
    for line in block.lines() {
        match line.split_once(": ") {
            Some(("id", id)) => id.clone_into(&mut frame.id),
            Some(("event", name)) => name.clone_into(&mut frame.name),
            Some(("data", data)) => {
                is_frame = true;
                frame.data = serde_json::from_str(data).expect("the data is JSON");
            }
            Some(("retry", text)) => *retry = text.parse().ok(),
            Some(("", _)) => {}
            _ => panic!("unexpected line {line:?}"),
        }
    }
    is_frame.then_some(frame)
}

/// Checks that each created event follows the one before in exactly one of the two feeds.
#[derive(Debug, Default)]
pub(crate) struct Order {
    pub(crate) own: u64,
    pub(crate) system: u64,
}

impl Order {
    pub(crate) fn check(&mut self, frame: &Frame) {
        let revs = frame.revs();
        if frame.name.is_empty() {
            let follows =
                revs == (self.own + 1, self.system) || revs == (self.own, self.system + 1);
            assert!(follows, "{revs:?} after {self:?}");
            (self.own, self.system) = revs;
        } else {
            assert_eq!(
                revs,
                (self.own, self.system),
                "{} moves nothing",
                frame.name
            );
        }
    }
}
