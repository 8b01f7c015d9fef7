//! A server of PostgreSQL and its synchronous standby, of one test.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::store::postgres::tests::database::execute;
use crate::store::postgres::tests::database::keeper::{Keeper, Run, free_port};
use crate::store::postgres::tests::database::programs::Programs;

/// Both servers, whose directory is removed with them.
#[derive(Debug)]
pub(super) struct Servers {
    primary: Option<Keeper>,
    standby: Option<Keeper>,
    programs: Programs,
    directory: TempDir,
    /// Of the server that accepts writes, and of its standby.
    ports: [u16; 2],
}

impl Servers {
    /// Starts both with an empty database. Each commit waits for the standby.
    pub(super) fn start() -> Self {
        let programs = Programs::installed().expect("PostgreSQL is installed");
        let directory = tempfile::Builder::new()
            .prefix("tidings-standby-")
            .tempdir()
            .expect("a temporary directory");
        programs.give(directory.path());
        let ports = [free_port(), free_port()];
        let mut servers = Self {
            primary: None,
            standby: None,
            programs,
            directory,
            ports,
        };
        let primary = servers.data("primary");
        servers.programs.init(&primary);
        servers.primary = Some(servers.run(&primary, ports[0], "*"));
        let copied = servers
            .programs
            .command("pg_basebackup", servers.directory.path())
            .args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync"])
            .args(["-h", "127.0.0.1", "-U", "postgres", "-p"])
            .arg(ports[0].to_string())
            .arg("-D")
            .arg(servers.data("standby"))
            .output()
            .expect("pg_basebackup runs");
        assert!(copied.status.success(), "{copied:?}");
        servers.start_standby();
        execute(servers.url_of("postgres"), "CREATE DATABASE tidings".into());
        servers
    }

    /// The address of the database on the server that accepts writes.
    pub(super) fn url(&self) -> String {
        self.url_of("tidings")
    }

    /// The number that a query returns.
    pub(super) fn count(&self, sql: &str) -> u64 {
        let row = execute(self.url(), sql.to_owned());
        let count = row[0].as_ref().expect("a count");
        count.parse().expect("a count")
    }

    /// Kills the standby.
    pub(super) fn stop_standby(&mut self) {
        self.standby = None;
    }

    /// Starts it again.
    pub(super) fn start_standby(&mut self) {
        self.standby = Some(self.run(&self.data("standby"), self.ports[1], ""));
    }

    /// Kills the server that accepts writes for good, and lets the standby, which was stopped before, take its place
    /// and port.
    pub(super) fn promote(&mut self) {
        assert!(self.standby.is_none());
        self.primary = None;
        let data = self.data("standby");
        self.primary = Some(self.run(&data, self.ports[0], ""));
        let promoted = self
            .programs
            .command("pg_ctl", self.directory.path())
            .args(["promote", "--wait", "-D"])
            .arg(data)
            .output()
            .expect("pg_ctl runs");
        assert!(promoted.status.success(), "{promoted:?}");
    }

    fn data(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn url_of(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.ports[0])
    }

    /// Runs a server. `standbys` are those that its commits wait for. It ends at once when it is dropped: no
    /// transaction can finish anything.
    fn run(&self, data: &Path, port: u16, standbys: &str) -> Keeper {
        let run = Run {
            data,
            directory: self.directory.path(),
            remains: true,
            port,
            settings: &[
                &format!("synchronous_standby_names={standbys}"),
                "shared_buffers=32MB",
                "wal_keep_size=256MB",
                "log_min_messages=fatal",
            ],
            end: "QUIT",
        };
        run.start(&self.programs)
    }
}
