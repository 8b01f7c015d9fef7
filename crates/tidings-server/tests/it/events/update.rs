use axum::http::Method;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use tidings::{OwnerId, SystemId};
use tidings_server::{MintRequest, Scopes, mint};

use crate::app::{EVENTS, TestApp, TestResponse, event, event_with, id_of};
use crate::login::{ALICE, BOB, LoginApp};

const OTHER: &str = "0c0ffee0-0000-4000-8000-00000000000a";
const UNKNOWN: &str = "0c0ffee0-0000-4000-8000-0000000000ff";

fn system(number: u128) -> SystemId {
    SystemId::from_uuid(uuid::Uuid::from_u128(number))
}

fn texts(body: &Value, field: &str) -> Vec<String> {
    let texts = body[field].as_array().expect("an array");
    texts
        .iter()
        .map(|text| text.as_str().expect("a text").to_owned())
        .collect()
}

#[tokio::test]
async fn replaces_the_content_and_keeps_the_rest() {
    let app = TestApp::start().await;
    let mut first = event("Deploying");
    first["metadata"] = json!({"node": "a"});
    let stored = app.publish(&first).await;
    let path = format!("/{}", id_of(&stored));
    let update = json!({"id": stored["id"], "severity": "ok", "description": "Deployed",
                        "metadata": {"progress": 100}, "sequence": 2});
    let response = app.put(&path, &update).await;
    assert_eq!(response.status, 200);
    assert_eq!(response.header("content-type"), "application/json");
    let mut updated = response.json();
    assert_eq!(updated["warnings"][0]["field"], "severity");
    updated
        .as_object_mut()
        .expect("an object")
        .remove("warnings");
    let mut expected = stored.clone();
    expected["severity"] = json!("success");
    expected["description"] = json!("Deployed");
    expected["metadata"] = json!({"progress": 100});
    expected["updatedAt"] = updated["updatedAt"].clone();
    assert_eq!(updated, expected);
    assert!(updated["updatedAt"].as_str() > stored["updatedAt"].as_str());
    assert_eq!(app.get(&format!("{EVENTS}{path}")).await.json(), updated);
    // What is left out is removed.
    let emptied = app
        .put(&path, &json!({"severity": "success", "sequence": 3}))
        .await;
    assert_eq!(
        (&emptied.json()["description"], &emptied.json()["metadata"]),
        (&json!(""), &Value::Null)
    );
    // An older update is dropped, which is no error: its publisher must not try it again.
    let late = app
        .put(&path, &json!({"severity": "debug", "sequence": 1}))
        .await;
    assert_eq!(late.status, 200);
    let late = late.json();
    assert_eq!(late["severity"], "success");
    assert_eq!(late["warnings"][0]["code"], "outdated");
    assert_eq!(late["warnings"][0]["field"], "sequence");
}

#[tokio::test]
async fn names_the_owner_as_a_publish_request_does() {
    let app = TestApp::start().await;
    let foreign = id_of(&app.publish(&event_with("owner", OTHER)).await);
    let of_system = id_of(&app.publish(&event_with("owner", "system")).await);
    let update = |owner: Option<&str>| {
        let mut update = json!({"severity": "success", "description": "updated"});
        if let Some(owner) = owner {
            update["owner"] = json!(owner);
        }
        update
    };
    for (id, owner, status) in [
        (&foreign, None, 404),
        (&foreign, Some("system"), 404),
        (&foreign, Some(OTHER), 200),
        (&of_system, None, 404),
        (&of_system, Some(OTHER), 404),
        (&of_system, Some("system"), 200),
        (&UNKNOWN.to_owned(), Some(OTHER), 404),
    ] {
        let response = app.put(&format!("/{id}"), &update(owner)).await;
        assert_eq!(response.status, status, "{id} {owner:?} {response:?}");
    }
    let missing = app.put(&format!("/{foreign}"), &update(None)).await;
    let missing = missing.error(404, "event_not_found");
    assert!(
        missing["error"]
            .as_str()
            .expect("a text")
            .contains("The owner has no event")
    );
}

