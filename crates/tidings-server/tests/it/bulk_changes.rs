//! Waiting bulk changes, and clients that disconnect meanwhile.

use std::time::Duration;

use futures_util::future::select_all;
use hyper::{Method, Request};
use serde_json::json;
use tidings::wire::Engine;
use tidings::{Change, OwnerId, Selection, Severity, Status, Tidings};
use tidings_server::{LOCAL_USER, Scopes};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::app::{EVENTS, TestApp, within};
use crate::login::{ALICE, BOB, HOST, LoginApp, USER, id_of_token};
use crate::tls::Secured;
use crate::wire;

/// More events than a change processes while a test looks.
const MANY: u64 = 48_000;

/// The most waiting bulk changes of one owner.
const MOST_WAITING: usize = 8;

const DELETE_ALL: &str = r#"{"all": true}"#;

async fn fill(engine: &Tidings, owner: OwnerId) {
    for _ in 0..MANY / 1_000 {
        let event = |_| {
            let event = tidings::Event::builder()
                .from_user(*owner.as_uuid())
                .acted_upon(Uuid::from_u128(1))
                .with_category("deployment")
                .with_action("apply")
                .with_severity(Severity::Success);
            event.build().expect("it keeps the rules")
        };
        let batch = (0..1_000).map(event).collect();
        let stored = engine.publish_batch(batch).await;
        stored.expect("the batch is stored");
    }
}

