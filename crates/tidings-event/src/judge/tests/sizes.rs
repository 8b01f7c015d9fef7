//! Limits.

use serde_json::{Value, json};

use super::fixture::{assert_repeats, draft, warned, with};
use crate::draft::Draft;
use crate::event::{Event, Metadata};
use crate::new_event::NewEvent;
use crate::policy::Policy;
use crate::rules::Limits;
use crate::severity::Severity;
use crate::warning::WarningCode;

#[test]
fn applies_limits_exactly() {
    let limit = Limits::default().description_bytes;
    let warnings = |body: Value| draft(body).unwrap().warnings().len();
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
    assert!(draft.event().metadata.as_ref().unwrap()["a"].is_string());
    assert_repeats(draft);
}

#[test]
fn cuts_a_long_description_at_a_character_and_keeps_the_rest() {
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
fn keeps_headline_and_remedies_of_an_oversized_cause() {
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
        let metadata = draft.event().metadata.as_ref().unwrap();
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
fn shrinks_metadata_of_any_size_to_any_limit() {
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
            let metadata = draft.event().metadata.clone().unwrap();
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
fn leaves_a_built_event_unchanged_when_it_is_judged_again() {
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
            .unwrap()
            .into_event();
        let again = Draft::from_event(built.clone(), &Limits::default()).unwrap();
        assert_eq!(again.event(), &built, "{length}");
        assert_eq!(again.warnings(), []);
    }
}
