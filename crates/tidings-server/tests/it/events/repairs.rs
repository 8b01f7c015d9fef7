//! Repairs, and their warnings.

use serde_json::{Value, json};
use tidings_event::WarningCode;

use crate::app::{EVENTS, TestApp, event, event_with};
use crate::stream::Stream;

const API: &str = include_str!("../../../../../docs/api.md");

const RESOURCE: &str = "7b1d2c3e-0000-4000-8000-000000000001";

/// The rows of the table behind `<!-- name -->`.
fn rows(name: &str) -> Vec<Vec<&'static str>> {
    let (_, table) = API
        .split_once(&format!("<!-- {name} -->\n"))
        .expect("the table is there");
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    rows.skip(2)
        .map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect()
}

/// The text of the first code span of a cell.
fn code(cell: &str) -> &str {
    cell.split('`').nth(1).unwrap_or_default()
}

/// JSON in which `"x" * 3` means `"xxx"`.
fn written_out(json: &str) -> String {
    let Some((before, after)) = json.split_once("\" * ") else {
        return json.to_owned();
    };
    let (start, text) = before.rsplit_once('"').expect("a text is repeated");
    let digits = after.find(|end: char| !end.is_ascii_digit());
    let (times, rest) = after.split_at(digits.unwrap_or(after.len()));
    let times = times.parse().expect("the number of repetitions");
    format!("{start}\"{}\"{rest}", text.repeat(times))
}

/// An event whose only invalid field is given as JSON.
fn body(field: &str, given: &str) -> String {
    let field = field.split('.').next().expect("a name");
    let mut event = event("what happened");
    event.as_object_mut().expect("an object").remove(field);
    let event = event.to_string();
    format!("{},\"{field}\":{given}}}", &event[..event.len() - 1])
}

#[tokio::test]
async fn every_documented_repair_works() {
    let app = TestApp::start().await;
    let rows = rows("repairs");
    assert!(rows.len() > 30, "{rows:?}");
    let mut seen = std::collections::BTreeSet::new();
    for row in rows {
        let [field, given, stored, expected] = row[..] else {
            panic!("{row:?}");
        };
        let (field, expected) = (code(field), code(expected));
        let body = body(field, &written_out(code(given)));
        let response = app.post(body.clone()).await;
        assert_eq!(response.status, 201, "{row:?}: {}", response.json());
        let answered = response.json();
        let name = field.split('.').next().unwrap();
        if let (true, Ok(value)) = (
            stored.starts_with('`'),
            serde_json::from_str::<Value>(code(stored)),
        ) {
            assert_eq!(answered[name], value, "{row:?}");
        }
        let warnings = answered["warnings"].as_array().expect("it has warnings");
        let is_named = |warning: &Value| warning["field"] == field && warning["code"] == expected;
        assert!(warnings.iter().any(is_named), "{row:?}: {warnings:?}");
        for warning in warnings {
            assert!(
                warning["message"]
                    .as_str()
                    .is_some_and(|text| !text.is_empty())
            );
        }
        seen.insert(expected.to_owned());
        // The stored event keeps the rules: it can be published again.
        let id = answered["id"].as_str().expect("an id");
        let mut listed = app.get(&format!("{EVENTS}/{id}")).await.json();
        assert!(listed.get("warnings").is_none(), "{row:?}");
        let again = app.post(listed.to_string()).await;
        assert_eq!(again.status, 200, "{row:?}: {}", again.json());
        listed["description"] = json!("other");
        if field != "description" {
            app.post(listed.to_string())
                .await
                .error(409, "event_conflict");
        }
    }
    // That an update is outdated, or an event has expired, is no repair.
    let repairs = WarningCode::ALL
        .into_iter()
        .filter(|code| !matches!(code, WarningCode::Outdated | WarningCode::Expired));
    assert_eq!(seen, repairs.map(|code| code.to_string()).collect());
}

#[tokio::test]
async fn every_documented_rejection_works() {
    let app = TestApp::start().await;
    let rows = rows("rejections");
    assert!(rows.len() > 3, "{rows:?}");
    for row in rows {
        let [field, given, fault] = row[..] else {
            panic!("{row:?}");
        };
        let response = app.post(body(code(field), code(given))).await;
        let error = response.error(400, "invalid_event");
        let said = error["longDescription"][0].as_str().unwrap();
        assert!(said.starts_with(code(field)), "{row:?}: {said}");
        assert!(said.contains(fault), "{row:?}: {said}");
        assert!(
            !error["suggestedRemediation"][0]
                .as_str()
                .unwrap()
                .is_empty()
        );
    }
    assert!(app.stored().await.is_empty());
}

