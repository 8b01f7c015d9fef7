use axum::http::Method;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use tidings::{OwnerId, SystemId};
use tidings_server::{MintRequest, Scopes, mint};

use crate::app::{EVENTS, TestApp, TestResponse, event_with, id_of};
use crate::login::{ALICE, BOB, LoginApp};
use crate::stream::Stream;

const OTHER: &str = "0c0ffee0-0000-4000-8000-00000000000a";
const UNKNOWN: &str = "0c0ffee0-0000-4000-8000-0000000000ff";
const NIL: &str = "00000000-0000-0000-0000-000000000000";

fn system(number: u128) -> SystemId {
    SystemId::from_uuid(uuid::Uuid::from_u128(number))
}

fn token(app: &LoginApp, owner: OwnerId, scopes: Scopes, system: Option<SystemId>) -> String {
    let mut request = MintRequest::new(owner, scopes, Timestamp::now() + 1.hours());
    request.system = system;
    mint(&app.secret, &request).expect("a token")
}

/// Publishes an event to Bob, or to another owner, and returns its id.
async fn published(app: &LoginApp, token: &str, owner: &Value) -> String {
    let body = event_with("owner", owner.clone()).to_string();
    let stored = app
        .send(&Method::POST, EVENTS, Some(token), Some(&body))
        .await;
    assert_eq!(stored.status, 201, "{stored:?}");
    id_of(&stored.json())
}

async fn delete(app: &LoginApp, token: &str, id: &str, query: &str) -> TestResponse {
    let path = format!("{EVENTS}/{id}{query}");
    app.send(&Method::DELETE, &path, Some(token), None).await
}

async fn count(app: &LoginApp, owner: OwnerId) -> u64 {
    let summary = app.app.engine.summary(owner).await;
    summary.expect("the store answers").total_count
}

#[tokio::test]
async fn takes_an_event_out_of_its_owners_inbox() {
    let app = LoginApp::start().await;
    let backend = token(&app, ALICE, Scopes::PUBLISH, Some(system(1)));
    let kept = published(&app, &backend, &json!(BOB)).await;
    let id = published(&app, &backend, &json!(BOB)).await;
    let bob = app.token(BOB, Scopes::USER);
    let query = format!("?owner={BOB}");
    for _ in 0..2 {
        let response = delete(&app, &backend, &id, &query).await;
        assert_eq!(
            (response.status.as_u16(), &response.body[..]),
            (204, &b""[..])
        );
    }
    let listed = app
        .send(&Method::GET, EVENTS, Some(&bob), None)
        .await
        .json();
    assert_eq!(listed["events"][0]["id"], kept);
    assert_eq!(listed["totalCount"], 1);
    // A late retry of the publish does not bring it back, and an update has nothing to change.
    let mut again = event_with("owner", BOB.to_string());
    again["id"] = json!(id);
    let again = again.to_string();
    let repeated = app
        .send(&Method::POST, EVENTS, Some(&backend), Some(&again))
        .await;
    assert_eq!(repeated.status, 200, "{repeated:?}");
    assert!(repeated.json()["deletedAt"].is_string(), "{repeated:?}");
    let update = json!({"owner": BOB, "severity": "debug"}).to_string();
    let path = format!("{EVENTS}/{id}");
    let updated = app
        .send(&Method::PUT, &path, Some(&backend), Some(&update))
        .await;
    updated.error(404, "event_not_found");
    assert_eq!(count(&app, BOB).await, 1);
}

#[tokio::test]
async fn takes_a_system_event_out_of_every_inbox() {
    let app = LoginApp::start().await;
    let backend = token(&app, ALICE, Scopes::PUBLISH, None);
    let id = published(&app, &backend, &json!("system")).await;
    assert_eq!((count(&app, ALICE).await, count(&app, BOB).await), (1, 1));
    // For a reader with the same token it would be a deletion for themselves.
    let response = delete(&app, &backend, &id, "?owner=system").await;
    assert_eq!(response.status, 204);
    assert_eq!((count(&app, ALICE).await, count(&app, BOB).await), (0, 0));
}

#[tokio::test]
async fn only_the_system_that_has_published_retracts() {
    let app = LoginApp::start().await;
    let [one, other] = [1, 2].map(system);
    let backend = token(&app, ALICE, Scopes::PUBLISH, Some(one));
    for (owner, query) in [
        (json!(BOB), format!("?owner={BOB}")),
        (json!("system"), "?owner=system".to_owned()),
    ] {
        let id = published(&app, &backend, &owner).await;
        for (caller, of_system) in [(ALICE, Some(other)), (ALICE, None), (BOB, None)] {
            let token = token(&app, caller, Scopes::ALL, of_system);
            let rejected = delete(&app, &token, &id, &query).await;
            let rejected = rejected.error(403, "foreign_system");
            let detail = rejected["longDescription"][0].as_str().expect("a text");
            assert!(detail.contains(&one.to_string()), "{detail}");
        }
        assert!(count(&app, BOB).await > 0);
        assert_eq!(delete(&app, &backend, &id, &query).await.status, 204);
    }
    assert_eq!(count(&app, BOB).await, 0);
}

