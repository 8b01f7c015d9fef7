//! Reports of violations and repairs.

use serde_json::json;

use super::fixture::{assert_repeats, draft, warned, with};
use crate::severity::Severity;
use crate::warning::WarningCode;

#[test]
fn reports_every_violation_at_once() {
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
fn reports_every_repair_at_once() {
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
    assert!(!draft.has_given_time());
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
fn keeps_an_event_with_missing_or_unknown_severity_and_names() {
    use WarningCode::{Converted, Defaulted};
    let resource = json!("7b1d2c3e-0000-4000-8000-000000000001");
    // Meshery's own code sends every field, most of them empty.
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
    assert_eq!(draft1.event().severity, Severity::Informational);
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
        assert_eq!(draft.event().severity, severity, "{given} {error}");
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
fn reads_a_severity_in_a_list_or_with_a_decimal_point() {
    for given in [
        json!(["error"]),
        json!(3.0),
        json!("3.0"),
        json!("[\"ERROR\"]"),
    ] {
        let draft = draft(with("severity", given.clone())).unwrap();
        assert_eq!(draft.event().severity, Severity::Error, "{given}");
        assert_eq!(
            warned(&draft),
            [("severity", WarningCode::Converted)],
            "{given}"
        );
    }
}
