//! Commits groups. A group takes few statements, however many events it has: new events one, and other groups usually two
//! round trips. The first locks and looks up, the second writes and commits. In between everything is decided in memory.

mod abandoned;
mod change;
mod columns;
mod confirm;
mod doubt;
mod fresh;
mod lookup;
mod pipeline;
mod publish;
mod recipients;
mod state;
mod subjects;
mod update;
mod write;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::fault::{is_conflict, is_response, store_error};
use super::pool::{Connection, Pool, Pooled};
use super::read_fault::ReadFault;
use crate::store::{
    AudienceOutcome, Committed, FanOutOutcome, Group, NextGroup, PublishOutcome, StoreError,
    StoreIdentity, UpdateOutcome,
};
use abandoned::Abandoned;
use doubt::{Evidence, FIRST_WAIT, MAX_WAIT, tell_apart, tell_fan_outs_apart};
use fresh::{Expectation, Fresh, Tried};
pub(super) use lookup::LOCK_FEEDS;
use lookup::Newcomers;
use state::State;
use subjects::Subjects;

/// How often a group is begun again after a conflict with another node. The order of locks avoids nearly all
/// conflicts.
const MAX_CONFLICTS: u32 = 10;

/// How often a lost commit is tried again. Each attempt has the time limit of a connection. Without this bound, a
/// publisher would wait forever if the network loses commits and passes everything else.
const MAX_LOST: u32 = 12;

/// Commits groups on connections of its own.
#[derive(Debug)]
pub(super) struct Commits {
    pool: Pool,
    identity: StoreIdentity,
    timeout: Duration,
    /// The statements that were sent for groups.
    sent: AtomicU64,
    /// Whether the server had no room for the last events.
    is_full: AtomicBool,
    newcomers: Newcomers,
    expectation: Expectation,
    abandoned: Abandoned,
}

/// Why a group was not committed, or may not have been.
#[derive(Debug)]
enum Failure {
    /// A statement before the commit failed, so that nothing was committed.
    Statement(tokio_postgres::Error),
    /// The server did not answer in time, before the commit.
    Silence,
    /// The database has another epoch than the store that this node has opened. Nothing was committed.
    Replaced,
    /// The response of the server cannot be used. Nothing was committed.
    Response(StoreError),
    /// The commit was sent and not answered.
    InDoubt(StoreError),
    /// The commit was sent and not answered, and nothing was committed.
    Undone(StoreError),
}

/// Why a group is given up after its commits were lost.
#[derive(Debug, thiserror::Error)]
#[error(
    "the connection to PostgreSQL was lost in each of {attempts} commits, and nothing was stored"
)]
struct LostCommits {
    attempts: u32,
    source: StoreError,
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Statement(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Response(error)
    }
}

impl Failure {
    /// The meaning of an error of the statements up to the commit.
    fn of_commit(error: tokio_postgres::Error) -> Self {
        match is_response(&error) {
            // PostgreSQL has rolled back.
            true => Self::Statement(error),
            false => Self::InDoubt(store_error(error)),
        }
    }

    fn into_error(self) -> StoreError {
        match self {
            Self::Statement(error) => store_error(error),
            Self::Silence => StoreError::Unavailable(SILENCE.into()),
            Self::Replaced => ReadFault::Restored.into(),
            Self::Response(error) | Self::InDoubt(error) | Self::Undone(error) => error,
        }
    }
}

/// Why a group is not begun.
const WAITING: &str = "earlier commits still wait for the synchronous standby";

const SILENCE: &str = "PostgreSQL did not answer in time";

/// A connection in a transaction. Unless the transaction has ended, dropping this closes the connection, and
/// PostgreSQL rolls back, unless the commit waits for the synchronous standby.
struct Ongoing<'c> {
    connection: Option<Pooled>,
    abandoned: &'c Abandoned,
}

impl Ongoing<'_> {
    fn connection(&self) -> &Connection {
        self.connection.as_deref().expect("it has not ended")
    }

    /// Returns the connection to its pool.
    fn end(mut self) {
        drop(self.connection.take());
    }
}

