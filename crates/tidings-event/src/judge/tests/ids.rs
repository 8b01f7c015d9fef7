//! Ids, owners and times.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::fixture::{draft, good, with};
use crate::new_event::NewEvent;
use crate::policy::Policy;
use crate::rules::Limits;

#[test]
fn reads_both_casings_and_old_names_of_the_owner() {
    let user = "0c0ffee0-0000-4000-8000-00000000000a";
    for name in ["owner", "user_id", "userId"] {
        let event = draft(with(name, json!(user))).unwrap().into_event();
        assert_eq!(event.owner.unwrap().to_string(), user);
    }
    let snake = json!({"acted_upon": user, "operation_id": user, "system_id": user,
                       "created_at": "2026-08-01T12:00:00+02:00", "category": "a",
                       "action": "b", "severity": "debug"});
    let event = draft(snake).unwrap().into_event();
    assert_eq!(event.operation_id.to_string(), user);
    assert_eq!(event.created_at.to_string(), "2026-08-01T10:00:00Z");
}

#[test]
fn derives_the_same_uuid_from_the_same_text() {
    let id = |body: &Value| draft(body.clone()).unwrap().into_event().id.to_string();
    let mut body = with("id", json!("evt_42"));
    assert_eq!(id(&body), id(&body));
    // The result of Python's uuid5(uuid5(NAMESPACE_OID, b"\0" * 16), "evt_42").
    assert_eq!(id(&body), "ae71d066-5f71-5c4e-a0cb-120716022555");
    assert_eq!(id(&with("id", json!(" evt_42 "))), id(&body));
    let other = id(&with("id", json!("evt_43")));
    assert_ne!(id(&body), other);
    // The same text from another system is another id.
    body["systemId"] = json!("7b1d2c3e-0000-4000-8000-000000000009");
    let elsewhere = id(&body);
    assert_ne!(elsewhere, id(&with("id", json!("evt_42"))));
    for same in [
        "7B1D2C3E-0000-4000-8000-000000000001",
        "7b1d2c3e000040008000000000000001",
        "{7b1d2c3e-0000-4000-8000-000000000001}",
        "urn:uuid:7b1d2c3e-0000-4000-8000-000000000001",
        "\"7b1d2c3e-0000-4000-8000-000000000001\"",
        " 7b1d2c3e-0000-4000-8000-000000000001\n",
    ] {
        for field in ["id", "owner", "actedUpon", "operationId", "systemId"] {
            let draft = draft(with(field, json!(same))).unwrap();
            let event = serde_json::to_value(draft.event()).unwrap();
            assert_eq!(
                event[field], "7b1d2c3e-0000-4000-8000-000000000001",
                "{field} {same}"
            );
            assert_eq!(draft.warnings(), []);
        }
    }
}

#[test]
fn rejects_a_malformed_owner_or_resource() {
    for (field, bad) in [
        ("owner", json!("alice")),
        ("owner", json!(7)),
        ("owner", json!(["7b1d2c3e-0000-4000-8000-000000000001"])),
        ("actedUpon", json!("cluster-1")),
        ("actedUpon", json!({})),
        ("actedUpon", json!("00000000-0000-0000-0000-000000000000")),
        ("actedUpon", json!(" ")),
    ] {
        let violations = draft(with(field, bad.clone())).unwrap_err();
        assert_eq!(violations.iter().next().unwrap().field, field, "{bad}");
    }
}

#[test]
fn resolves_a_subject_to_the_owner_of_its_token() {
    let of = |fields: Value| {
        let mut body = good();
        body.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        let mut event = NewEvent::read(&body.to_string(), &Limits::default()).unwrap();
        event.settle_subject();
        event
            .into_draft(&Limits::default(), Policy::Repair)
            .map(|draft| draft.event().owner.unwrap().to_string())
            .map_err(|violations| violations.iter().next().unwrap().field.clone())
    };
    let alice = "22f88f7e-c03d-5f41-b813-5cfc38f76390";
    let issuer = "https://id.example";
    let uuid = "7b1d2c3e-0000-4000-8000-000000000001";
    for (fields, owner) in [
        (json!({"subject": "alice", "issuer": issuer}), Ok(alice)),
        (
            json!({"subject": "alice", "issuer": issuer, "owner": alice}),
            Ok(alice),
        ),
        (json!({"subject": uuid}), Ok(uuid)),
        (json!({"subject": uuid, "issuer": issuer}), Ok(uuid)),
        (json!({"subject": "alice"}), Err("subject")),
        (
            json!({"subject": "alice", "issuer": issuer, "owner": uuid}),
            Err("subject"),
        ),
        (
            json!({"subject": "alice", "issuer": issuer, "owner": "system"}),
            Err("subject"),
        ),
    ] {
        let owner = owner.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(of(fields.clone()), owner, "{fields}");
    }
    let made = of(json!({"subject": alice, "issuer": issuer})).unwrap();
    assert_ne!(
        made, alice,
        "a subject that is the derived UUID of another subject is a different owner"
    );
    assert_eq!(of(json!({"subject": alice})), Ok(alice.to_owned()));
}

#[test]
fn treats_the_nil_uuid_as_absent() {
    let nil = uuid::Uuid::nil().to_string();
    let event = draft(with("id", json!(nil))).unwrap().into_event();
    assert!(!event.id.is_nil());
    assert_eq!(
        draft(with("owner", json!(nil))).unwrap().into_event().owner,
        None
    );
    let violations = draft(with("actedUpon", json!(nil))).unwrap_err();
    let all: Vec<_> = violations.iter().collect();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].field, "actedUpon");
    assert!(all[0].fault.contains("nil UUID"), "{}", all[0].fault);
}

#[test]
fn treats_empty_texts_and_the_zero_time_of_go_as_absent() {
    const FIELDS: [&str; 5] = ["id", "owner", "systemId", "operationId", "createdAt"];
    let mut empty = good();
    for field in FIELDS {
        empty[field] = json!("");
    }
    let mut zero = good();
    zero["createdAt"] = json!("0001-01-01T00:00:00Z");
    for body in [empty, zero] {
        let draft = draft(body).unwrap();
        assert!(!draft.has_given_time());
        let event = draft.into_event();
        assert!(!event.id.is_nil());
        assert_eq!(event.owner, None);
        assert!(event.system_id.is_nil());
        assert_eq!(event.operation_id.as_uuid(), event.id.as_uuid());
        assert!(event.created_at > Timestamp::UNIX_EPOCH);
    }
    for field in FIELDS {
        let draft = draft(with(field, json!(" "))).unwrap();
        assert_eq!(draft.warnings(), [], "{field}");
    }
    let violations = draft(with("actedUpon", json!(""))).unwrap_err();
    assert_eq!(violations.iter().next().unwrap().fault, "is missing");
}
