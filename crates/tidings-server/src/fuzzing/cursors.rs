//! Positions in feeds and lists: cursors, page tokens, and the start of a stream.

use axum::http::{HeaderMap, HeaderValue};
use tidings_event::{Cursor, PageToken, Start};

use crate::request::spelling::{self, STREAM};
use crate::request::stream_start;

const LAST_EVENT_ID: &str = "last-event-id";

/// The documented length of a cursor.
const MAX_CURSOR_BYTES: usize = 48;

/// A text is a cursor only in its canonical form. A page token can be read back.
pub fn cursor(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(cursor) = text.parse::<Cursor>() {
        assert_eq!(cursor.to_string(), text);
        assert!(text.is_ascii() && text.len() <= MAX_CURSOR_BYTES);
        let json = serde_json::to_string(&cursor).expect("a cursor can be written");
        assert_eq!(json, format!("\"{text}\""));
        let read: Cursor = serde_json::from_str(&json).expect("and read");
        assert_eq!(read, cursor);
    }
    if let Ok(token) = text.parse::<PageToken>() {
        assert_eq!(token.to_string().parse(), Ok(token));
        assert!(token.to_string().eq_ignore_ascii_case(text));
    }
}

/// A line with the header `Last-Event-ID`, followed by the query: a stream starts at the header's cursor,
/// otherwise at the query's, and a malformed cursor is reported as such.
pub fn last_event_id(data: &[u8]) {
    let mut lines = data.splitn(2, |byte| *byte == b'\n');
    let header = lines.next().unwrap_or_default();
    let Ok(query) = std::str::from_utf8(lines.next().unwrap_or_default()) else {
        return;
    };
    let mut headers = HeaderMap::new();
    // Other bytes never get past the connection.
    let Ok(value) = HeaderValue::from_bytes(header) else {
        return;
    };
    headers.insert(LAST_EVENT_ID, value);
    let given = if header.is_empty() {
        let mut parameters = form_urlencoded::parse(query.as_bytes());
        let given = parameters
            .find(|(name, text)| spelling::find(&STREAM, name).is_some() && !text.is_empty());
        given.map_or(String::new(), |(_, text)| text.into_owned())
    } else {
        // Cursors are ASCII.
        String::from_utf8_lossy(header).into_owned()
    };
    let begins = stream_start::read(&headers, query);
    if header.is_empty() {
        assert_eq!(stream_start::read(&HeaderMap::new(), query), begins);
    }
    match begins {
        Start::Now => assert_eq!(given, ""),
        Start::Earliest => assert_eq!(given, "earliest"),
        Start::After(cursor) => assert_eq!(given, cursor.to_string()),
        Start::Malformed => {
            assert!(!["", "earliest"].contains(&given.as_str()));
            assert!(given.parse::<Cursor>().is_err());
        }
    }
}
