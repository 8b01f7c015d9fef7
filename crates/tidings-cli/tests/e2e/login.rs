//! The binary with `--auth jwt`.

use std::process::Stdio;

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::server::{Server, event, output_of, soon, tidings};
use crate::test_dir::TestDir;

const ALICE: &str = "7b1d2c3e-0000-4000-8000-00000000000a";
const BOB: &str = "7b1d2c3e-0000-4000-8000-00000000000b";

fn ask(server: &Server, method: Method, path: &str, token: &str) -> RequestBuilder {
    let http = reqwest::Client::builder().no_proxy().build();
    let http = http.expect("a client is made");
    http.request(method, server.url(path)).bearer_auth(token)
}

fn without_header(server: &Server, path: &str) -> RequestBuilder {
    let http = reqwest::Client::builder().no_proxy().build();
    http.expect("a client is made").get(server.url(path))
}

async fn response(request: RequestBuilder) -> (StatusCode, String) {
    let response = soon("a response", request.send()).await;
    let response = response.expect("the connection holds");
    let status = response.status();
    (status, response.text().await.expect("it is text"))
}

#[tokio::test]
async fn missing_keys_error_explains_how_to_create_one() {
    let mut command = tidings();
    command.args(["serve", "--auth", "jwt"]);
    let (status, out, err) = output_of(command).await;
    assert_eq!(status.code(), Some(2));
    assert!(out.is_empty());
    assert!(err.contains("tidings token --new-secret"), "{err}");
    for flags in [
        &["serve", "--jwt-secret-file", "x"][..],
        &[
            "serve",
            "--auth",
            "jwt",
            "--jwt-secret-file",
            "x",
            "--jwks-file",
            "y",
        ],
        &["serve", "--allow-origin", "https://app.example/path"],
        &["serve", "--listen", "0.0.0.0:0"],
    ] {
        let mut command = tidings();
        let data = TempDir::new().expect("a directory can be made");
        command.args(flags).current_dir(data.path());
        let (status, _, err) = output_of(command).await;
        assert!(!status.success() && !err.is_empty(), "{flags:?}: {err}");
    }
}

#[tokio::test]
async fn users_cannot_read_mark_or_delete_others_events() {
    let place = TestDir::new().await;
    let server = Server::from_command(place.serve(&[])).await;
    let (alice, bob) = (place.token(ALICE, &[]).await, place.token(BOB, &[]).await);
    let post = ask(&server, Method::POST, "/api/system/events", &alice);
    let (status, stored) = response(post.json(&event(ALICE, "of Alice"))).await;
    assert_eq!(status, StatusCode::CREATED, "{stored}");
    let stored: Value = serde_json::from_str(&stored).expect("JSON");
    let id = stored["id"].as_str().expect("it has an id");
    let one = format!("/api/system/events/{id}");
    let mark = format!("/api/system/events/status/{id}");
    for (method, path, body) in [
        (Method::GET, one.as_str(), None),
        (Method::DELETE, &one, None),
        (Method::PUT, &mark, Some(json!({"status": "read"}))),
    ] {
        let mut request = ask(&server, method, path, &bob);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let (status, text) = response(request).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{text}");
    }
    for body in [
        json!({"ids": [id], "status": "read"}),
        json!({"all": true, "status": "read"}),
    ] {
        let request = ask(&server, Method::PUT, "/api/events/status", &bob);
        let (status, text) = response(request.json(&body)).await;
        assert_eq!(status, StatusCode::OK, "{text}");
        assert!(text.contains("\"count\":0"), "{text}");
    }
    for body in [json!({"ids": [id]}), json!({"all": true})] {
        let request = ask(&server, Method::DELETE, "/api/events", &bob);
        let (status, text) = response(request.json(&body)).await;
        assert_eq!(status, StatusCode::OK, "{text}");
        assert!(text.contains("\"count\":0"), "{text}");
    }
    let (status, kept) = response(ask(&server, Method::GET, &one, &alice)).await;
    assert_eq!(status, StatusCode::OK);
    assert!(kept.contains("\"status\":\"unread\""), "{kept}");
}

/// The signature, the part of a token that cannot be guessed.
fn signature(token: &str) -> &str {
    token.rsplit('.').next().expect("a token has parts")
}

#[tokio::test]
async fn responses_and_log_contain_no_secrets() {
    let place = TestDir::new().await;
    let log = place.path("log");
    std::fs::write(place.path("revoked"), "").expect("it can be made");
    let mut command = place.serve(&[
        "--revoked-tokens",
        "revoked",
        "--jwt-leeway",
        "1s",
        "--log-format",
        "json",
    ]);
    let file = std::fs::File::create(&log).expect("it can be made");
    command
        .current_dir(place.directory.path())
        .args(["--log", "trace"])
        .stderr(Stdio::from(file));
    let server = Server::from_command(command).await;

    let admin = ["--scope", "events:admin,events:read,events:write"];
    let good = place.token(ALICE, &admin).await;
    let others = TestDir::new().await;
    let forged = others.token(ALICE, &admin).await;
    let expired = place.token(ALICE, &["--expires-in", "1s"]).await;
    // The server rejects it once its lifetime and the leeway are over.
    let is_over = async {
        let ask = || response(ask(&server, Method::GET, "/api/system/events", &expired));
        while ask().await.0 != StatusCode::UNAUTHORIZED {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    soon("the token to expire", is_over).await;
    let mut shown = String::new();
    let list = "/api/system/events";
    for token in [&good, &forged, &expired] {
        let asked = [
            ask(&server, Method::GET, list, token),
            ask(&server, Method::POST, "/session", token),
            ask(
                &server,
                Method::GET,
                &format!("{list}?access_token={token}"),
                token,
            ),
            ask(&server, Method::POST, list, token).body(token.clone()),
            ask(&server, Method::GET, "/metrics", token),
            without_header(&server, list).header("cookie", format!("tidings-session={token}")),
            ask(&server, Method::GET, list, "").header("x-request-id", "a request"),
        ];
        for request in asked {
            // Only the body: the `Set-Cookie` header must contain the token.
            shown += &response(request).await.1;
        }
    }
    server.terminate();
    assert!(server.ended().await.success());
    shown += &std::fs::read_to_string(&log).expect("it is there");
    // The log exists and contains the requests.
    assert!(shown.contains("answered") && shown.contains(list));
    let secret = std::fs::read_to_string(&place.secret).expect("it is there");
    for hidden in [
        secret.trim_end(),
        signature(&good),
        signature(&forged),
        signature(&expired),
    ] {
        assert!(!shown.contains(hidden), "{hidden} is in {}", log.display());
    }
}
