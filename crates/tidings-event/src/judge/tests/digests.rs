//! Repeats and conflicts.

use serde_json::{Value, json};

use super::fixture::{draft, with};
use crate::digest::Digest;
use crate::draft::Draft;
use crate::event::Event;
use crate::id::SystemId;
use crate::new_event::NewEvent;
use crate::policy::Policy;
use crate::rules::Limits;
use crate::severity::Severity;

fn digest_of(body: Value) -> Digest {
    draft(body)
        .unwrap()
        .resolve(SystemId::from_uuid(uuid::Uuid::from_u128(5)))
        .1
        .of_content
}

#[test]
fn distinguishes_content_and_ignores_fields_the_server_fills_in() {
    let id = json!("0c0ffee0-0000-4000-8000-00000000000c");
    let base = || with("id", id.clone());
    assert_eq!(digest_of(base()), digest_of(base()));
    for (key, value) in [
        ("owner", json!("0c0ffee0-0000-4000-8000-00000000000a")),
        ("description", json!("other")),
        ("metadata", json!({"a": null})),
        ("severity", json!("debug")),
        ("createdAt", json!("2026-08-01T10:00:00Z")),
        ("operationId", json!("0c0ffee0-0000-4000-8000-00000000000d")),
    ] {
        let mut other = base();
        other[key] = value;
        assert_ne!(digest_of(base()), digest_of(other), "{key}");
    }
}

#[test]
fn gives_equivalent_spellings_the_same_digest() {
    let id = "0c0ffee0-0000-4000-8000-00000000000c";
    let digest = |fields: &str| {
        let text = format!(
            "{{\"id\": \"{id}\", \"actedUpon\": \"{id}\", \"category\": \"a\", \"action\": \"b\", {fields}}}"
        );
        let event = NewEvent::read(&text, &Limits::default()).unwrap();
        let draft = event
            .into_draft(&Limits::default(), Policy::Repair)
            .unwrap();
        draft
            .resolve(SystemId::from_uuid(uuid::Uuid::from_u128(5)))
            .1
            .of_content
    };
    for same in [
        &[
            "\"severity\": \"error\"",
            "\"severity\": \"ERROR\"",
            "\"severity\": 3",
        ][..],
        &[
            "\"metadata\": null",
            "\"metadata\": {}",
            "\"description\": \"\"",
            "\"description\": null",
        ],
        &[
            "\"metadata\": {\"a\": 1e5, \"b\": 1}",
            "\"metadata\": {\"b\": 1.0, \"a\": 100000}",
            "\"metadata\": {\"b\": 1, \"a\": 100000.0}",
        ],
        &[
            "\"metadata\": {\"a\": 0}",
            "\"metadata\": {\"a\": -0}",
            "\"metadata\": {\"a\": -0.0}",
        ],
        &["\"description\": \"é/\"", "\"description\": \"\\u00e9\\/\""],
        &[
            "\"createdAt\": \"2026-08-01T10:00:00Z\"",
            "\"created_at\": \"2026-08-01T12:00:00.000+02:00\"",
            "\"createdAt\": 1785578400",
        ],
        &[
            "\"metadata\": {\"a\": 12345678901234567890123}",
            "\"metadata\": {\"a\": \"12345678901234567890123\"}",
        ],
        &[
            "\"severity\": \"error\", \"metadata\": {\"error\": {\"probableCause\": \"p\"}}",
            "\"severity\": \"error\", \"metadata\": {\"err\": {\"ProbableCause\": [\"p\"]}}",
        ],
    ] {
        for other in same {
            assert_eq!(digest(same[0]), digest(other), "{} {other}", same[0]);
        }
    }
}

#[test]
fn recognizes_an_event_stored_by_an_earlier_version() {
    let system = SystemId::from_uuid(uuid::Uuid::from_u128(5));
    let mut body = with("id", json!("0c0ffee0-0000-4000-8000-00000000000c"));
    body["metadata"] = json!({"error": {"probableCause": "p", "ProbableCause": []}, "n": 1e5});
    let (sent, digests) = draft(body.clone()).unwrap().resolve(system);
    let mut stored = sent.clone();
    stored.metadata = body["metadata"].as_object().cloned();
    let of_then = Digest::from_bytes([7; 32]);
    assert!(
        digests.is_repeat(sent.created_at == stored.created_at, of_then, || Some(
            stored.clone()
        ))
    );
    stored.description = "other".into();
    assert!(
        !digests.is_repeat(sent.created_at == stored.created_at, of_then, || Some(
            stored.clone()
        ))
    );
    // With its own time the event is not a repeat of one stored at another time.
    body["createdAt"] = json!("2026-08-01T10:00:00Z");
    let (timed, digests) = draft(body).unwrap().resolve(system);
    stored.description = String::new();
    assert!(
        !digests.is_repeat(timed.created_at == stored.created_at, of_then, || Some(
            stored.clone()
        ))
    );
    stored.created_at = timed.created_at;
    assert!(
        digests.is_repeat(timed.created_at == stored.created_at, of_then, || Some(
            stored.clone()
        ))
    );
}

#[test]
fn gives_a_built_event_the_same_digest_again() {
    let event = Event::builder()
        .acted_upon(uuid::Uuid::from_u128(1))
        .with_category("a")
        .with_action("b")
        .with_severity(Severity::Debug)
        .build()
        .unwrap()
        .into_event();
    let system = SystemId::mint();
    let digest = |event: Event| {
        Draft::from_event(event, &Limits::default())
            .unwrap()
            .resolve(system)
            .1
            .of_content
    };
    assert_eq!(digest(event.clone()), digest(event));
}
