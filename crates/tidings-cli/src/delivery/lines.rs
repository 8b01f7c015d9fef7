//! Lines of bounded length from a stream of any.

use std::io::{self, BufRead, ErrorKind};

/// Reads lines one by one and never holds more of one than the limit, even if it has no end.
#[derive(Debug)]
pub(super) struct Lines<R> {
    input: R,
    line: Vec<u8>,
    max_bytes: usize,
    /// How many lines have been begun.
    number: u64,
    /// How many bytes have been read, line feeds included.
    position: u64,
}

/// A line without its line feed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Whole(&'a [u8]),
    /// It has more bytes than the limit, this many, and was not kept.
    TooLong(u64),
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R, max_bytes: usize) -> Self {
        Self {
            input,
            line: Vec::new(),
            max_bytes,
            number: 0,
            position: 0,
        }
    }

    /// The next line with its number, from 1; `None` at the end of the input.
    pub(super) fn next(&mut self) -> io::Result<Option<(u64, Line<'_>)>> {
        self.line.clear();
        let start = self.position;
        let mut ended = false;
        while !ended {
            let piece = match self.input.fill_buf() {
                Ok(piece) => piece,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if piece.is_empty() {
                break;
            }
            let end = piece.iter().position(|byte| *byte == b'\n');
            ended = end.is_some();
            let text = &piece[..end.unwrap_or(piece.len())];
            // One more than the limit tells that there are more.
            let room = (self.max_bytes + 1).saturating_sub(self.line.len());
            self.line.extend_from_slice(&text[..text.len().min(room)]);
            let taken = end.map_or(piece.len(), |end| end + 1);
            self.input.consume(taken);
            self.position += taken as u64;
        }
        let bytes = self.position - start;
        if bytes == 0 {
            return Ok(None);
        }
        self.number += 1;
        let line = if self.line.len() > self.max_bytes {
            Line::TooLong(bytes - u64::from(ended))
        } else {
            Line::Whole(&self.line)
        };
        Ok(Some((self.number, line)))
    }

    /// How many bytes have been read.
    pub(super) const fn position(&self) -> u64 {
        self.position
    }
}

impl<R: io::Read> Lines<io::BufReader<R>> {
    /// Whether the end of the next line may have to be waited for.
    pub(super) fn may_block(&self) -> bool {
        !self.input.buffer().contains(&b'\n')
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Read};

    use super::*;

    /// What is read of `text` in pieces of `piece` bytes, with lines of at most 4.
    fn read(text: &str, piece: usize) -> Vec<(u64, Result<String, u64>)> {
        let mut lines = Lines::new(BufReader::with_capacity(piece, text.as_bytes()), 4);
        let mut all = Vec::new();
        while let Some((number, line)) = lines.next().unwrap() {
            all.push(match line {
                Line::Whole(line) => (number, Ok(String::from_utf8(line.to_vec()).unwrap())),
                Line::TooLong(bytes) => (number, Err(bytes)),
            });
        }
        assert_eq!(lines.position(), text.len() as u64);
        all
    }

    #[test]
    fn lines_are_read_wherever_the_input_is_cut() {
        let text = "a\n\nabcd\nabcde\n\r\nabcdefgh";
        let expected = [
            (1, Ok("a".to_owned())),
            (2, Ok(String::new())),
            (3, Ok("abcd".to_owned())),
            (4, Err(5)),
            (5, Ok("\r".to_owned())),
            (6, Err(8)),
        ];
        for piece in 1..30 {
            assert_eq!(read(text, piece), expected, "{piece}");
        }
        assert_eq!(read("", 8), []);
        assert_eq!(read("\n", 8), [(1, Ok(String::new()))]);
    }

    #[test]
    fn a_line_without_end_takes_no_memory() {
        let endless = io::repeat(b'x').take(64 * 1024 * 1024);
        let mut lines = Lines::new(BufReader::new(endless), 1_000);
        let (number, line) = lines.next().unwrap().unwrap();
        assert_eq!((number, line), (1, Line::TooLong(64 * 1024 * 1024)));
        assert!(lines.line.capacity() < 10_000);
        assert!(lines.next().unwrap().is_none());
    }

    #[test]
    fn what_is_received_is_told_from_what_must_be_waited_for() {
        let mut lines = Lines::new(BufReader::with_capacity(6, &b"a\nb\nc\nd\n"[..]), 4);
        assert!(lines.may_block());
        lines.next().unwrap();
        assert!(!lines.may_block());
        lines.next().unwrap();
        lines.next().unwrap();
        assert!(lines.may_block());
    }

    #[test]
    fn a_broken_input_is_an_error() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("broken"))
            }
        }
        let mut lines = Lines::new(BufReader::new(Broken), 4);
        assert!(lines.next().is_err());
    }
}
