//! Servers that share a database, and moves of a store there and back.

use std::path::Path;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::doctor::examine;
use crate::postgres_database::Database;
use crate::server::{LOCAL_USER, Server, event, output_of, soon, tidings};
use crate::stream::Stream;
use crate::test_dir::TestDir;

const ALICE: &str = "7b1d2c3e-0000-4000-8000-00000000000a";

fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

fn serve(store: &str) -> Command {
    let mut command = tidings();
    command.args(["serve", "--listen", "127.0.0.1:0", "--store", store]);
    command
}

#[tokio::test]
async fn passwords_reach_no_output() {
    // Port 1 refuses connections.
    let address = "postgres://tidings:geheim@127.0.0.1:1/inbox";
    for flags in [
        &["serve", "--store", address][..],
        &[
            "serve",
            "--store",
            "postgres://tidings@127.0.0.1:1/inbox?password=geheim",
        ],
        &["doctor", "--store", address],
        &["move", "--from", "data", "--to", address],
        &["move", "--from", address, "--to", "data"],
        &[
            "serve",
            "--store",
            "postgres://t@h/d",
            "--bus",
            "nats://u:geheim@127.0.0.1:1",
        ],
    ] {
        let mut command = tidings();
        command.args(flags);
        let (status, out, err) = output_of(command).await;
        assert_eq!(status.code(), Some(2), "{flags:?}: {err}");
        assert!(err.contains("has a password"), "{flags:?}: {err}");
        assert!(
            !out.contains("geheim") && !err.contains("geheim"),
            "{out}{err}"
        );
    }
    for (name, flags) in [
        ("TIDINGS_STORE", &["serve", "--listen", "127.0.0.1:0"][..]),
        ("TIDINGS_STORE", &["serve", "--help"]),
        ("TIDINGS_STORE", &["doctor"]),
        ("TIDINGS_STORE", &["backup", "--to", "file"]),
        ("TIDINGS_MOVE_FROM", &["move", "--to", "data"]),
        ("TIDINGS_MOVE_FROM", &["move", "--help"]),
    ] {
        for value in [
            address,
            "postgres://tidings:ge@heim@127.0.0.1:1/geheim@x",
            "mysql://u:geheim@h",
        ] {
            let directory = tempfile::tempdir().expect("a directory can be made");
            let mut command = tidings();
            command
                .args(flags)
                .env(name, value)
                .current_dir(directory.path());
            let (_, out, err) = output_of(command).await;
            let all = format!("{out}{err}");
            assert!(
                !all.is_empty() && !all.contains("geheim") && !all.contains("heim@"),
                "{all}"
            );
        }
    }
}

#[tokio::test]
async fn flags_of_directories_do_not_fit_a_database() {
    let database = ["--store", "postgres://tidings@127.0.0.1:1/inbox"];
    for (command, flags, hint) in [
        (
            "serve",
            &["--reserve-bytes", "0"][..],
            "--reserve-bytes is for data directories",
        ),
        ("serve", &["--data-dir", "data"], "cannot be used with"),
        ("backup", &["--to", "file"], "pg_dump"),
        ("restore", &["--from", "file"], "--renew-epoch"),
    ] {
        let mut process = tidings();
        process.arg(command).args(database).args(flags);
        let (status, _, err) = output_of(process).await;
        assert!(
            !status.success() && err.contains(hint),
            "{command} {flags:?}: {err}"
        );
    }
    for flags in [
        &["--bus", "none"][..],
        &["--store-password-file", "file"],
        &["--store", "sqlite:data", "--bus", "none"],
        &["--store", "data", "--store-password-file", "file"],
    ] {
        let mut process = tidings();
        process.arg("serve").args(flags);
        let (status, _, err) = output_of(process).await;
        assert!(
            status.code() == Some(2) && err.contains("--store"),
            "{flags:?}: {err}"
        );
    }
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
async fn servers_share_a_database() {
    let place = TestDir::new().await;
    let database = Database::create();
    let start = || async {
        let mut command = serve(&database.url());
        command
            .args(["--auth", "jwt", "--jwt-secret-file"])
            .arg(&place.secret);
        Server::from_command(command).await
    };
    let (one, two) = (start().await, start().await);
    let token = place.token(ALICE, &["--id", "stolen"]).await;
    let admin = ["--scope", "events:admin", "--scope", "events:publish"];
    let admin = place.token(LOCAL_USER, &admin).await;
    let mut stream = Stream::connect_as(two.address, "", Some(&token))
        .await
        .expect("the other server accepts streams");
    let ask = |server: &Server, method: Method, path: &str, token: &str| {
        let http = reqwest::Client::builder().no_proxy().build();
        let http = http.expect("a client is made");
        http.request(method, server.url(path)).bearer_auth(token)
    };
    let events = "/api/system/events";
    let post = ask(&one, Method::POST, events, &admin).json(&event(ALICE, "for Alice"));
    let answer = soon("an answer", post.send())
        .await
        .expect("the connection holds");
    assert_eq!(answer.status(), StatusCode::CREATED);
    while stream.must_next().await.data["description"] != "for Alice" {}

    let (code, checks) = examine(&["--store", &database.url()]).await;
    assert_eq!(code, Some(0), "{checks:?}");
    assert!(
        checks.iter().any(|(_, _, text)| text == "2 servers use it"),
        "{checks:?}"
    );

    let revoke = ask(&one, Method::POST, "/tokens/revoke", &admin);
    let answer = soon("an answer", revoke.json(&json!({"id": "stolen"})).send()).await;
    let answer = answer.expect("the connection holds");
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    // The stream of the other server ends.
    while stream.next().await.expect("the stream holds").is_some() {}
    let three = start().await;
    for server in [&one, &two, &three] {
        let answer = soon("an answer", ask(server, Method::GET, events, &token).send()).await;
        let answer = answer.expect("the connection holds");
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    }
}
