//! A parser for server-sent events (WHATWG HTML standard §9.2.6).

use std::time::Duration;

use bytes::{Buf as _, Bytes};

/// The maximum size of one event: thirty times the largest event that a server accepts by default. It
/// leaves room for servers with higher limits, and bounds the memory that a broken server can use.
pub(crate) const MAX_EVENT_BYTES: usize = 4 * 1024 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// One dispatched event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SseEvent {
    /// The value of `event:`; empty if absent.
    pub name: String,
    /// The `data:` lines, joined by line feeds.
    pub data: String,
    /// The last `id:` of this event or an earlier one.
    pub id: String,
}

/// An event is larger than [`MAX_EVENT_BYTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream is too large")]
pub(crate) struct TooLarge;

/// Parses a stream in pieces of any size.
#[derive(Debug)]
pub(crate) struct SseParser {
    /// The bytes of an incomplete line.
    line: Vec<u8>,
    /// The last line ended with a carriage return. An immediately following line feed belongs to it.
    after_return: bool,
    /// Nothing was read yet; a byte order mark is allowed.
    at_start: bool,
    name: String,
    data: String,
    id: String,
    retry: Option<Duration>,
    max_event_bytes: usize,
}

impl SseParser {
    pub(crate) fn new() -> Self {
        Self::with_limit(MAX_EVENT_BYTES)
    }

    fn with_limit(max_event_bytes: usize) -> Self {
        Self {
            line: Vec::new(),
            after_return: false,
            at_start: true,
            name: String::new(),
            data: String::new(),
            id: String::new(),
            retry: None,
            max_event_bytes,
        }
    }

