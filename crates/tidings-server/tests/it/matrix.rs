//! Access: every operation with every kind of caller.

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use tidings_server::{Level, LogLevel, Scopes, Secret};

use crate::app::{EVENTS, TestResponse, event, id_of};
use crate::login::{ALICE, BOB, LoginApp, USER, id_of_token, sign};

const UNKNOWN: &str = "0c0ffee0-0000-4000-8000-0000000000ff";

/// The callers of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Everybody,
    AnyCaller,
    With(&'static [Scopes]),
}

/// An operation with a valid request and its status.
struct Row {
    method: Method,
    path: &'static str,
    who: Who,
    body: Option<Value>,
    done: u16,
}

const READ: Who = Who::With(&[Scopes::READ]);
const WRITE: Who = Who::With(&[Scopes::WRITE]);
const PUBLISH: Who = Who::With(&[Scopes::WRITE, Scopes::PUBLISH]);
const UPDATE: Who = Who::With(&[Scopes::PUBLISH]);
const ADMIN: Who = Who::With(&[Scopes::ADMIN]);

/// Every operation. A new one needs a row.
fn rows() -> Vec<Row> {
    let row = |method: &Method, path, who, body: Option<Value>, done| Row {
        method: method.clone(),
        path,
        who,
        body,
        done,
    };
    let get = |path, who| row(&Method::GET, path, who, None, 200);
    let read = || Some(json!({"status": "read"}));
    let update = || Some(json!({"severity": "debug"}));
    let some = || json!({"ids": ["{id}"]});
    let some_read = || Some(json!({"ids": ["{id}"], "status": "read"}));
    vec![
        get("/", Who::Everybody),
        get("/tidings.js", Who::Everybody),
        // The names of the page's files change with their contents. This file does not exist.
        row(&Method::GET, "/assets/{file}", Who::Everybody, None, 404),
        get("/healthz", Who::Everybody),
        get("/readyz", Who::Everybody),
        get("/openapi.json", Who::Everybody),
        get("/metrics", ADMIN),
        row(&Method::POST, "/session", Who::AnyCaller, None, 204),
        row(&Method::DELETE, "/session", Who::Everybody, None, 204),
        row(
            &Method::POST,
            "/tokens/revoke",
            ADMIN,
            Some(json!({"id": "nobodys", "expires": "2026-01-01T00:00:00Z"})),
            204,
        ),
        get("/api/system/events", READ),
        get("/api/events", READ),
        get("/api/events/list", READ),
        get("/api/system/events/{id}", READ),
        get("/api/events/{id}", READ),
        get("/api/system/events/types", READ),
        get("/api/events/types", READ),
        get("/api/system/events/summary", READ),
        get("/api/events/summary", READ),
        row(
            &Method::GET,
            "/api/system/events/subscribe",
            READ,
            None,
            200,
        ),
        row(&Method::GET, "/api/events/subscribe", READ, None, 200),
        row(
            &Method::POST,
            "/api/system/events",
            PUBLISH,
            Some(event("")),
            201,
        ),
        row(&Method::POST, "/api/events", PUBLISH, Some(event("")), 201),
        row(
            &Method::PUT,
            "/api/system/events/{id}",
            UPDATE,
            update(),
            200,
        ),
        row(&Method::PUT, "/api/events/{id}", UPDATE, update(), 200),
        row(
            &Method::PUT,
            "/api/system/events/status/{id}",
            WRITE,
            read(),
            200,
        ),
        row(&Method::PUT, "/api/events/{id}/status", WRITE, read(), 200),
        row(
            &Method::PUT,
            "/api/system/events/status/bulk",
            WRITE,
            some_read(),
            200,
        ),
        row(&Method::PUT, "/api/events/status", WRITE, some_read(), 200),
        row(
            &Method::DELETE,
            "/api/system/events/{id}",
            PUBLISH,
            None,
            204,
        ),
        row(&Method::DELETE, "/api/events/{id}", PUBLISH, None, 204),
        row(
            &Method::DELETE,
            "/api/system/events/bulk",
            WRITE,
            Some(some()),
            204,
        ),
        row(&Method::DELETE, "/api/events", WRITE, Some(some()), 200),
        row(
            &Method::POST,
            "/api/events/delete",
            WRITE,
            Some(some()),
            200,
        ),
        get("/api/system/events/config", ADMIN),
        row(
            &Method::PUT,
            "/api/system/events/config",
            ADMIN,
            Some(json!({"eventLogLevel": "info"})),
            200,
        ),
    ]
}

