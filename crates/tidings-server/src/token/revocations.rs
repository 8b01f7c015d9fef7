//! Tokens that are refused although they have not expired.

use std::fs::OpenOptions;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use jiff::Timestamp;
use tokio::sync::watch;

use super::file::{FileFault, WatchedFile};
use super::revocation_list::{self as list, List};
use crate::regular_file;

/// The ids (`jti`) of revoked tokens: those in a file, which is read again when it changes, and those
/// revoked through [`revoke`](Self::revoke). Clones share them.
///
/// Without a file what is revoked is forgotten on a restart. At most 100,000 are known at a time; those
/// whose tokens have expired make room for others.
#[derive(Clone, Debug)]
pub struct Revocations {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    revoked: RwLock<Revoked>,
    /// Counts the changes that revoked a token.
    changes: watch::Sender<u64>,
    file: Option<PathBuf>,
    /// Held while the file is written.
    writing: Mutex<()>,
}

#[derive(Debug, Default)]
struct Revoked {
    /// What the file says.
    listed: List,
    /// What was revoked by a call. It stays when its line is taken out of the file.
    called: List,
}

impl Revoked {
    fn contains(&self, id: &str) -> bool {
        self.called.contains_key(id) || self.listed.contains_key(id)
    }

    fn is_full(&self) -> bool {
        // Most of what is in one is in both; that is only counted when it matters.
        let listed = self.listed.len();
        let only_called = || {
            let ids = self.called.keys();
            ids.filter(|id| !self.listed.contains_key(*id)).count()
        };
        self.called.len() + listed >= list::MAX_REVOKED
            && only_called() + listed >= list::MAX_REVOKED
    }

    fn forget(&mut self, now: Timestamp) {
        self.called.retain(|_, until| list::is_of_use(*until, now));
        self.listed.retain(|_, until| list::is_of_use(*until, now));
    }
}

