//! Reading what is to be marked or deleted, by hand so that one answer names every fault.

use std::borrow::Cow;

use serde_json::value::RawValue;
use tidings_event::{Cursor, EventFilter, EventId, Limits, Selection, Status, Violations};

use crate::error::{ApiError, quoted};
use crate::json;
use crate::parameters::{Origin, Parameters};
use crate::spelling::{self, FILTERS, Parameter, SELECTION, STATUS};

/// The tables of the fields that are taken.
type Fields<'a> = &'a [&'static [Parameter]];

/// More fields than any client sends; what is beyond is not even looked at.
const MAX_FIELDS: usize = 50;

const SELECTION_REMEDY: &str = "give one of `ids`, `filter` with `upTo`, and `\"all\": true`";

const STATUS_REMEDY: &str = "write \"status\": \"read\" or \"status\": \"unread\"";

const UP_TO_REMEDY: &str =
    "give the `cursor` of the list, or of the last frame, that the user had on screen";

/// Reads which events are to be deleted: `{"ids": […]}`, `{"filter": {…}, "upTo": "…"}` or
/// `{"all": true}`.
pub(crate) fn read_selection(text: &str, limits: &Limits) -> Result<Selection, ApiError> {
    let mut violations = Violations::default();
    let mut body = Body::read(text, &[&SELECTION], &mut violations)?;
    let selection = body.selection(limits, &mut violations)?;
    finish(selection, violations)
}

/// Reads which events are to be marked, and as what: the same with a `status`.
pub(crate) fn read_marking(text: &str, limits: &Limits) -> Result<(Selection, Status), ApiError> {
    let mut violations = Violations::default();
    let mut body = Body::read(text, &[&SELECTION, &STATUS], &mut violations)?;
    let selection = body.selection(limits, &mut violations)?;
    let status = body.status(&mut violations);
    finish(selection.zip(status), violations)
}

/// Reads as what one event is to be marked: `{"status": "read"}`. Other fields are passed over, as
/// existing servers do: they cannot widen what is marked.
pub(crate) fn read_status(text: &str) -> Result<Status, ApiError> {
    let mut violations = Violations::default();
    let fields = json::fields(text, text, "body", MAX_FIELDS).map_err(ApiError::invalid_json)?;
    // The status, or another one, may be among those that were not looked at.
    let status = if check_count(
        "the body",
        fields.count,
        "send `status` alone",
        &mut violations,
    ) {
        let first = fields.first.into_iter();
        let is_status = |name: &str| spelling::find(&STATUS, name).is_some();
        let statuses = first.filter(|(name, _)| is_status(name));
        let mut body = Body {
            text,
            fields: statuses.map(|(_, value)| ("status", value)).collect(),
        };
        if body.fields.len() > 1 {
            violations.add("status", "is given twice", "give it once");
        }
        body.status(&mut violations)
    } else {
        None
    };
    violations.into_result().map_err(ApiError::InvalidStatus)?;
    Ok(expect_read(status))
}

fn finish<T>(read: Option<T>, violations: Violations) -> Result<T, ApiError> {
    violations.into_result().map_err(ApiError::InvalidChange)?;
    Ok(expect_read(read))
}

fn expect_read<T>(read: Option<T>) -> T {
    read.expect("what could not be read is a violation")
}

/// Whether there are not too many fields.
fn check_count(field: &str, count: usize, remedy: &str, violations: &mut Violations) -> bool {
    if count > MAX_FIELDS {
        let fault = format!("has {count} fields, more than {MAX_FIELDS}");
        violations.add(field, fault, remedy);
    }
    count <= MAX_FIELDS
}

/// The fields of a request that are known.
struct Body<'a> {
    text: &'a str,
    fields: Vec<(&'static str, &'a RawValue)>,
}

