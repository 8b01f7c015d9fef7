use proptest::prelude::*;
use serde_json::{Value, json};

use super::normalized;
use super::shape::ARRAYS;

/// Headline, details, causes and remedies.
fn parts(given: Value) -> [Value; 4] {
    let cause = normalized(given);
    ARRAYS.map(|key| cause[key].clone())
}

#[test]
fn reads_every_spelling_of_a_meshkit_error() {
    let expected = [json!(["s"]), json!(["l"]), json!(["p"]), json!(["r"])];
    for given in [
        json!({"ShortDescription": ["s"], "LongDescription": ["l"], "ProbableCause": ["p"], "SuggestedRemediation": ["r"]}),
        json!({"shortDescription": "s", "longDescription": "l", "probableCause": "p", "suggestedRemediation": "r"}),
        json!({"short_description": ["s"], "long_description": ["l"], "probable_cause": ["p"], "suggested_remediation": ["r"]}),
        json!({"short-description": "s", "LONGDESCRIPTION": "l", "ProbableCauses": ["p"], "suggested_remediations": ["r"]}),
        json!({"ShortDescription": [], "shortDescription": ["s"], "LongDescription": null, "long_description": "l",
               "ProbableCause": [], "probable_cause": ["p"], "probableCause": ["p"],
               "SuggestedRemediation": [], "suggested_remediation": "r"}),
    ] {
        assert_eq!(parts(given.clone()), expected, "{given}");
        let cause = normalized(given);
        assert_eq!(cause.as_object().unwrap().len(), 6, "{cause}");
    }
}

#[test]
fn reads_errors_of_other_systems() {
    let empty = || json!([]);
    for (given, expected, code) in [
        (
            json!({"type": "about:blank", "title": "Not Found", "detail": "no such pod", "status": 404, "instance": "/x"}),
            [
                json!(["Not Found"]),
                json!(["no such pod"]),
                empty(),
                empty(),
            ],
            "404",
        ),
        (
            json!({"error": "The event is bad", "code": "invalid_event", "severity": "ERROR",
                   "probableCause": ["p"], "suggestedRemediation": ["r"], "longDescription": ["l"],
                   "probable_cause": ["p"], "suggested_remediation": ["r"], "long_description": ["l"]}),
            [
                json!(["The event is bad"]),
                json!(["l", "The event is bad"]),
                json!(["p"]),
                json!(["r"]),
            ],
            "invalid_event",
        ),
        (
            json!({"name": "TypeError", "message": "x is not a function", "stack": "at a:1"}),
            [
                json!(["TypeError: x is not a function"]),
                json!(["at a:1"]),
                empty(),
                empty(),
            ],
            "",
        ),
        (
            json!({"exception": "java.io.IOException", "message": "refused", "cause": {"message": "no route"}, "trace": "at b"}),
            [
                json!(["refused"]),
                json!(["at b", "java.io.IOException"]),
                json!(["no route"]),
                empty(),
            ],
            "",
        ),
        (
            json!({"code": 14, "message": "unavailable", "details": []}),
            [json!(["unavailable"]), empty(), empty(), empty()],
            "14",
        ),
        (
            json!({"Op": "dial", "Net": "tcp", "Err": {"message": "refused"}}),
            [json!(["dial tcp: refused"]), empty(), empty(), empty()],
            "",
        ),
        (
            json!({"error": {"error": {"code": "E1", "message": "inner", "hint": "do it"}}}),
            [json!(["inner"]), empty(), empty(), json!(["do it"])],
            "E1",
        ),
        (
            json!([{"Code": "a", "ShortDescription": ["one"], "SuggestedRemediation": ["r1"]},
                   {"Code": "b", "ShortDescription": ["two"], "SuggestedRemediation": ["r2"]}]),
            [json!(["one", "two"]), empty(), empty(), json!(["r1", "r2"])],
            "a, b",
        ),
        (
            json!({"kind": "Status", "message": "pods \"x\" not found", "reason": "NotFound", "code": 404}),
            [
                json!(["pods \"x\" not found"]),
                empty(),
                json!(["NotFound"]),
                empty(),
            ],
            "404",
        ),
    ] {
        assert_eq!(parts(given.clone()), expected, "{given}");
        assert_eq!(normalized(given.clone())["Code"], code, "{given}");
    }
}

