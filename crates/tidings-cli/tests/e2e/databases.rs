//! Servers that share a database.

use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::process::Command;

use crate::doctor::examine;
use crate::postgres_database::Database;
use crate::server::{LOCAL_USER, Server, event, output_of, soon, tidings};
use crate::stream::Stream;
use crate::test_dir::TestDir;

const EVENTS: &str = "/api/system/events";

pub(crate) const ALICE: &str = "7b1d2c3e-0000-4000-8000-00000000000a";

/// A command that starts a server with a store.
pub(crate) fn serve(store: &str) -> Command {
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

/// A request with a token.
pub(crate) fn ask(
    server: &Server,
    method: Method,
    path: &str,
    token: &str,
) -> reqwest::RequestBuilder {
    let http = reqwest::Client::builder().no_proxy().build();
    let http = http.expect("a client is made");
    http.request(method, server.url(path)).bearer_auth(token)
}

/// Revokes a token by its id.
pub(crate) async fn revoke(server: &Server, id: &str, admin: &str) {
    let request = ask(server, Method::POST, "/tokens/revoke", admin).json(&json!({"id": id}));
    let response = soon("a response", request.send()).await;
    let response = response.expect("the connection holds");
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
}

/// The status of a list with a token.
pub(crate) async fn status_of_list(server: &Server, token: &str) -> StatusCode {
    let request = ask(server, Method::GET, EVENTS, token);
    let response = soon("a response", request.send()).await;
    response.expect("the connection holds").status()
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
    let post = ask(&one, Method::POST, EVENTS, &admin).json(&event(ALICE, "for Alice"));
    let response = soon("a response", post.send())
        .await
        .expect("the connection holds");
    assert_eq!(response.status(), StatusCode::CREATED);
    while stream.must_next().await.data["description"] != "for Alice" {}

    let (code, checks) = examine(&["--store", &database.url()]).await;
    assert_eq!(code, Some(0), "{checks:?}");
    assert!(
        checks.iter().any(|(_, _, text)| text == "2 servers use it"),
        "{checks:?}"
    );

    revoke(&one, "stolen", &admin).await;
    // The stream of the other server ends.
    while stream.next().await.expect("the stream holds").is_some() {}
    let three = start().await;
    for server in [&one, &two, &three] {
        assert_eq!(
            status_of_list(server, &token).await,
            StatusCode::UNAUTHORIZED
        );
    }
}

/// Ends the connections of all servers, as a restart of the database does, so that they get its new settings.
fn disconnect(database: &Database) {
    database.query(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
}

#[tokio::test]
async fn a_database_that_takes_no_events_makes_its_servers_unready() {
    let database = Database::create();
    let server = Server::from_command(serve(&database.url())).await;
    server.must_publish(&event(LOCAL_USER, "before")).await;
    let name = database.url();
    let name = name.rsplit('/').next().expect("an address with a database");
    database.query(&format!(
        "ALTER DATABASE {name} SET default_transaction_read_only = on"
    ));
    disconnect(&database);
    let (status, response) = server.get("/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{response}");
    assert_eq!(response["code"], "storage_unavailable", "{response}");
    let refused = event(LOCAL_USER, "again");
    let (status, response) = server.publish(&refused).await.expect("a response");
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{response}");
    assert_eq!(response["code"], "storage_unavailable", "{response}");
    assert!(response.to_string().contains("try again"), "{response}");

    // Otherwise the statement is read-only, too.
    database.query(&format!(
        "SET transaction_read_only = off; ALTER DATABASE {name} RESET default_transaction_read_only"
    ));
    server.must_publish(&refused).await;
    // The store is there again, and the bus within a moment.
    let ready = async {
        loop {
            let (status, response) = server.get("/readyz").await;
            assert_eq!(status, StatusCode::OK, "{response}");
            match response["status"].as_str() {
                Some("ready") => break,
                other => assert_eq!(other, Some("degraded")),
            }
        }
    };
    soon("a bus", ready).await;
}
