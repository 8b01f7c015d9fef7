use serde_json::{Value, json};

use super::*;
use crate::event::Metadata;
use crate::kind::Severity;
use crate::warning::WarningCode;

fn draft(body: impl std::fmt::Display) -> Result<Draft, Violations> {
    NewEvent::read(&body.to_string(), &Limits::default())
        .unwrap()
        .into_draft(&Limits::default(), Policy::Repair)
}

/// Fields and codes of an event's warnings.
fn warned(draft: &Draft) -> Vec<(&str, WarningCode)> {
    let warnings = draft.warnings.iter();
    warnings
        .map(|warning| (warning.field.as_str(), warning.code))
        .collect()
}

/// The event as it is listed, published again, is the same event.
fn assert_repeats(draft: Draft) {
    let system = SystemId::from_uuid(uuid::Uuid::from_u128(5));
    let (stored, digests) = draft.resolve(system);
    let listed = serde_json::to_value(&stored).unwrap();
    let again = self::draft(listed).unwrap();
    assert_eq!(again.warnings, []);
    let (repeated, repeated_digests) = again.resolve(system);
    assert_eq!(repeated, stored);
    let timeless = digests.without_time.unwrap_or(digests.of_content);
    assert_eq!(repeated_digests.without_time, Some(timeless));
}

fn good() -> Value {
    json!({"actedUpon": "7b1d2c3e-0000-4000-8000-000000000001", "category": "connection",
           "action": "register", "severity": "success"})
}

fn with(key: &str, value: Value) -> Value {
    let mut body = good();
    body[key] = value;
    body
}

fn digest_of(body: Value) -> crate::Digest {
    draft(body)
        .unwrap()
        .resolve(SystemId::from_uuid(uuid::Uuid::from_u128(5)))
        .1
        .of_content
}

#[test]
fn both_casings_and_old_names_are_read() {
    let user = "0c0ffee0-0000-4000-8000-00000000000a";
    for name in ["owner", "user_id", "userId"] {
        let event = draft(with(name, json!(user))).unwrap().event;
        assert_eq!(event.owner.unwrap().to_string(), user);
    }
    let snake = json!({"acted_upon": user, "operation_id": user, "system_id": user,
                       "created_at": "2026-08-01T12:00:00+02:00", "category": "a",
                       "action": "b", "severity": "debug"});
    let event = draft(snake).unwrap().event;
    assert_eq!(event.operation_id.to_string(), user);
    assert_eq!(event.created_at.to_string(), "2026-08-01T10:00:00Z");
}

#[test]
fn every_violation_is_reported_at_once() {
    let body = json!({"owner": "y", "subject": "alice", "actedUpon": null});
    let violations = draft(body).unwrap_err();
    let fields: Vec<_> = violations
        .iter()
        .map(|violation| violation.field.as_str())
        .collect();
    assert_eq!(fields, ["owner", "subject", "actedUpon", "category"]);
    assert!(
        violations
            .iter()
            .all(|violation| !violation.remedy.is_empty())
    );
}

#[test]
fn every_repair_is_reported_at_once() {
    use WarningCode::{CharactersReplaced, Converted, Defaulted, Moved};
    let body = json!({"id": "x", "operationId": "op-1", "systemId": "node a",
                      "category": "Snake-Case", "severity": "info",
                      "description": "d\0", "metadata": {"doc": "javascript:alert(1)"},
                      "createdAt": "yesterday",
                      "actedUpon": "{7B1D2C3E-0000-4000-8000-000000000001}"});
    let draft = draft(body).unwrap();
    let event = draft.event();
    assert_eq!(event.category.as_str(), "snake_case");
    assert_eq!(event.action.as_str(), "unknown");
    assert_eq!(event.severity, Severity::Informational);
    assert_eq!(event.description, "d\u{fffd}");
    let metadata = event.metadata.as_ref().unwrap();
    assert_eq!(metadata["docText"], "javascript:alert(1)");
    assert_eq!(metadata["givenCreatedAt"], "yesterday");
    assert_eq!(
        event.acted_upon.to_string(),
        "7b1d2c3e-0000-4000-8000-000000000001"
    );
    assert!(!draft.created_at_given);
    assert_eq!(
        warned(&draft),
        [
            ("systemId", Converted),
            ("id", Converted),
            ("operationId", Converted),
            ("category", Converted),
            ("action", Defaulted),
            ("severity", Converted),
            ("createdAt", Defaulted),
            ("description", CharactersReplaced),
            ("metadata.doc", Moved),
        ]
    );
    assert_repeats(draft);
}

