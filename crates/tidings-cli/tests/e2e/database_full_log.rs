//! A database whose disk has no room for its log of transactions: PostgreSQL ends. Once there is room and it runs again,
//! it has exactly what was acknowledged.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{chown, symlink};
use std::path::Path;

use reqwest::StatusCode;
use rustix::process::geteuid;
use tempfile::TempDir;

use crate::databases::serve;
use crate::postgres_database::keeper::{Keeper, Run, free_port};
use crate::postgres_database::programs::Programs;
use crate::server::{LOCAL_USER, Server, event, soon};
use crate::small_disk::Disk;

/// The user of the programs of PostgreSQL.
const NOBODY: u32 = 65_534;

/// Where the small disk has the log.
const LOG: &str = "log";

/// A server of PostgreSQL whose log is on a small disk.
struct SmallLog {
    disk: Disk,
    programs: Programs,
    place: TempDir,
    port: u16,
}

impl SmallLog {
    async fn new() -> Self {
        let programs = Programs::installed().expect("PostgreSQL is installed");
        let disk = Disk::of("72m").await;
        let place = tempfile::tempdir().expect("a directory can be made");
        programs.give(place.path());
        programs.init(&place.path().join("data"));
        let log = place.path().join("data/pg_wal");
        take(&log, &disk.file(LOG));
        fs::remove_dir_all(&log).expect("it is copied");
        // The processes of PostgreSQL see the disk.
        symlink(disk.path().join(LOG), log).expect("a link can be made");
        Self {
            disk,
            programs,
            place,
            port: free_port(),
        }
    }

    fn start(&self) -> Keeper {
        let data = self.place.path().join("data");
        let run = Run {
            data: &data,
            directory: self.place.path(),
            remains: true,
            port: self.port,
            settings: &["shared_buffers=16MB"],
            end: "QUIT",
        };
        let mut shell = self.disk.enter("setpriv").into_std();
        shell.args(["--reuid=65534", "--regid=65534", "--clear-groups", "sh"]);
        run.start_by(shell, &self.programs)
    }
}

/// Copies a directory for the user of PostgreSQL.
fn take(from: &Path, to: &Path) {
    fs::create_dir(to).expect("there is room");
    for entry in fs::read_dir(from).expect("readable") {
        let entry = entry.expect("readable");
        let copy = to.join(entry.file_name());
        if entry.path().is_dir() {
            take(&entry.path(), &copy);
        } else {
            fs::copy(entry.path(), &copy).expect("there is room");
            chown(&copy, Some(NOBODY), Some(NOBODY)).expect("root can give it away");
        }
    }
    chown(to, Some(NOBODY), Some(NOBODY)).expect("root can give it away");
}

/// A text that PostgreSQL cannot compress.
fn text() -> String {
    (0..4_000).map(|_| fastrand::alphanumeric()).collect()
}

#[tokio::test]
async fn a_full_disk_of_the_log_of_the_database_loses_nothing() {
    if !geteuid().is_root() {
        let _ = writeln!(
            std::io::stderr(),
            "skipped: run this as root: the test starts PostgreSQL on a disk of its own"
        );
        return;
    }
    let database = SmallLog::new().await;
    let keeper = database.start();
    let url = format!(
        "postgres://postgres@127.0.0.1:{}/postgres?connect_timeout=1",
        database.port
    );
    let server = Server::from_command(serve(&url)).await;
    database.disk.fill();
    let mut stored = Vec::new();
    let rejected = loop {
        let next = event(LOCAL_USER, &text());
        let answer = soon("an answer", server.publish(&next)).await;
        let (status, answer) = answer.expect("the connection holds");
        if status == StatusCode::SERVICE_UNAVAILABLE {
            break next;
        }
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        stored.push(next["id"].clone());
        assert!(stored.len() < 10_000, "the log has no room for so much");
    };
    assert!(!stored.is_empty());

    drop(keeper);
    fs::remove_file(database.disk.file("ballast")).expect("the ballast is there");
    let _keeper = database.start();
    // Its publisher does not know whether it is stored.
    loop {
        let (status, answer) = soon("an answer", server.publish(&rejected))
            .await
            .expect("the connection holds");
        match status {
            StatusCode::CREATED | StatusCode::OK => break,
            status => assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{answer}"),
        }
    }
    stored.push(rejected["id"].clone());
    let mut listed: Vec<_> = server.list_all().await;
    let mut listed: Vec<_> = listed.drain(..).map(|one| one["id"].clone()).collect();
    for ids in [&mut listed, &mut stored] {
        ids.sort_unstable_by_key(|id| id.to_string());
    }
    assert_eq!(listed, stored);
}
