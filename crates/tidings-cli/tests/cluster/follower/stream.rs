//! Reads the frames of one connection.

use serde_json::Value;
use tidings_event::{Cursor, StreamItem};

/// A connection whose frames are read. A cut within a frame is the end, like any other.
pub(super) struct Stream {
    response: reqwest::Response,
    /// Received bytes that are not yet parsed.
    text: String,
}

/// Why there is no further frame.
#[derive(Debug)]
pub(super) enum End {
    /// The connection is over.
    Closed,
    /// The response is not a stream of events.
    Garbled(String),
}

impl Stream {
    pub(super) const fn new(response: reqwest::Response) -> Self {
        Self {
            response,
            text: String::new(),
        }
    }

    /// The next item. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Result<StreamItem, End> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                return read(&block).map_err(|error| End::Garbled(format!("{error} in {block:?}")));
            }
            let Ok(Some(chunk)) = self.response.chunk().await else {
                return Err(End::Closed);
            };
            // The actors send ASCII only, so that no chunk ends within a character.
            let text = std::str::from_utf8(&chunk);
            let text = text.map_err(|error| End::Garbled(error.to_string()))?;
            self.text.push_str(text);
        }
    }
}

fn read(block: &str) -> Result<StreamItem, String> {
    let (mut id, mut name, mut data) = ("", "", "");
    for line in block.lines() {
        match line.split_once(": ") {
            Some(("id", text)) => id = text,
            Some(("event", text)) => name = text,
            Some(("data", text)) => data = text,
            Some(("retry" | "", _)) => {}
            _ if line.is_empty() => {}
            _ => return Err(format!("unexpected line {line:?}")),
        }
    }
    let cursor: Cursor = id.parse().map_err(|_| format!("no cursor {id:?}"))?;
    let data: Value = serde_json::from_str(data).map_err(|error| error.to_string())?;
    let item = StreamItem::read(name, cursor, &data.to_string());
    item.map_err(|error| error.to_string())?
        .ok_or_else(|| format!("unknown frame {name:?}"))
}