#[test]
fn an_id_that_is_no_uuid_is_the_same_one_each_time() {
    let id = |body: &Value| draft(body.clone()).unwrap().event.id.to_string();
    let mut body = with("id", json!("evt_42"));
    assert_eq!(id(&body), id(&body));
    // What Python's uuid says: uuid5(uuid5(NAMESPACE_OID, b"\0" * 16), "evt_42").
    assert_eq!(id(&body), "ae71d066-5f71-5c4e-a0cb-120716022555");
    assert_eq!(id(&with("id", json!(" evt_42 "))), id(&body));
    let other = id(&with("id", json!("evt_43")));
    assert_ne!(id(&body), other);
    // Another instance counts its own events.
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
            assert_eq!(draft.warnings, []);
        }
    }
}

#[test]
fn who_and_on_which_resource_are_never_guessed() {
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
fn a_subject_names_the_owner_that_its_token_has() {
    let of = |fields: Value| {
        let mut body = good();
        body.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        let mut event = NewEvent::read(&body.to_string(), &Limits::default()).unwrap();
        event.settle_subject();
        event
            .into_draft(&Limits::default(), Policy::Repair)
            .map(|draft| draft.event.owner.unwrap().to_string())
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
    assert_ne!(made, alice, "nobody gets another's made owner by its name");
    assert_eq!(of(json!({"subject": alice})), Ok(alice.to_owned()));
}

#[test]
fn the_nil_uuid_is_absent() {
    let nil = uuid::Uuid::nil().to_string();
    let event = draft(with("id", json!(nil))).unwrap().event;
    assert!(!event.id.is_nil());
    assert_eq!(draft(with("owner", json!(nil))).unwrap().event.owner, None);
    let violations = draft(with("actedUpon", json!(nil))).unwrap_err();
    let all: Vec<_> = violations.iter().collect();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].field, "actedUpon");
    assert!(all[0].fault.contains("nil UUID"), "{}", all[0].fault);
}

#[test]
fn what_stands_for_none_is_absent() {
    const FIELDS: [&str; 5] = ["id", "owner", "systemId", "operationId", "createdAt"];
    let mut empty = good();
    for field in FIELDS {
        empty[field] = json!("");
    }
    let mut zero = good();
    zero["createdAt"] = json!("0001-01-01T00:00:00Z");
    for body in [empty, zero] {
        let draft = draft(body).unwrap();
        assert!(!draft.created_at_given);
        let event = draft.event;
        assert!(!event.id.is_nil());
        assert_eq!(event.owner, None);
        assert!(event.system_id.is_nil());
        assert_eq!(event.operation_id.as_uuid(), event.id.as_uuid());
        assert!(event.created_at > Timestamp::UNIX_EPOCH);
    }
    for field in FIELDS {
        let draft = draft(with(field, json!(" "))).unwrap();
        assert_eq!(draft.warnings, [], "{field}");
    }
    let violations = draft(with("actedUpon", json!(""))).unwrap_err();
    assert_eq!(violations.iter().next().unwrap().fault, "is missing");
}

#[test]
fn an_error_without_a_cause_takes_its_description() {
    for metadata in [
        json!(null),
        json!({"error": ""}),
        json!({"error": {}}),
        json!({"err": {}, "error": null}),
        json!({"error": " "}),
        json!({"error": {"Severity": 2, "ShortDescription": [""], "ProbableCause": [" ", null]}}),
    ] {
        let mut body = with("severity", json!("error"));
        body["description"] = json!("it broke");
        body["metadata"] = metadata;
        let metadata = draft(body).unwrap().event.metadata.unwrap();
        let cause = &metadata["error"]["LongDescription"];
        assert_eq!(*cause, json!(["it broke"]));
    }
}

#[test]
fn a_cause_that_says_anything_is_kept() {
    for cause in [
        json!({"Code": "k-1"}),
        json!({"SuggestedRemediation": "start it"}),
        json!({"message": "boom"}),
        json!(0),
    ] {
        let mut body = with("severity", json!("error"));
        body["description"] = json!("it broke");
        body["metadata"] = json!({"error": cause});
        let metadata = draft(body).unwrap().event.metadata.unwrap();
        let kept = metadata["error"].to_string();
        assert!(!kept.contains("it broke"), "{kept}");
    }
}

