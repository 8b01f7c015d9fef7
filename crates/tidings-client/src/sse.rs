//! Server-sent events from bytes, as the WHATWG HTML standard reads them (§9.2.6).

use std::time::Duration;

use bytes::{Buf as _, Bytes};

/// The most bytes of one event. Thirty times the largest event a server takes by default: room for
/// an installation with limits of its own, and a bound on what a broken server can make us hold.
pub(crate) const MAX_EVENT_BYTES: usize = 4 * 1024 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// One dispatched event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SseEvent {
    /// Its `event:`; empty if it has none.
    pub name: String,
    /// Its `data:` lines, joined by line feeds.
    pub data: String,
    /// The last `id:` so far, of this event or an earlier one.
    pub id: String,
}

/// An event has more than [`MAX_EVENT_BYTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream is too large")]
pub(crate) struct TooLarge;

/// Reads a stream piece by piece, wherever it is cut.
#[derive(Debug)]
pub(crate) struct SseParser {
    /// The bytes of a line whose end has not come yet.
    line: Vec<u8>,
    /// The last line ended with a carriage return: a line feed right behind belongs to it.
    after_return: bool,
    /// Nothing has been read, so that a byte order mark may come.
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

    /// Takes bytes from `input` up to the end of the next event, or all of them if it is not there.
    ///
    /// # Errors
    ///
    /// [`TooLarge`]; the stream cannot be read on from there.
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

    /// The last `retry:`, if one came since the last call.
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
        // The buffer is used again for the next line.
        line.clear();
        self.line = line;
        event
    }

    fn dispatch(&mut self) -> Option<SseEvent> {
        let name = std::mem::take(&mut self.name);
        let mut data = std::mem::take(&mut self.data);
        // Each line of data ends with a line feed, so no data at all is empty, and only that.
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
                // More digits than fit are a very long time.
                let milliseconds = value.parse().unwrap_or(u64::MAX);
                self.retry = Some(Duration::from_millis(milliseconds));
            }
            // Comments, whose field is empty, and what the standard may add.
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
    fn fields_make_an_event_and_the_id_stays() {
        let stream = ": hello\n\nevent: ready\nid: 1\ndata: {}\n\ndata: a\ndata:b\ndata:  c\n\n";
        let expected = [event("ready", "{}", "1"), event("", "a\nb\n c", "1")];
        assert_eq!(read_all(stream), expected);
    }

    #[test]
    fn all_line_ends_are_read() {
        let expected = [event("", "a\nb", ""), event("", "c", "")];
        for end in ["\n", "\r", "\r\n"] {
            let stream = "data: a\ndata: b\n\ndata: c\n\n".replace('\n', end);
            assert_eq!(read_all(stream), expected, "{end:?}");
        }
        assert_eq!(read_all("data: a\rdata: b\r\n\ndata: c\n\r"), expected);
    }

    #[test]
    fn only_a_leading_byte_order_mark_is_dropped() {
        assert_eq!(read_all("\u{feff}data: a\n\n"), [event("", "a", "")]);
        // Elsewhere it makes the field an unknown one.
        assert_eq!(read_all("\u{feff}\u{feff}data: a\n\n"), []);
        assert_eq!(
            read_all("data: a\n\u{feff}data: b\n\n"),
            [event("", "a", "")]
        );
    }

    #[test]
    fn an_event_without_data_is_dropped_with_its_name_but_its_id_counts() {
        let stream = "event: x\nid: 7\n\ndata\n\ndata:\ndata:\n\n";
        assert_eq!(read_all(stream), [event("", "", "7"), event("", "\n", "7")]);
    }

    #[test]
    fn an_unfinished_event_is_never_dispatched() {
        assert_eq!(read_all("data: a\n"), []);
        assert_eq!(read_all("data: a"), []);
    }

    #[test]
    fn unknown_fields_and_ids_with_nul_are_ignored() {
        let stream = "id: 1\nid: a\0b\nData: x\n data: y\nother\ndata: z\nid\n\n";
        assert_eq!(read_all(stream), [event("", "z", "")]);
        assert_eq!(
            read_all("id: 1\nid: a\0b\ndata: z\n\n"),
            [event("", "z", "1")]
        );
    }

    #[test]
    fn retry_takes_digits_only() {
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
    fn invalid_utf8_is_replaced() {
        assert_eq!(read_all(b"data: a\xffb\n\n"), [event("", "a\u{fffd}b", "")]);
    }

    #[test]
    fn the_size_of_an_event_is_bounded_however_it_comes() {
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
        // Small comments never add up.
        assert_eq!(limited(&[": keepalive\n"; 100]), Ok(()));
    }

    /// Streams made of what matters to the standard: line ends, fields, marks and broken UTF-8.
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
        fn a_cut_anywhere_changes_nothing(stream in stream(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 1..4)) {
            let whole = read_all(&stream);
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
            cuts.extend([0, stream.len()]);
            cuts.sort_unstable();
            let pieces = cuts.windows(2).map(|ends| &stream[ends[0]..ends[1]]);
            prop_assert_eq!(&read(&mut SseParser::new(), pieces), &whole);
            prop_assert_eq!(&read(&mut SseParser::new(), stream.chunks(1)), &whole);
        }

        #[test]
        fn what_a_server_writes_reads_back(
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
