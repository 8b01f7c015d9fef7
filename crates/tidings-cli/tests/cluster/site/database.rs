//! PostgreSQL on two hosts: one accepts writes, the other can be its synchronous replica.

mod questions;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::ports::free_port;
use super::process::Process;
use super::warden::Warden;
use crate::postgres_programs::Programs;

/// Longer than any start, recovery or copy of the small databases takes.
const STUCK: Duration = Duration::from_secs(60);

/// How often the state of a server is asked for.
const POLL: Duration = Duration::from_millis(50);

/// In the directory of each server. Its presence makes commits wait for the replica.
const SYNC: &str = "sync.conf";

/// A server, running or not.
#[derive(Debug)]
struct Host {
    port: u16,
    data: PathBuf,
    log: PathBuf,
    process: Option<Process>,
}

/// The database of a site.
#[derive(Debug)]
pub(crate) struct Database {
    programs: Programs,
    warden: Arc<Warden>,
    directory: PathBuf,
    hosts: [Host; 2],
    primary: usize,
}

impl Database {
    /// Starts a server with an empty database, and its replica if wanted.
    pub(crate) async fn start(directory: &Path, warden: &Arc<Warden>, has_replica: bool) -> Self {
        let programs = Programs::installed()
            .expect("PostgreSQL is installed, or TIDINGS_TEST_POSTGRES is set");
        let directory = directory.join("postgres");
        fs::create_dir(&directory).expect("a directory can be made");
        programs.give(&directory);
        let host = |name: &str| Host {
            port: free_port(),
            data: directory.join(name),
            log: directory.join(format!("{name}.log")),
            process: None,
        };
        let hosts = [host("one"), host("two")];
        programs.init(&hosts[0].data);
        let settings = hosts[0].data.join("postgresql.conf");
        let mut text = fs::read_to_string(&settings).expect("initdb writes it");
        text += &format!("\ninclude_if_exists = '{SYNC}'\n");
        fs::write(settings, text).expect("it can be written");
        let mut database = Self {
            programs,
            warden: Arc::clone(warden),
            directory,
            hosts,
            primary: 0,
        };
        database.start_host(0).await;
        database.query("CREATE DATABASE tidings").await;
        if has_replica {
            database.add_replica().await;
        }
        database
    }

    /// The ports of both hosts.
    pub(crate) fn ports(&self) -> [u16; 2] {
        [self.hosts[0].port, self.hosts[1].port]
    }

    pub(crate) fn logs(&self) -> impl Iterator<Item = &Path> {
        self.hosts.iter().map(|host| host.log.as_path())
    }

    /// Kills the server that accepts writes, and all of its processes.
    pub(crate) async fn kill(&mut self) {
        let process = self.hosts[self.primary].process.take();
        process.expect("it runs").kill_all().await;
    }

    /// Starts it again.
    pub(crate) async fn restart(&mut self) {
        self.start_host(self.primary).await;
    }

    /// Kills the server that accepts writes for good, and lets the replica take its place. If `is_late`, the
    /// replica has not taken anything for a moment before, and commits wait for it.
    pub(crate) async fn promote(&mut self, is_late: Option<Duration>) {
        let replica = 1 - self.primary;
        if let Some(late) = is_late {
            let process = self.hosts[replica].process.as_ref().expect("it runs");
            process.stop_all();
            tokio::time::sleep(late).await;
        }
        self.kill().await;
        let host = &self.hosts[replica];
        host.process.as_ref().expect("it runs").continue_all();
        self.promote_other().await;
    }

    /// Kills the replica. Commits wait for it from then on.
    pub(crate) async fn kill_replica(&mut self) {
        let process = self.hosts[1 - self.primary].process.take();
        process.expect("it runs").kill_all().await;
    }