/// Method, path and security of every operation in the OpenAPI document, which is made of the table of
/// routes.
fn documented() -> Vec<(Method, String, Value)> {
    let document: Value = serde_json::from_str(&tidings_server::openapi()).expect("JSON");
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("a path") {
            let method = method.to_uppercase().parse().expect("a method");
            operations.push((method, path.clone(), operation["security"].clone()));
        }
    }
    operations
}

async fn app() -> LoginApp {
    LoginApp::with(|config| {
        config.log_level = Some(LogLevel::new(Level::Info, |_| Ok(())));
    })
    .await
}

/// Requests an operation on `id`.
async fn ask(app: &LoginApp, row: &Row, id: &str, token: Option<&str>) -> TestResponse {
    let path = row.path.replace("{id}", id);
    let body = row.body.as_ref().map(Value::to_string);
    let body = body.map(|body| body.replace("{id}", id));
    app.send(&row.method, &path, token, body.as_deref()).await
}

/// A revoked token.
async fn revoked(app: &LoginApp) -> String {
    let token = app.token(ALICE, Scopes::ALL);
    let id = id_of_token(&token);
    let revocations = app.tokens.revocations();
    let revoked = revocations.revoke(&id, None).await;
    revoked.expect("the list is there");
    token
}

/// Publishes an event of Alice.
async fn events_of_alice(app: &LoginApp) -> String {
    let token = app.token(ALICE, USER);
    let body = event("of Alice").to_string();
    let response = app
        .send(&Method::POST, EVENTS, Some(&token), Some(&body))
        .await;
    assert_eq!(response.status, 201, "{response:?}");
    id_of(&response.json())
}

#[test]
fn every_operation_has_a_row_with_its_documented_scopes() {
    let rows = rows();
    let documented = documented();
    for (method, path, security) in &documented {
        let mut found = rows
            .iter()
            .filter(|row| row.method == *method && row.path == path.as_str());
        let row = found.next().unwrap_or_else(|| panic!("{method} {path}"));
        assert!(found.next().is_none(), "{method} {path} is there twice");
        let expected = match row.who {
            Who::Everybody => Value::Null,
            Who::AnyCaller => json!([{"token": []}]),
            Who::With(scopes) => {
                let names: Vec<String> = scopes.iter().map(Scopes::to_string).collect();
                json!([{"token": names}])
            }
        };
        assert_eq!(*security, expected, "{method} {path}");
    }
    assert_eq!(rows.len(), documented.len());
}

#[tokio::test]
async fn rejects_requests_without_a_valid_token() {
    let app = app().await;
    let others = Secret::new(vec![b'x'; 32]).unwrap();
    let hour = Timestamp::now() + 1.hours();
    let past = Timestamp::now() - 1.seconds();
    let all = Scopes::ALL;
    let good = app.token(ALICE, all);
    let parts: Vec<&str> = good.split('.').collect();
    let [_, claims, signature] = parts[..] else {
        panic!("three parts")
    };
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    let tokens = [
        (None, "token_missing"),
        (Some(sign(&app.secret, ALICE, all, past)), "token_expired"),
        (Some(sign(&others, ALICE, all, hour)), "token_invalid"),
        (Some(format!("{none}.{claims}.")), "token_invalid"),
        (
            Some(format!("{none}.{claims}.{signature}")),
            "token_invalid",
        ),
        (Some("x".to_owned()), "token_invalid"),
        (Some("x".repeat(10_000)), "token_invalid"),
        (Some(revoked(&app).await), "token_revoked"),
    ];
    let id = events_of_alice(&app).await;
    let rows = rows();
    let closed: Vec<&Row> = rows
        .iter()
        .filter(|row| row.who != Who::Everybody)
        .collect();
    // Concurrently, since the rejection of a stream is delayed.
    join_all(closed.iter().map(async |row| {
        for (token, code) in &tokens {
            let response = ask(&app, row, &id, token.as_deref()).await;
            response.error(401, code);
            let challenge = response.header("www-authenticate");
            assert!(
                challenge.starts_with("Bearer realm=\"tidings\""),
                "{challenge}"
            );
            let tells = challenge.contains("error=\"invalid_token\"");
            assert_eq!(tells, token.is_some(), "{challenge}");
            if let Some(token) = token {
                let body = String::from_utf8_lossy(&response.body);
                assert!(token.len() < 5 || !body.contains(token.as_str()), "{body}");
            }
        }
    }))
    .await;
    assert!(closed.len() > 20);
    // Nothing has changed.
    let list = app.send(&Method::GET, EVENTS, Some(&good), None).await;
    assert_eq!(list.json()["totalCount"], 1);
    assert_eq!(list.json()["readCount"], 0);
}