#[tokio::test]
async fn rejects_what_an_update_cannot_change() {
    let app = TestApp::start().await;
    let id = id_of(&app.publish(&event("x")).await);
    let path = format!("/{id}");
    let update = json!({"severity": "debug", "category": "other", "actedUpon": UNKNOWN,
                        "sequence": "one", "renotify": 1, "id": UNKNOWN});
    let rejected = app.put(&path, &update).await.error(400, "invalid_event");
    let details = texts(&rejected, "longDescription");
    for field in ["category", "actedUpon", "sequence", "renotify", "id"] {
        assert!(
            details
                .iter()
                .any(|detail| detail.starts_with(&format!("{field} "))),
            "{details:?}"
        );
    }
    assert_eq!(details.len(), 5);
    for (body, code) in [
        ("[]", "invalid_json"),
        ("", "invalid_json"),
        ("{", "invalid_json"),
        ("7", "invalid_json"),
    ] {
        let response = app
            .send_json(Method::PUT, &format!("{EVENTS}{path}"), body.to_owned())
            .await;
        response.error(400, code);
    }
    let malformed = app.put("/event-1", &json!({"severity": "debug"})).await;
    malformed.error(400, "invalid_query");
    // The body says whose event it is.
    for query in [
        "severity=debug",
        "ownerKind=system",
        "owner_kind=user",
        "owner=system",
    ] {
        let address = format!("{path}?{query}");
        let misplaced = app.put(&address, &json!({"severity": "debug"})).await;
        let named = misplaced.error(400, "invalid_query");
        assert!(
            named.to_string().contains("leave the parameter out"),
            "{named}"
        );
    }
    // A publisher does not mark, so none of the other fields counts.
    let marking = json!({"severity": "alert", "status": "read"});
    let rejected = app.put(&path, &marking).await.error(400, "invalid_event");
    assert!(texts(&rejected, "longDescription")[0].starts_with("status "));
    // Each user has marked a system event for themselves.
    let of_system = id_of(&app.publish(&event_with("owner", "system")).await);
    for more in [
        json!({"severity": "alert"}),
        json!({"severity": "success", "renotify": true}),
    ] {
        let mut update = more;
        update["owner"] = json!("system");
        update["description"] = json!("changed");
        let response = app.put(&format!("/{of_system}"), &update).await;
        response.error(400, "invalid_event");
    }
    assert_eq!(
        app.get(&format!("{EVENTS}{path}")).await.json()["severity"],
        "success"
    );
}

/// A token that publishes for a system.
fn token(app: &LoginApp, owner: OwnerId, of_system: Option<SystemId>) -> String {
    let mut request = MintRequest::new(owner, Scopes::PUBLISH, Timestamp::now() + 1.hours());
    request.system = of_system;
    mint(&app.secret, &request).expect("it can be signed")
}

async fn send(
    app: &LoginApp,
    method: &Method,
    path: &str,
    token: &str,
    body: &Value,
) -> TestResponse {
    app.send(method, path, Some(token), Some(&body.to_string()))
        .await
}

#[tokio::test]
async fn a_token_updates_only_what_its_system_has_published() {
    let app = LoginApp::start().await;
    let [one, other] = [1, 2].map(system);
    let bound = token(&app, ALICE, Some(one));
    let mut published = event_with("owner", BOB.to_string());
    let stored = send(&app, &Method::POST, EVENTS, &bound, &published).await;
    assert_eq!(stored.status, 201);
    assert_eq!(stored.json()["systemId"], json!(one), "the token names it");
    // The token cannot speak for another system.
    for named in [json!(other), json!("node a")] {
        published["systemId"] = named;
        let rejected = send(&app, &Method::POST, EVENTS, &bound, &published).await;
        rejected.error(403, "foreign_system");
    }
    let batch = json!([event("x"), published]);
    let rejected = send(&app, &Method::POST, EVENTS, &bound, &batch).await;
    let rejected = rejected.error(403, "foreign_system");
    assert!(texts(&rejected, "longDescription")[0].starts_with("[1].systemId"));
    let path = format!("{EVENTS}/{}", id_of(&stored.json()));
    let update = json!({"owner": BOB, "severity": "success", "description": "changed"});
    for (owner, of_system) in [(ALICE, Some(other)), (ALICE, None), (BOB, None)] {
        let token = token(&app, owner, of_system);
        let rejected = send(&app, &Method::PUT, &path, &token, &update).await;
        let rejected = rejected.error(403, "foreign_system");
        assert!(texts(&rejected, "longDescription")[0].contains(&one.to_string()));
    }
    let updated = send(&app, &Method::PUT, &path, &bound, &update).await;
    assert_eq!(updated.json()["description"], "changed");
}

#[tokio::test]
async fn a_token_without_a_system_speaks_for_its_subject_and_the_installation() {
    let app = LoginApp::start().await;
    let subject = SystemId::from_uuid(*ALICE.as_uuid());
    let plain = token(&app, ALICE, None);
    let update = json!({"owner": BOB, "severity": "success", "description": "changed"});
    for (named, allowed) in [
        (None, true),
        (Some(subject), true),
        (Some(system(1)), false),
        (Some(SystemId::from_uuid(*BOB.as_uuid())), false),
    ] {
        let mut published = event_with("owner", BOB.to_string());
        if let Some(named) = named {
            published["systemId"] = json!(named);
        }
        let stored = send(&app, &Method::POST, EVENTS, &plain, &published).await;
        let path = format!("{EVENTS}/{}", id_of(&stored.json()));
        let response = send(&app, &Method::PUT, &path, &plain, &update).await;
        let expected = if allowed { 200 } else { 403 };
        assert_eq!(response.status, expected, "{named:?} {response:?}");
        // One that names its system does not speak for the installation.
        let bound = token(&app, ALICE, Some(system(1)));
        let response = send(&app, &Method::PUT, &path, &bound, &update).await;
        let expected = if named == Some(system(1)) { 200 } else { 403 };
        assert_eq!(response.status, expected, "{named:?} {response:?}");
    }
}