impl Revocations {
    /// Nothing is revoked yet; what is will be appended to `file`.
    pub(super) fn new(file: Option<PathBuf>) -> Self {
        let shared = Shared {
            revoked: RwLock::default(),
            changes: watch::Sender::new(0),
            file,
            writing: Mutex::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Reads the file, and gives what watches it. One that is missing is not made: what was revoked
    /// would be let in again if its name were mistyped, or its disk not there.
    pub(super) fn open_file(&self, path: &Path) -> Result<WatchedFile, FileFault> {
        let revocations = self.clone();
        let what = "list of revoked tokens";
        WatchedFile::open(path, what, list::MAX_LIST_BYTES, move |contents, _| {
            let listed = list::read(&contents, Timestamp::now())?;
            revocations.replace_listed(listed);
            Ok(())
        })
    }

    /// Whether the token with this id was revoked.
    pub fn is_revoked(&self, id: &str) -> bool {
        self.read().contains(id)
    }

    /// Gives a new number whenever tokens were revoked, so that what goes on by a token can look again.
    /// Take it before the first look at [`is_revoked`](Self::is_revoked), or what is revoked in between
    /// goes unnoticed.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    /// Revokes the token with this id, which expires at `until` or nobody knows when, from now on and,
    /// with a file, across restarts: it is in the file, on the disk, when this returns. Revoking it again is no error. Goes
    /// on when the future is dropped.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) for an id that no accepted token has: none, more than
    /// 256 bytes, with white space, or with a `#` or a byte order mark in front.
    /// [`StorageFull`](io::ErrorKind::StorageFull) when 100,000 are revoked. Else the file could not be
    /// written: the token is revoked all the same, until the server ends.
    pub async fn revoke(&self, id: &str, until: Option<Timestamp>) -> io::Result<()> {
        let (shared, id) = (Arc::clone(&self.shared), Box::from(id));
        let done = tokio::task::spawn_blocking(move || {
            Self { shared }.revoke_now(id, until, Timestamp::now())
        });
        done.await.map_err(io::Error::other)?
    }

    fn revoke_now(&self, id: Box<str>, until: Option<Timestamp>, now: Timestamp) -> io::Result<()> {
        if !list::is_listable(&id) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!(
                    "no token has such an id: it has 1 to {} bytes, no white space, and neither # nor a byte \
                     order mark in front",
                    list::MAX_ID_BYTES
                ),
            ));
        }
        let _writing = self.shared.writing.lock();
        let line = list::line(&id, until);
        {
            let mut revoked = self.write();
            let listed = revoked.listed.get(&id).copied();
            if listed.is_some_and(|known| list::longer(known, until) == known) {
                return Ok(());
            }
            let is_new = !revoked.contains(&id);
            if is_new && revoked.is_full() {
                revoked.forget(now);
            }
            if is_new && revoked.is_full() {
                return Err(io::Error::new(
                    io::ErrorKind::StorageFull,
                    format!(
                        "{} tokens are revoked already; exchange the keys, or wait until some expire",
                        list::MAX_REVOKED
                    ),
                ));
            }
            let known = revoked.called.entry(id).or_insert(until);
            *known = list::longer(*known, until);
        }
        // Before the file: what goes on by the token ends at once.
        self.shared.changes.send_modify(|changes| *changes += 1);
        match &self.shared.file {
            Some(path) => append(path, &line),
            None => Ok(()),
        }
    }

    fn replace_listed(&self, listed: List) {
        // Compared before it is put in place: every request waits for who writes.
        let more = {
            let revoked = self.read();
            listed.keys().any(|id| !revoked.contains(id))
        };
        self.write().listed = listed;
        if more {
            self.shared.changes.send_modify(|changes| *changes += 1);
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Revoked> {
        let revoked = self.shared.revoked.read();
        // Nobody panics while holding it; if somebody did, what is revoked stays revoked.
        revoked.unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Revoked> {
        let revoked = self.shared.revoked.write();
        revoked.unwrap_or_else(PoisonError::into_inner)
    }
}

/// Appends a line by one write, and waits until it is on the disk. The file has to be there: in a new one
/// everything that was revoked before would be missing.
fn append(path: &Path, line: &str) -> io::Result<()> {
    let (mut file, _) = regular_file::open_with(OpenOptions::new().read(true).append(true), path)?;
    let end = file.seek(SeekFrom::End(0))?;
    if end + line.len() as u64 >= list::MAX_LIST_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!(
                "{} has {end} bytes: take out the lines whose time has passed",
                path.display()
            ),
        ));
    }
    // Editors may leave the last line without its end.
    let mut last = [b'\n'];
    if end > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    let begin = if last == [b'\n'] { "" } else { "\n" };
    file.write_all(format!("{begin}{line}").as_bytes())?;
    file.sync_data()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn later() -> Timestamp {
        Timestamp::now() + jiff::SignedDuration::from_hours(1)
    }

    #[tokio::test]
    async fn without_a_file_a_token_is_revoked_until_it_expires() {
        let revocations = Revocations::new(None);
        let mut changed = revocations.clone().changed();
        assert!(!revocations.is_revoked("a"));
        revocations.revoke("a", Some(later())).await.unwrap();
        assert!(revocations.is_revoked("a") && !revocations.is_revoked("b"));
        assert!(changed.has_changed().unwrap());
        changed.mark_unchanged();
        revocations.write().forget(later());
        assert!(revocations.is_revoked("a"), "there is the leeway");
        revocations.write().forget(later() + list::GRACE);
        assert!(!revocations.is_revoked("a"));
    }

    #[tokio::test]
    async fn what_is_revoked_is_in_the_file_on_a_line_of_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("revoked");
        let revocations = Revocations::new(Some(path.clone()));
        let missing = revocations.open_file(&path).err().unwrap();
        assert!(matches!(missing, FileFault::Io(_)), "{missing}");
        assert!(!path.exists(), "a mistyped name makes no empty list");
        std::fs::write(&path, "").unwrap();
        drop(revocations.open_file(&path).unwrap());
        revocations.revoke("a", Some(later())).await.unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{text}by-hand")).unwrap();
        revocations.revoke("b", Some(later())).await.unwrap();

        let again = Revocations::new(Some(path.clone()));
        drop(again.open_file(&path).unwrap());
        assert!(["a", "by-hand", "b"].iter().all(|id| again.is_revoked(id)));
        // Known with at least this time, it is not written again.
        let bytes = path.metadata().unwrap().len();
        again.revoke("a", Some(Timestamp::now())).await.unwrap();
        again.revoke("by-hand", Some(later())).await.unwrap();
        assert_eq!(path.metadata().unwrap().len(), bytes);
    }

    #[tokio::test]
    async fn a_file_that_went_away_is_not_begun_anew() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("revoked");
        let revocations = Revocations::new(Some(path.clone()));
        std::fs::write(&path, "").unwrap();
        drop(revocations.open_file(&path).unwrap());
        std::fs::remove_file(&path).unwrap();
        let error = revocations.revoke("a", Some(later())).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(revocations.is_revoked("a") && !path.exists());
    }

    #[tokio::test]
    async fn ids_that_no_token_has_are_not_revoked() {
        let revocations = Revocations::new(None);
        for id in ["", "two words", "#a", &"x".repeat(257)] {
            let error = revocations.revoke(id, Some(later())).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{id}");
        }
    }

    #[test]
    fn there_is_an_end_to_what_can_be_revoked() {
        let revocations = Revocations::new(None);
        let now = Timestamp::now();
        for number in 0..list::MAX_REVOKED {
            let id = number.to_string().into();
            revocations.revoke_now(id, Some(later()), now).unwrap();
        }
        let error = revocations
            .revoke_now("x".into(), Some(later()), now)
            .unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        // When the others have expired, there is room again.
        let then = later() + list::GRACE;
        assert!(revocations.revoke_now("x".into(), Some(then), then).is_ok());
    }

    #[test]
    fn readers_are_told_of_new_ids_only() {
        let revocations = Revocations::new(None);
        let mut changed = revocations.changed();
        let mut replace = |ids: &[&str]| {
            let listed = ids.iter().map(|id| (Box::from(*id), None)).collect();
            revocations.replace_listed(listed);
            let told = changed.has_changed().unwrap();
            changed.mark_unchanged();
            told
        };
        assert!(replace(&["a", "b"]));
        assert!(!replace(&["b", "a"]));
        assert!(!replace(&["b"]));
        assert!(replace(&["b", "c"]));
    }
}