    /// Consumes `input` up to the end of the next event, or completely if the event is incomplete.
    ///
    /// # Errors
    ///
    /// [`TooLarge`]. The rest of the stream cannot be parsed.
    pub(crate) fn read(&mut self, input: &mut Bytes) -> Result<Option<SseEvent>, TooLarge> {
        while !input.is_empty() {
            if std::mem::take(&mut self.after_return) && input[0] == b'\n' {
                input.advance(1);
                continue;
            }
            let end = input.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let piece = end.unwrap_or(input.len());
            if self.name.len() + self.data.len() + self.line.len() + piece > self.max_event_bytes {
                return Err(TooLarge);
            }
            self.line.extend_from_slice(&input[..piece]);
            let Some(end) = end else {
                input.clear();
                break;
            };
            self.after_return = input[end] == b'\r';
            input.advance(end + 1);
            if let Some(event) = self.end_line() {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    /// The last `retry:`, if one arrived since the last call.
    pub(crate) fn take_retry(&mut self) -> Option<Duration> {
        self.retry.take()
    }

    fn end_line(&mut self) -> Option<SseEvent> {
        let mut line = std::mem::take(&mut self.line);
        let marked = std::mem::take(&mut self.at_start) && line.starts_with(BYTE_ORDER_MARK);
        let text = String::from_utf8_lossy(if marked {
            &line[BYTE_ORDER_MARK.len()..]
        } else {
            &line
        });
        let event = if text.is_empty() {
            self.dispatch()
        } else {
            self.field(&text);
            None
        };
        drop(text);
        // The next line reuses the buffer.
        line.clear();
        self.line = line;
        event
    }

    fn dispatch(&mut self) -> Option<SseEvent> {
        let name = std::mem::take(&mut self.name);
        let mut data = std::mem::take(&mut self.data);
        // Each `data:` line added a line feed, so the buffer is empty only without `data:`.
        data.pop()?;
        let id = self.id.clone();
        Some(SseEvent { name, data, id })
    }

    fn field(&mut self, line: &str) {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => {
                self.data.push_str(value);
                self.data.push('\n');
            }
            "id" if !value.contains('\0') => value.clone_into(&mut self.id),
            "retry" if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => {
                // A number that does not fit is treated as the maximum.
                let milliseconds = value.parse().unwrap_or(u64::MAX);
                self.retry = Some(Duration::from_millis(milliseconds));
            }
            // Comments, whose field name is empty, and unknown fields.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn event(name: &str, data: &str, id: &str) -> SseEvent {
        SseEvent {
            name: name.into(),
            data: data.into(),
            id: id.into(),
        }
    }

    /// Feeds `pieces` one by one.
    fn read<'a>(
        parser: &mut SseParser,
        pieces: impl IntoIterator<Item = &'a [u8]>,
    ) -> Vec<SseEvent> {
        let mut events = Vec::new();
        for piece in pieces {
            let mut input = Bytes::copy_from_slice(piece);
            while let Some(event) = parser.read(&mut input).unwrap() {
                events.push(event);
            }
        }
        events
    }

    fn read_all(stream: impl AsRef<[u8]>) -> Vec<SseEvent> {
        read(&mut SseParser::new(), [stream.as_ref()])
    }

    #[test]
    fn builds_an_event_and_keeps_the_id() {
        let stream = ": hello\n\nevent: ready\nid: 1\ndata: {}\n\ndata: a\ndata:b\ndata:  c\n\n";
        let expected = [event("ready", "{}", "1"), event("", "a\nb\n c", "1")];
        assert_eq!(read_all(stream), expected);
    }

    #[test]
    fn accepts_all_line_ends() {
        let expected = [event("", "a\nb", ""), event("", "c", "")];
        for end in ["\n", "\r", "\r\n"] {
            let stream = "data: a\ndata: b\n\ndata: c\n\n".replace('\n', end);
            assert_eq!(read_all(stream), expected, "{end:?}");
        }
        assert_eq!(read_all("data: a\rdata: b\r\n\ndata: c\n\r"), expected);
    }

    #[test]
    fn drops_only_a_leading_byte_order_mark() {
        assert_eq!(read_all("\u{feff}data: a\n\n"), [event("", "a", "")]);
        // Anywhere else it makes the field unknown.
        assert_eq!(read_all("\u{feff}\u{feff}data: a\n\n"), []);
        assert_eq!(
            read_all("data: a\n\u{feff}data: b\n\n"),
            [event("", "a", "")]
        );
    }

    #[test]
    fn drops_an_event_without_data_but_keeps_its_id() {
        let stream = "event: x\nid: 7\n\ndata\n\ndata:\ndata:\n\n";
        assert_eq!(read_all(stream), [event("", "", "7"), event("", "\n", "7")]);
    }

    #[test]
    fn never_dispatches_an_incomplete_event() {
        assert_eq!(read_all("data: a\n"), []);
        assert_eq!(read_all("data: a"), []);
    }

    #[test]
    fn ignores_unknown_fields_and_ids_with_nul() {
        let stream = "id: 1\nid: a\0b\nData: x\n data: y\nother\ndata: z\nid\n\n";
        assert_eq!(read_all(stream), [event("", "z", "")]);
        assert_eq!(
            read_all("id: 1\nid: a\0b\ndata: z\n\n"),
            [event("", "z", "1")]
        );
    }

    #[test]
    fn accepts_only_digits_in_retry() {
        for (value, expected) in [
            ("2731", Some(2731)),
            ("0", Some(0)),
            ("99999999999999999999999", Some(u64::MAX)),
            ("", None),
            ("1s", None),
            ("-1", None),
            ("+1", None),
            ("1 ", None),
            ("٣", None),
        ] {
            let mut parser = SseParser::new();
            read(&mut parser, [format!("retry: {value}\n").as_bytes()]);
            let expected = expected.map(Duration::from_millis);
            assert_eq!(parser.take_retry(), expected, "{value:?}");
            assert_eq!(parser.take_retry(), None);
        }
    }

    #[test]
    fn replaces_invalid_utf8() {
        assert_eq!(read_all(b"data: a\xffb\n\n"), [event("", "a\u{fffd}b", "")]);
    }

    #[test]
    fn bounds_the_size_of_an_event() {
        let limited = |pieces: &[&str]| {
            let mut parser = SseParser::with_limit(16);
            pieces
                .iter()
                .try_for_each(|piece| parser.read(&mut Bytes::from((*piece).to_owned())).map(drop))
        };
        assert_eq!(
            limited(&["data: 0123456789\n\n", "data: 0123456789\n\n"]),
            Ok(())
        );
        assert_eq!(limited(&["data: 0123456789a"]), Err(TooLarge));
        assert_eq!(limited(&["data: 0123", "456789a"]), Err(TooLarge));
        assert_eq!(
            limited(&["data: 01\n", "data: 23\n", "data: 456789"]),
            Err(TooLarge)
        );
        assert_eq!(limited(&[": a comment", " without end"]), Err(TooLarge));
        assert_eq!(limited(&["event: 012345678\n", "data: 01"]), Err(TooLarge));
        // The limit does not apply to the sum of comments.
        assert_eq!(limited(&[": keepalive\n"; 100]), Ok(()));
    }

    /// Streams of line ends, fields, marks and invalid UTF-8.
    fn stream() -> impl Strategy<Value = Vec<u8>> {
        let token = prop::sample::select(vec![
            &b"\n"[..],
            b"\n\n",
            b"\r",
            b"\r\n",
            b"data",
            b"data: ",
            b"event:",
            b"id: ",
            b"retry:12",
            b": ",
            b"x",
            b" ",
            b"\0",
            b"\xEF\xBB\xBF",
            b"\xff",
            "é€😀".as_bytes(),
        ]);
        prop::collection::vec(token, 0..60).prop_map(|tokens| tokens.concat())
    }

    proptest! {
        #[test]
        fn parses_the_same_events_from_any_pieces(stream in stream(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 1..4)) {
            let whole = read_all(&stream);
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
            cuts.extend([0, stream.len()]);
            cuts.sort_unstable();
            let pieces = cuts.windows(2).map(|ends| &stream[ends[0]..ends[1]]);
            prop_assert_eq!(&read(&mut SseParser::new(), pieces), &whole);
            prop_assert_eq!(&read(&mut SseParser::new(), stream.chunks(1)), &whole);
        }

        #[test]
        fn parses_a_written_event(
            name in "[a-z]{0,8}",
            id in "[0-9a-z-]{0,20}",
            lines in prop::collection::vec("[^\r\n]{0,20}", 1..5),
        ) {
            let data: String = lines.iter().map(|line| format!("data: {line}\n")).collect();
            let stream = format!("event: {name}\nid: {id}\n{data}\n");
            prop_assert_eq!(read_all(stream), [event(&name, &lines.join("\n"), &id)]);
        }
    }
}
