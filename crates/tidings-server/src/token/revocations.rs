//! Tokens that are refused although they have not expired.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use jiff::Timestamp;
use rustix::fs::{FallocateFlags, fallocate};
use tidings_event::OwnerId;
use tokio::sync::watch;

use super::claims::Claims;
use super::file::{FileFault, WatchedFile};
use super::revocation_list::{self as list, List};
use crate::regular_file;

/// The ids (`jti`) of revoked tokens: those in a file, which is read again when it changes, and those
/// revoked through [`revoke`](Self::revoke). Clones share them.
///
/// Without a file revocations are forgotten on a restart. At most 100,000 are known at a time; those
/// whose tokens have expired make room for others. Users who end their sessions can fill nine tenths of
/// them, and each user 1,000, so that an operator can always revoke a stolen token.
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

/// Why a token was not revoked, or not for longer than the server runs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RevokeError {
    /// No accepted token has such an id.
    #[error(
        "no token has such an id: it has 1 to {max} bytes, no white space, and neither # nor a byte order \
         mark in front",
        max = list::MAX_ID_BYTES
    )]
    InvalidId,
    /// As many of the user's tokens are revoked as may be.
    #[error("{MAX_ENDED_OF_OWNER} of your sessions have ended and their tokens have not expired")]
    OwnersShare,
    /// As many tokens are revoked as may be.
    #[error("{most} tokens are revoked already; exchange the keys, or wait until some expire")]
    Full {
        /// So many.
        most: usize,
    },
    /// The file could not be written: the token is revoked until the server ends.
    #[error("could not write the list of revoked tokens")]
    File(#[source] io::Error),
}

/// The most sessions of one user that have ended and whose tokens have not expired: some for each
/// minute of a day.
const MAX_ENDED_OF_OWNER: usize = 1_000;

/// What is kept free of ended sessions, for operators.
const OPERATORS_RESERVE: usize = list::MAX_REVOKED / 10;

#[derive(Debug, Default)]
struct Revoked {
    /// What the file says.
    listed: List,
    /// What was revoked by a call. It stays when its line is taken out of the file.
    called: HashMap<Box<str>, Call>,
    /// How many of these are sessions that this user has ended; never 0.
    ended: HashMap<OwnerId, usize>,
}

/// A revocation by a call.
#[derive(Clone, Copy, Debug)]
struct Call {
    until: Option<Timestamp>,
    by: By,
}

/// Who revokes a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Operator,
    /// Its own user, who ends a session.
    Owner(OwnerId),
}

impl By {
    /// How many tokens may be revoked before another one by this caller.
    const fn room(self) -> usize {
        match self {
            Self::Operator => list::MAX_REVOKED,
            Self::Owner(_) => list::MAX_REVOKED - OPERATORS_RESERVE,
        }
    }
}

impl Revoked {
    fn contains(&self, id: &str) -> bool {
        self.called.contains_key(id) || self.listed.contains_key(id)
    }

    fn has_room_for(&self, by: By) -> bool {
        // Most of what is in one is in both; that is only counted when it matters.
        let listed = self.listed.len();
        let only_called = || {
            let ids = self.called.keys();
            ids.filter(|id| !self.listed.contains_key(*id)).count()
        };
        self.called.len() + listed < by.room() || only_called() + listed < by.room()
    }

    fn has_used_their_share(&self, by: By) -> bool {
        match by {
            By::Operator => false,
            By::Owner(owner) => {
                let ended = self.ended.get(&owner).copied();
                ended.unwrap_or_default() >= MAX_ENDED_OF_OWNER
            }
        }
    }

