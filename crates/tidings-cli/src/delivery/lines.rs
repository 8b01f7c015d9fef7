//! Reads lines of bounded length from a stream.

use std::io::{self, BufRead, ErrorKind};

/// Reads line by line and keeps at most the limit in memory, even of an endless line.
#[derive(Debug)]
pub(super) struct Lines<R> {
    input: R,
    line: Vec<u8>,
    max_bytes: usize,
    /// The number of lines started.
    number: u64,
    /// The number of bytes read, including line feeds.
    position: u64,
}

/// A line without its line feed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Whole(&'a [u8]),
    /// A line longer than the limit, with its length in bytes. Its content is dropped.
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

    /// Reads the next line with its number, counted from 1. `None` at the end of the input.
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
            // One byte more than the limit shows that the line is too long.
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

    /// The number of bytes read.
    pub(super) const fn position(&self) -> u64 {
        self.position
    }
}

impl<R: io::Read> Lines<io::BufReader<R>> {
    /// Whether reading the next line can block.
    pub(super) fn may_block(&self) -> bool {
        !self.input.buffer().contains(&b'\n')
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Read};

    use super::*;

    /// Reads `text` in pieces of `piece` bytes, with a line limit of 4 bytes.
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
    fn reads_lines_across_any_read_boundary() {
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
    fn endless_line_takes_constant_memory() {
        let endless = io::repeat(b'x').take(64 * 1024 * 1024);
        let mut lines = Lines::new(BufReader::new(endless), 1_000);
        let (number, line) = lines.next().unwrap().unwrap();
        assert_eq!((number, line), (1, Line::TooLong(64 * 1024 * 1024)));
        assert!(lines.line.capacity() < 10_000);
        assert!(lines.next().unwrap().is_none());
    }

    #[test]
    fn knows_when_the_next_line_can_block() {
        let mut lines = Lines::new(BufReader::with_capacity(6, &b"a\nb\nc\nd\n"[..]), 4);
        assert!(lines.may_block());
        lines.next().unwrap();
        assert!(!lines.may_block());
        lines.next().unwrap();
        lines.next().unwrap();
        assert!(lines.may_block());
    }

    #[test]
    fn reports_a_read_error() {
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
