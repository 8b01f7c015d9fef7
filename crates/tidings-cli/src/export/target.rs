//! Where an export goes.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufWriter, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use serde::Deserialize;
use tidings_event::{Event, EventId, Timestamp};

use crate::output::{self, Printed};
use crate::progress::Progress;

/// The end of a file in which its last two line feeds are looked for: far more than the longest line.
const END_BYTES: u64 = 4 * 1024 * 1024;

/// An event's place in an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Place {
    pub(super) created_at: Timestamp,
    id: EventId,
}

impl Place {
    pub(super) const fn of(event: &Event) -> Self {
        Self {
            created_at: event.created_at,
            id: event.id,
        }
    }
}

/// Where lines are written, and which is the last that is there.
#[derive(Debug)]
pub(super) struct Target {
    output: Output,
    after: Option<Place>,
}

#[derive(Debug)]
enum Output {
    Stdout,
    File { name: String, file: BufWriter<File> },
}

impl Target {
    /// Standard output.
    pub(super) const fn stdout() -> Self {
        Self {
            output: Output::Stdout,
            after: None,
        }
    }

    /// A new file, for its owner only.
    pub(super) fn create(path: &Path) -> anyhow::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let file = options.open(path).map_err(|error| {
            let exists = error.kind() == ErrorKind::AlreadyExists;
            let remedy = "; give another name, or go on with it by --resume";
            let remedy = if exists { remedy } else { "" };
            let fault = format!("could not make {}{remedy}", path.display());
            anyhow::Error::new(error).context(fault)
        })?;
        lock(&file, path)?;
        Ok(Self::to(path, file, None))
    }

    /// A file to go on with, which is made if it is missing. What stands behind its last line feed is
    /// an incomplete line, and is cut off.
    pub(super) fn resume(path: &Path) -> anyhow::Result<Self> {
        let name = path.display();
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).mode(0o600);
        let mut file = options
            .truncate(false)
            .open(path)
            .with_context(|| format!("could not open {name}"))?;
        lock(&file, path)?;
        let after = cut_to_complete_lines(&mut file)
            .with_context(|| format!("could not go on with {name}"))?;
        Ok(Self::to(path, file, after))
    }

    fn to(path: &Path, file: File, after: Option<Place>) -> Self {
        let name = path.display().to_string();
        let file = BufWriter::new(file);
        Self {
            output: Output::File { name, file },
            after,
        }
    }

    /// The last event that is there already.
    pub(super) const fn after(&self) -> Option<Place> {
        self.after
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

    /// Hands over what is written.
    pub(super) fn flush(&mut self) -> anyhow::Result<()> {
        match &mut self.output {
            Output::Stdout => Ok(()),
            Output::File { name, file } => {
                let flushed = file.flush();
                flushed.with_context(|| format!("could not write to {name}"))
            }
        }
    }

    /// Hands over what is written, to the disk if it goes there.
    pub(super) fn finish(&mut self) -> anyhow::Result<()> {
        self.flush()?;
        match &self.output {
            Output::Stdout => Ok(()),
            Output::File { name, file } => match file.get_ref().sync_all() {
                // A pipe or a terminal has no disk.
                Err(error) if error.kind() != ErrorKind::InvalidInput => {
                    Err(error).with_context(|| format!("could not write to {name}"))
                }
                _ => Ok(()),
            },
        }
    }
}

/// Two exports into one file would mix their lines.
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

/// Cuts off an incomplete last line, and finds the event on the last complete one.
fn cut_to_complete_lines(file: &mut File) -> anyhow::Result<Option<Place>> {
    let length = file.metadata()?.len();
    let start = length.saturating_sub(END_BYTES);
    file.seek(SeekFrom::Start(start))?;
    let mut end = Vec::new();
    file.read_to_end(&mut end)?;
    let feed = end.iter().rposition(|byte| *byte == b'\n');
    let (complete, line) = match feed {
        Some(feed) => {
            let before = end[..feed].iter().rposition(|byte| *byte == b'\n');
            let first = before.map_or(0, |before| before + 1);
            (start + feed as u64 + 1, Some(&end[first..feed]))
        }
        None if start == 0 => (0, None),
        None => bail!("its last {END_BYTES} bytes have no line feed, so it is no export"),
    };
    let place = line.map(serde_json::from_slice).transpose();
    let place = place.context("its last complete line is no exported event")?;
    file.set_len(complete)?;
    file.seek(SeekFrom::Start(complete))?;
    Ok(place)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use serde_json::json;

    use super::*;
    use crate::sample;

    fn resumed(text: &str) -> anyhow::Result<(Option<Place>, String)> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("events");
        std::fs::write(&path, text).unwrap();
        let mut target = Target::resume(&path)?;
        target.write("new", &Progress::of_events(1))?;
        target.finish()?;
        Ok((target.after(), std::fs::read_to_string(&path)?))
    }

    #[test]
    fn an_export_goes_on_behind_its_last_complete_line() {
        let event = sample::event(&json!(null));
        let line = serde_json::to_string(&event).unwrap();
        let place = Some(Place::of(&event));
        for (text, after, kept) in [
            (String::new(), None, String::new()),
            (line.clone(), None, String::new()),
            (format!("{line}\n"), place, format!("{line}\n")),
            (format!("x\n{line}\n{{\"id"), place, format!("x\n{line}\n")),
        ] {
            assert_eq!(resumed(&text).unwrap(), (after, format!("{kept}new\n")));
        }
        let error = resumed("something\nelse\n").unwrap_err();
        assert!(
            format!("{error:#}").contains("no exported event"),
            "{error:#}"
        );
    }

    #[test]
    fn a_file_is_not_overwritten_nor_written_twice_at_once() {
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
        assert_eq!(Target::resume(&new).unwrap().after(), None);
        let mode = new.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn places_are_in_the_order_of_the_list() {
        let first = sample::event(&json!(null));
        let mut second = first.clone();
        second.id = "0c0ffee0-0000-4000-8000-000000000002".parse().unwrap();
        let mut third = first.clone();
        third.created_at = "2026-08-01T10:00:00.123456790Z".parse().unwrap();
        let places = [&first, &second, &third].map(Place::of);
        assert!(places.is_sorted());
    }
}
