//! Opens files that the operator configures, without blocking on pipes and devices.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::OFlags;

/// The path is not a regular file.
#[derive(Debug, thiserror::Error)]
#[error("not a regular file: a pipe, a device or a directory cannot be read again when it changes")]
struct NotRegular;

/// Opens a regular file to read it.
///
/// # Errors
///
/// If the file cannot be opened, or is not a regular file. Without this check opening a FIFO would wait
/// for a writer, and reading it could wait forever.
pub(crate) fn open(path: &Path) -> io::Result<(File, Metadata)> {
    open_with(OpenOptions::new().read(true), path)
}

/// Opens a regular file with these options.
pub(crate) fn open_with(options: &mut OpenOptions, path: &Path) -> io::Result<(File, Metadata)> {
    // The flags have no effect on regular files.
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    let flags = i32::try_from(flags).map_err(io::Error::other)?;
    let opened = options.custom_flags(flags).open(path);
    // Opening a FIFO without a reader for writing fails with a different error.
    let file = opened.map_err(|error| match path.metadata() {
        Ok(metadata) if !metadata.is_file() => not_regular(),
        _ => error,
    })?;
    let metadata = file.metadata()?;
    if metadata.is_file() {
        Ok((file, metadata))
    } else {
        Err(not_regular())
    }
}

fn not_regular() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, NotRegular)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    #[test]
    fn rejects_a_fifo_without_waiting() {
        let directory = tempfile::tempdir().unwrap();
        let fifo = directory.path().join("fifo");
        mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(&fifo, &link).unwrap();
        for path in [&fifo, &link, Path::new("/dev/zero"), directory.path()] {
            for options in [
                OpenOptions::new().read(true),
                OpenOptions::new().append(true),
                OpenOptions::new().read(true).append(true),
            ] {
                let error = open_with(options, path).unwrap_err();
                let text = error.to_string();
                assert!(text.contains("not a regular file"), "{path:?}: {text}");
            }
        }
    }

    #[test]
    fn opens_a_regular_file_behind_a_link() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "text").unwrap();
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        for path in [&file, &link] {
            assert_eq!(open(path).unwrap().1.len(), 4);
        }
        let missing = open(&directory.path().join("missing")).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }
}