impl<'a> Body<'a> {
    fn read(
        text: &'a str,
        known: Fields<'_>,
        violations: &mut Violations,
    ) -> Result<Self, ApiError> {
        let read = json::fields(text, text, "body", MAX_FIELDS).map_err(ApiError::invalid_json)?;
        check_count("the body", read.count, SELECTION_REMEDY, violations);
        let mut fields: Vec<(&'static str, &RawValue)> = Vec::new();
        for (name, value) in read.first {
            let mut found = known
                .iter()
                .filter_map(|table| spelling::find(table, &name));
            let Some(field) = found.next().map(|field| field.name) else {
                let remedy = unknown(known, &name);
                violations.add(quoted(&name), "is no field of this request", remedy);
                continue;
            };
            if fields.iter().any(|(taken, _)| *taken == field) {
                violations.add(field, "is given twice", "give it once");
            } else {
                fields.push((field, value));
            }
        }
        Ok(Self { text, fields })
    }

    /// Removes a field; `null` means absent.
    fn take(&mut self, name: &str) -> Option<&'a RawValue> {
        let place = self.fields.iter().position(|(taken, _)| *taken == name)?;
        let (_, value) = self.fields.remove(place);
        (value.get() != "null").then_some(value)
    }

    fn status(&mut self, violations: &mut Violations) -> Option<Status> {
        let Some(value) = self.take("status") else {
            violations.add("status", "is missing", STATUS_REMEDY);
            return None;
        };
        let status = string(value).and_then(|text| text.parse().ok());
        if status.is_none() {
            let fault = format!("({}) is not a status", quoted(value.get()));
            violations.add("status", fault, STATUS_REMEDY);
        }
        status
    }

    fn selection(
        &mut self,
        limits: &Limits,
        violations: &mut Violations,
    ) -> Result<Option<Selection>, ApiError> {
        // Of a client that gives it with `all`, a choice that is null is one it failed to make, as in `up_to`.
        let is_null = |name: &&str| {
            let mut fields = self.fields.iter();
            fields.any(|(field, value)| field == name && value.get() == "null")
        };
        let not_made: Vec<&str> = ["ids", "filter"].into_iter().filter(is_null).collect();
        let ids = self.take("ids");
        let filter = self.take("filter");
        let all = self.take("all");
        if all.is_some() {
            for name in not_made {
                let remedy = "give it without `all`; to touch all there are, leave it out";
                violations.add(name, "is null", remedy);
            }
        }
        let up_to = self.up_to(all.is_some(), violations);
        let ways = [ids.is_some(), filter.is_some(), all.is_some()];
        match ways.into_iter().filter(|given| *given).count() {
            0 => violations.add("the body", "does not say which events", SELECTION_REMEDY),
            1 => {}
            _ => violations.add(
                "the body",
                "says in several ways which events",
                SELECTION_REMEDY,
            ),
        }
        let has_up_to = up_to.is_some();
        let up_to = up_to.and_then(|value| cursor(value, violations));
        let ids = match ids {
            Some(value) => Some(self.ids(value, limits, violations)?),
            None => None,
        };
        let filter = filter.and_then(|value| self.filter(value, violations));
        if all.is_some_and(|value| value.get() != "true") {
            let remedy = "write \"all\": true, or leave it out";
            violations.add("all", "is not `true`", remedy);
        }
        if has_up_to && ids.is_some() {
            violations.add(
                "upTo",
                "is given with `ids`",
                "leave it out: only the events that are named are touched",
            );
        }
        if ways[1] && !has_up_to {
            violations.add("upTo", "is missing", UP_TO_REMEDY);
        }
        Ok(match (ids, filter, all) {
            (Some(ids), _, _) => Some(Selection::Ids(ids)),
            (None, Some(filter), _) => up_to.map(|up_to| Selection::Filter {
                filter: Box::new(filter),
                up_to,
            }),
            (None, None, Some(_)) => Some(Selection::All { up_to }),
            (None, None, None) => None,
        })
    }

