//! The storage quota of a user.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::server::{Server, event, output_of, soon, tidings};
use crate::test_dir::TestDir;

const ALICE: &str = "7b1d2c3e-0000-4000-8000-00000000000a";
const BOB: &str = "7b1d2c3e-0000-4000-8000-00000000000b";
const BACKEND: &str = "7b1d2c3e-0000-4000-8000-00000000000c";

/// Slightly more than the largest event.
const QUOTA: &str = "150000";

async fn ask(
    server: &Server,
    method: Method,
    path: &str,
    token: &str,
    body: Option<&Value>,
) -> (StatusCode, Value) {
    let http = reqwest::Client::builder().no_proxy().build();
    let http = http.expect("a client is made");
    let mut request = http.request(method, server.url(path)).bearer_auth(token);
    if let Some(body) = body {
        request = request.json(body);
    }
    let response = soon("a response", request.send()).await;
    let response = response.expect("the connection holds");
    let status = response.status();
    let text = response.text().await.expect("it is text");
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

/// Publishes events of about 4 KiB until the server rejects one. Returns the number of stored events
/// and the error.
async fn fill(server: &Server, token: &str, owner: &str) -> (usize, Value) {
    for stored in 0..1_000 {
        let large = event(owner, &"x".repeat(4_000));
        let path = "/api/system/events";
        let (status, response) = ask(server, Method::POST, path, token, Some(&large)).await;
        if status != StatusCode::CREATED {
            assert_eq!(status, StatusCode::FORBIDDEN, "{response}");
            return (stored, response);
        }
    }
    panic!("the quota must reject an event");
}

#[tokio::test]
async fn limits_a_user_to_the_quota_and_backends_to_twice_the_quota() {
    let place = TestDir::new().await;
    let flags = ["--max-owner-bytes", QUOTA, "--own-publish-rate", "0"];
    let server = Server::from_command(place.serve(&flags)).await;
    let alice = place.token(ALICE, &[]).await;
    let bob = place.token(BOB, &[]).await;
    let scopes = ["--scope", "events:publish"];
    let backend = place.token(BACKEND, &scopes).await;

    let (stored, rejected) = fill(&server, &alice, ALICE).await;
    assert_eq!(stored, 150_000 / (4_000 + 512 + 15));
    assert_eq!(rejected["code"], "quota_exceeded", "{rejected}");
    let fault = rejected["longDescription"][0].as_str().expect("a fault");
    assert!(fault.contains("of the 150000 bytes allowed"), "{fault}");
    let remedy = rejected["suggestedRemediation"][0].as_str();
    let remedy = remedy.expect("a remedy");
    assert!(remedy.contains("delete events"), "{remedy}");
    assert!(remedy.contains("--max-owner-bytes"), "{remedy}");

    // A backend's events are accepted until they use the same amount again. Other users are not
    // affected.
    let (more, rejected) = fill(&server, &backend, ALICE).await;
    assert_eq!(stored + more, 300_000 / (4_000 + 512 + 15));
    assert_eq!(rejected["code"], "quota_exceeded", "{rejected}");
    let batch = json!([event(BOB, "fits"), event(ALICE, &"x".repeat(4_000))]);
    let path = "/api/system/events";
    let (status, rejected) = ask(&server, Method::POST, path, &backend, Some(&batch)).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{rejected}");
    let fault = rejected["longDescription"][0].as_str().expect("a fault");
    assert!(fault.starts_with("[1] needs 4527 bytes"), "{fault}");
    let (status, page) = ask(&server, Method::GET, path, &bob, None).await;
    assert_eq!((status, &page["totalCount"]), (StatusCode::OK, &json!(0)));
    let own = event(BOB, "fits");
    let (status, _) = ask(&server, Method::POST, path, &bob, Some(&own)).await;
    assert_eq!(status, StatusCode::CREATED);

    // Deleting events frees the quota.
    let all = json!({"all": true});
    let bulk = "/api/system/events/bulk";
    let (status, deleted) = ask(&server, Method::DELETE, bulk, &alice, Some(&all)).await;
    assert!(status.is_success(), "{deleted}");
    let (again, _) = fill(&server, &alice, ALICE).await;
    assert_eq!(again, stored);

    server.terminate();
    assert!(server.ended().await.success());
    let mut doctor = tidings();
    doctor
        .args(["doctor", "--json", "--data-dir"])
        .arg(place.path("data"));
    let (_, out, err) = output_of(doctor).await;
    assert!(out.contains(r#""check":"database""#), "{out}{err}");
    assert!(!out.contains(r#""check":"counts""#), "{out}");
}
