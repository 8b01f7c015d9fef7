//! The owners of an event that is published to several.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use tidings_event::wire::Policy;
use tidings_event::{Draft, Given, NewEvent, OwnerName, Recipients, Violation, Violations};

use super::unfit::Unfit;
use super::{EventParser, PublishRejection};
use crate::request::json;

/// The field, as it stands in a body.
const FIELD: &str = "owners";

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(
        borrow,
        default,
        alias = "Owners",
        alias = "recipients",
        alias = "Recipients"
    )]
    owners: Option<&'a RawValue>,
}

/// What stands in every body with the field: a part of each of its spellings, or an escape that can be one.
const TRACES: [&str; 3] = ["wners", "ecipients", "\\u00"];

/// How the body of an update names whose event it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// An owner, or a subject.
    One,
    /// All owners to whom it was published together.
    All,
    /// Not at all.
    Nobody,
}

/// Whether the body of an update names all owners.
pub(super) fn names_all(json: &str) -> Result<bool, Violation> {
    let Some(value) = named_in(json)? else {
        return Ok(false);
    };
    match serde_json::from_str::<String>(value.get()).as_deref() {
        Ok("all") => Ok(true),
        Ok(_) | Err(_) => Err(Violation::new(
            FIELD,
            "has another value than \"all\"",
            "write \"all\", or name one owner with `owner`",
        )),
    }
}

/// The value of the field in the JSON of an event. Most events do not have it, and are not parsed for it.
fn named_in(json: &str) -> Result<Option<&RawValue>, Violation> {
    if !TRACES.iter().any(|trace| json.contains(trace)) {
        return Ok(None);
    }
    match serde_json::from_str::<Body<'_>>(json) {
        Ok(named) => Ok(named.owners),
        // The field is there twice, or this is no event, which is found again.
        Err(_) if serde_json::from_str::<IgnoredAny>(json).is_ok() && is_object(json) => Err(
            Violation::new(FIELD, "is given twice", "name all owners in one array"),
        ),
        Err(_) => Ok(None),
    }
}

fn is_object(json: &str) -> bool {
    json.trim_ascii_start().starts_with('{')
}

/// Whether a body is one event for several owners.
pub(crate) fn names_owners(text: &str) -> bool {
    is_object(text) && !matches!(named_in(text), Ok(None))
}

/// Rejects an event of a batch, or of an import, that is for several owners. An empty array is none: generated clients
/// send it with every event.
pub(super) fn reject(json: &str, prefix: &str) -> Result<(), Unfit> {
    let is_empty = |named: &RawValue| serde_json::from_str::<[IgnoredAny; 0]>(named.get()).is_ok();
    match named_in(json) {
        Ok(None) => Ok(()),
        Ok(Some(named)) if is_empty(named) => Ok(()),
        Ok(Some(_)) | Err(_) => {
            let field = match prefix {
                "" => FIELD.to_owned(),
                prefix => format!("{prefix}.{FIELD}"),
            };
            Err(Unfit::Unreadable(Violation::new(
                field,
                "stands in a batch or an import",
                "send an event for several owners as a request of its own",
            )))
        }
    }
}

