use serde_json::{Value, json};

use crate::app::{TestApp, descriptions};

/// Every order, with the resulting list of three events. The oldest event was marked last, and the
/// first order is the default.
const ORDERS: [(&str, [&str; 3]); 7] = [
    ("", ["1", "2", "0"]),
    ("sort=updated_at&order=asc", ["1", "2", "0"]),
    ("sort=updatedAt&order=desc", ["0", "2", "1"]),
    ("order=desc", ["0", "2", "1"]),
    ("sort=created_at&order=asc", ["0", "1", "2"]),
    ("sort=createdAt", ["0", "1", "2"]),
    ("sort=created_at&order=desc", ["2", "1", "0"]),
];

async fn app() -> TestApp {
    let app = TestApp::start().await;
    let ids = app.publish_numbered(3).await;
    let body = json!({"status": "read"});
    let response = app.put(&format!("/status/{}", ids[0]), &body).await;
    assert_eq!(response.status, 200);
    app
}

#[tokio::test]
async fn sorts_by_creation_and_change_in_both_directions() {
    let app = app().await;
    for (order, expected) in ORDERS {
        assert_eq!(descriptions(&app.list(order).await), expected, "{order}");
    }
}

#[tokio::test]
async fn pages_by_number_and_by_token_contain_the_same_events() {
    let app = app().await;
    for (order, expected) in ORDERS {
        let mut next = String::new();
        for (number, chunk) in expected.chunks(2).enumerate() {
            let query = format!("{order}&pagesize=2&page={number}");
            let by_number = app.list(&query).await;
            let by_token = app.list(&format!("{order}&pagesize=2{next}")).await;
            assert_eq!(descriptions(&by_number), chunk, "{query}");
            assert_eq!(by_token["events"], by_number["events"], "{query}");
            assert_eq!(by_token["next"], by_number["next"], "{query}");
            assert_eq!(by_number["page"], number);
            assert_eq!(by_token["page"], 0);
            if let Some(token) = by_token["next"].as_str() {
                next = format!("&next={token}");
            }
        }
        let last = app.list(&format!("{order}&pagesize=2{next}")).await;
        assert_eq!(last["next"], Value::Null);
    }
}

#[tokio::test]
async fn a_list_without_a_count_is_otherwise_the_same() {
    let app = app().await;
    let mut counted = app.list("pagesize=2").await;
    let uncounted = app.list("pagesize=2&count=none").await;
    assert_eq!(counted["totalCount"], 3);
    counted.as_object_mut().unwrap().remove("totalCount");
    assert_eq!(uncounted, counted);
}
