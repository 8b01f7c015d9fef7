use axum::http::Method;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use tidings::{OwnerId, SystemId};
use tidings_server::{MintRequest, Scopes, mint};

use crate::app::{EVENTS, TestResponse, event};
use crate::login::{ALICE, BOB, LoginApp};

const ID: &str = "0c0ffee0-0000-7000-8000-000000000001";
const NIL: &str = "00000000-0000-0000-0000-000000000000";

fn system(number: u128) -> SystemId {
    SystemId::from_uuid(uuid::Uuid::from_u128(number))
}

fn token(app: &LoginApp, owner: OwnerId, scopes: Scopes, system: Option<SystemId>) -> String {
    let mut request = MintRequest::new(owner, scopes, Timestamp::now() + 1.hours());
    request.system = system;
    mint(&app.secret, &request).expect("a token")
}

/// An event for these owners.
fn for_owners(owners: &Value) -> Value {
    let mut body = event("for several");
    body["id"] = json!(ID);
    body["operationId"] = json!(ID);
    body["owners"] = owners.clone();
    body
}

async fn publish(app: &LoginApp, token: &str, body: &Value) -> TestResponse {
    app.send(&Method::POST, EVENTS, Some(token), Some(&body.to_string()))
        .await
}

async fn count(app: &LoginApp, owner: OwnerId) -> u64 {
    let summary = app.app.engine.summary(owner).await;
    summary.expect("the store answers").total_count
}

fn many(number: u128) -> OwnerId {
    OwnerId::from(uuid::Uuid::from_u128(0xBEEF_0000 + number))
}

#[tokio::test]
async fn one_event_reaches_several_owners() {
    let app = LoginApp::start().await;
    let backend = token(&app, ALICE, Scopes::PUBLISH, Some(system(1)));
    let body = for_owners(&json!([BOB, many(1), BOB]));
    let response = publish(&app, &backend, &body).await;
    assert_eq!(response.status, 201, "{response:?}");
    assert_eq!(
        response.json(),
        json!({"id": ID, "reached": 2, "repeated": 0})
    );
    let bob = app.token(BOB, Scopes::USER);
    let path = format!("{EVENTS}/{ID}");
    let stored = app.send(&Method::GET, &path, Some(&bob), None).await.json();
    assert_eq!(stored["owner"], json!(BOB));
    assert_eq!(stored["description"], "for several");
    // A repeat reaches the rest.
    let response = publish(&app, &backend, &body).await;
    assert_eq!(response.status, 200, "{response:?}");
    let body = for_owners(&json!([many(2), BOB]));
    let response = publish(&app, &backend, &body).await;
    assert_eq!(response.status, 201, "{response:?}");
    assert_eq!(
        response.json(),
        json!({"id": ID, "reached": 1, "repeated": 1})
    );
    let mut other = body.clone();
    other["description"] = json!("other");
    let rejected = publish(&app, &backend, &other).await;
    rejected.error(409, "event_conflict");
}

