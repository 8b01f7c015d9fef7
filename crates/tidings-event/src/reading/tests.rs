use serde_json::json;

use super::*;

fn read(json: &str) -> NewEvent {
    NewEvent::read(json, &Limits::default()).unwrap()
}

fn warned(event: &NewEvent) -> Vec<(&str, WarningCode)> {
    let warnings = event.warnings.iter();
    warnings
        .map(|warning| (warning.field.as_str(), warning.code))
        .collect()
}

#[test]
fn converts_other_types() {
    use WarningCode::Converted;
    for (given, description) in [
        ("5", "5"),
        ("true", "true"),
        ("[\"a\",\"b\",3]", "a\nb\n3"),
        ("{\"a\":[1]}", "{\"a\":[1]}"),
    ] {
        let event = read(&format!("{{\"description\": {given}}}"));
        assert_eq!(event.description.as_deref(), Some(description), "{given}");
        assert_eq!(warned(&event), [("description", Converted)]);
    }
    for (given, metadata) in [
        ("[1,2]", json!({"value": [1, 2]})),
        ("\"x\"", json!({"value": "x"})),
        ("7", json!({"value": 7})),
        ("\"{\\\"a\\\":1}\"", json!({"a": 1})),
    ] {
        let event = read(&format!("{{\"metadata\": {given}}}"));
        assert_eq!(
            Value::from(event.metadata.clone().unwrap()),
            metadata,
            "{given}"
        );
        assert_eq!(warned(&event), [("metadata", Converted)]);
    }
    let event =
        read("{\"severity\": 3, \"createdAt\": 1785578400, \"id\": 42, \"category\": null}");
    assert_eq!(event.severity, Given::Malformed("3".into()));
    assert_eq!(event.created_at, Given::Malformed("1785578400".into()));
    assert_eq!(event.id, Given::Malformed("42".into()));
    assert!(event.category.is_absent());
}

#[test]
fn warns_about_a_duplicate_key() {
    let event = read("{\"metadata\": {\"a\": 1, \"a\": 2}}");
    assert_eq!(
        Value::from(event.metadata.clone().unwrap()),
        json!({"a": 2})
    );
    assert_eq!(warned(&event), [("metadata", WarningCode::Duplicate)]);
    let event = read("{\"description\": \"a\", \"description\": \"b\"}");
    assert_eq!(event.description.as_deref(), Some("b"));
    assert_eq!(warned(&event), [("description", WarningCode::Duplicate)]);
    // Equal values in two spellings, or one empty value, are accepted.
    let one = "7b1d2c3e-0000-4000-8000-000000000001";
    let upper = one.to_uppercase();
    let same = read(&format!(
        "{{\"owner\": \"{one}\", \"userId\": \"{upper}\", \"user_id\": null}}"
    ));
    assert!(matches!(same.owner, Given::Value(_)));
    let doubt = read(&format!("{{\"owner\": \"{one}\", \"userId\": \"system\"}}"));
    assert!(matches!(doubt.owner, Given::Malformed(_)));
}

#[test]
fn keeps_the_digits_of_numbers() {
    let event = read("{\"metadata\": {\"a\": 12345678901234567890123, \"b\": 0.5, \"c\": 1e5}}");
    let expected = json!({"a": "12345678901234567890123", "b": 0.5, "c": 1e5});
    assert_eq!(Value::from(event.metadata.clone().unwrap()), expected);
    assert_eq!(warned(&event), [("metadata.a", WarningCode::Converted)]);
    assert!(read("{\"metadata\": {\"b\": 0.5}}").warnings.is_empty());
}

#[test]
fn reads_the_same_event_with_both_parsers() {
    let text = json!({
        "id": "7b1d2c3e-0000-4000-8000-000000000001", "user_id": "system",
        "operationID": "7b1d2c3e-0000-4000-8000-000000000002", "severity": "info",
        "description": "é\n", "metadata": {"a": [1, null, {"b": "c"}]}, "status": "read",
        "updatedAt": "2026-08-01T10:00:00Z", "subject": "", "unknown": {}
    })
    .to_string();
    let limits = Limits::default();
    let fast = NewEvent::read_with_past(&text, &limits).unwrap();
    let small = Limits {
        event_bytes: 0,
        ..limits
    };
    assert_eq!(NewEvent::read_with_past(&text, &small).unwrap(), fast);
}

#[test]
fn accepts_every_spelling_of_a_field() {
    let user = "7b1d2c3e-0000-4000-8000-000000000001";
    for name in [
        "OWNER", "user-id", "userid", "USER_ID", "ownerId", "owner_id",
    ] {
        let event = read(&format!("{{\"{name}\": \"{user}\"}}"));
        assert!(matches!(event.owner, Given::Value(_)), "{name}");
    }
    for name in ["Subject", "SUBJECT", "sub", "sub_ject"] {
        let event = read(&format!(
            "{{\"{name}\": \"alice\", \"Iss\": \"https://a\"}}"
        ));
        assert_eq!(event.subject, Given::Value("alice".into()), "{name}");
        assert_eq!(event.issuer, Given::Value("https://a".into()));
    }
    let event = read(&format!(
        "{{\"acted-upon\": \"{user}\", \"SEVERITY\": \"error\", \"CATEGORY\": \"a\"}}"
    ));
    assert!(matches!(event.acted_upon, Given::Value(_)));
    assert!(matches!(event.severity, Given::Value(_)));
    assert!(matches!(event.category, Given::Value(_)));
    let json = "{\"STATUS\": \"read\", \"UPDATED_AT\": \"2026-08-01T10:00:00Z\"}";
    let (_, past) = NewEvent::read_with_past(json, &Limits::default()).unwrap();
    assert!(matches!(past.status, Given::Value(_)));
    assert!(matches!(past.updated_at, Given::Value(_)));
}

#[test]
fn accepts_one_value_in_two_forms() {
    let one = "7b1d2c3e-0000-4000-8000-000000000001";
    let bare = one.replace('-', "").to_uppercase();
    for other in [bare.as_str(), "00000000-0000-0000-0000-000000000000"] {
        let event = read(&format!(
            "{{\"actedUpon\": \"{one}\", \"acted_upon\": \"{other}\"}}"
        ));
        assert!(
            matches!(event.acted_upon, Given::Value(id) if !id.is_nil()),
            "{other}"
        );
    }
    // Subjects are case-sensitive.
    let event = read("{\"subject\": \"alice\", \"Subject\": \"Alice\"}");
    assert!(matches!(event.subject, Given::Malformed(_)));
}

#[test]
fn rejects_a_subject_that_is_not_a_text() {
    for given in ["[\"alice\"]", "{\"sub\": \"alice\"}", "true"] {
        let event = read(&format!("{{\"subject\": {given}}}"));
        assert!(matches!(event.subject, Given::Malformed(_)), "{given}");
    }
    assert_eq!(read("{\"subject\": 42}").subject, Given::Value("42".into()));
}

#[test]
fn rejects_everything_but_an_object() {
    for text in ["", "5", "[]", "[\"a\"]", "null", "{", "{} {}"] {
        assert!(NewEvent::read(text, &Limits::default()).is_err(), "{text}");
    }
}
