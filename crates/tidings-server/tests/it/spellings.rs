//! Every parameter of every operation in every spelling. Each spelling means the same or is rejected.
//!
//! The operations and their parameters come from the OpenAPI document; a new parameter needs a row here.

use axum::body::Body;
use axum::http::{Method, Request};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tidings_server::{Level, LogLevel};
use tower::ServiceExt as _;

use crate::app::{EVENTS, TestApp, event, event_with, request};
use crate::schema::Document;

const RESOURCE: &str = "7b1d2c3e-0000-4000-8000-00000000000a";
const OPERATION: &str = "7b1d2c3e-0000-4000-8000-00000000000b";
const SENDER: &str = "7b1d2c3e-0000-4000-8000-00000000000c";
const ID: &str = "0c0ffee0-0000-4000-8000-000000000001";

/// A parameter of the list, with texts that mean the same.
struct Row {
    name: &'static str,
    /// Other names, besides those that differ only in case and separators.
    also: &'static [&'static str],
    texts: &'static [&'static str],
    /// Whether it is a filter, which no other operation ignores.
    narrows: bool,
}

const fn filter(
    name: &'static str,
    also: &'static [&'static str],
    texts: &'static [&'static str],
) -> Row {
    Row {
        name,
        also,
        texts,
        narrows: true,
    }
}

const fn paging(
    name: &'static str,
    also: &'static [&'static str],
    texts: &'static [&'static str],
) -> Row {
    Row {
        name,
        also,
        texts,
        narrows: false,
    }
}

const ROWS: [Row; 17] = [
    filter(
        "status",
        &["statuses"],
        &["read", "[\"read\"]", "read,read"],
    ),
    filter(
        "severity",
        &["severities"],
        &[
            "warning",
            "[\"warning\"]",
            "\"warning\"",
            "warning,debug",
            "debug, warning,",
        ],
    ),
    filter(
        "category",
        &["categories"],
        &["other", "[\"other\"]", "Free text,other"],
    ),
    filter(
        "action",
        &["actions"],
        &["other", "[\"other\",\"Free, text\"]"],
    ),
    filter(
        "actedUpon",
        &[],
        &[RESOURCE, "[\"7b1d2c3e-0000-4000-8000-00000000000a\"]"],
    ),
    filter(
        "systemId",
        &[],
        &[SENDER, "[\"7b1d2c3e-0000-4000-8000-00000000000c\"]"],
    ),
    filter("ownerKind", &[], &["system", "[\"system\"]"]),
    filter(
        "operationId",
        &[],
        &[OPERATION, "[\"7b1d2c3e-0000-4000-8000-00000000000b\"]"],
    ),
    filter(
        "from",
        &[],
        &["2200-01-01T00:00:00Z", "2200-01-01T01:00:00%2B01:00"],
    ),
    filter("to", &[], &["2026-08-02T00:00:00Z"]),
    filter("search", &[], &["needle", "NEEDLE"]),
    paging("page", &[], &["1"]),
    paging("pagesize", &["perPage"], &["1"]),
    paging(
        "sort",
        &["sortBy", "sortOn"],
        &["created_at", "createdAt", "CREATED_AT", "created_at asc"],
    ),
    paging("order", &["orderBy"], &["desc", "DESC", "updated_at desc"]),
    paging("count", &[], &["none"]),
    filter(
        "filter",
        &["filters"],
        &[
            "{\"severity\":\"warning\"}",
            "{\"Severities\":[\"warning\"],\"limit\":0}",
        ],
    ),
];

