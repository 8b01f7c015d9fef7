//! A server of PostgreSQL and its synchronous standby, of one test.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use tempfile::TempDir;

use crate::store::postgres::tests::database::execute;
use crate::store::postgres::tests::database::programs::Programs;

/// Runs a server until its input ends, as it does when this process ends in whatever way.
const RUN: &str = r#"
    "$1/postgres" -D "$2" -k "$3" -h 127.0.0.1 -p "$4" -c synchronous_standby_names="$5" \
        -c fsync=off -c shared_buffers=32MB -c wal_keep_size=256MB -c log_min_messages=fatal \
        2>>"$2.log" &
    server=$!
    until "$1/pg_isready" -q -h 127.0.0.1 -p "$4"; do
        kill -0 $server || exit 1
        sleep 0.05
    done
    echo ready
    while read -r _; do :; done
    kill -QUIT $server
    wait $server
"#;

/// A server that runs. It ends at once when this is dropped: no transaction can finish anything.
#[derive(Debug)]
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// Both servers, whose directory is removed with them.
#[derive(Debug)]
pub(super) struct Servers {
    primary: Option<Server>,
    standby: Option<Server>,
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
        let free = [0; 2].map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port"));
        let ports = free.map(|listener| listener.local_addr().expect("it listens").port());
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

    /// Runs a server. `standbys` are those that its commits wait for.
    fn run(&self, data: &Path, port: u16, standbys: &str) -> Server {
        let directory = self.directory.path();
        let mut keeper = self
            .programs
            .command_of(Path::new("/bin/sh"), directory)
            .args(["-c", RUN, "sh"])
            .args([self.programs.directory.as_path(), data, directory])
            .args([&port.to_string(), standbys])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // An interrupt of the terminal ends this process first.
            .process_group(0)
            .spawn()
            .expect("a shell runs");
        let output = keeper.stdout.take().expect("its output is piped");
        let mut line = String::new();
        let read = BufReader::new(output).read_line(&mut line);
        read.expect("the output of the shell");
        assert_eq!(line.trim(), "ready", "the server does not start");
        Server(keeper)
    }
}