#[tokio::test]
async fn scopes_limit_a_token() {
    let app = app().await;
    let scopes = [Scopes::READ, Scopes::WRITE, Scopes::PUBLISH, Scopes::ADMIN];
    join_all(rows().iter().map(async |row| {
        for scope in scopes {
            let id = events_of_alice(&app).await;
            let token = app.token(ALICE, scope);
            let response = ask(&app, row, &id, Some(&token)).await;
            let allowed = match row.who {
                Who::Everybody | Who::AnyCaller => true,
                Who::With(any_of) => any_of.contains(&scope),
            };
            let what = format!("{} {} with {scope}", row.method, row.path);
            if allowed {
                assert_eq!(response.status, row.done, "{what}: {response:?}");
            } else {
                response.error(403, "insufficient_scope");
                let challenge = response.header("www-authenticate");
                assert!(challenge.contains("error=\"insufficient_scope\""), "{what}");
                let after = app.token(ALICE, USER);
                let path = format!("{EVENTS}/{id}");
                let event = app.send(&Method::GET, &path, Some(&after), None).await;
                assert_eq!(event.json()["status"], "unread", "{what}");
            }
        }
        // Without any scope only open operations and those of every caller are left.
        let token = app.token(ALICE, Scopes::NONE);
        let response = ask(&app, row, UNKNOWN, Some(&token)).await;
        if let Who::With(_) = row.who {
            response.error(403, "insufficient_scope");
        }
    }))
    .await;
}

#[tokio::test]
async fn events_of_other_users_are_not_found() {
    let app = app().await;
    let id = events_of_alice(&app).await;
    let alice = app.token(ALICE, USER);
    let bob = app.token(BOB, Scopes::ALL);
    let mut compared = 0;
    for row in rows().iter().filter(|row| row.path.contains("{id}")) {
        let foreign = ask(&app, row, &id, Some(&bob)).await;
        let unknown = ask(&app, row, UNKNOWN, Some(&bob)).await;
        foreign.error(404, "event_not_found");
        assert_eq!(foreign.body, unknown.body, "{} {}", row.method, row.path);
        let names = |response: &TestResponse| {
            let mut names: Vec<String> = response.headers.keys().map(ToString::to_string).collect();
            names.sort();
            names
        };
        assert_eq!(names(&foreign), names(&unknown));
        compared += 1;
    }
    assert_eq!(compared, 8);
    // Bulk changes do not change them either.
    let ids = json!({"ids": [id], "status": "read"}).to_string();
    let all = json!({"all": true, "status": "read"}).to_string();
    for body in [&ids, &all] {
        for (method, path) in [
            (&Method::PUT, "/api/events/status"),
            (&Method::DELETE, "/api/events"),
            (&Method::POST, "/api/events/delete"),
        ] {
            let body = if *method == Method::PUT {
                body.clone()
            } else {
                body.replace(",\"status\":\"read\"", "")
            };
            let response = app.send(method, path, Some(&bob), Some(&body)).await;
            assert_eq!(response.status, 200, "{response:?}");
            let text = String::from_utf8_lossy(&response.body);
            assert!(!text.contains(&id), "{text}");
        }
    }
    let cursor = async |token: &str| {
        let list = app.send(&Method::GET, EVENTS, Some(token), None).await;
        list.json()["cursor"].as_str().expect("a cursor").to_owned()
    };
    let (hers, his) = (cursor(&alice).await, cursor(&bob).await);
    for (up_to, status) in [(hers, 400), (his, 200)] {
        let filter = json!({"category": ["connection"]});
        let marks = json!({"filter": filter, "upTo": up_to, "status": "read"}).to_string();
        let marked = app
            .send(&Method::PUT, "/api/events/status", Some(&bob), Some(&marks))
            .await;
        assert_eq!(marked.status, status, "{marked:?}");
        let deletes = json!({"filter": filter, "upTo": up_to}).to_string();
        let deleted = app
            .send(&Method::DELETE, "/api/events", Some(&bob), Some(&deletes))
            .await;
        assert_eq!(deleted.status, status, "{deleted:?}");
    }
    let path = format!("{EVENTS}/{id}");
    let kept = app.send(&Method::GET, &path, Some(&alice), None).await;
    assert_eq!(kept.status, 200);
    assert_eq!(kept.json()["status"], "unread");
}

