//! The history of an event in another store, for an import.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::draft::Draft;
use crate::event::Event;
use crate::given::Given;
use crate::moment;
use crate::quote::shortened;
use crate::status::Status;
use crate::warning::{WarningCode, warn};

/// The fields of an exported event that a publisher cannot set and that an import keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Past {
    /// The status; unread if absent.
    #[serde(default, alias = "Status", skip_serializing_if = "Given::is_absent")]
    pub status: Given<Status>,
    /// The time of the last change. If absent or before `createdAt`, it is `createdAt`.
    #[serde(
        default,
        alias = "updated_at",
        alias = "UpdatedAt",
        skip_serializing_if = "Given::is_absent"
    )]
    pub updated_at: Given<Timestamp>,
}

impl From<&Event> for Past {
    fn from(event: &Event) -> Self {
        Self {
            status: event.status.into(),
            updated_at: event.updated_at.into(),
        }
    }
}

impl Past {
    /// Applies the history to a draft. A malformed field gets its default and the draft a warning.
    #[must_use]
    pub fn apply(self, mut draft: Draft) -> Draft {
        let status = match self.status {
            Given::Absent => Status::Unread,
            Given::Value(status) => status,
            Given::Malformed(text) => {
                let meant = Status::meant_by(&text);
                let status = meant.unwrap_or_default();
                let code = match meant {
                    Some(_) => WarningCode::Converted,
                    None => WarningCode::Defaulted,
                };
                let message = format!("`{}` is stored as `{status}`", shortened(&text));
                warn(draft.warnings_mut(), "status", code, message);
                status
            }
        };
        let updated_at = match self.updated_at.without_zero() {
            Given::Absent => None,
            Given::Value(moment) if moment::is_storable(moment) => Some(moment),
            Given::Value(moment) => {
                let default = "the value of createdAt";
                moment::repaired(
                    "updatedAt",
                    &moment.to_string(),
                    default,
                    draft.warnings_mut(),
                )
            }
            Given::Malformed(text) => moment::repaired(
                "updatedAt",
                &text,
                "the value of createdAt",
                draft.warnings_mut(),
            ),
        };
        let updated_at = updated_at.unwrap_or(draft.event().created_at);
        draft.with_past(status, updated_at)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::id::SystemId;
    use crate::new_event::NewEvent;
    use crate::policy::Policy;
    use crate::rules::Limits;

    const HERE: &str = "0193f0a0-0000-7000-8000-00000000000b";
    const THERE: &str = "0193f0a0-0000-7000-8000-00000000000c";
    const CREATED: &str = "2026-08-01T10:00:00Z";

    fn imported(fields: &Value) -> Event {
        imported_with_warnings(fields).0
    }

    fn imported_with_warnings(fields: &Value) -> (Event, Vec<String>) {
        let mut body = json!({"actedUpon": HERE, "category": "a", "action": "b",
                              "severity": "debug", "createdAt": CREATED, "status": "read",
                              "owner": "6c6f6361-6c00-4000-8000-000000000001"});
        let fields = fields.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(fields);
        let limits = Limits::default();
        let (new, past) = NewEvent::read_with_past(&body.to_string(), &limits).unwrap();
        let draft = past.apply(new.into_draft(&limits, Policy::Repair).unwrap());
        let warnings = draft.warnings().iter().map(ToString::to_string).collect();
        let system: SystemId = HERE.parse().unwrap();
        (draft.resolve(system).0, warnings)
    }

    #[test]
    fn reads_the_last_change_in_other_forms_or_uses_the_creation() {
        for bad in ["1969-12-31T23:59:59Z", "2263-01-01T00:00:00Z", "yesterday"] {
            let (event, warnings) = imported_with_warnings(&json!({"updatedAt": bad}));
            assert_eq!(event.updated_at.to_string(), CREATED, "{bad}");
            assert_eq!(warnings.len(), 1, "{warnings:?}");
            assert!(warnings[0].starts_with("updatedAt: "), "{warnings:?}");
        }
        for good in [
            json!("2026-08-02 10:00:00"),
            json!(1_785_664_800),
            json!("Sun, 02 Aug 2026 10:00:00 GMT"),
        ] {
            let (event, warnings) = imported_with_warnings(&json!({"updatedAt": good}));
            assert_eq!(
                event.updated_at.to_string(),
                "2026-08-02T10:00:00Z",
                "{good}"
            );
            assert_eq!(warnings.len(), 1, "{warnings:?}");
        }
    }

    #[test]
    fn understands_other_words_for_a_status_or_uses_unread() {
        for (given, status) in [
            (json!("READ"), Status::Read),
            (json!("seen"), Status::Read),
            (json!(true), Status::Read),
            (json!("new"), Status::Unread),
            (json!("archived"), Status::Unread),
            (json!(7), Status::Unread),
        ] {
            let (event, warnings) = imported_with_warnings(&json!({"status": given}));
            assert_eq!(event.status, status, "{given}");
            assert!(warnings[0].starts_with("status: "), "{warnings:?}");
        }
        assert!(
            imported_with_warnings(&json!({"status": null}))
                .1
                .is_empty()
        );
    }

    #[test]
    fn moves_a_last_change_before_the_creation() {
        for absent in [json!(null), json!(""), json!("0001-01-01T00:00:00Z")] {
            let event = imported(&json!({"updatedAt": absent}));
            assert_eq!(event.updated_at.to_string(), CREATED);
        }
        let event = imported(&json!({"updatedAt": "2026-07-01T10:00:00Z"}));
        assert_eq!(event.updated_at.to_string(), CREATED);
    }

    #[test]
    fn drops_the_history_of_system_events() {
        let updated_at = "2026-08-02T10:00:00Z";
        for (owner, sender) in [
            ("system", HERE),
            (HERE, HERE),
            (HERE, THERE),
            (THERE, THERE),
        ] {
            let event = json!({"owner": owner, "systemId": sender, "updatedAt": updated_at});
            let event = imported(&event);
            assert_eq!(event.owner.unwrap().to_string(), HERE, "{owner}");
            assert_eq!(event.system_id.to_string(), sender);
            assert_eq!(event.status, Status::Unread);
            assert_eq!(event.updated_at.to_string(), CREATED, "{owner}");
        }
        let mail = json!({"systemId": THERE, "updatedAt": updated_at});
        let mail = imported(&mail);
        assert_eq!(mail.status, Status::Read);
        assert_eq!(mail.updated_at.to_string(), updated_at);
    }
}
