//! Parses the start of a live stream.

use axum::http::HeaderMap;
use tidings_event::Start;

use super::spelling::{self, STREAM};

/// The start of the stream. The header wins, since a browser that reconnects sends it and keeps the old
/// URL. Of several headers the first counts, which repeats events rather than losing some.
pub(crate) fn read(headers: &HeaderMap, query: &str) -> Start {
    let is_ours = |name: &str| spelling::find(&STREAM, name).is_some();
    let mut in_head = headers.iter().filter(|(name, cursor)| {
        // As a parameter `cursor` is another name for it, as a header anything.
        name.as_str() != "cursor" && is_ours(name.as_str()) && !cursor.is_empty()
    });
    if let Some((_, cursor)) = in_head.next() {
        return cursor.to_str().map_or(Start::Malformed, parse);
    }
    let mut in_query = form_urlencoded::parse(query.as_bytes());
    let given = in_query.find(|(name, cursor)| is_ours(name) && !cursor.is_empty());
    given.map_or(Start::Now, |(_, cursor)| parse(&cursor))
}

fn parse(text: &str) -> Start {
    match text.parse() {
        Ok(start) => start,
        Err(never) => match never {},
    }
}