/// Neither a slash at the end nor `HEAD` is in the document.
#[tokio::test]
async fn a_trailing_slash_and_head_need_the_same_scopes() {
    let app = app().await;
    let slash = format!("{EVENTS}/");
    for (method, path) in [
        (&Method::GET, slash.as_str()),
        (&Method::HEAD, EVENTS),
        (&Method::HEAD, &slash),
        (&Method::HEAD, "/metrics"),
        (&Method::HEAD, "/api/events/subscribe"),
    ] {
        let response = app.send(method, path, None, None).await;
        assert_eq!(response.status, 401, "{method} {path}");
        let token = app.token(ALICE, Scopes::WRITE);
        let response = app.send(method, path, Some(&token), None).await;
        assert_eq!(response.status, 403, "{method} {path}");
    }
    let body = event("").to_string();
    let response = app.send(&Method::POST, &slash, None, Some(&body)).await;
    response.error(401, "token_missing");
}

#[tokio::test]
async fn without_the_publish_scope_a_caller_publishes_to_themselves() {
    let app = app().await;
    let (alice, backend) = (app.token(ALICE, USER), app.token(BOB, Scopes::PUBLISH));
    let post = async |token: &str, body: &Value| {
        let body = body.to_string();
        app.send(&Method::POST, EVENTS, Some(token), Some(&body))
            .await
    };
    let mut own = event("own");
    own["id"] = UNKNOWN.into();
    own["systemId"] = UNKNOWN.into();
    own["operationId"] = UNKNOWN.into();
    own["createdAt"] = "2020-01-01T00:00:00Z".into();
    own["owner"] = ALICE.to_string().into();
    let response = post(&alice, &own).await;
    assert_eq!(response.status, 201, "{response:?}");
    let stored = response.json();
    assert_eq!(stored["owner"], ALICE.to_string());
    for field in ["id", "systemId", "operationId"] {
        assert_ne!(stored[field], UNKNOWN, "{field}");
    }
    assert!(!stored["createdAt"].as_str().unwrap().starts_with("2020"));
    for owner in [
        BOB.to_string(),
        "system".to_owned(),
        app.app.engine.system_id().to_string(),
    ] {
        let mut foreign = event("foreign");
        foreign["owner"] = owner.into();
        let response = post(&alice, &foreign).await;
        response.error(403, "insufficient_scope");
        let response = post(&alice, &json!([event("own"), foreign])).await;
        let body = response.error(403, "insufficient_scope");
        assert!(
            body["longDescription"][0]
                .as_str()
                .unwrap()
                .starts_with("[1]."),
            "{body}"
        );
        assert_eq!(post(&backend, &foreign).await.status, 201);
    }
    // The rejected batch stored nothing.
    let list = app
        .send(&Method::GET, EVENTS, Some(&alice), None)
        .await
        .json();
    let texts = crate::app::descriptions(&list);
    assert_eq!(texts.iter().filter(|text| **text == "own").count(), 1);
    assert_eq!(post(&backend, &own).await.json()["id"], UNKNOWN);
    let path = format!("{EVENTS}?import=true");
    let body = event("imported").to_string();
    let import = app
        .send(&Method::POST, &path, Some(&alice), Some(&body))
        .await;
    import.error(403, "insufficient_scope");
}

#[tokio::test]
async fn rejects_a_token_of_the_system() {
    let app = app().await;
    let system = app.app.engine.system_id();
    let token = app.token(system.into(), Scopes::ALL);
    let response = app.send(&Method::GET, EVENTS, Some(&token), None).await;
    response.error(401, "token_invalid");
}