    fn add(&mut self, id: Box<str>, until: Option<Timestamp>, by: By) {
        match self.called.entry(id) {
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                known.until = list::longer(known.until, until);
            }
            Entry::Vacant(vacant) => {
                vacant.insert(Call { until, by });
                if let By::Owner(owner) = by {
                    *self.ended.entry(owner).or_default() += 1;
                }
            }
        }
    }

    fn forget(&mut self, now: Timestamp) {
        let ended = &mut self.ended;
        self.called.retain(|_, call| {
            let stays = list::is_of_use(call.until, now);
            if let (false, By::Owner(owner)) = (stays, call.by) {
                match ended.get_mut(&owner) {
                    Some(number) if *number > 1 => *number -= 1,
                    _ => {
                        ended.remove(&owner);
                    }
                }
            }
            stays
        });
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
        // One that only the operator writes needs none.
        if let Ok((file, metadata)) = regular_file::open_with(OpenOptions::new().write(true), path)
        {
            keep_room(&file, metadata.len());
        }
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
    /// [`RevokeError`].
    pub async fn revoke(&self, id: &str, until: Option<Timestamp>) -> Result<(), RevokeError> {
        self.revoke_by(id, until, By::Operator).await
    }

    /// Revokes the token of a session that its user ends; otherwise as [`revoke`](Self::revoke).
    ///
    /// # Errors
    ///
    /// Also [`RevokeError::OwnersShare`] when 1,000 of the user's are revoked.
    pub(crate) async fn end_session(&self, claims: &Claims) -> Result<(), RevokeError> {
        let by = By::Owner(claims.owner);
        self.revoke_by(&claims.id, Some(claims.expires), by).await
    }

    async fn revoke_by(
        &self,
        id: &str,
        until: Option<Timestamp>,
        by: By,
    ) -> Result<(), RevokeError> {
        let (shared, id) = (Arc::clone(&self.shared), Box::from(id));
        let done = tokio::task::spawn_blocking(move || {
            Self { shared }.revoke_now(id, until, by, Timestamp::now())
        });
        done.await
            .map_err(|error| RevokeError::File(io::Error::other(error)))?
    }

    fn revoke_now(
        &self,
        id: Box<str>,
        until: Option<Timestamp>,
        by: By,
        now: Timestamp,
    ) -> Result<(), RevokeError> {
        if !list::is_listable(&id) {
            return Err(RevokeError::InvalidId);
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
            if is_new && (!revoked.has_room_for(by) || revoked.has_used_their_share(by)) {
                revoked.forget(now);
            }
            if is_new && revoked.has_used_their_share(by) {
                return Err(RevokeError::OwnersShare);
            }
            if is_new && !revoked.has_room_for(by) {
                return Err(RevokeError::Full { most: by.room() });
            }
            revoked.add(id, until, by);
        }
        // Before the file: what goes on by the token ends at once.
        self.shared.changes.send_modify(|changes| *changes += 1);
        match &self.shared.file {
            Some(path) => append(path, &line).map_err(RevokeError::File),
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

/// What is kept behind the end of the file, so that some hundred tokens can be revoked on a full disk too.
const KEPT_BYTES: u64 = 64 * 1024;

/// Keeps room behind the end of the file. One on a file system that cannot do that is as good as before.
fn keep_room(file: &File, end: u64) {
    let _ = fallocate(file, FallocateFlags::KEEP_SIZE, end, KEPT_BYTES);
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
    if let Err(error) = file.write_all(format!("{begin}{line}").as_bytes()) {
        // With half a line, such as an id and half a time, the whole list could not be read again.
        let _ = file.set_len(end);
        return Err(error);
    }
    file.sync_data()?;
    keep_room(&file, end);
    Ok(())
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
        assert!(
            matches!(&error, RevokeError::File(error) if error.kind() == io::ErrorKind::NotFound),
            "{error}"
        );
        assert!(revocations.is_revoked("a") && !path.exists());
    }

    /// Also where the system's word for it is that of a mistake in the call.
    #[tokio::test]
    async fn a_list_that_is_no_file_any_more_is_the_operators_fault() {
        let directory = tempfile::tempdir().unwrap();
        let revocations = Revocations::new(Some(directory.path().to_owned()));
        let error = revocations.revoke("a", Some(later())).await.unwrap_err();
        assert!(matches!(error, RevokeError::File(_)), "{error}");
        assert!(revocations.is_revoked("a"));
    }

    #[tokio::test]
    async fn ids_that_no_token_has_are_not_revoked() {
        let revocations = Revocations::new(None);
        for id in ["", "two words", "#a", &"x".repeat(257)] {
            let error = revocations.revoke(id, Some(later())).await.unwrap_err();
            assert!(matches!(error, RevokeError::InvalidId), "{id}");
        }
    }

    #[test]
    fn there_is_an_end_to_what_can_be_revoked() {
        let revocations = Revocations::new(None);
        let now = Timestamp::now();
        for number in 0..list::MAX_REVOKED {
            let id = number.to_string().into();
            revocations
                .revoke_now(id, Some(later()), By::Operator, now)
                .unwrap();
        }
        let error = revocations
            .revoke_now("x".into(), Some(later()), By::Operator, now)
            .unwrap_err();
        assert!(matches!(error, RevokeError::Full { .. }), "{error}");
        // When the others have expired, there is room again.
        let then = later() + list::GRACE;
        assert!(
            revocations
                .revoke_now("x".into(), Some(then), By::Operator, then)
                .is_ok()
        );
    }

    #[test]
    fn users_leave_room_for_operators_and_for_each_other() {
        let revocations = Revocations::new(None);
        let now = Timestamp::now();
        let end = |owner: u128, number: usize, now| {
            let by = By::Owner(OwnerId::from(uuid::Uuid::from_u128(owner + 1)));
            let id = format!("{owner}-{number}").into();
            revocations.revoke_now(id, Some(later()), by, now)
        };
        for number in 0..MAX_ENDED_OF_OWNER {
            end(0, number, now).unwrap();
        }
        let error = end(0, MAX_ENDED_OF_OWNER, now).unwrap_err();
        assert!(matches!(error, RevokeError::OwnersShare), "{error}");
        // Again is no error, and another user is not affected.
        end(0, 0, now).unwrap();
        for owner in 1..90 {
            for number in 0..MAX_ENDED_OF_OWNER {
                end(owner, number, now).unwrap();
            }
        }
        let error = end(90, 0, now).unwrap_err();
        assert!(matches!(error, RevokeError::Full { .. }), "{error}");
        let id = "stolen".into();
        let revoked = revocations.revoke_now(id, Some(later()), By::Operator, now);
        assert!(revoked.is_ok() && revocations.is_revoked("stolen"));
        // When the tokens have expired, there is room again.
        end(0, MAX_ENDED_OF_OWNER, later() + list::GRACE).unwrap();
    }

    #[tokio::test]
    async fn a_revocation_outlives_a_restart_whatever_its_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("revoked");
        std::fs::write(&path, "").unwrap();
        let revocations = Revocations::new(Some(path.clone()));
        drop(revocations.open_file(&path).unwrap());
        // Somebody mistook the time, or the clock was wrong.
        let past = Timestamp::now() - jiff::SignedDuration::from_hours(1_000);
        revocations.revoke("a", Some(past)).await.unwrap();
        assert!(revocations.is_revoked("a"));
        let again = Revocations::new(Some(path.clone()));
        drop(again.open_file(&path).unwrap());
        assert!(again.is_revoked("a"));
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