    /// Kills the server that accepts writes for good, and starts the replica, which was killed before, in its place.
    pub(crate) async fn replace_by_killed_replica(&mut self) {
        self.kill().await;
        self.start_host(1 - self.primary).await;
        self.promote_other().await;
    }

    /// Makes the other host the one that accepts writes.
    async fn promote_other(&mut self) {
        let replica = 1 - self.primary;
        let host = &self.hosts[replica];
        let mut promote = self.programs.command("pg_ctl", &self.directory);
        promote.args(["promote", "--wait", "-D"]).arg(&host.data);
        self.must_run(promote).await;
        self.primary = replica;
    }

    /// Makes the other host a copy of the one that accepts writes, whose commits wait for the copy from then on.
    pub(crate) async fn add_replica(&mut self) {
        let (primary, replica) = (&self.hosts[self.primary], &self.hosts[1 - self.primary]);
        let _ = fs::remove_dir_all(&replica.data);
        let mut copy = self.programs.command("pg_basebackup", &self.directory);
        copy.args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync"])
            .args(["-h", "127.0.0.1", "-U", "postgres", "-p"])
            .arg(primary.port.to_string())
            .arg("-D")
            .arg(&replica.data);
        self.must_run(copy).await;
        let sync = primary.data.join(SYNC);
        self.start_host(1 - self.primary).await;
        let streams = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'";
        self.until(streams, "1").await;
        fs::write(&sync, "synchronous_standby_names = '*'\n").expect("it can be written");
        self.query("SELECT pg_reload_conf()").await;
        let waits = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
        self.until(waits, "1").await;
        // Once the replica has this message, it has all earlier commits.
        self.query("SELECT pg_logical_emit_message(true, 'cluster', 'synchronous')")
            .await;
        let here = self.query("SELECT pg_current_wal_lsn()").await;
        let is_there = format!("SELECT bool_and(flush_lsn >= '{here}') FROM pg_stat_replication");
        self.until(&is_there, "t").await;
    }

    async fn start_host(&mut self, number: usize) {
        let within = timeout(STUCK, async {
            // Memory that killed processes shared is free only when the kernel has ended them all.
            loop {
                let host = &self.hosts[number];
                let mut process = Process::start(self.server(host), &host.log, &self.warden);
                if self.is_ready(host.port, &mut process).await {
                    return process;
                }
                process.kill().await;
            }
        });
        let process = within.await.expect("PostgreSQL starts");
        self.hosts[number].process = Some(process);
    }

    fn server(&self, host: &Host) -> Command {
        let mut command = self.programs.command("postgres", &self.directory);
        command
            .arg("-D")
            .arg(&host.data)
            .arg("-k")
            .arg(&self.directory)
            .args(["-h", "127.0.0.1", "-p", &host.port.to_string()]);
        for setting in [
            "max_connections=200",
            "shared_buffers=64MB",
            "wal_level=replica",
            "wal_keep_size=256MB",
            "checkpoint_timeout=30s",
            "log_min_messages=warning",
            "deadlock_timeout=100ms",
            "wal_receiver_timeout=5s",
            "wal_retrieve_retry_interval=200ms",
        ] {
            command.args(["-c", setting]);
        }
        command.into()
    }

    /// Waits until a server accepts connections. `false` if its process ends.
    async fn is_ready(&self, port: u16, process: &mut Process) -> bool {
        let mut ticks = interval(POLL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if process.ended().is_some() {
                return false;
            }
            let mut command = self.programs.command("pg_isready", &self.directory);
            command.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]);
            let asked = Command::from(command).status().await;
            if asked.expect("pg_isready runs").success() {
                return true;
            }
        }
    }

    async fn must_run(&self, command: std::process::Command) {
        let text = format!("{command:?}");
        let output = timeout(STUCK, Command::from(command).output()).await;
        let output = output.unwrap_or_else(|_| panic!("{text} does not end"));
        let output = output.expect("it runs");
        assert!(output.status.success(), "{text}: {output:?}");
    }
}