impl Row {
    /// The parameter's name as clients write it.
    fn spellings(&self) -> Vec<String> {
        let mut spellings = Vec::new();
        for name in [self.name].iter().chain(self.also) {
            let separated = |separator: char| {
                let mut written = String::new();
                for letter in name.chars() {
                    if letter.is_ascii_uppercase() {
                        written.push(separator);
                    }
                    written.push(letter.to_ascii_lowercase());
                }
                written
            };
            let mut pascal = (*name).to_owned();
            pascal[..1].make_ascii_uppercase();
            spellings.extend([
                (*name).to_owned(),
                separated('_'),
                separated('-'),
                separated('_').to_uppercase(),
                name.to_lowercase(),
                pascal,
                format!("{name}[]"),
                format!("{name}[0]"),
            ]);
            if self.name != "filter" {
                spellings.push(format!("filter[{name}]"));
                spellings.push(format!("filter.{}", separated('_')));
            }
        }
        // Some clients write `pagesize` as two words.
        if self.name == "pagesize" {
            spellings.extend([
                "pageSize".to_owned(),
                "page_size".to_owned(),
                "page-size".to_owned(),
            ]);
        }
        spellings
    }
}

/// A path with a query, as a client encodes it.
fn path(path: &str, name: &str, text: &str) -> String {
    let text = text.replace('"', "%22").replace(' ', "+");
    format!(
        "{path}?{}={text}",
        name.replace('[', "%5B").replace(']', "%5D")
    )
}

/// Events such that each filter matches some and not all.
async fn filled() -> TestApp {
    let app = TestApp::with(|config| {
        config.log_level = Some(LogLevel::new(Level::Info, |_| Ok(())));
    })
    .await;
    let mut first = event_with("id", ID);
    first["status"] = json!("read");
    first["createdAt"] = json!("2026-08-01T10:00:00Z");
    // The event that changed last was created first.
    first["updatedAt"] = json!("2250-08-01T10:00:00Z");
    let body = first.to_string();
    let import = format!("{EVENTS}?import=true");
    assert_eq!(app.send_json(Method::POST, &import, body).await.status, 201);
    for (field, value) in [
        ("severity", "warning"),
        ("category", "other"),
        ("action", "other"),
        ("actedUpon", RESOURCE),
        ("operationId", OPERATION),
        ("systemId", SENDER),
        ("owner", "system"),
        ("description", "a needle"),
        ("createdAt", "2200-02-01T00:00:00Z"),
    ] {
        app.publish(&event_with(field, value)).await;
    }
    app
}

#[tokio::test]
async fn the_list_accepts_every_parameter_in_every_spelling() {
    let app = filled().await;
    let all = app.list("").await;
    for row in &ROWS {
        let canonical = app.get(&path(EVENTS, row.name, row.texts[0])).await;
        assert_eq!(canonical.status, 200, "{}", row.name);
        assert_ne!(canonical.json(), all, "{} changes nothing", row.name);
        for name in row.spellings() {
            for text in row.texts {
                let response = app.get(&path(EVENTS, &name, text)).await;
                assert_eq!(response.json(), canonical.json(), "{name}={text}");
            }
            for nothing in ["", "undefined", "null"] {
                if nothing.is_empty() || row.name != "search" {
                    let response = app.get(&path(EVENTS, &name, nothing)).await;
                    assert_eq!(response.json(), all, "{name}={nothing}");
                }
            }
        }
    }
    for name in ["next", "Next", "NEXT"] {
        let first = app.list("pagesize=3").await;
        let next = first["next"].as_str().unwrap();
        let second = app.list(&format!("pagesize=3&{name}={next}")).await;
        assert_eq!(
            second["events"],
            app.list("pagesize=3&page=1").await["events"]
        );
    }
}

#[tokio::test]
async fn repeated_parameters_are_several_values() {
    let app = filled().await;
    let expected = app
        .list("severity=%5B%22warning%22,%22success%22%5D&category=other,connection")
        .await;
    for query in [
        "severity=warning&severity=success&category=other&category=connection",
        "severity[]=warning&severity[]=success&categories[0]=other&categories[1]=connection",
        "severities=warning,success&Category=connection,other",
        "filter={%22severity%22:[%22success%22,%22warning%22]}&category=other&categories=connection",
    ] {
        let page = app.list(query).await;
        assert_eq!(page["events"], expected["events"], "{query}");
        assert_eq!(page["totalCount"], expected["totalCount"], "{query}");
    }
    let all = app.list("").await;
    for both in [
        "status=read&status=unread",
        "statuses=unread,read",
        "ownerKind=user&owner_kind=system",
    ] {
        assert_eq!(app.list(both).await, all, "{both}");
    }
    // A token belongs to a filter in any spelling.
    let first = app.list("severity=success,error&pagesize=2").await;
    let next = first["next"].as_str().unwrap();
    app.list(&format!(
        "Severity[]=error&severity[]=success&pagesize=2&next={next}"
    ))
    .await;
}