impl Drop for Ongoing<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.abandoned.note(connection.session());
            connection.close();
        }
    }
}

impl Commits {
    pub(super) fn new(pool: Pool, identity: StoreIdentity, timeout: Duration) -> Self {
        Self {
            abandoned: Abandoned::new(pool.most()),
            pool,
            identity,
            timeout,
            sent: AtomicU64::new(0),
            is_full: AtomicBool::new(false),
            newcomers: Newcomers::default(),
            expectation: Expectation::default(),
        }
    }

    /// Begins to use a connection.
    const fn begin(&self, connection: Pooled) -> Ongoing<'_> {
        Ongoing {
            connection: Some(connection),
            abandoned: &self.abandoned,
        }
    }

    /// The statements that were sent for groups so far.
    #[cfg(test)]
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Forms a group when a connection is ready, and commits it. After an error, nothing of it may be
    /// acknowledged: either nothing was committed, or the outcome cannot be found out.
    pub(super) async fn commit(&self, next: NextGroup) -> Result<Committed, StoreError> {
        let ready = self.pool.get().await;
        // The group is formed even if there is no connection: its requests have waited for one. This blocks
        // while requests that are about to arrive are waited for.
        let group = tokio::task::spawn_blocking(next).await;
        let group = group.map_err(|panic| StoreError::Internal(panic.into()))?;
        if group.is_empty() {
            return Ok(Committed::default());
        }
        let ready = match ready {
            Ok(ready) => Some(ready),
            // PostgreSQL can be back in a moment.
            Err(StoreError::Unavailable(_)) => None,
            Err(error) => return Err(error),
        };
        let committed = match self.commit_group(ready, &group).await {
            // Steps can make room, so they are committed without the others.
            Err(StoreError::Full(error)) if !group.steps.is_empty() && group.needs_room() => {
                let rejected = Arc::new(StoreError::Full(error));
                let (number, updates) = (group.publications.len(), group.updates.len());
                let (fan_outs, audiences) = (group.fan_outs.len(), group.audiences.len());
                let steps = Group {
                    steps: group.steps,
                    ..Group::default()
                };
                let mut committed = self.commit_group(None, &steps).await?;
                committed.published = (0..number)
                    .map(|_| PublishOutcome::NoRoom(Arc::clone(&rejected)))
                    .collect();
                committed.fanned_out = (0..fan_outs)
                    .map(|_| FanOutOutcome::NoRoom(Arc::clone(&rejected)))
                    .collect();
                committed.audiences = (0..audiences)
                    .map(|_| AudienceOutcome::NoRoom(Arc::clone(&rejected)))
                    .collect();
                committed.updated = (0..updates)
                    .map(|_| UpdateOutcome::NoRoom(Arc::clone(&rejected)))
                    .collect();
                Ok(committed)
            }
            other => other,
        };
        self.log_room(&committed);
        committed
    }

    /// Logs when the server begins and ends to have no room for events.
    fn log_room(&self, committed: &Result<Committed, StoreError>) {
        let rejected = match committed {
            Err(error @ StoreError::Full(_)) => Some(error),
            Ok(Committed { published, .. }) => {
                let rejected = published.iter().find_map(|outcome| match outcome {
                    PublishOutcome::NoRoom(error) => Some(&**error),
                    PublishOutcome::Stored(_)
                    | PublishOutcome::Conflict(_)
                    | PublishOutcome::OverQuota(_) => None,
                });
                let mut stored = published.iter().flat_map(PublishOutcome::stored);
                // Repeats take no room.
                if rejected.is_none() && stored.all(|one| one.repeated) {
                    return;
                }
                rejected
            }
            // Other errors do not tell whether the disk is full.
            Err(_) => return,
        };
        let was_full = self.is_full.swap(rejected.is_some(), Ordering::Relaxed);
        match rejected {
            Some(error) if !was_full => {
                let error: &dyn std::error::Error = error;
                tracing::error!(
                    error,
                    "the disk of the database is full; events are rejected"
                );
            }
            None if was_full => tracing::info!("the database accepts events again"),
            _ => {}
        }
    }

    /// Commits a group. Tries again if nothing was committed and the cause can pass.
    async fn commit_group(
        &self,
        mut ready: Option<Pooled>,
        group: &Group,
    ) -> Result<Committed, StoreError> {
        let subjects = Subjects::of(group, self.identity.system);
        let fresh = Fresh::of(group, self.identity);
        let mut deadline = Instant::now() + self.timeout;
        let (mut conflicts, mut lost, mut wait) = (0, 0, FIRST_WAIT);
        loop {
            let connection = match ready.take() {
                Some(connection) => Ok(connection),
                None => self.pool.get().await,
            };
            let failure = match connection {
                Ok(connection) => {
                    let attempt = self.attempt(connection, group, &subjects, fresh.as_ref());
                    match attempt.await {
                        Ok(committed) => return Ok(committed),
                        Err(failure) => failure,
                    }
                }
                Err(StoreError::Unavailable(error)) => {
                    Failure::Response(StoreError::Unavailable(error))
                }
                Err(error) => return Err(error),
            };
            let can_pass = match &failure {
                Failure::Statement(error) if is_conflict(error) => {
                    conflicts += 1;
                    conflicts <= MAX_CONFLICTS
                }
                // The connection was lost.
                Failure::Statement(error) => !is_response(error),
                Failure::Silence => true,
                Failure::Response(error) => matches!(error, StoreError::Unavailable(_)),
                Failure::InDoubt(_) | Failure::Replaced => false,
                Failure::Undone(_) => {
                    lost += 1;
                    deadline = Instant::now() + self.timeout;
                    lost < MAX_LOST
                }
            };
            let now = Instant::now();
            if !can_pass || now + wait >= deadline {
                return Err(match failure {
                    Failure::Undone(source) => StoreError::Unavailable(
                        LostCommits {
                            attempts: lost,
                            source,
                        }
                        .into(),
                    ),
                    failure => failure.into_error(),
                });
            }
            tracing::debug!(?failure, "a group is committed again");
            tokio::time::sleep(wait.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
            wait = (wait * 2).min(MAX_WAIT);
        }
    }

    /// Commits a group once.
    async fn attempt(
        &self,
        connection: Pooled,
        group: &Group,
        subjects: &Subjects,
        fresh: Option<&Fresh<'_>>,
    ) -> Result<Committed, Failure> {
        let mut ongoing = self.begin(connection);
        // The server gives up first, and says why.
        let silence = self.timeout * 2;
        let are_few = self.abandoned.are_few(ongoing.connection());
        let are_few = timeout(silence, are_few).await;
        if !are_few.map_err(|_| Failure::Silence)?? {
            ongoing.end();
            return Err(Failure::Response(StoreError::Unavailable(WAITING.into())));
        }
        if let Some(fresh) = fresh.filter(|_| self.expectation.is_new()) {
            let began = Instant::now();
            if let Some(published) = self.attempt_new(&mut ongoing, fresh, subjects).await? {
                return Ok(Committed {
                    published,
                    sync_time: began.elapsed(),
                    ..Committed::default()
                });
            }
        }
        let connection = ongoing.connection();
        let looked_up = lookup::look_up(
            connection,
            &self.sent,
            subjects,
            self.identity,
            &self.newcomers,
        );
        let mut state: State<'_> = timeout(silence, looked_up)
            .await
            .map_err(|_| Failure::Silence)??;
        let published = group.publications.iter();
        let mut published: Vec<_> = published.map(|request| state.publish(request)).collect();
        let fanned_out = group.fan_outs.iter().map(|request| state.fan_out(request));
        let mut fanned_out: Vec<_> = fanned_out.collect();
        let audiences = group.audiences.iter().map(|request| state.begin(request));
        let audiences: Vec<_> = audiences.collect();
        let updated = group.updates.iter().map(|update| state.update(update));
        let updated: Vec<_> = updated.collect();
        let changed = group.steps.iter().map(|step| state.apply(step));
        let changed: Vec<_> = changed.collect();
        let began = Instant::now();
        if state.is_unchanged() {
            // Repeats and changes without effect acknowledge an earlier transaction's work.
            let is_stored = |outcome: &_| matches!(outcome, PublishOutcome::Stored(_));
            let is_kept = |outcome: &_| matches!(outcome, UpdateOutcome::Kept { .. });
            let acknowledges = published.iter().any(is_stored)
                || fanned_out.iter().any(|outcome| outcome.stored().is_some())
                || updated.iter().any(is_kept)
                || changed.iter().any(|step| step.unchanged > 0);
            if acknowledges {
                let owners = state.owners();
                let confirmed = confirm::confirm(connection, &self.sent, &owners);
                timeout(silence, confirmed)
                    .await
                    .map_err(|_| Failure::Silence)??;
            } else {
                connection.batch_execute("ROLLBACK").await?;
            }
        } else {
            let write = write::write(connection, &self.sent, &state);
            let written = timeout(silence, write).await;
            let written = written
                .unwrap_or_else(|_| Err(Failure::InDoubt(StoreError::Unavailable(SILENCE.into()))));
            if let Err(Failure::InDoubt(error)) = written {
                // The old connection cannot be used any more. Closing it tells the server.
                drop(ongoing);
                let evidence = Evidence::of(&state);
                let ask = || evidence.is_committed(self);
                self.find_out(error, ask).await?;
                tell_apart(&mut published, group);
                tell_fan_outs_apart(&mut fanned_out, group);
                return Ok(Committed {
                    published,
                    fanned_out,
                    audiences,
                    updated,
                    changed,
                    sync_time: began.elapsed(),
                });
            }
            written?;
        }
        if fresh.is_some() {
            let mut stored = published.iter().flat_map(PublishOutcome::stored);
            let is_new = !self.newcomers.are_expected() && stored.all(|one| !one.repeated);
            self.expectation.note(is_new);
        }
        ongoing.end();
        Ok(Committed {
            published,
            fanned_out,
            audiences,
            updated,
            changed,
            sync_time: began.elapsed(),
        })
    }

    /// Tries to commit a group of new events in one statement. Returns `None`, and writes nothing, if they are not all
    /// new.
    async fn attempt_new<'c>(
        &'c self,
        ongoing: &mut Ongoing<'c>,
        fresh: &Fresh<'_>,
        subjects: &Subjects,
    ) -> Result<Option<Vec<PublishOutcome>>, Failure> {
        // Dropping the connection before the server has answered closes it.
        let trying = self.begin(ongoing.connection.take().expect("it has not ended"));
        let connection = trying.connection();
        let tried = timeout(self.timeout * 2, fresh.commit(connection, &self.sent)).await;
        let tried = tried
            .unwrap_or_else(|_| Err(Failure::InDoubt(StoreError::Unavailable(SILENCE.into()))));
        match tried {
            Ok(Tried::Committed(published)) => {
                trying.end();
                Ok(Some(published))
            }
            Ok(not_new @ (Tried::LacksFeeds | Tried::NotNew)) => {
                self.expectation.note(false);
                if matches!(not_new, Tried::LacksFeeds) {
                    self.newcomers.note(true);
                }
                *ongoing = trying;
                Ok(None)
            }
            Err(Failure::InDoubt(error)) => {
                let session = connection.session().cloned();
                drop(trying);
                let ask = || self.find(session.as_ref(), fresh, subjects);
                let mut published = self.find_out(error, ask).await?;
                tell_apart(&mut published, fresh.group());
                Ok(Some(published))
            }
            Err(failure) => Err(failure),
        }
    }

    /// Closes the connections, once they are returned.
    pub(super) fn close(&self) {
        self.pool.close();
    }
}
