//! Runs the examples of this crate that serve, and stops them.

#[path = "../../tidings/tests/examples/runner.rs"]
mod runner;

use reqwest::{Client, StatusCode};
use runner::Example;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// Starts an example on a free port, and returns its address.
fn start(name: &str) -> (Example, String) {
    let example = Example::start(name, &["127.0.0.1:0"]);
    let line = example.line().expect("the example prints its address");
    let url = line.strip_prefix("listening on ").expect("an address");
    (example, url.to_owned())
}

/// Interrupts an example and waits for its end.
async fn stop(example: Example) {
    let pid = i32::try_from(example.id()).ok().and_then(Pid::from_raw);
    kill_process(pid.expect("the process runs"), Signal::INT).expect("the process runs");
    let end = tokio::task::spawn_blocking(|| example.end());
    assert_eq!(end.await.expect("the example ends"), ["closed"]);
}

async fn json(response: reqwest::Response) -> Value {
    let text = response.text().await.expect("a response");
    serde_json::from_str(&text).expect("JSON")
}

#[tokio::test]
async fn embedded_router_serves_both_routes() {
    let (example, url) = start("embedded_router");
    let client = Client::builder().no_proxy().build().expect("a client");
    let reports = format!("{url}/api/reports");
    let created = client.post(&reports).send().await.expect("a response");
    assert_eq!(created.status(), StatusCode::CREATED);
    let foreign = client
        .post(&reports)
        .header("origin", "https://other.example");
    let foreign = foreign.send().await.expect("a response");
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN);

    let list = client.get(format!("{url}/api/system/events"));
    let page = json(list.send().await.expect("a response")).await;
    assert_eq!(page["totalCount"], 1);
    assert_eq!(page["events"][0]["description"], "Rendered the report");
    drop(client);
    stop(example).await;
}

#[tokio::test]
async fn axum_login_gives_each_user_an_inbox() {
    let (example, url) = start("axum_login");
    let client = Client::builder().no_proxy().build().expect("a client");
    let events = format!("{url}/api/system/events");
    let without_token = client.get(&events).send().await.expect("a response");
    assert_eq!(without_token.status(), StatusCode::UNAUTHORIZED);

    let mut totals = Vec::new();
    for (user, publishes) in [("alice", true), ("bob", false)] {
        let login = client.post(format!("{url}/login/{user}")).send().await;
        let token = login.expect("a response").text().await.expect("a token");
        if publishes {
            let event = r#"{"actedUpon": "7b1d2c3e-0000-4000-8000-000000000001", "category": "a",
                            "action": "b", "severity": "success", "description": "d"}"#;
            let publish = client.post(&events).bearer_auth(&token);
            let publish = publish
                .header("content-type", "application/json")
                .body(event);
            let stored = publish.send().await.expect("a response");
            assert_eq!(stored.status(), StatusCode::CREATED);
        }
        let list = client.get(&events).bearer_auth(&token).send().await;
        totals.push(json(list.expect("a response")).await["totalCount"].clone());
    }
    assert_eq!(totals, [1, 0]);
    drop(client);
    stop(example).await;
}