#[test]
fn what_http_stores_may_be_published_back() {
    for description in ["it broke", "", " "] {
        for cause in [json!(null), json!({"ShortDescription": ""}), json!("boom")] {
            let mut body = with("severity", json!("error"));
            body["description"] = json!(description);
            body["metadata"] = json!({"error": cause});
            let event = draft(body).unwrap().event;
            let again = Draft::from_event(event.clone(), &Limits::default()).unwrap();
            assert_eq!(again.event, event);
        }
    }
}

#[test]
fn err_is_stored_as_error() {
    let event = draft(with("metadata", json!({"err": "boom", "k": 1})))
        .unwrap()
        .event;
    let metadata = event.metadata.unwrap();
    assert!(metadata.get("err").is_none());
    assert_eq!(metadata["error"]["ShortDescription"], json!(["boom"]));
    assert_eq!(metadata["k"], json!(1));
}

#[test]
fn limits_are_exact() {
    let limit = Limits::default().description_bytes;
    let warnings = |body: Value| draft(body).unwrap().warnings.len();
    assert_eq!(warnings(with("description", json!("x".repeat(limit)))), 0);
    assert_eq!(
        warnings(with("description", json!("x".repeat(limit + 1)))),
        1
    );
    let nested = |levels: usize| (1..levels).fold(json!({}), |inner, _| json!({ "a": inner }));
    assert_eq!(warnings(with("metadata", nested(32))), 0);
    assert_eq!(warnings(with("metadata", nested(33))), 1);
    // {"k":"…"} is eight bytes around the text.
    let metadata = |bytes: usize| json!({"k": "x".repeat(bytes - 8)});
    assert_eq!(warnings(with("metadata", metadata(65536))), 0);
    assert_eq!(warnings(with("metadata", metadata(65537))), 1);
    let keys = |keys: usize| -> Value {
        let keys = (0..keys).map(|number| (format!("k{number}"), json!(0)));
        json!({"a": [[keys.collect::<Metadata>()], {"b": 1}], "c": {"d": []}})
    };
    // Four keys are around the inner ones.
    let limit = Limits::default().metadata_keys;
    assert_eq!(warnings(with("metadata", keys(limit - 4))), 0);
    let draft = draft(with("metadata", keys(limit - 3))).unwrap();
    assert_eq!(warned(&draft), [("metadata", WarningCode::Converted)]);
    assert!(draft.event.metadata.as_ref().unwrap()["a"].is_string());
    assert_repeats(draft);
}

#[test]
fn a_long_description_is_cut_at_a_character_and_its_rest_is_kept() {
    for text in [
        "é".repeat(5_000),
        "a😀".repeat(3_000),
        "日本語".repeat(20_000),
    ] {
        let draft = draft(with("description", json!(text))).unwrap();
        let event = draft.event();
        assert!((4_090..=4_096).contains(&event.description.len()));
        let start = event.description.strip_suffix('…').unwrap();
        let metadata = event.metadata.as_ref().unwrap();
        let rest = metadata["descriptionRest"].as_str().unwrap();
        let rest = rest.strip_suffix('…').unwrap_or(rest);
        assert!(text.starts_with(&[start, rest].concat()));
        assert_eq!(
            metadata["truncated"],
            json!([format!("description: {} bytes", text.len())])
        );
        assert_eq!(warned(&draft), [("description", WarningCode::Truncated)]);
        assert_repeats(draft);
    }
}

