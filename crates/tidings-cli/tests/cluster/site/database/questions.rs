//! The questions to the servers, and the lines of their logs.

use std::fs;

use tokio::process::Command;
use tokio::time::{interval, timeout};

use super::{Database, POLL, STUCK};

/// How PostgreSQL reports that it has ended a deadlock.
const DEADLOCK: &str = "deadlock detected";

/// The lines of a log that tell of one deadlock: its processes and their statements.
const DEADLOCK_LINES: usize = 7;

impl Database {
    /// Whether a promotion loses nothing that was ever visible. After a crash of the primary its last commits are
    /// visible before the replica has them, and then it must catch up first.
    pub(crate) async fn has_caught_up(&self) -> bool {
        let state = "SELECT count(*) FROM pg_stat_replication \
             WHERE sync_state = 'sync' AND state = 'streaming'";
        self.ask(state).await.is_ok_and(|it| it == "1")
    }

    /// Whether a transaction of a node takes longer than any that waits for nothing.
    pub(crate) async fn is_busy(&self) -> bool {
        let state = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'tidings' \
             AND xact_start < now() - interval '500 milliseconds'";
        self.query(state).await != "0"
    }

    /// The deadlocks that the servers have ended.
    pub(crate) fn deadlocks(&self) -> Vec<String> {
        let logs = self.logs().map(fs::read_to_string).filter_map(Result::ok);
        let found = logs.flat_map(|log| {
            let after = log.split(DEADLOCK).skip(1);
            let texts = after.map(|after| {
                let lines: Vec<&str> = after.lines().take(DEADLOCK_LINES).collect();
                format!("{DEADLOCK}{}", lines.join("\n"))
            });
            texts.collect::<Vec<_>>()
        });
        found.collect()
    }

    /// Asks the server that accepts writes until it gives this response.
    pub(super) async fn until(&self, sql: &str, response: &str) {
        let within = timeout(STUCK, async {
            let mut ticks = interval(POLL);
            while self.ask(sql).await.as_deref() != Ok(response) {
                ticks.tick().await;
            }
        });
        within
            .await
            .unwrap_or_else(|_| panic!("{sql} is never {response}"));
    }

    /// The response of the server that accepts writes.
    pub(super) async fn query(&self, sql: &str) -> String {
        let response = self.ask(sql).await;
        response.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    async fn ask(&self, sql: &str) -> Result<String, String> {
        let mut command = self.programs.command("psql", &self.directory);
        command
            .args(["-X", "-A", "-t", "-h", "127.0.0.1", "-U", "postgres", "-p"])
            .arg(self.hosts[self.primary].port.to_string())
            .args(["-d", "postgres", "-c", sql]);
        let output = Command::from(command).output().await.expect("psql runs");
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }
}