#[tokio::test]
async fn a_deletion_is_the_readers_unless_it_names_the_owner() {
    let app = LoginApp::start().await;
    let backend = token(&app, ALICE, Scopes::PUBLISH, Some(system(1)));
    let to_bob = published(&app, &backend, &json!(BOB)).await;
    let to_alice = published(&app, &backend, &json!(ALICE)).await;
    let of_system = published(&app, &backend, &json!("system")).await;
    // A user cannot reach another inbox by naming it.
    let alice = app.token(ALICE, Scopes::USER);
    for query in [
        format!("?owner={BOB}"),
        "?subject=bob".to_owned(),
        format!("?owner={ALICE}"),
        "?owner=".to_owned(),
    ] {
        let rejected = delete(&app, &alice, &to_bob, &query).await;
        rejected.error(403, "insufficient_scope");
    }
    // The response names the scope that helps.
    let reader = app.token(ALICE, Scopes::READ);
    for (query, scope) in [("", "events:write"), ("?owner=system", "events:publish")] {
        let rejected = delete(&app, &reader, &to_bob, query).await;
        let challenge = rejected.header("www-authenticate").to_owned();
        assert!(
            challenge.ends_with(&format!("scope=\"{scope}\"")),
            "{challenge}"
        );
    }
    // A publisher cannot delete what they only see.
    let rejected = delete(&app, &backend, &of_system, "?ownerKind=system").await;
    rejected.error(403, "insufficient_scope");
    let rejected = delete(&app, &backend, &of_system, "").await;
    rejected.error(404, "event_not_found");
    // Without an owner, the event is the caller's own: that of another system, as its reader only.
    let both = token(&app, ALICE, Scopes::ALL, Some(system(2)));
    let rejected = delete(&app, &both, &to_alice, &format!("?owner={NIL}")).await;
    rejected.error(403, "foreign_system");
    assert_eq!(delete(&app, &both, &to_alice, "").await.status, 204);
    let again = published(&app, &backend, &json!(ALICE)).await;
    assert_eq!(delete(&app, &backend, &again, "").await.status, 204);
    assert_eq!((count(&app, ALICE).await, count(&app, BOB).await), (1, 2));
}

#[tokio::test]
async fn a_wrongly_named_owner_deletes_nothing() {
    let app = LoginApp::start().await;
    let all = token(&app, ALICE, Scopes::ALL, None);
    let id = published(&app, &all, &json!(ALICE)).await;
    for (query, field) in [
        ("?owner=", "owner"),
        ("?owner=%20", "owner"),
        ("?owner=%C2%A0", "owner"),
        ("?user=%22%22", "owner"),
        ("?owner[id]=nobody", "owner"),
        ("?owner=undefined", "owner"),
        (&*format!("?owner={ALICE}&owner={BOB}"), "owner"),
        ("?ownr=system", "ownr"),
        ("?subject=", "subject"),
        ("?subject=bob", "subject"),
        ("?issuer=x", "issuer"),
        ("?owner=system&ownerKind=user", "ownerKind"),
        ("?owner=system&status=read", "status"),
    ] {
        let rejected = delete(&app, &all, &id, query)
            .await
            .error(400, "invalid_query");
        let fault = rejected["longDescription"][0].as_str().expect("a text");
        let start = fault.trim_start_matches('"').trim_start_matches('`');
        assert!(start.starts_with(field), "{query}: {fault}");
    }
    let rejected = delete(&app, &all, "x", "?owner=system").await;
    rejected.error(400, "invalid_query");
    for query in [&*format!("?owner={OTHER}"), "?owner=system"] {
        for id in [&id, UNKNOWN] {
            delete(&app, &all, id, query)
                .await
                .error(404, "event_not_found");
        }
    }
    assert_eq!(count(&app, ALICE).await, 1);
}

#[tokio::test]
async fn a_subject_names_the_owner() {
    const ISSUER: &str = "https://id.example";
    let app = LoginApp::with_issuer(ISSUER).await;
    let backend = app.token_of(ISSUER, "backend", Scopes::PUBLISH);
    let alice = app.token_of(ISSUER, "alice", Scopes::USER);
    let body = event_with("subject", "alice").to_string();
    let stored = app
        .send(&Method::POST, EVENTS, Some(&backend), Some(&body))
        .await;
    let id = id_of(&stored.json());
    let rejected = delete(
        &app,
        &backend,
        &id,
        "?subject=alice&issuer=https://other.example",
    )
    .await;
    rejected.error(400, "invalid_query");
    assert_eq!(delete(&app, &backend, &id, "?sub=alice").await.status, 204);
    let listed = app.send(&Method::GET, EVENTS, Some(&alice), None).await;
    assert_eq!(listed.json()["totalCount"], 0);
}

#[tokio::test]
async fn reaches_open_streams_as_a_deletion() {
    let app = TestApp::start().await;
    let server = app.serve();
    let mut stream = Stream::open(server.address).await;
    stream.until("live").await;
    let id = id_of(&app.publish(&event_with("owner", "system")).await);
    let response = app
        .delete(&format!("/{id}?owner=system"), &Value::Null)
        .await;
    assert_eq!(response.status, 204);
    stream.until("deleted").await;
    assert_eq!(app.list("").await["totalCount"], 0);
    let own = id_of(&app.publish(&event_with("owner", OTHER)).await);
    let response = app
        .delete(&format!("/{own}?owner={OTHER}"), &Value::Null)
        .await;
    assert_eq!(response.status, 204);
}