impl EventParser<'_> {
    /// Reads a body that is one event for several owners.
    pub(crate) fn read_for_many(self, text: &str) -> Result<(Draft, Recipients), PublishRejection> {
        if !self.publishes_for_all() {
            return Err(Unfit::Foreign.alone());
        }
        let named = named_in(text)?;
        let named = named.map_or("[]", RawValue::get);
        let recipients = read_owners(named);
        let (mut event, past) = self.read_event(text).map_err(|error| {
            Unfit::Unreadable(json::fault_of::<NewEvent>(&error, text, text, "")).alone()
        })?;
        let mut violations = Violations::default();
        if past.is_some() {
            let remedy = "import the event once for each owner";
            violations.add(FIELD, "stands in an import", remedy);
        }
        let remedy = "name all owners in `owners`, and leave it out";
        if !event.owner.is_absent() {
            violations.add("owner", "stands beside `owners`", remedy);
        }
        if !event.subject.is_absent() {
            violations.add("subject", "stands beside `owners`", remedy);
        }
        let recipients = match recipients {
            Ok(recipients) => Some(recipients),
            Err(of_owners) => {
                for one in of_owners.iter() {
                    violations.add(one.field.clone(), one.fault.clone(), one.remedy.clone());
                }
                None
            }
        };
        event.owner = OwnerName::System.into();
        event.subject = Given::Absent;
        event.issuer = Given::Absent;
        self.settle_system(&mut event).map_err(Unfit::alone)?;
        match (event.into_draft(self.limits, Policy::Repair), recipients) {
            (Ok(draft), Some(recipients)) if violations.iter().next().is_none() => {
                Ok((draft, recipients))
            }
            (Ok(_), _) => Err(PublishRejection::Invalid(violations)),
            (Err(of_event), _) => {
                for one in of_event.iter() {
                    violations.add(one.field.clone(), one.fault.clone(), one.remedy.clone());
                }
                Err(PublishRejection::Invalid(violations))
            }
        }
    }
}

/// Reads the array of owners, with at most as many faults as the answer to a conflict names owners.
fn read_owners(json: &str) -> Result<Recipients, Violations> {
    const FAULTS: usize = 3;
    let mut violations = Violations::default();
    let Ok(names) = serde_json::from_str::<Vec<String>>(json) else {
        violations.add(
            FIELD,
            "is not an array of texts",
            "send the UUIDs of the owners, as [\"…\", \"…\"]",
        );
        return Err(violations);
    };
    let mut owners = Vec::with_capacity(names.len());
    let mut faults = 0;
    for (index, name) in names.iter().enumerate() {
        let fault = match Given::<OwnerName>::parse(name) {
            Given::Value(OwnerName::User(user)) if !user.is_nil() => {
                owners.push(user);
                continue;
            }
            Given::Value(OwnerName::System) => "is the system, whose events every user sees anyway",
            Given::Absent => "is empty",
            Given::Value(OwnerName::User(_)) | Given::Malformed(_) => "is not the UUID of a user",
        };
        faults += 1;
        if faults <= FAULTS {
            let remedy = match fault {
                "is empty" => "name an owner, or leave it out",
                _ => "send the UUID of the owner, or leave it out",
            };
            violations.add(format!("{FIELD}[{index}]"), fault, remedy);
        }
    }
    violations.into_result()?;
    Recipients::new(owners)
}

#[cfg(test)]
mod tests {
    use super::{names_owners, reject};

    #[test]
    fn a_batch_has_no_event_for_several_owners() {
        for json in [r#"{"owners": [ ]}"#, r#"{"owners": null}"#, "{}"] {
            assert!(reject(json, "[0]").is_ok(), "{json}");
        }
        for json in [r#"{"owners": [""]}"#, r#"{"Owners": "all"}"#] {
            assert!(reject(json, "[0]").is_err(), "{json}");
        }
    }

    #[test]
    fn finds_the_owners_in_every_spelling() {
        for json in [
            r#"{"owners": []}"#,
            r#"{"Owners": ["7b1d2c3e-0000-4000-8000-00000000000a"]}"#,
            r#" {"description": "x", "recipients": []}"#,
            r#"{"Recipients": 5}"#,
            r#"{"\u006fwners": []}"#,
            // Twice, which is rejected.
            r#"{"owners": [], "recipients": []}"#,
        ] {
            assert!(names_owners(json), "{json}");
        }
        for json in [
            r#"{"owner": "a"}"#,
            r#"{"description": "owners and recipients"}"#,
            r#"{"owners": null}"#,
            r#"{"metadata": {"owners": []}}"#,
            r#"[{"owners": []}]"#,
        ] {
            assert!(!names_owners(json), "{json}");
        }
    }
}
