//! Reads the raw event stream, so that no client library can hide a fault.

use std::net::SocketAddr;

use reqwest::StatusCode;
use serde_json::Value;

use crate::server::soon;

/// A raw frame.
#[derive(Clone, Debug, Default)]
pub(crate) struct Frame {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) data: Value,
}

impl Frame {
    /// The revs in its cursor: the user's and the system's.
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
    /// Received bytes that are not yet parsed.
    text: String,
    /// The last `retry:` value, in milliseconds.
    pub(crate) retry: Option<u64>,
}

impl Stream {
    /// Connects. A cursor that is not empty is sent as `Last-Event-ID`.
    pub(crate) async fn connect(server: SocketAddr, cursor: &str) -> reqwest::Result<Self> {
        Self::connect_as(server, cursor, None).await
    }

    /// Connects with a token.
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

    /// The next frame. `None` if the server ended the stream, an error if the connection broke.
    pub(crate) async fn next(&mut self) -> reqwest::Result<Option<Frame>> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let frame = read(block, &mut self.retry);
                self.text = rest.to_owned();
                return Ok(Some(frame.expect("every block is a frame")));
            }
            let Some(chunk) = soon("more of the stream", self.response.chunk()).await? else {
                // The last line can be a `retry:` without a blank line.
                let last = read(&self.text, &mut self.retry);
                assert!(last.is_none(), "the stream ended within a frame");
                return Ok(None);
            };
            // A network chunk can split a UTF-8 character, so the reader accepts only ASCII. The tests
            // send nothing else.
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
            .expect("the stream continues")
    }
}

/// Parses the lines before a blank line: a frame if they have data. Stores a `retry:` value.
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

/// Checks that each created event advances exactly one of the two feeds by one rev.
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
