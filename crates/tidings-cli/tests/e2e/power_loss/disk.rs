//! A simulated disk that keeps only synced data. POSIX guarantees no more.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::trace::Call;

/// The syncs that the disk performs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Obeys {
    All,
    /// No sync, as with SQLite's `synchronous=OFF`.
    None,
    /// No sync of the write-ahead log, as with `synchronous=NORMAL`.
    NotTheLog,
    /// No sync of a directory after a file is created in it.
    NoDirectories,
}

#[derive(Clone, Debug)]
enum Write {
    Bytes { at: usize, bytes: Vec<u8> },
    Truncate(usize),
}

/// A file: its bytes on disk, and its changes in memory, in order.
#[derive(Debug, Default)]
struct File {
    durable: Vec<u8>,
    pending: Vec<Write>,
}

/// The files in a directory. A name is durable once its directory is synced.
#[derive(Debug)]
pub(super) struct Disk {
    obeys: Obeys,
    files: Vec<File>,
    names: BTreeMap<PathBuf, Entry>,
    durable_names: BTreeMap<PathBuf, Entry>,
}

/// The entry of a name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Entry {
    Directory,
    File(usize),
}

/// A started sync, with the state that it makes durable.
pub(super) enum Sync {
    File { file: usize, changes: usize },
    Directory(Vec<(PathBuf, Entry)>),
}

impl Disk {
    /// Creates a disk with an empty directory.
    pub(super) fn new(directory: &Path, obeys: Obeys) -> Self {
        let names = BTreeMap::from([(directory.to_owned(), Entry::Directory)]);
        Self {
            obeys,
            files: Vec::new(),
            durable_names: names.clone(),
            names,
        }
    }

    /// Applies the result of a call other than a sync.
    pub(super) fn apply(&mut self, call: &Call) {
        if call.result < 0 {
            return;
        }
        match call.name.as_str() {
            "openat" if call.creates && self.is_new(&call.path) => {
                self.files.push(File::default());
                let file = Entry::File(self.files.len() - 1);
                self.names.insert(call.path.clone(), file);
            }
            "mkdir" if self.is_new(&call.path) => {
                self.names.insert(call.path.clone(), Entry::Directory);
            }
            "unlink" => {
                self.names.remove(&call.path);
            }
            "rename" => panic!("the simulated disk does not support rename: {call:?}"),
            "pwrite64" => {
                let bytes = call.texts[0].clone();
                let at = usize::try_from(call.number).expect("it fits memory");
                self.change(&call.path, Write::Bytes { at, bytes });
            }
            "ftruncate" => {
                let length = usize::try_from(call.number).expect("it fits memory");
                self.change(&call.path, Write::Truncate(length));
            }
            _ => {}
        }
    }

    /// Whether the path is in a directory of this disk and does not exist yet.
    fn is_new(&self, path: &Path) -> bool {
        let directory = path.parent().and_then(|parent| self.names.get(parent));
        matches!(directory, Some(Entry::Directory)) && !self.names.contains_key(path)
    }

    fn change(&mut self, path: &Path, change: Write) {
        if let Some(Entry::File(file)) = self.names.get(path) {
            self.files[*file].pending.push(change);
        }
    }

    /// Starts a sync. Returns the state that the sync makes durable.
    pub(super) fn begin_sync(&self, call: &Call) -> Option<Sync> {
        let is_log = call.path.to_string_lossy().ends_with("-wal");
        match (self.names.get(&call.path)?, self.obeys) {
            (_, Obeys::None) => None,
            (Entry::File(_), Obeys::NotTheLog) if is_log => None,
            (Entry::Directory, Obeys::NoDirectories) => None,
            (Entry::File(file), _) => Some(Sync::File {
                file: *file,
                changes: self.files[*file].pending.len(),
            }),
            (Entry::Directory, _) => {
                let children = self.names.iter();
                let children = children.filter(|(path, _)| path.parent() == Some(&call.path));
                let children = children.map(|(path, entry)| (path.clone(), *entry));
                Some(Sync::Directory(children.collect()))
            }
        }
    }

    /// Finishes a sync and makes its state durable.
    pub(super) fn end_sync(&mut self, call: &Call, sync: Sync) {
        match sync {
            Sync::File { file, changes } => {
                let File { durable, pending } = &mut self.files[file];
                for change in pending.drain(..changes.min(pending.len())) {
                    change.apply(durable);
                }
            }
            Sync::Directory(children) => {
                self.durable_names
                    .retain(|path, _| path.parent() != Some(&call.path));
                self.durable_names.extend(children);
            }
        }
    }

    /// Writes the durable files of `from` into an empty directory.
    pub(super) fn write_durable(&self, from: &Path, into: &Path) {
        if !self.durable_names.contains_key(from) {
            return;
        }
        for (path, entry) in &self.durable_names {
            let (Entry::File(file), true) = (entry, path.parent() == Some(from)) else {
                continue;
            };
            let name = path.file_name().expect("it lies in a directory");
            // SQLite rebuilds the index of its write-ahead log.
            if !name.to_string_lossy().ends_with("-shm") {
                fs::write(into.join(name), &self.files[*file].durable).expect("writable");
            }
        }
    }
}

impl Write {
    fn apply(self, content: &mut Vec<u8>) {
        match self {
            Self::Bytes { at, bytes } => {
                let end = at + bytes.len();
                content.resize(content.len().max(end), 0);
                content[at..end].copy_from_slice(&bytes);
            }
            Self::Truncate(length) => content.resize(length, 0),
        }
    }
}
