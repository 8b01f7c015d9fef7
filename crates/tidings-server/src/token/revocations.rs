//! Tokens that are rejected although they have not expired.

#[cfg(test)]
mod tests;

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{
    Arc, Mutex, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak,
};
use std::time::Duration;

use jiff::Timestamp;
use tidings::wire::{RevokedToken, RevokedTokens};
use tokio::sync::{SetOnce, watch};
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;

use super::claims::Claims;
use super::revocation_file::{append, keep_room};
use super::revocation_follower;
use super::revocation_list::{self as list, List};
use super::revoke_error::RevokeError;
use super::revoked::{By, Revoked};
use super::token_file::{FileFault, TokenFile, open_file};
use crate::regular_file;
use crate::vitals::{Part, Vitals};

/// How long callers wait for the revoked tokens after the start. The store has answered already, so it takes
/// some milliseconds.
const FIRST_READ: Duration = Duration::from_secs(5);

/// The ids (`jti`) of revoked tokens: those in a file, which is read again when it changes, and those
/// revoked by [`revoke`](Self::revoke). Clones share them.
///
/// If several servers share a store, it has the revocations of all of them, and each server reads its own file
/// and writes none. Otherwise, without a file a restart forgets all revocations. At most 100,000 are known at a time; those whose
/// tokens have expired make room for others. Users who end their sessions can fill nine tenths of them,
/// and each user 1,000, so that an operator can always revoke a stolen token.
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
    /// The store that several servers share. It has the revocations instead of the file.
    store: OnceLock<RevokedTokens>,
    /// Set once that store was read. Until then each token may be revoked.
    read_once: SetOnce<()>,
}

