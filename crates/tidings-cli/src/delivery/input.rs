//! Reads events, one per line, into batches.

use std::io::{self, BufReader, Read};
use std::thread;

use tidings_client::PastEvent;
use tidings_event::Past;
use tokio::sync::mpsc;

use super::batch::{Batch, Rejected};
use super::lines::{Line, Lines};
use super::{Purpose, document};

/// The most lines in a batch: enough to spread the cost of a commit, and half of a server's default
/// limit.
const BATCH_LINES: usize = 500;

/// A batch is sent once it has this many bytes. Even with a longest last line it stays far below the
/// server's default limit of 4 MiB.
const BATCH_BYTES: u64 = 1024 * 1024;

/// The size of a read. A batch ends when the next line needs another read that can block.
const BUFFER_BYTES: usize = 256 * 1024;

/// The length of the queue of batches that are read and not yet sent. When the queue is full, reading
/// pauses: one batch is being sent, one waits, one is being read.
const QUEUED_BATCHES: usize = 1;

/// The longest line: the default limit of a request. The server shortens an event that is too large,
/// and the command halves a batch that exceeds the server's limits.
const MAX_LINE_BYTES: usize = 4 * 1024 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The lines that were read together.
#[derive(Debug, Default)]
pub(super) struct Piece {
    pub(super) batch: Batch,
    /// The lines without a valid event.
    pub(super) rejected: Vec<Rejected>,
    /// The number of bytes of the input that were read.
    pub(super) position: u64,
}

/// Reads `input` on a separate thread until its end, an error, or until the receiver is dropped. The
/// thread is never joined, since it can block on a terminal. It ends with the process.
pub(super) fn pieces(
    input: impl Read + Send + 'static,
    purpose: Purpose,
) -> io::Result<mpsc::Receiver<io::Result<Piece>>> {
    let (sender, receiver) = mpsc::channel(QUEUED_BATCHES);
    thread::Builder::new()
        .name("input".to_owned())
        .spawn(move || {
            let input = BufReader::with_capacity(BUFFER_BYTES, input);
            let mut lines = Lines::new(input, MAX_LINE_BYTES);
            while let Some(piece) = next_piece(&mut lines, purpose).transpose() {
                let failed = piece.is_err();
                if sender.blocking_send(piece).is_err() || failed {
                    break;
                }
            }
        })?;
    Ok(receiver)
}

/// Reads the lines that are available without blocking: at least one, at most a batch. `None` at the
/// end of the input.
fn next_piece<R: Read>(
    lines: &mut Lines<BufReader<R>>,
    purpose: Purpose,
) -> io::Result<Option<Piece>> {
    let start = lines.position();
    let mut piece = Piece::default();
    while let Some((number, line)) = lines.next()? {
        take(number, &line, purpose, &mut piece);
        let count = piece.batch.len() + piece.rejected.len();
        let full = count >= BATCH_LINES || lines.position() - start >= BATCH_BYTES;
        if full || (count > 0 && lines.may_block()) {
            break;
        }
    }
    piece.position = lines.position();
    Ok((piece.position > start).then_some(piece))
}

/// Adds the line's event or fault to `piece`. A blank line adds nothing.
fn take(number: u64, line: &Line<'_>, purpose: Purpose, piece: &mut Piece) {
    match read(number, line, purpose) {
        Ok(None) => {}
        Ok(Some(mut event)) => {
            let may_repeat = !document::mint_id(&mut event.event);
            piece.batch.push(number, event, may_repeat);
        }
        Err(fault) => piece.rejected.push(Rejected {
            line: number,
            faults: vec![fault],
        }),
    }
}

