//! Unread responses, and large pages.

use futures_util::future::join_all;
use hyper::Method;
use serde_json::{Value, json};
use tidings_event::OwnerId;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use crate::app::{EVENTS, TestApp, TestResponse, event_with, id_of, within};
use crate::login::{ALICE, BOB, HOST, LoginApp, USER};
use crate::wire;

/// Events of 60 KB, more than fit into a page at once.
const LARGE_EVENTS: usize = 40;

/// In the order in which they were published.
async fn fill(app: &LoginApp, owner: OwnerId) -> Vec<String> {
    let token = app.token(owner, USER);
    let large = event_with("metadata", json!({"trace": "x".repeat(60_000)}));
    let batch = Value::from(vec![large; LARGE_EVENTS]).to_string();
    let stored = app
        .send(&Method::POST, EVENTS, Some(&token), Some(&batch))
        .await;
    assert_eq!(stored.status, 201);
    let stored = stored.json();
    let stored = stored.as_array().expect("a batch is answered by an array");
    stored.iter().map(id_of).collect()
}

/// Requests a page, waits for its first line, and reads nothing more.
async fn ask(app: &LoginApp, token: &str, path: &str) -> (TcpStream, String) {
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {token}\r\n\r\n");
    let mut socket = wire::send_raw(app.server.address, request.as_bytes()).await;
    let mut line = vec![0; "HTTP/1.1 200".len()];
    let begun = within(socket.read_exact(&mut line)).await;
    begun.expect("it is answered");
    (socket, String::from_utf8(line).expect("it is text"))
}

#[tokio::test]
async fn rejects_a_caller_with_unread_responses_and_serves_others() {
    let app = LoginApp::start().await;
    for owner in [ALICE, BOB] {
        fill(&app, owner).await;
    }
    let (alice, bob) = (app.token(ALICE, USER), app.token(BOB, USER));
    let page = format!("{EVENTS}?pagesize=all");
    let untaken = join_all((0..60).map(|_| ask(&app, &alice, &page)));
    let get = async |token: &str, path: &str| -> TestResponse {
        let response = app.send(&Method::GET, path, Some(token), None);
        within(response).await
    };
    let of_others = async {
        for _ in 0..5 {
            assert_eq!(get(&bob, &page).await.status, 200);
        }
    };
    let (mut untaken, ()) = tokio::join!(untaken, of_others);
    let served = untaken
        .iter()
        .filter(|(_, line)| line.ends_with(" 200"))
        .count();
    let rejected = untaken
        .iter()
        .filter(|(_, line)| line.ends_with(" 429"))
        .count();
    assert!((8..=30).contains(&served), "{served} of 60 were served");
    assert_eq!(served + rejected, 60);
    let mut rejections = untaken
        .iter_mut()
        .filter(|(_, line)| line.ends_with(" 429"));
    let (socket, _) = rejections.next().expect("some are rejected");
    let mut response = String::new();
    while !response.contains("long_description") {
        let mut more = [0; 4096];
        let number = within(socket.read(&mut more)).await.expect("it is sent");
        response += std::str::from_utf8(&more[..number]).expect("it is text");
    }
    for words in [
        "retry-after: 2\r\n",
        "\"rate_limited\"",
        "your unread responses can take 8388608 bytes in total",
    ] {
        assert!(response.contains(words), "{words}: {response}");
    }
    // Small responses are still served.
    assert_eq!(get(&alice, &format!("{EVENTS}/summary")).await.status, 200);

    drop(untaken);
    let page = get(&alice, &page).await;
    assert_eq!(page.status, 200);
    assert_eq!(
        page.json()["events"].as_array().map(Vec::len),
        Some(LARGE_EVENTS)
    );
}

/// The ids of the events of a page, and `next`.
fn ids_of(page: &Value) -> (Vec<String>, Option<String>) {
    let events = page["events"].as_array().expect("a list");
    let next = page["next"].as_str().map(str::to_owned);
    (events.iter().map(id_of).collect(), next)
}

#[tokio::test]
async fn sends_numbered_pages_whole_and_splits_large_pages_by_token() {
    let app = LoginApp::start().await;
    let ids = fill(&app, ALICE).await;
    let token = app.token(ALICE, USER);
    let get = async |query: &str| {
        let path = format!("{EVENTS}?sort=created_at&{query}");
        let response = app.send(&Method::GET, &path, Some(&token), None).await;
        assert_eq!(response.status, 200, "{query}");
        assert_eq!(response.header("content-type"), "application/json");
        response
    };
    for query in [
        "pagesize=1000",
        "page=0&pagesize=1000&count=none",
        "pagesize=all",
    ] {
        let (seen, next) = ids_of(&get(query).await.json());
        assert_eq!((&seen, next), (&ids, None), "{query}");
    }
    let mut by_number = Vec::new();
    for number in 0.. {
        let page = get(&format!("page={number}&pagesize=25")).await.json();
        assert_eq!(page["totalCount"], LARGE_EVENTS);
        let (seen, _) = ids_of(&page);
        if seen.is_empty() {
            break;
        }
        by_number.extend(seen);
    }
    assert_eq!(by_number, ids);

    let (mut by_next, mut query) = (Vec::new(), "pagesize=1000&count=none".to_owned());
    loop {
        let page = get(&query).await;
        assert!(
            page.body.len() < 1024 * 1024 + 100_000,
            "{}",
            page.body.len()
        );
        let (seen, next) = ids_of(&page.json());
        assert!(!seen.is_empty());
        by_next.extend(seen);
        let Some(next) = next else { break };
        query = format!("pagesize=1000&count=none&next={next}");
    }
    assert_eq!(by_next, ids);
}

#[tokio::test]
async fn sends_content_length_for_a_page_that_is_read_at_once() {
    let app = TestApp::start().await;
    let server = app.serve();
    app.publish_numbered(30).await;
    let small = wire::get(server.address, &format!("{EVENTS}?pagesize=all")).await;
    assert_eq!(small.header("content-length"), small.body.len().to_string());
    let empty = wire::get(server.address, &format!("{EVENTS}?status=read")).await;
    assert_eq!(empty.json()["events"], json!([]));
    let large = event_with("metadata", json!({"trace": "x".repeat(60_000)}));
    let large = Value::from(vec![large; 20]).to_string();
    assert_eq!(app.post(large).await.status, 201);
    let large = wire::get(server.address, &format!("{EVENTS}?pagesize=all")).await;
    assert_eq!(large.header("content-length"), "");
    assert_eq!(large.json()["events"].as_array().map(Vec::len), Some(50));
}