impl Revocations {
    /// Nothing is revoked yet. Revocations are appended to `file`.
    pub(super) fn new(file: Option<PathBuf>) -> Self {
        let shared = Shared {
            revoked: RwLock::default(),
            changes: watch::Sender::new(0),
            file,
            writing: Mutex::default(),
            store: OnceLock::new(),
            read_once: SetOnce::new(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Reads the file for the first time. A missing file is not created: if its name were mistyped or
    /// its disk not mounted, revoked tokens would be accepted again.
    pub(super) fn open_file(&self, path: &Path) -> Result<TokenFile, FileFault> {
        let revocations = self.clone();
        let what = "list of revoked tokens";
        // A file that only the operator writes needs no room.
        if let Ok((file, metadata)) = regular_file::open_with(OpenOptions::new().write(true), path)
        {
            keep_room(&file, metadata.len());
        }
        open_file(path, what, list::MAX_LIST_BYTES, move |loaded| {
            let listed = list::read(&loaded.contents, Timestamp::now())?;
            revocations.replace_listed(listed);
            Ok(())
        })
    }

    /// Takes part in the revocations of a store that several servers share, until the handle is dropped.
    pub(crate) fn share(&self, store: RevokedTokens, vitals: &Vitals) -> AbortOnDropHandle<()> {
        // Two servers of a process can have the same tokens. The store is the same, too.
        let _ = self.shared.store.set(store.clone());
        let shared = Arc::downgrade(&self.shared);
        let learn = move |page: Option<Vec<RevokedToken>>| Self::learn(&shared, page);
        let follow = revocation_follower::follow(store, learn);
        let shared = Arc::downgrade(&self.shared);
        let is_over = move || shared.strong_count() == 0;
        let follow = vitals.watch_until(Part::Revocations, is_over, follow);
        AbortOnDropHandle::new(tokio::spawn(
            follow.instrument(tracing::info_span!("revocations")),
        ))
    }

    /// Adds tokens that this or another server has revoked; `None` once there are no more at the moment. Returns
    /// whether anybody wants to know more.
    fn learn(shared: &Weak<Shared>, page: Option<Vec<RevokedToken>>) -> bool {
        let Some(shared) = shared.upgrade() else {
            return false;
        };
        let Some(tokens) = page else {
            // It fails if it is set already.
            let _ = shared.read_once.set(());
            return true;
        };
        let this = Self { shared };
        let mut is_new = false;
        {
            let mut revoked = this.write();
            for token in tokens {
                let by = token.ended_by.map_or(By::Operator, By::Owner);
                is_new |= !revoked.contains(&token.id);
                revoked.add(token.id.into(), token.until, by);
            }
        }
        if is_new {
            this.shared.changes.send_modify(|changes| *changes += 1);
        }
        true
    }

    /// Whether the revoked tokens are known, so that another token can be accepted.
    pub(super) fn are_known(&self) -> bool {
        self.shared.store.get().is_none() || self.shared.read_once.initialized()
    }

    /// Waits until the revoked tokens are known, for some seconds at most. Returns whether they are.
    ///
    /// Cancel-safe.
    pub(crate) async fn become_known(&self) -> bool {
        self.are_known()
            || timeout(FIRST_READ, self.shared.read_once.wait())
                .await
                .is_ok()
    }

    /// Whether the token with this id was revoked.
    pub fn is_revoked(&self, id: &str) -> bool {
        self.read().contains(id)
    }

    /// Changes whenever tokens are revoked. Take it before the first call of
    /// [`is_revoked`](Self::is_revoked), or a revocation in between goes unnoticed.
    pub(crate) fn changed(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    /// Revokes the token with this id from now on. `until` is the token's expiry, if it is known.
    ///
    /// With a file, or a store that several servers share, the revocation survives restarts: it is on the disk
    /// when this returns. The other servers reject the token within a second. Revoking a token twice is not an
    /// error. If the future is dropped, the revocation still completes.
    ///
    /// # Errors
    ///
    /// [`RevokeError`].
    pub async fn revoke(&self, id: &str, until: Option<Timestamp>) -> Result<(), RevokeError> {
        self.revoke_by(id, until, By::Operator).await
    }

    /// Revokes the token of a session that its user ends; otherwise like [`revoke`](Self::revoke).
    ///
    /// # Errors
    ///
    /// Also [`RevokeError::OwnersShare`] after 1,000 sessions of the user.
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
        let (this, id) = (self.clone(), Box::<str>::from(id));
        let done = match self.shared.store.get().cloned() {
            None => tokio::task::spawn_blocking(move || {
                this.revoke_now(&id, until, by, Timestamp::now())
            }),
            // A task, which completes although the caller is gone.
            Some(store) => tokio::spawn(this.revoke_everywhere(store, id, until, by)),
        };
        done.await
            .map_err(|error| RevokeError::File(io::Error::other(error)))?
    }

    async fn revoke_everywhere(
        self,
        store: RevokedTokens,
        id: Box<str>,
        until: Option<Timestamp>,
        by: By,
    ) -> Result<(), RevokeError> {
        // Also if this server knows it: its table may lack what was revoked while it was not reachable.
        self.admit(&id, until, by, Timestamp::now())?;
        let token = RevokedToken::new(id, until);
        let token = match by {
            By::Operator => token,
            By::Owner(owner) => token.ended_by(owner),
        };
        store.add(token).await.map_err(RevokeError::Store)
    }

    fn revoke_now(
        &self,
        id: &str,
        until: Option<Timestamp>,
        by: By,
        now: Timestamp,
    ) -> Result<(), RevokeError> {
        let _writing = self.shared.writing.lock();
        if !self.admit(id, until, by, now)? {
            return Ok(());
        }
        match &self.shared.file {
            Some(path) => append(path, &list::line(id, until)).map_err(RevokeError::File),
            None => Ok(()),
        }
    }

    /// Revokes a token on this server, before it is written anywhere, so that its streams end at once. Returns
    /// whether the list lacks it.
    fn admit(
        &self,
        id: &str,
        until: Option<Timestamp>,
        by: By,
        now: Timestamp,
    ) -> Result<bool, RevokeError> {
        if !list::is_listable(id) {
            return Err(RevokeError::InvalidId);
        }
        {
            let mut revoked = self.write();
            let listed = revoked.listed.get(id).copied();
            if listed.is_some_and(|known| list::longer(known, until) == known) {
                return Ok(false);
            }
            let is_new = !revoked.contains(id);
            if is_new && (!revoked.has_room_for(by) || revoked.has_used_share(by)) {
                revoked.forget(now);
            }
            if is_new && revoked.has_used_share(by) {
                return Err(RevokeError::OwnersShare);
            }
            if is_new && !revoked.has_room_for(by) {
                return Err(RevokeError::Full { most: by.room() });
            }
            revoked.add(id.into(), until, by);
        }
        self.shared.changes.send_modify(|changes| *changes += 1);
        Ok(true)
    }

    fn replace_listed(&self, listed: List) {
        // Compared under the read lock, since every request waits for the write lock.
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
        // After a panic everything that was revoked is still revoked.
        revoked.unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Revoked> {
        let revoked = self.shared.revoked.write();
        revoked.unwrap_or_else(PoisonError::into_inner)
    }
}