/// A valid request of an operation, and its status.
fn ask(method: &str, path: &str) -> (String, Option<Value>) {
    let path = path.replace("{id}", ID);
    let body = match (method, path.rsplit('/').next().unwrap_or_default()) {
        ("post", "events") => Some(event("new")),
        ("put", "config") => Some(json!({"eventLogLevel": "debug"})),
        ("put", "bulk") => Some(json!({"ids": [ID], "status": "unread"})),
        ("put", "status") if path == "/api/events/status" => {
            Some(json!({"ids": [ID], "status": "unread"}))
        }
        ("put", ID) if !path.contains("/status/") => Some(json!({"severity": "debug"})),
        ("put", _) => Some(json!({"status": "unread"})),
        ("post", _) => Some(json!({"ids": [ID]})),
        ("delete", "bulk" | "events") => Some(json!({"ids": [ID]})),
        _ => None,
    };
    (path, body)
}

async fn send(
    app: &TestApp,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> crate::app::TestResponse {
    let method: Method = method.to_uppercase().parse().expect("a method");
    match body {
        Some(body) => app.send_json(method, path, body.to_string()).await,
        None => app.send(request(method, path, Body::empty())).await,
    }
}

/// Every operation of the API except the lists, with the names of its parameters.
fn operations() -> Vec<(String, String, Vec<String>)> {
    let document = Document::load();
    let mut operations = Vec::new();
    for (path, item) in document.0["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("a path") {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let in_query = parameters.filter(|parameter| parameter["in"] == "query");
            let names =
                in_query.map(|parameter| parameter["name"].as_str().expect("a name").to_owned());
            operations.push((method.clone(), path.clone(), names.collect()));
        }
    }
    operations.retain(|(_, path, _)| path.starts_with("/api/"));
    operations
}

#[test]
fn every_parameter_of_the_document_has_a_row() {
    let elsewhere = ["next", "lastEventId", "import", "partial"];
    for (method, path, names) in operations() {
        for name in names {
            let has_row = ROWS.iter().any(|row| row.name == name);
            assert!(
                has_row || elsewhere.contains(&name.as_str()),
                "{method} {path}: {name}"
            );
        }
    }
}

#[tokio::test]
async fn rejects_a_filter_that_has_no_effect() {
    let app = filled().await;
    let before = app.list("").await;
    let mut rejected = 0;
    for (method, template, names) in operations() {
        if names.iter().any(|name| name == "severity")
            || template.ends_with("/config") && method == "get"
        {
            continue;
        }
        let (target, body) = ask(&method, &template);
        let takes = |row: &Row| names.iter().any(|name| name == row.name);
        for row in ROWS.iter().filter(|row| row.narrows && !takes(row)) {
            // A rejected stream takes a second.
            let spellings = match template.ends_with("/subscribe") {
                true if row.name == "severity" => {
                    vec!["severity".to_owned(), "severities[]".to_owned()]
                }
                true => continue,
                false => row.spellings(),
            };
            for name in spellings {
                let asked = path(&target, &name, row.texts[0]);
                let response = send(&app, &method, &asked, body.as_ref()).await;
                assert_eq!(response.status, 400, "{method} {asked}");
                let error = response.json();
                let error = if template.ends_with("/config") {
                    error
                } else {
                    response.error(400, "invalid_query")
                };
                let fault = error["longDescription"][0].as_str().unwrap();
                assert!(
                    fault.ends_with("cannot be used here: this request accepts no filters"),
                    "{asked}: {fault}"
                );
                assert!(
                    !error["suggestedRemediation"][0]
                        .as_str()
                        .unwrap()
                        .is_empty()
                );
                rejected += 1;
            }
        }
        for typo in ["severty", "stauts", "catagory", "acted_apon", "since"] {
            if !template.ends_with("/subscribe") {
                let asked = path(&target, typo, "x");
                let response = send(&app, &method, &asked, body.as_ref()).await;
                assert_eq!(response.status, 400, "{method} {asked}");
            }
        }
    }
    assert!(rejected > 1_000, "{rejected}");
    assert_eq!(app.list("").await, before);
    for (method, path) in [("delete", "/bulk"), ("put", "/status/bulk")] {
        let path = format!("{EVENTS}{path}?ids={ID}");
        let body = json!({"all": true, "status": "unread"});
        send(&app, method, &path, Some(&body))
            .await
            .error(400, "invalid_query");
    }
    assert_eq!(app.list("").await, before);
}

