//! A client of the live stream.

use std::fmt;
use std::net::SocketAddr;

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::{HeaderMap, Request, Response};
use serde_json::Value;

use crate::app::{EVENTS, within};
use crate::wire;

pub(crate) struct Stream {
    pub(crate) headers: HeaderMap,
    /// The `id:` of the last frame that had one.
    pub(crate) last_id: String,
    body: Incoming,
    unread: String,
}

/// One frame with its raw fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) data: String,
    pub(crate) retry: Option<u32>,
    pub(crate) comment: String,
}

impl Frame {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.data).expect("the data is JSON")
    }

    /// The description of the event.
    pub(crate) fn description(&self) -> String {
        assert_eq!(self.name, "", "{self:?}");
        let description = self.json()["description"].clone();
        description.as_str().expect("an event").to_owned()
    }

    pub(crate) fn parse(text: &str) -> Self {
        let mut frame = Self::default();
        for line in text.lines() {
            let (field, value) = line.split_once(':').expect("every line has a colon");
            let value = value.trim_start().to_owned();
            match field {
                "" => frame.comment = value,
                "event" => frame.name = value,
                "id" => frame.id = value,
                "data" => frame.data = value,
                "retry" => frame.retry = Some(value.parse().expect("a number")),
                other => panic!("{other} is no field of a frame"),
            }
        }
        frame
    }
}

/// The raw frame.
impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(retry) = self.retry {
            writeln!(f, "retry: {retry}")?;
        }
        let fields = [
            ("event", &self.name),
            ("id", &self.id),
            ("data", &self.data),
        ];
        for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
            writeln!(f, "{name}: {value}")?;
        }
        if !self.comment.is_empty() {
            writeln!(f, ": {}", self.comment)?;
        }
        writeln!(f)
    }
}

impl Stream {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        Self::open_with(address, "", None).await
    }

    /// Opens a stream with a query and the header `Last-Event-ID`.
    pub(crate) async fn open_with(
        address: SocketAddr,
        query: &str,
        last_event_id: Option<&[u8]>,
    ) -> Self {
        let mut request = Request::get(format!("{EVENTS}/subscribe{query}"));
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        Self::of(wire::call(address, request).await)
    }

    /// The response.
    pub(crate) fn of(response: Response<Incoming>) -> Self {
        let (head, body) = response.into_parts();
        assert_eq!(head.status, 200);
        Self {
            headers: head.headers,
            last_id: String::new(),
            body,
            unread: String::new(),
        }
    }

    /// The next frame; `None` at the regular end of the stream. A comment, which has no blank line
    /// after it, and the `retry:` that ends a stream count as frames.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some((line, rest)) = self.unread.split_once('\n')
                && line.starts_with(':')
            {
                let comment = Frame::parse(line);
                self.unread = rest.to_owned();
                return Some(comment);
            }
            if let Some((frame, rest)) = self.unread.split_once("\n\n") {
                let frame = Frame::parse(frame);
                self.unread = rest.to_owned();
                if !frame.id.is_empty() {
                    self.last_id.clone_from(&frame.id);
                }
                return Some(frame);
            }
            let Some(bytes) = within(self.body.frame()).await else {
                let last = std::mem::take(&mut self.unread);
                let is_retry = last.starts_with("retry: ") && last.lines().count() == 1;
                assert!(
                    is_retry || last.is_empty(),
                    "the stream ended within a frame: {last}"
                );
                return is_retry.then(|| Frame::parse(&last));
            };
            let bytes = bytes.expect("the stream is not cut off").into_data();
            let bytes = bytes.expect("a stream has no trailers");
            let text = std::str::from_utf8(&bytes).expect("frames are whole");
            self.unread.push_str(text);
        }
    }

    pub(crate) async fn expect_next(&mut self) -> Frame {
        self.next().await.expect("the stream is open")
    }

    /// Reads until a frame with this name. Returns it with the events before it.
    pub(crate) async fn until(&mut self, name: &str) -> (Vec<Frame>, Frame) {
        let mut events = Vec::new();
        loop {
            let frame = self.expect_next().await;
            if frame.name == name {
                return (events, frame);
            }
            if !frame.data.is_empty() && frame.name.is_empty() {
                events.push(frame);
            }
        }
    }
}