    /// Removes `upTo`. Of a client that gives it with `all`, `null` is a cursor it failed to get, and
    /// must not widen the change to what the user has not seen.
    fn up_to(&mut self, with_all: bool, violations: &mut Violations) -> Option<&'a RawValue> {
        let is_given = self.fields.iter().any(|(name, _)| *name == "upTo");
        let up_to = self.take("upTo");
        if with_all && is_given && up_to.is_none() {
            let remedy = format!("{UP_TO_REMEDY}; to touch all there are, leave it out");
            violations.add("upTo", "is null", remedy);
        }
        up_to
    }

    fn ids(
        &self,
        value: &'a RawValue,
        limits: &Limits,
        violations: &mut Violations,
    ) -> Result<Vec<EventId>, ApiError> {
        let limit = limits.change_ids;
        if string(value).is_some() {
            return Ok(id("ids", value, violations).into_iter().collect());
        }
        let elements = match json::elements(self.text, value.get(), "ids", limit) {
            Ok(elements) => elements,
            Err(fault) => {
                violations.add(
                    fault.field,
                    fault.fault,
                    "give an array of the events' UUIDs",
                );
                return Ok(Vec::new());
            }
        };
        if elements.count > limit {
            let ids = elements.count;
            return Err(ApiError::TooManyIds { ids, limit });
        }
        let mut ids = Vec::with_capacity(elements.first.len());
        for (index, element) in elements.first.into_iter().enumerate() {
            ids.extend(id(&format!("ids[{index}]"), element, violations));
        }
        Ok(ids)
    }

    fn filter(&self, value: &'a RawValue, violations: &mut Violations) -> Option<EventFilter> {
        let fields = match json::fields(self.text, value.get(), "filter", MAX_FIELDS) {
            Ok(fields) => fields,
            Err(fault) => {
                let remedy = "give an object with the names of the list's filters";
                violations.add(fault.field, fault.fault, remedy);
                return None;
            }
        };
        check_count("filter", fields.count, "leave some out", violations);
        let faults = violations.iter().len();
        let mut given = Parameters::new(Origin::Body);
        for (name, value) in fields.first {
            match spelling::find(&FILTERS, &name) {
                Some(filter) => given.insert_field(filter, value, violations),
                None => {
                    let remedy = unknown(&[&FILTERS], &name);
                    violations.add(given.field(&quoted(&name)), "is no filter", remedy);
                }
            }
        }
        let filter = given.filter(violations);
        if faults == violations.iter().len() && filter.is_empty() {
            violations.add(
                "filter",
                "is empty",
                "say which events are meant; for all there are, write \"all\": true instead",
            );
        }
        Some(filter)
    }
}

/// What to do about a name that is in none of the tables.
fn unknown(known: Fields<'_>, name: &str) -> String {
    let mut meant = known
        .iter()
        .filter_map(|table| spelling::suggestion(table, name));
    match meant.next() {
        Some(meant) => format!("write `{meant}`, or leave it out"),
        None => {
            let known = known.iter().copied().flatten();
            let known: Vec<_> = known.map(|field| field.name).collect();
            format!("leave it out; known are {}", known.join(", "))
        }
    }
}

fn id(field: &str, value: &RawValue, violations: &mut Violations) -> Option<EventId> {
    let id = string(value).and_then(|text| text.parse().ok());
    if id.is_none() {
        violations.add(
            field,
            format!("({}) is not a UUID", quoted(value.get())),
            "give the event's UUID, as in its field `id`",
        );
    }
    id
}

fn cursor(value: &RawValue, violations: &mut Violations) -> Option<Cursor> {
    let cursor = string(value).and_then(|text| text.parse().ok());
    if cursor.is_none() {
        let fault = format!("({}) is not a cursor", quoted(value.get()));
        violations.add("upTo", fault, UP_TO_REMEDY);
    }
    cursor
}