#[tokio::test]
async fn accepts_parameters_without_effect() {
    for (method, template, _) in operations() {
        if template.ends_with("/subscribe") {
            continue;
        }
        let app = filled().await;
        let (target, body) = ask(&method, &template);
        let query = "author=x&provider=y&initial=true&cumulative=true";
        let asked = format!("{target}?{query}&severity=&status=&filter={{}}");
        let response = send(
            &app,
            &method,
            &asked.replace('{', "%7B").replace('}', "%7D"),
            body.as_ref(),
        )
        .await;
        assert!(
            response.status.is_success(),
            "{method} {asked}: {}",
            response.status
        );
    }
}

#[tokio::test]
async fn accepts_the_import_parameter_in_every_spelling() {
    for name in ["import", "Import", "IMPORT", "import[]"] {
        for text in ["true", "True", "TRUE"] {
            let app = TestApp::start().await;
            let past = event_with("status", "read").to_string();
            let response = app
                .send_json(Method::POST, &path(EVENTS, name, text), past)
                .await;
            assert_eq!(response.json()["status"], "read", "{name}={text}");
        }
    }
    let app = TestApp::start().await;
    for name in ["imports", "inport", "imoprt"] {
        let past = event_with("status", "read").to_string();
        let response = app
            .send_json(Method::POST, &path(EVENTS, name, "true"), past)
            .await;
        response.error(400, "invalid_query");
    }
    assert!(app.stored().await.is_empty());
}

/// The name of the first frame of a stream.
async fn first_frame(app: &TestApp, query: &str, header: Option<(&str, &str)>) -> String {
    let mut asked = Request::get(format!("{EVENTS}/subscribe{query}")).header("host", "localhost");
    if let Some((name, value)) = header {
        asked = asked.header(name, value);
    }
    let asked = asked.body(Body::empty()).expect("a request");
    let Ok(response) = app.router.clone().oneshot(asked).await;
    assert_eq!(response.status(), 200, "{query}");
    let mut body = response.into_body();
    let mut text = String::new();
    loop {
        let frame = body.frame().await.expect("a frame").expect("readable");
        text.push_str(std::str::from_utf8(frame.data_ref().expect("data")).expect("UTF-8"));
        if let Some((_, rest)) = text.split_once("event: ")
            && let Some((name, _)) = rest.split_once('\n')
        {
            return name.to_owned();
        }
    }
}

