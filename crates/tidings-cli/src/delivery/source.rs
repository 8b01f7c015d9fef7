//! The input of a delivery.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd as _;
use std::path::Path;

use anyhow::Context as _;

/// An input with one event per line.
pub(crate) struct Source {
    /// Its name, for messages.
    pub(super) name: String,
    pub(super) reader: Box<dyn Read + Send>,
    /// Its length in bytes, if known.
    pub(super) length: Option<u64>,
}

impl Source {
    /// Standard input.
    pub(crate) fn stdin() -> Self {
        let file = io::stdin().as_fd().try_clone_to_owned().map(File::from);
        Self {
            name: "standard input".to_owned(),
            reader: Box::new(io::stdin()),
            length: file.ok().as_ref().and_then(length),
        }
    }

    /// A file.
    pub(crate) fn file(path: &Path) -> anyhow::Result<Self> {
        let name = path.display().to_string();
        let file = File::open(path).with_context(|| format!("could not open {name}"))?;
        Ok(Self {
            length: length(&file),
            reader: Box::new(file),
            name,
        })
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("name", &self.name)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

fn length(file: &File) -> Option<u64> {
    let metadata = file.metadata().ok()?;
    metadata.is_file().then_some(metadata.len())
}