#[test]
fn a_cause_that_is_too_large_keeps_what_helps() {
    let long = || json!("x".repeat(70_000));
    let lines = || -> Value {
        (0..20_000)
            .map(|line| json!(format!("at line {line}")))
            .collect()
    };
    for error in [
        long(),
        json!({"ShortDescription": ["short"], "LongDescription": [long()], "SuggestedRemediation": ["remedy"]}),
        json!({"ShortDescription": "short", "LongDescription": lines(), "SuggestedRemediation": "remedy"}),
        json!({"ShortDescription": "short", "SuggestedRemediation": ["remedy"], "dump": vec![0; 40_000]}),
        json!({"message": "short", "stack": long(), "hint": "remedy"}),
    ] {
        let mut body = with("severity", json!("error"));
        body["metadata"] = json!({"error": error, "doc": "https://example.org", "log": long(), "list": vec![1; 40_000]});
        let draft = draft(body).unwrap();
        let metadata = draft.event.metadata.as_ref().unwrap();
        assert!(serde_json::to_string(metadata).unwrap().len() <= 65_536);
        assert_eq!(metadata["doc"], "https://example.org");
        assert!(metadata["truncated"].is_array());
        let kept = &metadata["error"];
        assert!(kept["LongDescription"].is_array() && kept["ShortDescription"].is_array());
        if error.is_object() {
            assert_eq!(kept["ShortDescription"], json!(["short"]));
            assert_eq!(kept["SuggestedRemediation"], json!(["remedy"]));
        }
        assert_repeats(draft);
    }
}

#[test]
fn metadata_of_any_size_fits_into_any_limit() {
    let flat: Value = (0..60_000)
        .map(|key| (format!("key{key}"), json!(key)))
        .collect::<Metadata>()
        .into();
    let wide = json!({"a": vec![json!({"b": [1, 2]}); 20_000]});
    let texts: Value = (0..5_000)
        .map(|key| (format!("k{key}"), json!("text".repeat(9))))
        .collect::<Metadata>()
        .into();
    for metadata in [flat, wide, texts] {
        let mut body = with("severity", json!("error"));
        body["metadata"] = metadata;
        body["metadata"]["error"] = json!({"message": "boom", "hint": "remedy"});
        for bytes in [0, 1, 100, 1_000, 65_536] {
            let limits = Limits {
                metadata_bytes: bytes,
                ..Limits::default()
            };
            let event = NewEvent::read(&body.to_string(), &limits).unwrap();
            let draft = event.into_draft(&limits, Policy::Repair).unwrap();
            let metadata = draft.event.metadata.clone().unwrap();
            let size = serde_json::to_string(&metadata).unwrap().len();
            assert!(size <= bytes.max(2), "{size} of {bytes}");
            if bytes == 65_536 {
                assert!(size > bytes / 4, "no more is cut than necessary: {size}");
                assert_eq!(metadata["error"]["SuggestedRemediation"], json!(["remedy"]));
                assert_repeats(draft);
            }
        }
    }
}

#[test]
fn an_event_that_says_something_is_never_lost_for_its_severity_or_names() {
    use WarningCode::{Converted, Defaulted};
    let resource = json!("7b1d2c3e-0000-4000-8000-000000000001");
    // As Meshery's own code writes it: nothing is left out, and nothing is in it.
    let emitted = json!({"actedUpon": resource, "category": "", "action": "", "severity": "",
                         "description": "Cluster connected", "metadata": null, "status": "unread",
                         "id": "00000000-0000-0000-0000-000000000000"});
    let draft1 = draft(emitted).unwrap();
    let all = [
        ("category", Defaulted),
        ("action", Defaulted),
        ("severity", Defaulted),
    ];
    assert_eq!(warned(&draft1), all);
    assert_eq!(draft1.event.severity, Severity::Informational);
    for (given, error, severity, code) in [
        (json!(null), json!("boom"), Severity::Error, Defaulted),
        (
            json!("purple"),
            json!({"message": "boom"}),
            Severity::Error,
            Defaulted,
        ),
        (
            json!("purple"),
            json!({}),
            Severity::Informational,
            Defaulted,
        ),
        (json!("WARN"), json!("boom"), Severity::Warning, Converted),
        (json!(3), json!(null), Severity::Error, Converted),
        (
            json!({"a": 1}),
            json!(null),
            Severity::Informational,
            Defaulted,
        ),
    ] {
        let mut body = with("severity", given.clone());
        body["metadata"] = json!({ "error": error });
        let draft = draft(body).unwrap();
        assert_eq!(draft.event.severity, severity, "{given} {error}");
        assert_eq!(warned(&draft), [("severity", code)], "{given} {error}");
    }
    let nothing =
        draft(json!({"actedUpon": resource, "severity": "error", "metadata": {"error": {}}}));
    assert_eq!(
        nothing.unwrap_err().iter().next().unwrap().field,
        "category"
    );
}

