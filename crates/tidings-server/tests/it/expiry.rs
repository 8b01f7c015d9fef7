//! Streams end with their token.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use tidings_server::{Scopes, Secret};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use crate::app::{EVENTS, event, within};
use crate::login::{ALICE, BOB, HOST, LoginApp, USER, id_of_token};
use crate::wire;

/// Reads a stream from its start.
pub(crate) async fn open(app: &LoginApp, token: &str) -> TcpStream {
    let head = format!(
        "GET {EVENTS}/subscribe HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\
         Authorization: Bearer {token}\r\n\r\n"
    );
    wire::send_raw(app.server.address, head.as_bytes()).await
}

/// Reads until `what` arrives. Returns everything that arrived.
async fn read_until(socket: &mut TcpStream, what: &str) -> String {
    within(async {
        let mut text = String::new();
        let mut buffer = [0; 4096];
        while !text.contains(what) {
            let bytes = socket.read(&mut buffer).await.expect("the stream is read");
            assert!(bytes > 0, "the stream ended without {what}: {text}");
            text += std::str::from_utf8(&buffer[..bytes]).expect("frames are text");
        }
        text
    })
    .await
}

async fn publish(app: &LoginApp, description: &str) {
    let token = app.token(ALICE, USER);
    let body = event(description).to_string();
    let response = app
        .send(&Method::POST, EVENTS, Some(&token), Some(&body))
        .await;
    assert_eq!(response.status, 201);
}

/// The `expiring` frames of a stream: their ids and data.
fn expiring(text: &str) -> Vec<(&str, Value)> {
    let frames = text.split("\n\n");
    let frames = frames.filter(|frame| frame.contains("event: expiring"));

    frames
        .map(|frame| {
            let line = |name: &str| {
                let lines = frame.lines();
                lines
                    .filter_map(|line| line.trim().strip_prefix(name))
                    .next()
            };
            let id = line("id: ").expect("every frame has an id");
            let data = line("data: ").expect("it says when");
            (id, serde_json::from_str(data).expect("JSON"))
        })
        .collect()
}

#[tokio::test]
async fn a_stream_warns_and_ends_when_its_token_expires() {
    let app = LoginApp::start().await;
    let token = app.token_until(ALICE, USER, Duration::from_secs(3));
    let mut socket = open(&app, &token).await;
    let mut text = read_until(&mut socket, "event: live").await;
    publish(&app, "before the end").await;
    text += &read_until(&mut socket, "event: expiring").await;
    // Events in the last moments are not lost.
    publish(&app, "after the warning").await;
    text += &wire::read_raw(&mut socket).await;
    assert!(text.contains("before the end"), "{text}");
    assert!(text.contains("after the warning"), "{text}");
    let told = expiring(&text);
    assert_eq!(told.len(), 2, "{text}");
    // The last frame has the cursor from which to resume.
    let (last, _) = told[1];
    assert!(last.starts_with("2-0-"), "{text}");
    let path = format!("{EVENTS}/subscribe");
    app.send(&Method::GET, &path, Some(&token), None)
        .await
        .error(401, "token_expired");
    // A stream with a new token resumes there.
    let fresh = app.token(ALICE, USER);
    let resumed = format!("{EVENTS}/subscribe?lastEventId={last}");
    let response = app.send(&Method::GET, &resumed, Some(&fresh), None).await;
    assert_eq!(response.status, 200);
}

#[tokio::test]
async fn revoking_a_token_ends_its_streams_and_no_others() {
    let app = LoginApp::start().await;
    let (token, other) = (app.token(ALICE, USER), app.token(ALICE, USER));
    let mut socket = open(&app, &token).await;
    let mut kept = open(&app, &other).await;
    read_until(&mut socket, "event: live").await;
    read_until(&mut kept, "event: live").await;
    let admin = app.token(BOB, Scopes::ADMIN);
    let body = json!({ "id": id_of_token(&token) }).to_string();
    let revoked = app
        .send(&Method::POST, "/tokens/revoke", Some(&admin), Some(&body))
        .await;
    assert_eq!(revoked.status, 204, "{revoked:?}");
    let text = wire::read_raw(&mut socket).await;
    assert_eq!(expiring(&text).len(), 1, "{text}");
    app.send(&Method::GET, EVENTS, Some(&token), None)
        .await
        .error(401, "token_revoked");
    publish(&app, "for the others").await;
    read_until(&mut kept, "for the others").await;
    // The list keeps it for the next start.
    let list = std::fs::read_to_string(&app.revoked).unwrap();
    assert!(list.contains(&id_of_token(&token)), "{list}");
}

#[tokio::test]
async fn a_line_in_the_list_revokes_a_token() {
    let app = LoginApp::start().await;
    let token = app.token(ALICE, USER);
    let mut socket = open(&app, &token).await;
    read_until(&mut socket, "event: live").await;
    std::fs::write(&app.revoked, format!("# stolen\n{}\n", id_of_token(&token))).unwrap();
    let text = wire::read_raw(&mut socket).await;
    assert_eq!(expiring(&text).len(), 1, "{text}");
}

/// This also holds for a revocation without an expiry, since the server reads the list again at the
/// next start.
#[tokio::test]
async fn a_revocation_survives_a_restart() {
    let app = LoginApp::start().await;
    let admin = app.token(BOB, Scopes::ADMIN);
    let ids: Vec<String> = ["2999-01-01T00:00:00Z", "9999-12-30T22:00:00Z", ""]
        .iter()
        .map(|_| app.token(ALICE, USER))
        .map(|token| id_of_token(&token))
        .collect();
    for (id, expires) in ids.iter().zip([
        json!("2999-01-01T00:00:00Z"),
        json!("9999-12-30T22:00:00Z"),
        json!(null),
    ]) {
        let body = json!({"id": id, "expires": expires}).to_string();
        let response = app
            .send(&Method::POST, "/tokens/revoke", Some(&admin), Some(&body))
            .await;
        assert_eq!(response.status, 204, "{response:?}");
    }
    let again = app.restarted_tokens().await;
    for id in &ids {
        assert!(again.revocations().is_revoked(id), "{id}");
    }
}

#[tokio::test]
async fn replacing_the_keys_ends_streams() {
    let app = LoginApp::start().await;
    let token = app.token(ALICE, USER);
    let mut socket = open(&app, &token).await;
    read_until(&mut socket, "event: live").await;
    std::fs::write(&app.secret_file, Secret::new_line().unwrap()).unwrap();
    let text = wire::read_raw(&mut socket).await;
    assert_eq!(expiring(&text).len(), 1, "{text}");
    app.send(&Method::GET, EVENTS, Some(&token), None)
        .await
        .error(401, "token_invalid");
}

#[tokio::test]
async fn a_revocation_needs_a_token_id() {
    let app = LoginApp::start().await;
    let admin = app.token(BOB, Scopes::ADMIN);
    for (body, code) in [
        ("{}", "invalid_revocation"),
        (r#"{"id":""}"#, "invalid_revocation"),
        (r#"{"id":"two words"}"#, "invalid_revocation"),
        (r#"{"id":"a","expires":"soon"}"#, "invalid_revocation"),
        (r#"{"id":7}"#, "invalid_json"),
        ("[]", "invalid_revocation"),
    ] {
        let response = app
            .send(&Method::POST, "/tokens/revoke", Some(&admin), Some(body))
            .await;
        response.error(400, code);
    }
}
