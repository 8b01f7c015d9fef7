//! Sessions that a node has given up while the server still works on them.
//!
//! While the synchronous standby is away, each commit waits for it in the server, also after its client has closed the
//! connection. Without a limit, the sessions of such commits would use up all connections of the server.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::store::postgres::pool::{Connection, Session};

/// The sessions whose connections were closed without a response, except those that are known to have ended.
#[derive(Debug)]
pub(super) struct Abandoned {
    sessions: Mutex<Vec<Session>>,
    /// How many of them may wait for the standby when a group is begun.
    most: usize,
}

impl Abandoned {
    /// No sessions yet. While `most` sessions wait for the standby, no group is begun.
    pub(super) const fn new(most: usize) -> Self {
        Self {
            sessions: Mutex::new(Vec::new()),
            most,
        }
    }

    /// Notes the session of a connection that is closed.
    pub(super) fn note(&self, session: Option<&Session>) {
        self.sessions().extend(session.cloned());
    }

    /// Whether another group may be begun. Asks the server only if too many can wait for the standby.
    pub(super) async fn are_few(
        &self,
        connection: &Connection,
    ) -> Result<bool, tokio_postgres::Error> {
        let noted = self.sessions().clone();
        if noted.len() < self.most {
            return Ok(true);
        }
        let waiting = Session::waiting_for_standby(&noted, connection).await?;
        let mut sessions = self.sessions();
        sessions.retain(|session| waiting.contains(session) || !noted.contains(session));
        Ok(waiting.len() < self.most)
    }

    fn sessions(&self) -> MutexGuard<'_, Vec<Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
