//! Owners that are named by their subject.

use axum::http::Method;
use serde_json::{Value, json};
use tidings_event::OwnerId;
use tidings_server::Scopes;

use crate::app::{EVENTS, TestApp, event_with};
use crate::login::LoginApp;

const ISSUER: &str = "https://id.example";

/// The owner of `alice` at this issuer: the test vector of docs/identity.md.
const ALICES: &str = "22f88f7e-c03d-5f41-b813-5cfc38f76390";

#[tokio::test]
async fn without_a_login_subject_and_issuer_name_the_owner() {
    let app = TestApp::start().await;
    let mut event = event_with("subject", "alice");
    event["issuer"] = json!(ISSUER);
    assert_eq!(app.publish(&event).await["owner"], ALICES);
    // Owner and subject must name the same user.
    event["owner"] = json!(ALICES.to_uppercase());
    assert_eq!(app.publish(&event).await["owner"], ALICES);
    for owner in ["system", "7b1d2c3e-0000-4000-8000-000000000001"] {
        event["owner"] = json!(owner);
        let error = app
            .post(event.to_string())
            .await
            .error(400, "invalid_event");
        let fault = error["longDescription"][0].as_str().unwrap();
        assert!(
            fault.starts_with("subject names a different user"),
            "{fault}"
        );
    }
    // Empty subjects are absent.
    let none = event_with("subject", Value::Null);
    let local = tidings_server::LOCAL_USER.to_string();
    assert_eq!(app.publish(&none).await["owner"], local);
}

#[tokio::test]
async fn a_backend_publishes_to_the_owner_that_a_users_token_has() {
    let app = LoginApp::with_issuer(ISSUER).await;
    let backend = app.token_of(
        ISSUER,
        "7b1d2c3e-0000-4000-8000-000000000009",
        Scopes::PUBLISH,
    );
    let alice = app.token_of(ISSUER, "alice", Scopes::USER);
    let send = async |token: &str, event: &Value| {
        let body = event.to_string();
        app.send(&Method::POST, EVENTS, Some(token), Some(&body))
            .await
    };
    let mut event = event_with("subject", "alice");
    let stored = send(&backend, &event).await;
    assert_eq!(stored.status, 201, "{}", stored.json());
    assert_eq!(stored.json()["owner"], ALICES);
    let listed = app
        .send(&Method::GET, EVENTS, Some(&alice), None)
        .await
        .json();
    assert_eq!(listed["events"], json!([stored.json()]));
    // Users can name only themselves.
    assert_eq!(send(&alice, &event).await.status, 201);
    let bobs = event_with("subject", "bob");
    send(&alice, &bobs).await.error(403, "insufficient_scope");
    // No spelling of the field is ignored: the event would become the backend's own.
    for name in ["Subject", "SUBJECT", "sub", "sub_ject"] {
        let one = event_with(name, "alice");
        assert_eq!(send(&backend, &one).await.json()["owner"], ALICES, "{name}");
        let bobs = event_with(name, "bob");
        send(&alice, &bobs).await.error(403, "insufficient_scope");
    }
    for name in ["OWNER", "user-id", "userid", "owner_id"] {
        let one = event_with(name, ALICES);
        assert_eq!(send(&backend, &one).await.json()["owner"], ALICES, "{name}");
        let systems = event_with(name, "system");
        send(&alice, &systems)
            .await
            .error(403, "insufficient_scope");
    }
    for no_name in [json!(["alice"]), json!({"sub": "alice"}), json!(true)] {
        let one = event_with("subject", no_name);
        let error = send(&backend, &one).await.error(400, "invalid_event");
        let fault = error["longDescription"][0].as_str().unwrap();
        assert!(fault.starts_with("subject "), "{fault}");
    }
    // The `subject` of a CloudEvent is no user.
    let cloud_event = json!({"specversion": "1.0", "id": "a-1", "source": "/clusters/1",
                             "type": "org.example.registered", "subject": "cluster-1"});
    send(&alice, &cloud_event)
        .await
        .error(415, "unsupported_media_type");
    // Users of another issuer cannot sign in.
    event["issuer"] = json!("https://id.example/");
    let error = send(&backend, &event).await.error(400, "invalid_event");
    assert!(
        error["longDescription"][0]
            .as_str()
            .unwrap()
            .starts_with("issuer ")
    );
}

#[tokio::test]
async fn requires_a_uuid_as_subject_without_derived_owners() {
    let app = LoginApp::start().await;
    let backend = app.token(OwnerId::mint(), Scopes::PUBLISH);
    let uuid = "7b1d2c3e-0000-4000-8000-000000000001";
    for (subject, status) in [(uuid, 201), (ALICES, 201), ("alice", 400)] {
        let mut event = event_with("subject", subject);
        event["issuer"] = json!(ISSUER);
        let body = event.to_string();
        let response = app
            .send(&Method::POST, EVENTS, Some(&backend), Some(&body))
            .await;
        assert_eq!(response.status, status, "{subject}: {}", response.json());
        if status == 201 {
            assert_eq!(response.json()["owner"], subject);
        }
    }
}

#[tokio::test]
async fn no_form_of_an_owner_lets_a_user_publish_to_another() {
    let app = LoginApp::start().await;
    let alice = app.token(crate::login::ALICE, Scopes::USER);
    let bob = crate::login::BOB.to_string();
    let system = app.app.engine.system_id().to_string();
    let forms = [
        bob.clone(),
        format!(" {bob} "),
        format!("\"{bob}\""),
        format!("{{{bob}}}"),
        format!("urn:uuid:{bob}"),
        bob.to_uppercase(),
        bob.replace('-', ""),
        "system".to_owned(),
        " System".to_owned(),
        "'system'".to_owned(),
        system,
    ];
    for owner in forms {
        for key in ["owner", "userId", "UserID"] {
            let event = event_with(key, owner.clone()).to_string();
            let response = app
                .send(&Method::POST, EVENTS, Some(&alice), Some(&event))
                .await;
            response.error(403, "insufficient_scope");
        }
    }
    for (owner, subject) in [(" ", &bob), ("\"\"", &bob), ("", &bob)] {
        let mut event = event_with("owner", owner);
        event["subject"] = json!(subject);
        let event = event.to_string();
        let response = app
            .send(&Method::POST, EVENTS, Some(&alice), Some(&event))
            .await;
        response.error(403, "insufficient_scope");
    }
    for none in [" ", "\t\n", "''"] {
        let event = event_with("owner", none).to_string();
        let response = app
            .send(&Method::POST, EVENTS, Some(&alice), Some(&event))
            .await;
        assert_eq!(
            response.json()["owner"],
            crate::login::ALICE.to_string(),
            "{none:?}"
        );
    }
}
