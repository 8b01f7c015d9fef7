//! The cause of an error.

use serde_json::{Value, json};

use super::fixture::{draft, with};
use crate::draft::Draft;
use crate::rules::Limits;

#[test]
fn uses_the_description_of_an_error_without_a_cause() {
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
        let metadata = draft(body).unwrap().into_event().metadata.unwrap();
        let cause = &metadata["error"]["LongDescription"];
        assert_eq!(*cause, json!(["it broke"]));
    }
}

#[test]
fn keeps_a_cause_with_any_content() {
    for cause in [
        json!({"Code": "k-1"}),
        json!({"SuggestedRemediation": "start it"}),
        json!({"message": "boom"}),
        json!(0),
    ] {
        let mut body = with("severity", json!("error"));
        body["description"] = json!("it broke");
        body["metadata"] = json!({"error": cause});
        let metadata = draft(body).unwrap().into_event().metadata.unwrap();
        let kept = metadata["error"].to_string();
        assert!(!kept.contains("it broke"), "{kept}");
    }
}

#[test]
fn accepts_a_stored_error_from_the_builder() {
    for description in ["it broke", "", " "] {
        for cause in [json!(null), json!({"ShortDescription": ""}), json!("boom")] {
            let mut body = with("severity", json!("error"));
            body["description"] = json!(description);
            body["metadata"] = json!({"error": cause});
            let event = draft(body).unwrap().into_event();
            let again = Draft::from_event(event.clone(), &Limits::default()).unwrap();
            assert_eq!(again.event(), &event);
        }
    }
}

#[test]
fn takes_the_cause_of_a_failure_from_the_keys_of_other_systems() {
    let headline = |metadata: Value, severity: &str| {
        let mut body = with("severity", json!(severity));
        body["metadata"] = metadata;
        let metadata = draft(body).unwrap().into_event().metadata.unwrap();
        metadata
            .get("error")
            .map(|error| error["ShortDescription"].clone())
    };
    for (metadata, expected) in [
        (json!({"exception": {"message": "refused"}}), "refused"),
        (json!({"cause": "no route"}), "no route"),
        (
            json!({"type": "about:blank", "title": "Not Found", "status": 404, "detail": "no pod"}),
            "Not Found",
        ),
    ] {
        let taken = headline(metadata.clone(), "error");
        assert_eq!(taken, Some(json!([expected])), "{metadata}");
        // In events of other severities these keys can have any meaning.
        assert_eq!(
            headline(metadata.clone(), "informational"),
            None,
            "{metadata}"
        );
    }
    // A title alone is not a problem document (RFC 9457).
    let title = headline(json!({"title": "Nightly run"}), "warning");
    assert_eq!(title, None);
}

#[test]
fn stores_err_as_error() {
    let event = draft(with("metadata", json!({"err": "boom", "k": 1})))
        .unwrap()
        .into_event();
    let metadata = event.metadata.unwrap();
    assert!(metadata.get("err").is_none());
    assert_eq!(metadata["error"]["ShortDescription"], json!(["boom"]));
    assert_eq!(metadata["k"], json!(1));
}

#[test]
fn finds_the_parts_of_a_cause_directly_in_the_metadata() {
    let cause_of = |metadata: Value| {
        let mut body = with("severity", json!("error"));
        body["description"] = json!("could not deploy");
        body["metadata"] = metadata;
        let metadata = draft(body).unwrap().into_event().metadata.unwrap();
        metadata["error"].clone()
    };
    let beside =
        cause_of(json!({"probable_cause": "no disk", "suggestedRemediation": ["free some"]}));
    assert_eq!(beside["ProbableCause"], json!(["no disk"]));
    assert_eq!(beside["SuggestedRemediation"], json!(["free some"]));
    // A cause without readable content gets the description as its headline.
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
    let metadata = draft(news).unwrap().into_event().metadata.unwrap();
    assert!(!metadata.contains_key("error"));
}

#[test]
fn finds_a_cause_under_other_keys() {
    for key in ["err", "Error", "Err", "errors"] {
        let mut body = with("severity", json!("error"));
        body["metadata"] = json!({key: [{"message": "boom", "suggested_remediation": "remedy"}]});
        let metadata = draft(body).unwrap().into_event().metadata.unwrap();
        assert_eq!(
            metadata["error"]["SuggestedRemediation"],
            json!(["remedy"]),
            "{key}"
        );
        assert!(!metadata.contains_key(key));
    }
    // A count is not a cause, and neither is a list in an event of severity success.
    for (severity, errors) in [("error", json!(3)), ("success", json!(["a"]))] {
        let mut body = with("severity", json!(severity));
        body["metadata"] = json!({"errors": errors});
        let metadata = draft(body).unwrap().into_event().metadata.unwrap();
        assert_eq!(metadata["errors"], errors);
    }
}