#[tokio::test]
async fn an_update_and_a_retraction_reach_all_of_them() {
    let app = LoginApp::start().await;
    let backend = token(&app, ALICE, Scopes::PUBLISH, Some(system(1)));
    publish(&app, &backend, &for_owners(&json!([BOB, many(1), ALICE]))).await;
    let path = format!("{EVENTS}/{ID}");
    let update = json!({"severity": "debug", "description": "second"});
    let named = |name: &str, value: Value| {
        let mut update = update.clone();
        update[name] = value;
        update.to_string()
    };
    let put = async |token: &str, body: &str| {
        app.send(&Method::PUT, &path, Some(token), Some(body)).await
    };
    for (body, expected) in [
        (
            update.to_string(),
            json!({"id": ID, "updated": 3, "unchanged": 0}),
        ),
        (
            named("owners", json!("all")),
            json!({"id": ID, "updated": 0, "unchanged": 3}),
        ),
    ] {
        let response = put(&backend, &body).await;
        assert_eq!(response.status, 200, "{response:?}");
        assert_eq!(response.json(), expected);
    }
    // The nil UUID is the caller, so this is one owner's.
    let one = put(&backend, &named("owner", json!(BOB))).await;
    assert_eq!(one.json()["owner"], json!(BOB), "{one:?}");
    let rejected = put(&backend, &named("owners", json!([BOB]))).await;
    assert_eq!(rejected.status, 400, "{rejected:?}");
    let foreign = token(&app, ALICE, Scopes::PUBLISH, Some(system(2)));
    put(&foreign, &named("owners", json!("all")))
        .await
        .error(403, "foreign_system");
    let delete = async |token: &str, query: &str| {
        let path = format!("{path}{query}");
        app.send(&Method::DELETE, &path, Some(token), None).await
    };
    delete(&foreign, "?owners=all")
        .await
        .error(403, "foreign_system");
    for query in [
        "?owners=bob",
        "?owners=",
        &format!("?owners=all&owner={BOB}"),
    ] {
        let rejected = delete(&backend, query).await;
        assert_eq!(rejected.status, 400, "{query}: {rejected:?}");
    }
    // With the rights of a reader, an owner that is not named is the caller.
    let both = token(&app, ALICE, Scopes::PUBLISH | Scopes::USER, Some(system(1)));
    assert_eq!(delete(&both, "").await.status, 204);
    assert_eq!((count(&app, ALICE).await, count(&app, BOB).await), (0, 1));
    assert_eq!(delete(&both, "?owners=all").await.status, 204);
    assert_eq!((count(&app, BOB).await, count(&app, many(1)).await), (0, 0));
    // A publisher alone need not say so, and a repeat is no mistake.
    assert_eq!(delete(&backend, "").await.status, 204);
    let late = publish(&app, &backend, &for_owners(&json!([many(9)]))).await;
    assert_eq!(late.status, 200);
    assert_eq!(
        late.json(),
        json!({"id": ID, "reached": 0, "repeated": 0, "retracted": true})
    );
}

#[tokio::test]
async fn unusable_owners_are_rejected() {
    let app = LoginApp::start().await;
    let backend = token(&app, ALICE, Scopes::PUBLISH, None);
    let thousand: Vec<_> = (0..1_001).map(many).collect();
    for (owners, field, fault) in [
        (json!([]), "owners", "no owner"),
        (json!("all"), "owners", "not an array"),
        (json!([BOB, ""]), "owners[1]", "empty"),
        (json!([BOB, "  "]), "owners[1]", "empty"),
        (json!(["system"]), "owners[0]", "system"),
        (json!(["bob"]), "owners[0]", "UUID"),
        (json!([NIL]), "owners[0]", "UUID"),
        (json!(thousand), "owners", "1001 owners, more than the 1000"),
    ] {
        let rejected = publish(&app, &backend, &for_owners(&owners)).await;
        let body = rejected.error(400, "invalid_event");
        let text = body.to_string();
        assert!(text.contains(field) && text.contains(fault), "{text}");
    }
    for (beside, value) in [
        ("owner", json!(BOB)),
        ("userId", json!(BOB)),
        ("subject", json!("x")),
    ] {
        let mut body = for_owners(&json!([BOB]));
        body[beside] = value;
        let rejected = publish(&app, &backend, &body).await;
        let text = rejected.error(400, "invalid_event").to_string();
        assert!(text.contains("beside"), "{text}");
    }
    let batch = json!([for_owners(&json!([BOB]))]);
    let rejected = publish(&app, &backend, &batch).await;
    assert_eq!(rejected.status, 400, "{rejected:?}");
    let twice = for_owners(&json!([BOB]))
        .to_string()
        .replacen('{', "{\"owners\":[],", 1);
    let rejected = app
        .send(&Method::POST, EVENTS, Some(&backend), Some(&twice))
        .await;
    assert_eq!(rejected.status, 400, "{rejected:?}");
    let user = app.token(ALICE, Scopes::USER);
    let rejected = publish(&app, &user, &for_owners(&json!([ALICE]))).await;
    assert_eq!(rejected.status, 403, "{rejected:?}");
    assert_eq!((count(&app, BOB).await, count(&app, ALICE).await), (0, 0));
}