/// Starts a change of `owner` that runs until the returned task has ended. Another user is active, so
/// the change pauses between its steps.
async fn long_change(engine: &Tidings, owner: OwnerId) -> JoinHandle<u64> {
    fill(engine, owner).await;
    let presence = engine.clone();
    let change = Engine::of(engine);
    let task = tokio::spawn(async move {
        let read = Change::Status(Status::Read);
        let all = Selection::All { up_to: None };
        let begun = change.begin_change(owner, all, read).await;
        let mut running = begun.expect("its turn comes");
        let mut finished = std::pin::pin!(running.finish());
        loop {
            presence.summary(BOB).await.expect("a summary");
            tokio::select! {
                changes = &mut finished => return changes.expect("all is changed").count,
                () = tokio::time::sleep(Duration::from_millis(20)) => {}
            }
        }
    });
    within(async {
        let read = async || {
            let summary = engine.summary(owner).await;
            summary.expect("a summary").read_count
        };
        while read().await == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    task
}

fn delete_request(host: &str, token: Option<&str>) -> String {
    let token = token.map_or(String::new(), |token| {
        format!("Authorization: Bearer {token}\r\n")
    });
    format!(
        "DELETE {EVENTS}/bulk HTTP/1.1\r\nHost: {host}\r\n{token}\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{DELETE_ALL}",
        DELETE_ALL.len()
    )
}

/// The start of a response.
async fn response(socket: &mut TcpStream) -> String {
    let mut buffer = [0; 4096];
    let read = socket
        .read(&mut buffer)
        .await
        .expect("the connection lives");
    String::from_utf8_lossy(&buffer[..read]).into_owned()
}

/// The start of a response, if it arrives soon. A rejection takes up to 125 ms.
async fn soon(socket: &mut TcpStream) -> Option<String> {
    tokio::time::timeout(Duration::from_millis(250), response(socket))
        .await
        .ok()
}

#[tokio::test]
async fn a_change_whose_client_hangs_up_before_its_turn_is_dropped() {
    let app = TestApp::start().await;
    let server = app.serve();
    let running = long_change(&app.engine, LOCAL_USER).await;
    let request = delete_request(&server.address.to_string(), None);
    let send = async || wire::send_raw(server.address, request.as_bytes()).await;
    let mut waiting = Vec::new();
    for _ in 0..=MOST_WAITING {
        waiting.push(send().await);
    }
    // One of them is rejected, whatever their order.
    let answered = select_all(waiting.iter().map(|socket| Box::pin(socket.readable())));
    let (_, beyond, _) = within(answered).await;
    let rejected = within(response(&mut waiting.swap_remove(beyond))).await;
    assert!(rejected.starts_with("HTTP/1.1 429 "), "{rejected}");
    assert!(rejected.contains("rate_limited"), "{rejected}");
    assert!(rejected.contains("retry-after: "), "{rejected}");
    let answered = waiting
        .iter()
        .filter(|socket| socket.try_read(&mut [0]).is_ok());
    assert_eq!(answered.count(), 0, "a waiting change was answered");
    // Their places are free immediately.
    drop(waiting);
    let mut socket = within(async {
        loop {
            let mut socket = send().await;
            if soon(&mut socket).await.is_none() {
                return socket;
            }
        }
    })
    .await;
    assert!(!running.is_finished(), "the change ended before its time");
    assert!(soon(&mut socket).await.is_none());
    drop(socket);
    assert_eq!(within(running).await.unwrap(), MANY);
    // Another change of the same owner runs after all that waited.
    let none = json!({"ids": [], "status": "read"});
    assert_eq!(app.put("/status/bulk", &none).await.status, 200);
    let summary = app.engine.summary(LOCAL_USER).await.unwrap();
    assert_eq!(summary.total_count, MANY, "a change was made for nobody");
}

#[tokio::test]
async fn an_http2_change_whose_client_hangs_up_before_its_turn_is_dropped() {
    let secured = Secured::start().await;
    let running = long_change(&secured.app.engine, LOCAL_USER).await;
    // A stream that is reset, and a connection that ends.
    for ends in [false, true] {
        let mut client = secured.http2().await;
        {
            let path = format!("{EVENTS}/bulk");
            let deletion = client.call(Method::DELETE, &path, DELETE_ALL);
            let sent = tokio::time::timeout(Duration::from_millis(100), deletion).await;
            assert!(sent.is_err(), "it was not its turn");
        }
        if ends {
            client.ended.abort();
        } else {
            let response = client.call(Method::GET, "/healthz", "").await;
            assert_eq!(response.status(), 200);
        }
    }
    assert!(!running.is_finished(), "the change ended before its time");
    assert_eq!(within(running).await.unwrap(), MANY);
    let none = json!({"ids": [], "status": "read"});
    assert_eq!(secured.app.put("/status/bulk", &none).await.status, 200);
    let summary = secured.app.engine.summary(LOCAL_USER).await.unwrap();
    assert_eq!(summary.total_count, MANY, "a change was made for nobody");
}

#[tokio::test]
async fn a_change_whose_token_is_revoked_before_its_turn_is_dropped() {
    let app = LoginApp::start().await;
    let running = long_change(&app.app.engine, ALICE).await;
    let token = app.token(ALICE, USER);
    let request = delete_request(HOST, Some(&token));
    let mut socket = wire::send_raw(app.server.address, request.as_bytes()).await;
    assert!(soon(&mut socket).await.is_none(), "it was not its turn");
    revoke(&app, &token).await;
    let mut response = [0; 4096];
    let read = within(socket.read(&mut response)).await.unwrap();
    let response = String::from_utf8_lossy(&response[..read]);
    assert!(response.starts_with("HTTP/1.1 401 "), "{response}");
    assert!(response.contains("token_revoked"), "{response}");
    assert!(!running.is_finished(), "the change ended before its time");
    assert_eq!(within(running).await.unwrap(), MANY);
    let summary = app.app.engine.summary(ALICE).await.unwrap();
    assert_eq!(
        summary.total_count, MANY,
        "a revoked token changed something"
    );
}

#[tokio::test]
async fn a_change_stops_when_its_token_is_revoked() {
    let app = LoginApp::start().await;
    fill(&app.app.engine, ALICE).await;
    let token = app.token(ALICE, USER);
    let deletion = tokio::spawn({
        let request =
            crate::login::request(&Method::DELETE, &format!("{EVENTS}/bulk"), Some(&token))
                .header("content-type", "application/json");
        let body = http_body_util::Full::from(DELETE_ALL);
        let request: Request<_> = request.body(body).unwrap();
        wire::send(app.server.address, request)
    });
    within(async {
        while app.app.engine.summary(ALICE).await.unwrap().total_count == MANY {
            app.app.engine.summary(BOB).await.unwrap();
        }
    })
    .await;
    revoke(&app, &token).await;
    let response = wire::read(within(deletion).await.unwrap()).await;
    response.error(401, "token_revoked");
    // The next change of the same owner waits for the end of this one.
    let none = json!({"ids": [], "status": "read"}).to_string();
    let path = format!("{EVENTS}/status/bulk");
    let other = app.token(ALICE, USER);
    let response = app
        .send(&Method::PUT, &path, Some(&other), Some(&none))
        .await;
    assert_eq!(response.status, 200);
    let left = app.app.engine.summary(ALICE).await.unwrap().total_count;
    assert!((1..MANY).contains(&left), "{left} are left");
}

async fn revoke(app: &LoginApp, token: &str) {
    let admin = app.token(BOB, Scopes::ADMIN);
    let body = json!({ "id": id_of_token(token) }).to_string();
    let revoked = app
        .send(&Method::POST, "/tokens/revoke", Some(&admin), Some(&body))
        .await;
    assert_eq!(revoked.status, 204, "{revoked:?}");
}
