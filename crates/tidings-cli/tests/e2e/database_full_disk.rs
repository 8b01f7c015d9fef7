//! A database whose disk is full: publishing is rejected, reading still works, and publishing works again once there is room.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use reqwest::StatusCode;
use rustix::process::geteuid;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::databases::serve;
use crate::postgres_database::keeper::{Keeper, Run, free_port};
use crate::postgres_database::programs::Programs;
use crate::server::{LOCAL_USER, Server, event, output_of, soon};
use crate::small_disk::Disk;

/// Where the small disk has the tables.
const SPACE: &str = "space";

/// A server of PostgreSQL whose database `inbox` is on a small disk. Its log of transactions is elsewhere: without room
/// for that, PostgreSQL ends.
struct SmallDatabase {
    disk: Disk,
    port: u16,
    _keeper: Keeper,
    _place: TempDir,
}

impl SmallDatabase {
    async fn start() -> Self {
        let programs = Programs::installed()
            .expect("PostgreSQL is installed, or TIDINGS_TEST_POSTGRES is set");
        let disk = Disk::of("24m").await;
        fs::create_dir(disk.file(SPACE)).expect("there is room");
        programs.give(&disk.file(SPACE));
        let place = tempfile::tempdir().expect("a directory can be made");
        programs.give(place.path());
        let data = place.path().join("data");
        programs.init(&data);
        let port = free_port();
        let run = Run {
            data: &data,
            directory: place.path(),
            remains: true,
            port,
            settings: &["shared_buffers=16MB"],
            end: "INT",
        };
        let mut shell = disk.enter("setpriv").into_std();
        shell.args(["--reuid=65534", "--regid=65534", "--clear-groups", "sh"]);
        let keeper = run.start_by(shell, &programs);
        let database = Self {
            disk,
            port,
            _keeper: keeper,
            _place: place,
        };
        let space = database.disk.path().join(SPACE);
        let space = format!("CREATE TABLESPACE small LOCATION '{}'", space.display());
        let statements = [&*space, "CREATE DATABASE inbox TABLESPACE small"];
        database.execute(&programs, &statements).await;
        database
    }

    async fn execute(&self, programs: &Programs, statements: &[&str]) {
        let mut psql: Command = programs.command("psql", Path::new("/")).into();
        psql.args(["-h", "127.0.0.1", "-U", "postgres", "-p"])
            .arg(self.port.to_string());
        for statement in statements {
            psql.args(["-c", statement]);
        }
        let (status, _, told) = output_of(psql).await;
        assert!(status.success(), "{told}");
    }

    fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/inbox", self.port)
    }

    fn make_room(&self) {
        fs::remove_file(self.disk.file("ballast")).expect("the ballast is there");
    }
}

/// Publishes until an event is rejected. Adds the ids of the others to `stored`, and returns the rejected one.
async fn publish_until_full(server: &Server, stored: &mut Vec<Value>) -> Value {
    for _ in 0..10_000 {
        let next = event(LOCAL_USER, &"x".repeat(4_000));
        let answer = soon("an answer", server.publish(&next)).await;
        let (status, answer) = answer.expect("the connection holds");
        if status == StatusCode::SERVICE_UNAVAILABLE {
            assert_eq!(answer["code"], "storage_full", "{answer}");
            return next;
        }
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        stored.push(next["id"].clone());
    }
    panic!("a full disk must not hold any number of events");
}

/// Reading works, and the server has exactly the events that it has acknowledged.
async fn is_exact(server: &Server, stored: &[Value]) {
    let (status, answer) = server.get("/readyz").await;
    assert_eq!(
        status,
        StatusCode::OK,
        "all servers would be out of service: {answer}"
    );
    let listed = server.list_all().await;
    let mut listed: Vec<&str> = listed.iter().filter_map(|one| one["id"].as_str()).collect();
    let mut stored: Vec<&str> = stored.iter().filter_map(Value::as_str).collect();
    listed.sort_unstable();
    stored.sort_unstable();
    assert_eq!(listed, stored);
}

#[tokio::test]
async fn a_full_disk_of_the_database_rejects_events_until_there_is_room() {
    if !geteuid().is_root() {
        let _ = writeln!(
            std::io::stderr(),
            "skipped: run this as root: the test starts PostgreSQL on a disk of its own"
        );
        return;
    }
    let database = SmallDatabase::start().await;
    let logs = tempfile::tempdir().expect("a directory can be made");
    let log = logs.path().join("log");
    let mut command = serve(&database.url());
    command.stderr(fs::File::create(&log).expect("writable"));
    let server = Server::from_command(command).await;
    let mut stored = Vec::new();
    for round in 1..=2 {
        let last = event(LOCAL_USER, "while there is room");
        stored.push(server.must_publish(&last).await["id"].clone());
        database.disk.fill();
        let rejected = publish_until_full(&server, &mut stored).await;
        // What is stored already is still acknowledged.
        let (status, answer) = server.publish(&last).await.expect("the connection holds");
        assert_eq!(status, StatusCode::OK, "{answer}");
        let again = publish_until_full(&server, &mut stored).await;
        is_exact(&server, &stored).await;

        database.make_room();
        for waiting in [rejected, again] {
            stored.push(server.must_publish(&waiting).await["id"].clone());
        }
        is_exact(&server, &stored).await;
        let told = fs::read_to_string(&log).expect("readable");
        let errors = told.matches("the disk of the database is full").count();
        assert_eq!(errors, round, "once each time: {told}");
    }
}
