//! The file or stream that an export writes to.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{
    self, BufRead as _, BufReader, BufWriter, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _,
};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::Deserialize;
use tidings_event::{Event, EventId, Timestamp};

use crate::output::{self, Printed};
use crate::progress::Progress;

/// Far longer than the longest line of an export.
const MAX_LINE_BYTES: u64 = 4 * 1024 * 1024;

/// The start of each line of an export.
const LINE_START: &[u8] = br#"{"owner":""#;

/// The most bytes of a removed line that the notice shows.
const SHOWN_BYTES: usize = 60;

/// How far before the latest event of a file a resumed export starts. An event appears late if its
/// commit took longer than the commit of a newer event.
const OVERLAP: Duration = Duration::from_secs(60);

/// The position of an event in an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExportPosition {
    created_at: Timestamp,
    id: EventId,
}

impl ExportPosition {
    const fn of(event: &Event) -> Self {
        Self {
            created_at: event.created_at,
            id: event.id,
        }
    }
}

/// The output, and the latest events that it already has.
#[derive(Debug)]
pub(super) struct Target {
    output: Output,
    latest: Latest,
}

/// The events of a file that a resumed export reads again.
#[derive(Debug, Default)]
struct Latest {
    positions: BTreeSet<ExportPosition>,
    from: Option<Timestamp>,
}

impl Latest {
    fn add(&mut self, position: ExportPosition) {
        let from = position.created_at.checked_sub(OVERLAP);
        let from = from.unwrap_or(Timestamp::MIN);
        if self.from.is_some_and(|from| position.created_at < from) {
            return;
        }
        self.positions.insert(position);
        if self.from < Some(from) {
            self.from = Some(from);
            while self
                .positions
                .first()
                .is_some_and(|first| first.created_at < from)
            {
                self.positions.pop_first();
            }
        }
    }
}

#[derive(Debug)]
enum Output {
    Stdout,
    File { name: String, file: BufWriter<File> },
}

impl Target {
    /// Writes to standard output.
    pub(super) fn stdout() -> Self {
        Self {
            output: Output::Stdout,
            latest: Latest::default(),
        }
    }

    /// Creates a file that only its owner can read.
    pub(super) fn create(path: &Path) -> anyhow::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let file = options.open(path).map_err(|error| {
            let exists = error.kind() == ErrorKind::AlreadyExists;
            let remedy = "; give another name, or continue it with --resume";
            let remedy = if exists { remedy } else { "" };
            let fault = format!("could not make {}{remedy}", path.display());
            anyhow::Error::new(error).context(fault)
        })?;
        lock(&file, path)?;
        Ok(Self::to(path, file, Latest::default()))
    }

    /// Opens a file to continue, or creates it. An incomplete last line is removed with a notice. A
    /// file that is not an export stays unchanged.
    pub(super) fn resume(path: &Path) -> anyhow::Result<Self> {
        let name = path.display();
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).mode(0o600);
        let mut file = options
            .truncate(false)
            .open(path)
            .with_context(|| format!("could not open {name}"))?;
        lock(&file, path)?;
        let found = read(&file).and_then(|found| {
            end_lines(&mut file, &found)?;
            Ok(found)
        });
        let found = found.with_context(|| format!("could not resume {name}"))?;
        if !found.cut.is_empty() {
            let bytes = found.cut.len();
            let shown = &found.cut[..bytes.min(SHOWN_BYTES)];
            let shown = String::from_utf8_lossy(shown);
            output::note(format_args!(
                "{name}: removed its incomplete last line ({bytes} B): {shown}…"
            ));
        }
        Ok(Self::to(path, file, found.latest))
    }

    fn to(path: &Path, file: File, latest: Latest) -> Self {
        let name = path.display().to_string();
        let file = BufWriter::new(file);
        Self {
            output: Output::File { name, file },
            latest,
        }
    }

    /// The start time of a resumed export. `None` if the file has no events.
    pub(super) const fn resumes_from(&self) -> Option<Timestamp> {
        self.latest.from
    }

    /// Whether the file already has this event. Knows only events created at `resumes_from` or later.
    pub(super) fn has(&self, event: &Event) -> bool {
        self.latest.positions.contains(&ExportPosition::of(event))
    }

    /// Writes an event.
    pub(super) fn write(&mut self, json: &str, progress: &Progress) -> anyhow::Result<Printed> {
        match &mut self.output {
            Output::Stdout => progress
                .print_line(&output::escaped_json(json))
                .context("could not write to standard output"),
            Output::File { name, file } => {
                let written = writeln!(file, "{json}");
                written.with_context(|| format!("could not write to {name}"))?;
                Ok(Printed::Yes)
            }
        }
    }

    /// Flushes buffered lines to the file.
    pub(super) fn flush(&mut self) -> anyhow::Result<()> {
        match &mut self.output {
            Output::Stdout => Ok(()),
            Output::File { name, file } => {
                let flushed = file.flush();
                flushed.with_context(|| format!("could not write to {name}"))
            }
        }
    }

    /// Flushes buffered lines and syncs a file to disk.
    pub(super) fn finish(&mut self) -> anyhow::Result<()> {
        self.flush()?;
        match &self.output {
            Output::Stdout => Ok(()),
            Output::File { name, file } => match file.get_ref().sync_all() {
                // Pipes and terminals cannot be synced.
                Err(error) if error.kind() != ErrorKind::InvalidInput => {
                    Err(error).with_context(|| format!("could not write to {name}"))
                }
                _ => Ok(()),
            },
        }
    }
}

