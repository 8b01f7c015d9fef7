//! Every way to select events, and every fault.

use serde_json::json;
use tidings_event::OwnerKind;

use super::*;
use crate::request::json::InvalidJson;

const UUID: &str = "7b1d2c3e-0000-4000-8000-000000000001";

fn selection(body: &str) -> Selection {
    read_selection(body, &Limits::default()).unwrap()
}

/// The field and the fault of every violation.
#[track_caller]
fn faults(body: &str) -> Vec<String> {
    let error = read_marking(body, &Limits::default()).unwrap_err();
    let (ChangeRejection::Selection(violations) | ChangeRejection::Json(InvalidJson(violations))) =
        error
    else {
        panic!("{error:?}");
    };
    let faults = violations.iter();
    faults
        .map(|one| format!("{} {}", one.field, one.fault))
        .collect()
}

#[test]
fn parses_each_way_to_select_events() {
    let id: EventId = UUID.parse().unwrap();
    let ids = selection(&format!(r#"{{"ids": ["{UUID}", "{UUID}"], "all": null}}"#));
    assert_eq!(ids, Selection::ids([id, id]));
    assert_eq!(selection(r#"{"ids": []}"#), Selection::Ids(vec![]));
    let all = Selection::All { up_to: None };
    assert_eq!(selection(r#"{"all": true}"#), all);
    let up_to: Cursor = "3-1-k3f9q2w8".parse().unwrap();
    let all = Selection::All { up_to: Some(up_to) };
    assert_eq!(selection(r#"{"all":true,"upTo":"3-1-k3f9q2w8"}"#), all);
    let body = format!(
        r#"{{"filter": {{"status": "unread", "category": ["a"], "acted_upon": ["{UUID}"],
            "ownerKind": "user", "severity": ["error", "debug"],
            "search": "50%"}}, "up_to": "3-1-k3f9q2w8"}}"#
    );
    let Selection::Filter { filter, up_to: at } = selection(&body) else {
        panic!("{body}");
    };
    assert_eq!(at, up_to);
    assert_eq!(filter.status, Some(Status::Unread));
    assert_eq!(filter.severity.len(), 2);
    assert_eq!(filter.acted_upon[0].to_string(), UUID);
    assert_eq!(filter.search.as_deref(), Some("50%"));
}

#[test]
fn parses_fields_and_filters_in_every_spelling() {
    let id: EventId = UUID.parse().unwrap();
    for ids in [
        format!(r#"{{"ids": ["{UUID}"]}}"#),
        format!(r#"{{"Ids": "{UUID}"}}"#),
        format!(r#"{{"id": "{UUID}"}}"#),
        format!(r#"{{"event_ids": ["{UUID}"]}}"#),
    ] {
        assert_eq!(selection(&ids), Selection::ids([id]), "{ids}");
    }
    let expected = selection(
        r#"{"filter": {"severity": ["error"], "status": "read", "ownerKind": "user"},
            "upTo": "3-1-k3f9q2w8"}"#,
    );
    for body in [
        r#"{"filter": {"severity": "error", "statuses": ["read"], "owner_kind": ["user"]},
            "up_to": "3-1-k3f9q2w8"}"#,
        r#"{"Filter": {"Severities": ["error"], "Status": "read", "OwnerKind": "user"},
            "upto": "3-1-k3f9q2w8"}"#,
    ] {
        assert_eq!(selection(body), expected, "{body}");
    }
    let twice = faults(
        r#"{"status":"read","Status":"unread","upTo":"3-1-k3f9q2w8","up_to":"3-1-k3f9q2w8",
            "filter":{"severity":["error"],"severities":["debug"]}}"#,
    );
    assert_eq!(
        twice,
        [
            "status is given twice",
            "upTo is given twice",
            "filter.severity is given twice"
        ]
    );
    let no_narrower =
        faults(r#"{"status":"read","upTo":"3-1-k3f9q2w8","filter":{"status":["read","unread"]}}"#);
    assert_eq!(no_narrower, ["filter is empty"]);
    assert_eq!(read_status(r#"{"Status":"read"}"#).unwrap(), Status::Read);
}

#[test]
fn rejects_a_missing_double_or_empty_selection() {
    let missing = faults(r#"{"status": "read"}"#);
    assert_eq!(missing, ["the body does not select events"]);
    let double = faults(r#"{"status":"read","ids":[],"all":true}"#);
    assert_eq!(double, ["the body selects events in more than one way"]);
    let empty = faults(r#"{"status":"read","upTo":"0-0-k3f9q2w8","filter":{}}"#);
    assert_eq!(empty, ["filter is empty"]);
    let boundless = faults(r#"{"status":"read","filter":{"status":"unread"}}"#);
    assert_eq!(boundless, ["upTo is missing"]);
    let bounded_ids = faults(r#"{"status":"read","ids":[],"upTo":"0-0-k3f9q2w8"}"#);
    assert_eq!(bounded_ids, ["upTo is given with `ids`"]);
}

#[test]
fn values_without_meaning_do_not_widen_a_change() {
    for (field, fault) in [
        (r#""severity": []"#, "filter.severity is empty"),
        (r#""category": [ ]"#, "filter.category is empty"),
        (r#""acted_upon": null"#, "filter.actedUpon is null"),
        (r#""action": null"#, "filter.action is null"),
        (r#""from": null"#, "filter.from is null"),
        (r#""status": null"#, "filter.status is null"),
        (r#""search": """#, "filter.search is empty"),
    ] {
        for other in ["", r#", "ownerKind": "user""#] {
            let filter = format!("{{{field}{other}}}");
            let body = format!(r#"{{"status":"read","upTo":"0-0-k3f9q2w8","filter":{filter}}}"#);
            assert_eq!(faults(&body)[0], fault, "{filter}");
        }
    }
    let boundless = faults(r#"{"status":"read","all":true,"upTo":null}"#);
    assert_eq!(boundless, ["upTo is null"]);
    for choice in ["ids", "filter"] {
        let not_made = format!(r#"{{"status":"read","all":true,"{choice}":null}}"#);
        assert_eq!(faults(&not_made), [format!("{choice} is null")]);
    }
    // Clients that write every field select only by those with a value.
    let named = selection(r#"{"ids":[],"upTo":null,"all":null,"filter":null}"#);
    assert_eq!(named, Selection::Ids(vec![]));
}

#[test]
fn tells_events_with_the_same_id_apart() {
    let [own, both] = [UUID, "7b1d2c3e-0000-4000-8000-000000000002"];
    let body = json!({"ids": [own, both, both], "systemIds": [both]});
    let named = selection(&body.to_string());
    let of = |kind, id: &str| EventRef::of(kind, id.parse().unwrap());
    let expected = [
        of(OwnerKind::User, own),
        of(OwnerKind::System, both),
        of(OwnerKind::User, both),
    ];
    assert_eq!(named, Selection::ids(expected));
    let own_only = selection(&json!({"ids": [own], "systemIds": []}).to_string());
    assert_eq!(own_only, Selection::ids([of(OwnerKind::User, own)]));
    let unsaid = selection(&json!({"ids": [own], "system_ids": null}).to_string());
    assert_eq!(unsaid, Selection::ids([own.parse::<EventId>().unwrap()]));
    let not_among = format!("systemIds (`{both}`) is not among `ids`");
    for (body, fault) in [
        (json!({"ids": [own], "systemIds": [both]}), &*not_among),
        (
            json!({"ids": [own, both], "systemIds": [both, both]}),
            &*not_among,
        ),
        (
            json!({"ids": [own], "systemIds": ["x"]}),
            "systemIds[0] (`\"x\"`) is not a UUID",
        ),
        (
            json!({"all": true, "systemIds": [own]}),
            "systemIds is given without `ids`",
        ),
    ] {
        let mut body = body;
        body["status"] = json!("read");
        assert_eq!(faults(&body.to_string()), [fault], "{body}");
    }
}

#[test]
fn names_every_fault_at_once() {
    let faults = faults(
        r#"{"ids": ["x", 7], "all": false, "upTo": 3, "status": "new", "more": "x",
            "filter": {"status": "", "severity": 7, "category": ["A"], "limit": 5,
                       "from": 7, "search": "a", "action": ["a", 1], "ownerKind": "me"}}"#,
    );
    for expected in [
        "`more` is not a field of this request",
        "the body selects events in more than one way",
        "upTo (`3`) is not a cursor",
        "ids[0] (`\"x\"`) is not a UUID",
        "ids[1] (`7`) is not a UUID",
        "filter.status is empty",
        "filter.`limit` is not a filter",
        "filter.from (`7`) is not a text",
        "filter.severity (`7`) is not a JSON array of strings",
        "filter.action (`[\"a\", 1]`) is not a JSON array of strings",
        "filter.category (`A`) `A` is not snake_case",
        "filter.ownerKind (`me`) is not a kind of owner",
        "all is not `true`",
        "status (`\"new\"`) is not a status",
    ] {
        assert!(
            faults.iter().any(|fault| fault == expected),
            "{expected} in {faults:#?}"
        );
    }
}

#[test]
fn limits_ids_values_and_fields() {
    let many = |count: usize| {
        format!(
            r#"{{"ids": [{}]}}"#,
            vec![format!("\"{UUID}\""); count].join(",")
        )
    };
    assert!(read_selection(&many(10_000), &Limits::default()).is_ok());
    let rejected = read_selection(&many(10_001), &Limits::default());
    assert!(matches!(
        rejected,
        Err(ChangeRejection::TooManyIds {
            ids: 10_001,
            limit: 10_000
        })
    ));
    let wide: String = (0..1_000).map(|field| format!("\"f{field}\":1,")).collect();
    let body = format!(r#"{{{wide} "status":"read"}}"#);
    assert!(
        faults(&body)
            .iter()
            .any(|fault| fault == "the body has 1001 fields, more than 50")
    );
}

#[test]
fn parses_the_status_of_one_event() {
    assert_eq!(
        read_status(r#"{"status":"read","more":1}"#).unwrap(),
        Status::Read
    );
    for bad in [
        "{}",
        r#"{"status":null}"#,
        r#"{"status":true}"#,
        r#"{"status":"seen"}"#,
        r#"{"status":"read","status":"unread"}"#,
    ] {
        assert!(
            matches!(read_status(bad), Err(ChangeRejection::Status(_))),
            "{bad}"
        );
    }
    let wide: String = (0..50).map(|field| format!("\"f{field}\":1,")).collect();
    let Err(ChangeRejection::Status(violations)) =
        read_status(&format!(r#"{{{wide} "status":"read"}}"#))
    else {
        panic!("it has too many fields");
    };
    let faults: Vec<_> = violations.iter().map(|one| one.fault.as_str()).collect();
    assert_eq!(faults, ["has 51 fields, more than 50"]);
    for bad in ["", "null", "[]", "\"read\"", "{"] {
        assert!(
            matches!(read_status(bad), Err(ChangeRejection::Json(_))),
            "{bad}"
        );
    }
}