/// Parses a line. `None` for a blank line. The caller adds the line number to a fault.
fn read(number: u64, line: &Line<'_>, purpose: Purpose) -> Result<Option<PastEvent>, String> {
    let line = match line {
        Line::Whole(line) => line,
        Line::TooLong(bytes) => {
            return Err(format!(
                "has {bytes} bytes, more than the {MAX_LINE_BYTES} allowed"
            ));
        }
    };
    let line = match line.strip_prefix(BYTE_ORDER_MARK) {
        Some(rest) if number == 1 => rest,
        _ => line,
    };
    let text = str::from_utf8(line)
        .map_err(|error| format!("is not UTF-8 (column {})", error.valid_up_to() + 1))?;
    if text.trim_ascii().is_empty() {
        return Ok(None);
    }
    if text.trim_ascii_start().starts_with('[') {
        return Err(
            "is an array: write one event a line, or send arrays by `publish --file`".to_owned(),
        );
    }
    let event = match purpose {
        Purpose::Publish { .. } => {
            document::read_event(text).map(|event| PastEvent::new(event, Past::default()))
        }
        Purpose::Import => document::read_past_event(text),
    };
    event.map(Some).map_err(|fault| fault.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read_all(input: impl Read + Send + 'static) -> Vec<io::Result<Piece>> {
        let mut pieces = pieces(input, Purpose::Publish { prints: false }).unwrap();
        let mut all = Vec::new();
        while let Some(piece) = pieces.recv().await {
            all.push(piece);
        }
        all
    }

    fn line(description: &str) -> String {
        format!("{{\"description\":\"{description}\"}}\n")
    }

    #[tokio::test]
    async fn reads_events_and_faults_by_line_number() {
        let event = line("a");
        let huge = line(&"x".repeat(MAX_LINE_BYTES));
        let text = [
            &format!("\u{feff}{event}"),
            "\r\n  \n",
            "not json\n",
            &huge,
            "[{}]\n",
            event.trim_end(),
        ]
        .concat();
        let mut text = text.into_bytes();
        text.extend(b"\n\xff{}");
        let pieces = read_all(io::Cursor::new(text)).await;
        let pieces: Vec<_> = pieces.into_iter().map(Result::unwrap).collect();
        let entries = pieces.iter().flat_map(|piece| &piece.batch.entries);
        let lines: Vec<_> = entries.map(|entry| entry.line).collect();
        assert_eq!(lines, [1, 7]);
        let rejected: Vec<_> = pieces.iter().flat_map(|piece| &piece.rejected).collect();
        let rejected: Vec<_> = rejected
            .iter()
            .map(|rejected| (rejected.line, rejected.faults[0].as_str()))
            .collect();
        let bytes = huge.len() - 1;
        assert_eq!(
            rejected,
            [
                (4, "is not JSON: expected ident (column 2)"),
                (
                    5,
                    format!("has {bytes} bytes, more than the 4194304 allowed").as_str()
                ),
                (
                    6,
                    "is an array: write one event a line, or send arrays by `publish --file`"
                ),
                (8, "is not UTF-8 (column 1)"),
            ]
        );
    }

    #[tokio::test]
    async fn mints_ids_before_sending() {
        let own = "{\"id\":\"7b1d2c3e-0000-4000-8000-000000000001\"}";
        for (text, may_repeat) in [("{}", false), (own, true)] {
            let pieces = read_all(text.as_bytes()).await;
            let entry = &pieces[0].as_ref().unwrap().batch.entries[0];
            assert!(!entry.event.event.id.is_absent());
            assert_eq!(entry.may_repeat, may_repeat);
        }
    }

    #[tokio::test]
    async fn bounds_batches_by_lines_and_bytes() {
        for description in ["a", &"a".repeat(4_000)] {
            let lines = 1_200;
            let text = line(description).repeat(lines);
            let pieces = read_all(io::Cursor::new(text.clone())).await;
            let mut read = 0;
            let mut position = 0;
            for piece in pieces {
                let piece = piece.unwrap();
                assert!((1..=BATCH_LINES).contains(&piece.batch.len()));
                assert!(piece.position - position < BATCH_BYTES + 5_000);
                position = piece.position;
                read += piece.batch.len();
            }
            assert_eq!(read, lines);
            assert_eq!(position, text.len() as u64);
        }
    }

    #[tokio::test]
    async fn sends_a_line_without_waiting_for_more() {
        // Each read returns one line, like the output of a program that writes occasionally.
        struct Now(u8);
        impl Read for Now {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                self.0 = self.0.saturating_sub(1);
                let line = if self.0 == 0 { &b""[..] } else { b"{}\n" };
                buffer[..line.len()].copy_from_slice(line);
                Ok(line.len())
            }
        }
        let pieces = read_all(Now(4)).await;
        let sizes: Vec<_> = pieces
            .iter()
            .map(|piece| piece.as_ref().unwrap().batch.len())
            .collect();
        assert_eq!(sizes, [1, 1, 1]);
    }

    #[tokio::test]
    async fn ends_with_the_read_error() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("broken"))
            }
        }
        let pieces = read_all(b"{}\n".chain(Broken)).await;
        assert_eq!(pieces.len(), 2);
        assert_eq!(pieces[1].as_ref().unwrap_err().to_string(), "broken");
    }
}