#[tokio::test]
async fn an_event_of_any_size_within_a_request_is_stored() {
    let app = TestApp::start().await;
    let remedy = json!(["start the cluster"]);
    for text in [
        "x".repeat(70_000),
        "\\u0001".repeat(20_000),
        "é\n".repeat(500_000),
    ] {
        let mut failed = event_with("severity", "error");
        failed["description"] = json!(text);
        failed["metadata"] = json!({
            "error": {"message": "refused", "stack": text, "suggestedRemediation": remedy},
            "doc": "https://example.org/ping",
        });
        let stored = app.publish(&failed).await;
        let metadata = &stored["metadata"];
        assert!(stored["description"].as_str().unwrap().len() <= 4_096);
        assert!(metadata.to_string().len() <= 65_536);
        assert_eq!(metadata["error"]["ShortDescription"], json!(["refused"]));
        assert_eq!(metadata["error"]["SuggestedRemediation"], remedy);
        assert_eq!(metadata["doc"], "https://example.org/ping");
        assert!(metadata["truncated"].is_array());
    }
    // The most values of a request take bounded time and memory.
    let zeros = format!("[{}0]", "0,".repeat(1_900_000));
    let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    for dense in [zeros, deep] {
        let body = body("metadata", &format!("{{\"a\":{dense},\"error\":\"boom\"}}"));
        let response = app.post(body).await;
        assert_eq!(response.status, 201, "{}", response.json());
        let stored = response.json();
        assert_eq!(
            stored["metadata"]["error"]["ShortDescription"],
            json!(["boom"])
        );
        assert!(stored["metadata"].to_string().len() <= 65_536);
    }
    assert_eq!(app.stored().await.len(), 5);
}

#[tokio::test]
async fn reads_a_tidings_error_as_a_probable_cause_with_its_remedy() {
    let app = TestApp::start().await;
    let rejected = app.post("{}").await.error(400, "invalid_event");
    let mut failed = event_with("severity", "error");
    failed["metadata"] = json!({ "error": rejected });
    let stored = app.publish(&failed).await;
    let cause = &stored["metadata"]["error"];
    assert_eq!(cause["Code"], "invalid_event");
    assert_eq!(cause["ShortDescription"], json!([rejected["error"]]));
    assert_eq!(
        cause["SuggestedRemediation"],
        rejected["suggestedRemediation"]
    );
    assert!(cause.get("suggested_remediation").is_none());
    assert!(stored.get("warnings").is_none());
}

#[tokio::test]
async fn recognizes_a_repeat_in_another_form() {
    let app = TestApp::start().await;
    let base = |rest: &str| {
        format!(
            "{{\"id\":\"evt-1\",\"actedUpon\":\"{RESOURCE}\",\"category\":\"a\",\"action\":\"b\",{rest}}}"
        )
    };
    let first = app
        .post(base("\"severity\":\"warn\",\"metadata\":{\"n\":1e5}"))
        .await;
    assert_eq!(first.status, 201);
    for same in [
        "\"severity\":\"warning\",\"metadata\":{\"n\":100000}",
        "\"metadata\":{\"n\":100000.0},\"severity\":\"WARNING\"",
    ] {
        let repeat = app.post(base(same)).await;
        assert_eq!(repeat.status, 200, "{}", repeat.json());
        assert_eq!(repeat.json()["id"], first.json()["id"]);
    }
    let other = base("\"severity\":\"warn\",\"metadata\":{\"n\":100001}");
    app.post(other).await.error(409, "event_conflict");
    assert_eq!(app.stored().await.len(), 1);
}

#[tokio::test]
async fn a_repaired_event_arrives_without_its_warnings() {
    let app = TestApp::start().await;
    let server = app.serve();
    let mut stream = Stream::open(server.address).await;
    stream.until("live").await;
    let stored = app.publish(&event_with("severity", "info")).await;
    assert_eq!(stored["warnings"][0]["field"], "severity");
    let frame = stream.expect_next().await;
    assert!(!frame.data.contains("warnings"), "{}", frame.data);
}

#[tokio::test]
async fn ignores_a_byte_order_mark() {
    let app = TestApp::start().await;
    for body in [event("x").to_string(), json!([event("y")]).to_string()] {
        let response = app.post(format!("\u{feff}{body}")).await;
        assert_eq!(response.status, 201);
    }
}