/// The text that a JSON string stands for.
fn string(value: &RawValue) -> Option<Cow<'_, str>> {
    serde_json::from_str::<String>(value.get())
        .ok()
        .map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "7b1d2c3e-0000-4000-8000-000000000001";

    fn selection(body: &str) -> Selection {
        read_selection(body, &Limits::default()).unwrap()
    }

    /// The field and the fault of every violation.
    #[track_caller]
    fn faults(body: &str) -> Vec<String> {
        let error = read_marking(body, &Limits::default()).unwrap_err();
        let (ApiError::InvalidChange(violations) | ApiError::InvalidJson(violations)) = error
        else {
            panic!("{error:?}");
        };
        let faults = violations.iter();
        faults
            .map(|one| format!("{} {}", one.field, one.fault))
            .collect()
    }

    #[test]
    fn each_way_to_choose_is_read() {
        let id: EventId = UUID.parse().unwrap();
        let ids = selection(&format!(r#"{{"ids": ["{UUID}", "{UUID}"], "all": null}}"#));
        assert_eq!(ids, Selection::Ids(vec![id, id]));
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
    fn fields_and_filters_are_read_in_every_spelling() {
        let id: EventId = UUID.parse().unwrap();
        for ids in [
            format!(r#"{{"ids": ["{UUID}"]}}"#),
            format!(r#"{{"Ids": "{UUID}"}}"#),
            format!(r#"{{"id": "{UUID}"}}"#),
            format!(r#"{{"event_ids": ["{UUID}"]}}"#),
        ] {
            assert_eq!(selection(&ids), Selection::Ids(vec![id]), "{ids}");
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
        let no_narrower = faults(
            r#"{"status":"read","upTo":"3-1-k3f9q2w8","filter":{"status":["read","unread"]}}"#,
        );
        assert_eq!(no_narrower, ["filter is empty"]);
        assert_eq!(read_status(r#"{"Status":"read"}"#).unwrap(), Status::Read);
    }

    #[test]
    fn a_choice_is_neither_missing_nor_double_nor_empty() {
        let missing = faults(r#"{"status": "read"}"#);
        assert_eq!(missing, ["the body does not say which events"]);
        let double = faults(r#"{"status":"read","ids":[],"all":true}"#);
        assert_eq!(double, ["the body says in several ways which events"]);
        let empty = faults(r#"{"status":"read","upTo":"0-0-k3f9q2w8","filter":{}}"#);
        assert_eq!(empty, ["filter is empty"]);
        let boundless = faults(r#"{"status":"read","filter":{"status":"unread"}}"#);
        assert_eq!(boundless, ["upTo is missing"]);
        let bounded_ids = faults(r#"{"status":"read","ids":[],"upTo":"0-0-k3f9q2w8"}"#);
        assert_eq!(bounded_ids, ["upTo is given with `ids`"]);
    }

    #[test]
    fn what_says_nothing_does_not_widen_a_change() {
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
                let body =
                    format!(r#"{{"status":"read","upTo":"0-0-k3f9q2w8","filter":{filter}}}"#);
                assert_eq!(faults(&body)[0], fault, "{filter}");
            }
        }
        let boundless = faults(r#"{"status":"read","all":true,"upTo":null}"#);
        assert_eq!(boundless, ["upTo is null"]);
        for choice in ["ids", "filter"] {
            let not_made = format!(r#"{{"status":"read","all":true,"{choice}":null}}"#);
            assert_eq!(faults(&not_made), [format!("{choice} is null")]);
        }
        // Clients that write every field mean no more than they give.
        let named = selection(r#"{"ids":[],"upTo":null,"all":null,"filter":null}"#);
        assert_eq!(named, Selection::Ids(vec![]));
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let faults = faults(
            r#"{"ids": ["x", 7], "all": false, "upTo": 3, "status": "new", "more": "x",
                "filter": {"status": "", "severity": 7, "category": ["A"], "limit": 5,
                           "from": 7, "search": "a", "action": ["a", 1], "ownerKind": "me"}}"#,
        );
        for expected in [
            "`more` is no field of this request",
            "the body says in several ways which events",
            "upTo (`3`) is not a cursor",
            "ids[0] (`\"x\"`) is not a UUID",
            "ids[1] (`7`) is not a UUID",
            "filter.status is empty",
            "filter.`limit` is no filter",
            "filter.from (`7`) is not a text",
            "filter.severity (`7`) is not a JSON array of strings",
            "filter.action (`[\"a\", 1]`) is not a JSON array of strings",
            "filter.category (`A`) `A` is not snake_case",
            "filter.ownerKind (`me`) is no kind of owner",
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
    fn amounts_are_bounded() {
        let many = |count: usize| {
            format!(
                r#"{{"ids": [{}]}}"#,
                vec![format!("\"{UUID}\""); count].join(",")
            )
        };
        assert!(read_selection(&many(10_000), &Limits::default()).is_ok());
        let refused = read_selection(&many(10_001), &Limits::default());
        assert!(matches!(
            refused,
            Err(ApiError::TooManyIds {
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
    fn the_status_of_one_event_is_a_word() {
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
                matches!(read_status(bad), Err(ApiError::InvalidStatus(_))),
                "{bad}"
            );
        }
        let wide: String = (0..50).map(|field| format!("\"f{field}\":1,")).collect();
        let Err(ApiError::InvalidStatus(violations)) =
            read_status(&format!(r#"{{{wide} "status":"read"}}"#))
        else {
            panic!("it has too many fields");
        };
        let faults: Vec<_> = violations.iter().map(|one| one.fault.as_str()).collect();
        assert_eq!(faults, ["has 51 fields, more than 50"]);
        for bad in ["", "null", "[]", "\"read\"", "{"] {
            assert!(
                matches!(read_status(bad), Err(ApiError::InvalidJson(_))),
                "{bad}"
            );
        }
    }
}