#[test]
fn a_cause_may_stand_in_the_metadata_themselves() {
    let cause_of = |metadata: Value| {
        let mut body = with("severity", json!("error"));
        body["description"] = json!("could not deploy");
        body["metadata"] = metadata;
        let metadata = draft(body).unwrap().event.metadata.unwrap();
        metadata["error"].clone()
    };
    let beside =
        cause_of(json!({"probable_cause": "no disk", "suggestedRemediation": ["free some"]}));
    assert_eq!(beside["ProbableCause"], json!(["no disk"]));
    assert_eq!(beside["SuggestedRemediation"], json!(["free some"]));
    // Where nothing of it can be shown, the description is.
    for silent in [json!({"data": {"x": 1}}), json!({"Severity": 2, "at": 5})] {
        let cause = cause_of(json!({ "error": silent }));
        assert_eq!(
            cause["ShortDescription"],
            json!(["could not deploy"]),
            "{silent}"
        );
    }
    let mut news = with("metadata", json!({"probableCause": "x"}));
    news["severity"] = json!("success");
    let metadata = draft(news).unwrap().event.metadata.unwrap();
    assert!(!metadata.contains_key("error"));
}

#[test]
fn a_severity_in_a_list_or_with_a_point_is_that_severity() {
    for given in [
        json!(["error"]),
        json!(3.0),
        json!("3.0"),
        json!("[\"ERROR\"]"),
    ] {
        let draft = draft(with("severity", given.clone())).unwrap();
        assert_eq!(draft.event.severity, Severity::Error, "{given}");
        assert_eq!(
            warned(&draft),
            [("severity", WarningCode::Converted)],
            "{given}"
        );
    }
}

#[test]
fn a_cause_is_found_under_other_names() {
    for key in ["err", "Error", "Err", "errors"] {
        let mut body = with("severity", json!("error"));
        body["metadata"] = json!({key: [{"message": "boom", "suggested_remediation": "remedy"}]});
        let metadata = draft(body).unwrap().event.metadata.unwrap();
        assert_eq!(
            metadata["error"]["SuggestedRemediation"],
            json!(["remedy"]),
            "{key}"
        );
        assert!(!metadata.contains_key(key));
    }
    // A count is none, and a list of a success is the publisher's own.
    for (severity, errors) in [("error", json!(3)), ("success", json!(["a"]))] {
        let mut body = with("severity", json!(severity));
        body["metadata"] = json!({"errors": errors});
        let metadata = draft(body).unwrap().event.metadata.unwrap();
        assert_eq!(metadata["errors"], errors);
    }
}

#[test]
fn the_digest_tells_content_apart_and_ignores_what_the_server_filled_in() {
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
fn other_ways_to_say_the_same_have_the_same_digest() {
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
fn an_event_that_an_earlier_version_stored_is_known_again() {
    let system = SystemId::from_uuid(uuid::Uuid::from_u128(5));
    let mut body = with("id", json!("0c0ffee0-0000-4000-8000-00000000000c"));
    body["metadata"] = json!({"error": {"probableCause": "p", "ProbableCause": []}, "n": 1e5});
    let (sent, digests) = draft(body.clone()).unwrap().resolve(system);
    let mut stored = sent.clone();
    stored.metadata = body["metadata"].as_object().cloned();
    let of_then = crate::Digest::from_bytes([7; 32]);
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
    // With a time of its own it is another.
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
fn a_built_event_published_again_has_the_same_digest() {
    let event = Event::builder()
        .acted_upon(uuid::Uuid::from_u128(1))
        .with_category("a")
        .with_action("b")
        .with_severity(Severity::Debug)
        .build()
        .unwrap();
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

#[test]
fn what_is_built_once_is_judged_the_same_again() {
    for length in [65_000, 65_300, 65_400, 65_536, 200_000] {
        let mut metadata = Metadata::new();
        metadata.insert("err".into(), "x".repeat(length).into());
        let built = Event::builder()
            .acted_upon(uuid::Uuid::from_u128(1))
            .with_category("a")
            .with_action("b")
            .with_severity(Severity::Error)
            .with_metadata(metadata)
            .build()
            .unwrap();
        let again = Draft::from_event(built.clone(), &Limits::default()).unwrap();
        assert_eq!(again.event, built, "{length}");
        assert_eq!(again.warnings, []);
    }
}