/// Locks the file, since two exports into one file would mix their lines.
fn lock(file: &File, path: &Path) -> anyhow::Result<()> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => {
            bail!("{} is being written by another export", path.display())
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("could not lock {}", path.display()))
        }
    }
}

/// The content of an existing file.
#[derive(Debug, Default)]
struct Found {
    latest: Latest,
    /// The number of bytes in complete lines.
    complete: u64,
    /// Whether the last line is complete except for its line feed.
    lacks_feed: bool,
    /// An incomplete last line.
    cut: Vec<u8>,
}

/// Reads a file. Every line must be an exported event.
fn read(file: &File) -> anyhow::Result<Found> {
    let mut found = Found::default();
    let mut input = BufReader::with_capacity(256 * 1024, file);
    for number in 1_u64.. {
        let mut line = Vec::new();
        let mut limited = (&mut input).take(MAX_LINE_BYTES);
        let bytes = limited.read_until(b'\n', &mut line)? as u64;
        if bytes == 0 {
            break;
        }
        match serde_json::from_slice(&line) {
            Ok(position) if line.starts_with(LINE_START) => {
                found.latest.add(position);
                found.complete += bytes;
                found.lacks_feed = !line.ends_with(b"\n");
            }
            _ if can_be_cut(&line) && bytes < MAX_LINE_BYTES => found.cut = line,
            _ => bail!("line {number} is no exported event, so nothing is changed"),
        }
    }
    Ok(found)
}

/// Whether a line can be the incomplete last line of an export.
fn can_be_cut(line: &[u8]) -> bool {
    !line.ends_with(b"\n") && (line.starts_with(LINE_START) || LINE_START.starts_with(line))
}

/// Removes an incomplete last line, adds a missing line feed, and seeks to the end.
fn end_lines(file: &mut File, found: &Found) -> io::Result<()> {
    file.set_len(found.complete)?;
    file.seek(SeekFrom::Start(found.complete))?;
    if found.lacks_feed {
        file.write_all(b"\n")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use serde_json::json;

    use super::*;
    use crate::sample;

    /// An exported event that was created at this second, and its line.
    fn line(second: &str) -> (Event, String) {
        let mut event = sample::event(&json!(null));
        event.id = EventId::mint();
        event.created_at = format!("2026-08-01T10:{second}Z").parse().unwrap();
        let line = serde_json::to_string(&json!({"owner": "system"})).unwrap();
        let mut without_owner = event.clone();
        without_owner.owner = None;
        let fields = serde_json::to_string(&without_owner).unwrap();
        let line = format!("{},{}\n", line.trim_end_matches('}'), &fields[1..]);
        (event, line)
    }

    fn resumed(text: &str) -> (anyhow::Result<Target>, String) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("events");
        std::fs::write(&path, text).unwrap();
        let target = Target::resume(&path).and_then(|mut target| {
            target.write("new", &Progress::of_events(1))?;
            target.finish()?;
            Ok(target)
        });
        (target, std::fs::read_to_string(&path).unwrap())
    }

    #[test]
    fn resumes_after_the_last_complete_line() {
        let (_, line) = line("00:00");
        for (text, kept) in [
            ("", ""),
            ("{", ""),
            (&line[..40], ""),
            (&line, &line),
            (line.trim_end(), &line),
            (&format!("{line}{line}{}", &line[..10]), &line.repeat(2)),
        ] {
            let (target, written) = resumed(text);
            assert!(target.is_ok(), "{target:?}");
            assert_eq!(written, format!("{kept}new\n"));
        }
    }

    #[test]
    fn leaves_other_files_unchanged() {
        let (_, line) = line("00:00");
        for text in [
            "something\nelse\n",
            "a letter without a line feed",
            "{\"a\": 1}",
            "{\n  \"owner\": \"system\"\n}",
            "\n",
            &format!("{line}a note"),
            &format!("x\n{line}"),
            &format!("{}\n{line}", &line[..40]),
        ] {
            let (target, left) = resumed(text);
            let error = format!("{:#}", target.unwrap_err());
            assert!(error.contains("is no exported event"), "{error}");
            assert_eq!(left, text);
        }
    }

    #[test]
    fn resumes_one_minute_before_the_latest_event() {
        let lines = ["00:00", "05:00", "04:30", "03:00"].map(line);
        let text = lines.iter().map(|(_, line)| line.as_str());
        let (target, _) = resumed(&text.collect::<String>());
        let target = target.unwrap();
        let from = "2026-08-01T10:04:00Z".parse().unwrap();
        assert_eq!(target.resumes_from(), Some(from));
        let has = lines.each_ref().map(|(event, _)| target.has(event));
        assert_eq!(has, [false, true, true, false]);
        assert!(!target.has(&line("04:30").0));
    }

    #[test]
    fn rejects_existing_and_locked_files() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("events");
        let first = Target::create(&path).unwrap();
        let error = Target::create(&path).unwrap_err();
        assert!(format!("{error:#}").contains("--resume"), "{error:#}");
        let error = Target::resume(&path).unwrap_err();
        assert!(format!("{error:#}").contains("another export"), "{error:#}");
        drop(first);
        assert!(Target::resume(&path).is_ok());
        let new = directory.path().join("new");
        assert_eq!(Target::resume(&new).unwrap().resumes_from(), None);
        let mode = new.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