#[tokio::test]
async fn reads_a_stream_cursor_in_every_spelling() {
    let app = TestApp::start().await;
    app.publish(&event("x")).await;
    assert_eq!(first_frame(&app, "", None).await, "ready");
    for name in [
        "lastEventId",
        "last_event_id",
        "last-event-id",
        "Last-Event-ID",
        "LASTEVENTID",
        "cursor",
        "Cursor",
    ] {
        // The stream reports a malformed cursor.
        let query = format!("?{name}=x");
        assert_eq!(first_frame(&app, &query, None).await, "reset", "{query}");
        assert_eq!(
            first_frame(&app, &format!("?{name}=&lastEventId="), None).await,
            "ready"
        );
    }
    for name in [
        "last-event-id",
        "Last-Event-ID",
        "LAST-EVENT-ID",
        "last_event_id",
        "LastEventId",
    ] {
        let header = Some((name, "x"));
        assert_eq!(
            first_frame(&app, "?lastEventId=earliest", header).await,
            "reset",
            "{name}"
        );
    }
    assert_eq!(first_frame(&app, "", Some(("cursor", "x"))).await, "ready");
    let close = app.get(&format!("{EVENTS}/subscribe?last_event=x")).await;
    let error = close.error(400, "invalid_query");
    let remedy = error["suggestedRemediation"][0].as_str().unwrap();
    assert!(remedy.contains("`lastEventId`"), "{remedy}");
}

#[tokio::test]
async fn reads_body_fields_in_every_spelling() {
    for ids in ["ids", "Ids", "IDS", "id", "eventIds", "event_ids"] {
        for status in ["status", "Status"] {
            let app = TestApp::start().await;
            let id = app.publish_numbered(2).await.remove(0);
            for value in [json!([id]), json!(id)] {
                let body = json!({ids: value, status: "read"});
                assert_eq!(app.put("/status/bulk", &body).await.status, 200, "{body}");
                assert_eq!(app.list("").await["readCount"], 1, "{body}");
            }
        }
    }
    for row in ROWS
        .iter()
        .filter(|row| row.narrows && row.name != "filter")
    {
        for name in row.spellings() {
            if name.contains(['[', '.']) {
                continue;
            }
            let app = filled().await;
            let page = app.list(&path("", row.name, row.texts[0])[1..]).await;
            let text = row.texts[0];
            let body = json!({"Filter": {name.as_str(): text}, "up_to": page["cursor"]});
            let deleted = app.delete("/bulk", &body).await;
            assert_eq!(deleted.json()["count"], page["totalCount"], "{body}");
        }
    }
    let app = filled().await;
    for name in [
        "eventLogLevel",
        "event_log_level",
        "EventLogLevel",
        "event-log-level",
    ] {
        let response = app.put("/config", &json!({name: "debug"})).await;
        assert_eq!(response.status, 200, "{name}");
    }
    let one = format!("/status/{ID}");
    let twice = app
        .put(&one, &json!({"status": "read", "Status": "unread"}))
        .await;
    twice.error(400, "invalid_change");
}

/// Queries of Meshery's interfaces, which Meshery answers with 200.
#[tokio::test]
async fn serves_the_queries_of_mesherys_interface() {
    let app = filled().await;
    let view = "sort=created_at&order=desc&pagesize=15";
    let newest = app.list(view).await;
    for query in [
        "initial=true&page=0",
        "page=0&status=undefined",
        "page=0&status=",
        "page=0&status=%5B%22unread%22%2C%22read%22%5D",
        "page=0&author=%5B%22somebody%22%5D",
        "page=0&pageSize=15",
    ] {
        assert_eq!(
            app.list(&format!("{query}&{view}")).await,
            newest,
            "{query}"
        );
    }
    let second = app.list(&format!("initial=true&page=1&{view}")).await;
    assert_eq!(second["events"], json!([]));
    assert_eq!(second["totalCount"], newest["totalCount"]);
    let nothing = app
        .list(&format!("category=%5B%22Some+text%22%5D&{view}"))
        .await;
    assert_eq!(nothing["events"], json!([]));
    assert_eq!(nothing["totalCount"], 0);
    assert_eq!(
        nothing["countBySeverityLevel"],
        newest["countBySeverityLevel"]
    );
    assert_eq!(nothing["cursor"], newest["cursor"]);
    let badge = app.list("page=0&pagesize=1&status=unread").await;
    assert_eq!(badge["totalCount"], 9);
    let mut asked = request(Method::GET, &format!("{EVENTS}?{view}"), Body::empty());
    asked
        .headers_mut()
        .insert("X-Current-Orgid", RESOURCE.parse().unwrap());
    assert_eq!(app.send(asked).await.json(), newest);
}
