//! Moves of a store between a data directory and a database.

use std::fs;
use std::path::Path;
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::Value;

use crate::databases::{ALICE, revoke, serve, status_of_list};
use crate::doctor::examine;
use crate::postgres_database::Database;
use crate::server::{LOCAL_USER, Server, event, output_of, tidings};
use crate::stream::Stream;
use crate::test_dir::TestDir;

fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

/// A stream and the cursor of its last frame.
struct Follower {
    stream: Stream,
    cursor: String,
}

impl Follower {
    /// Follows from a cursor, which must be accepted.
    async fn from(server: &Server, cursor: &str) -> Self {
        let stream = Stream::connect(server.address, cursor).await;
        let mut follower = Self {
            stream: stream.expect("the server accepts streams"),
            cursor: cursor.to_owned(),
        };
        let ready = follower.stream.must_next().await;
        assert_eq!(ready.name, "ready", "{ready:?}");
        follower.cursor = ready.id;
        follower
    }

    /// Reads up to the creation of an event with this description.
    async fn until(&mut self, description: &str) {
        loop {
            let frame = self.stream.must_next().await;
            assert_ne!(frame.name, "reset", "{frame:?}");
            self.cursor.clone_from(&frame.id);
            if frame.data["description"] == description {
                return;
            }
        }
    }
}

async fn publish(server: &Server, description: &str) -> Value {
    server.must_publish(&event(LOCAL_USER, description)).await
}

/// Moves a store. The move is killed after a moment, first a short one and then longer ones.
async fn move_with_kills(from: &str, to: &str) -> String {
    let command = || {
        let mut command = tidings();
        command.args(["move", "--from", from, "--to", to]);
        command
    };
    for milliseconds in [20, 40, 80, 160] {
        let mut process = command().spawn().expect("the command starts");
        let moment = Duration::from_millis(milliseconds);
        match tokio::time::timeout(moment, process.wait()).await {
            Ok(ended) => {
                assert!(ended.expect("it can be waited for").success());
                return String::new();
            }
            Err(_) => process.kill().await.expect("it can be killed"),
        }
    }
    let (status, _, err) = output_of(command()).await;
    assert!(status.success(), "{err}");
    err
}

#[tokio::test]
async fn clients_keep_their_place_when_a_store_moves() {
    let place = tempfile::tempdir().expect("a directory can be made");
    let (old, back) = (place.path().join("old"), place.path().join("back"));
    let database = Database::create();
    let server = Server::start(&old).await;
    for batch in 0..20 {
        let events: Vec<_> = (0..100)
            .map(|number| event(LOCAL_USER, &format!("event {batch}-{number}")))
            .collect();
        server.must_publish(&Value::from(events)).await;
    }
    let mut follower = Follower::from(&server, "").await;
    publish(&server, "before").await;
    follower.until("before").await;
    let listed = server.list_all().await;
    publish(&server, "missed").await;
    server.terminate();
    assert!(server.ended().await.success());

    move_with_kills(text(&old), &database.url()).await;
    // Again, as after a move whose end was not seen.
    move_with_kills(text(&old), &database.url()).await;
    let (code, checks) = examine(&["--store", &database.url()]).await;
    assert_eq!(code, Some(0), "{checks:?}");
    let names: Vec<_> = checks.iter().map(|(name, ..)| name.as_str()).collect();
    let expected = [
        "database", "commits", "standbys", "schema", "servers", "counts", "space",
    ];
    assert_eq!(names, expected);
    assert!(checks[5].2.contains("of 1 owner are right"), "{checks:?}");

    let server = Server::from_command(serve(&database.url())).await;
    let mut follower = Follower::from(&server, &follower.cursor).await;
    follower.until("missed").await;
    publish(&server, "in the database").await;
    follower.until("in the database").await;
    assert_eq!(
        server.list_all().await[2..],
        listed[..],
        "nothing was lost or changed"
    );
    server.terminate();
    assert!(server.ended().await.success());

    move_with_kills(&database.url(), text(&back)).await;
    let (_, checks) = examine(&["--data-dir", text(&back)]).await;
    assert!(
        checks
            .iter()
            .all(|(name, verdict, _)| name == "space" || verdict == "ok"),
        "{checks:?}"
    );
    let server = Server::start(&back).await;
    let mut follower = Follower::from(&server, &follower.cursor).await;
    publish(&server, "back again").await;
    follower.until("back again").await;
    assert_eq!(
        server.list_all().await[3..],
        listed[..],
        "nothing was lost or changed"
    );
}

#[tokio::test]
async fn revoked_tokens_move_with_the_store() {
    let place = TestDir::new().await;
    let database = Database::create();
    let (old, back, file) = (
        place.path("data"),
        place.path("back"),
        place.path("revoked"),
    );
    let kept = place.path("kept");
    let stop = async |server: Server| {
        server.terminate();
        assert!(server.ended().await.success());
    };
    stop(Server::from_command(place.serve(&[])).await).await;
    fs::write(&file, "stolen\n").expect("writable");
    let move_store = async |from: &str, to: &str, file: Option<&Path>| {
        let mut command = tidings();
        command.args(["move", "--from", from, "--to", to]);
        if let Some(file) = file {
            command.arg("--revoked-tokens").arg(file);
        }
        let (status, _, err) = output_of(command).await;
        (status.success(), err)
    };
    let (is_moved, err) = move_store(text(&old), &database.url(), Some(&file)).await;
    assert!(is_moved, "{err}");

    let mut command = serve(&database.url());
    command
        .args(["--auth", "jwt", "--jwt-secret-file"])
        .arg(&place.secret);
    let server = Server::from_command(command).await;
    let stolen = place.token(ALICE, &["--id", "stolen"]).await;
    let lost = place.token(ALICE, &["--id", "lost"]).await;
    let admin = place.token(LOCAL_USER, &["--scope", "events:admin"]).await;
    assert_eq!(
        status_of_list(&server, &stolen).await,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(status_of_list(&server, &lost).await, StatusCode::OK);
    revoke(&server, "lost", &admin).await;
    stop(server).await;

    let (is_moved, err) = move_store(&database.url(), text(&back), None).await;
    assert!(!is_moved && err.contains("2 revoked tokens"), "{err}");
    let (is_moved, err) = move_store(&database.url(), text(&back), Some(&kept)).await;
    assert!(is_moved, "{err}");
    let listed = fs::read_to_string(&kept).expect("it was made");
    assert_eq!(listed, "stolen\nlost\n");
    let mut command = serve(text(&back));
    command
        .args(["--auth", "jwt", "--jwt-secret-file"])
        .arg(&place.secret)
        .arg("--revoked-tokens")
        .arg(&kept);
    let server = Server::from_command(command).await;
    for token in [&stolen, &lost] {
        assert_eq!(
            status_of_list(&server, token).await,
            StatusCode::UNAUTHORIZED
        );
    }
}