#[test]
fn keeps_other_keys_and_converts_severities_to_numbers() {
    let cause = normalized(
        json!({"title": "t", "status": 503, "instance": "/a", "AdditionalInfo": {"b": 1}}),
    );
    assert_eq!(cause["status"], 503);
    assert_eq!(cause["instance"], "/a");
    assert_eq!(cause["AdditionalInfo"], json!({"b": 1}));
    for (given, number, kept) in [
        (json!({"Severity": 2}), 2, None),
        (json!({"Severity": "ALERT"}), 2, None),
        (json!({"severity": "FATAL"}), 4, Some("FATAL")),
        (json!({"Severity": "ERROR"}), 1, Some("ERROR")),
        (json!({"level": "critical"}), 3, None),
        (json!({"Severity": null}), 1, None),
    ] {
        let cause = normalized(given.clone());
        assert_eq!(cause["Severity"], number, "{given}");
        assert_eq!(
            cause.get("severity").and_then(Value::as_str),
            kept,
            "{given}"
        );
    }
}

#[test]
fn limits_the_depth_of_nested_errors() {
    let mut deep = json!({"message": "inmost"});
    for _ in 0..100 {
        deep = json!({"error": deep, "cause": {"message": "c"}});
    }
    let cause = normalized(deep);
    assert!(ARRAYS.iter().all(|key| cause[*key].is_array()), "{cause}");
}

#[test]
fn reads_an_error_in_a_text() {
    let body = json!({"title": "Forbidden", "detail": "no right", "hint": "ask"}).to_string();
    let cause = normalized(json!(body));
    assert_eq!(cause["ShortDescription"], json!(["Forbidden"]));
    assert_eq!(cause["LongDescription"], json!(["no right"]));
    assert_eq!(cause["SuggestedRemediation"], json!(["ask"]));
    for text in ["{", "{}", "{\"a\": 123456789012345678901234567890}", "{a}"] {
        assert_eq!(normalized(json!(text))["LongDescription"], json!([text]));
    }
    let oauth = normalized(json!({"error": "invalid_grant", "error_description": "expired"}));
    assert_eq!(oauth["LongDescription"][0], "expired");
    let list = normalized(json!(["a", {"message": "b"}, null]));
    assert_eq!(list["ShortDescription"], json!(["a", "b"]));
}

fn any_error() -> impl Strategy<Value = Value> {
    let keys = prop_oneof![
        Just("error"),
        Just("Err"),
        Just("Op"),
        Just("errors"),
        Just("code"),
        Just("Code"),
        Just("severity"),
        Just("Severity"),
        Just("status"),
        Just("message"),
        Just("title"),
        Just("name"),
        Just("detail"),
        Just("details"),
        Just("stack"),
        Just("cause"),
        Just("reason"),
        Just("hint"),
        Just("probableCause"),
        Just("probable_cause"),
        Just("ProbableCause"),
        Just("ShortDescription"),
        Just("shortDescription"),
        Just("LongDescription"),
        Just("SuggestedRemediation"),
        Just("other"),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        Just(json!("")),
        (0..5).prop_map(Value::from),
        "[a-c]{1,3}".prop_map(Value::from),
        Just(json!("FATAL")),
    ];
    leaf.prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(keys.clone(), inner, 0..6).prop_map(|map| {
                map.into_iter()
                    .map(|(key, value)| (key.to_owned(), value))
                    .collect()
            }),
        ]
    })
}

proptest! {
    #[test]
    fn does_not_change_a_stored_cause(given in any_error()) {
        let cause = normalized(given);
        prop_assert!(ARRAYS.iter().all(|key| cause[*key].is_array()));
        prop_assert!(cause["Code"].is_string() && cause["Severity"].is_u64());
        prop_assert_eq!(normalized(cause.clone()), cause);
    }
}

#[test]
fn reads_on_if_the_inner_error_has_no_text() {
    let given = json!({"error": {"error": 0}, "errors": "no space", "err": "unused"});
    let cause = normalized(given);
    assert_eq!(cause["ShortDescription"], json!(["unused"]));
    assert_eq!(normalized(cause.clone()), cause);
    let given = json!({"error": {"count": 3}, "errors": [{"code": 7}, {"message": "no space"}]});
    let cause = normalized(given);
    assert_eq!(cause["ShortDescription"], json!(["no space"]));
    assert_eq!(normalized(cause.clone()), cause);
}

#[test]
fn converts_any_shape_to_arrays() {
    let object =
        normalized(json!({"Code": "k-1", "ProbableCause": "stopped", "AdditionalInfo": {"a": 1}}));
    assert_eq!(object["ProbableCause"], json!(["stopped"]));
    assert_eq!(object["SuggestedRemediation"], json!([]));
    assert_eq!(object["AdditionalInfo"], json!({"a": 1}));
    let text = normalized(json!("boom\nand more"));
    assert_eq!(text["ShortDescription"], json!(["boom"]));
    assert_eq!(text["LongDescription"], json!(["boom\nand more"]));
    for odd in [json!(7), json!([1, "two"]), json!(true), json!({})] {
        let cause = normalized(odd);
        assert!(ARRAYS.iter().all(|key| cause[*key].is_array()), "{cause}");
    }
}
