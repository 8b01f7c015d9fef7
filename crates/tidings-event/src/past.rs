//! What an event went through in another store, for an import.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::draft::{Draft, moment};
use crate::given::Given;
use crate::kind::Status;
use crate::rules::Violations;

/// The fields of an exported event that a publisher cannot set and an import keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Past {
    /// Whether its owner had read it; absent means unread.
    #[serde(default, skip_serializing_if = "Given::is_absent")]
    pub status: Given<Status>,
    /// When it had last changed; absent means never, and no time is before it was created.
    #[serde(
        default,
        alias = "updated_at",
        skip_serializing_if = "Given::is_absent"
    )]
    pub updated_at: Given<Timestamp>,
}

impl Past {
    /// Gives a draft this past.
    ///
    /// # Errors
    ///
    /// What is malformed, with its field, fault and remedy.
    pub fn apply(self, draft: Draft) -> Result<Draft, Violations> {
        let mut violations = Violations::default();
        let status = match self.status {
            Given::Absent => Status::Unread,
            Given::Value(status) => status,
            Given::Malformed(_) => {
                violations.add("status", "is not a status", "write `read` or `unread`");
                Status::Unread
            }
        };
        let updated_at = moment("updatedAt", self.updated_at.without_zero(), &mut violations);
        violations.into_result()?;
        let updated_at = updated_at.unwrap_or(draft.event().created_at);
        Ok(draft.with_past(status, updated_at))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::draft::{CausePolicy, NewEvent};
    use crate::event::Event;
    use crate::id::SystemId;
    use crate::rules::Limits;

    const HERE: &str = "0193f0a0-0000-7000-8000-00000000000b";
    const THERE: &str = "0193f0a0-0000-7000-8000-00000000000c";
    const CREATED: &str = "2026-08-01T10:00:00Z";

    fn imported(fields: &Value) -> Result<Event, Violations> {
        let mut body = json!({"actedUpon": HERE, "category": "a", "action": "b",
                              "severity": "debug", "createdAt": CREATED, "status": "read",
                              "owner": "6c6f6361-6c00-4000-8000-000000000001"});
        let fields = fields.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(fields);
        let new: NewEvent = serde_json::from_value(body.clone()).unwrap();
        let draft = new.into_draft(&Limits::default(), CausePolicy::FillFromDescription)?;
        let past: Past = serde_json::from_value(body).unwrap();
        let system: SystemId = HERE.parse().unwrap();
        Ok(past.apply(draft)?.resolve(system).0)
    }

    #[test]
    fn times_outside_the_years_of_the_store_are_refused() {
        for bad in ["1969-12-31T23:59:59Z", "2263-01-01T00:00:00Z", "yesterday"] {
            let violations = imported(&json!({"updatedAt": bad})).unwrap_err();
            assert_eq!(
                violations.iter().next().unwrap().field,
                "updatedAt",
                "{bad}"
            );
        }
    }

    #[test]
    fn the_last_change_is_never_before_the_creation() {
        for absent in [json!(null), json!(""), json!("0001-01-01T00:00:00Z")] {
            let event = imported(&json!({"updatedAt": absent})).unwrap();
            assert_eq!(event.updated_at.to_string(), CREATED);
        }
        let event = imported(&json!({"updatedAt": "2026-07-01T10:00:00Z"})).unwrap();
        assert_eq!(event.updated_at.to_string(), CREATED);
    }

    #[test]
    fn an_event_of_any_system_becomes_this_systems_and_has_no_past() {
        let updated_at = "2026-08-02T10:00:00Z";
        for (owner, sender) in [
            ("system", HERE),
            (HERE, HERE),
            (HERE, THERE),
            (THERE, THERE),
        ] {
            let event = json!({"owner": owner, "systemId": sender, "updatedAt": updated_at});
            let event = imported(&event).unwrap();
            assert_eq!(event.owner.unwrap().to_string(), HERE, "{owner}");
            assert_eq!(event.system_id.to_string(), sender);
            assert_eq!(event.status, Status::Unread);
            assert_eq!(event.updated_at.to_string(), CREATED, "{owner}");
        }
        let mail = json!({"systemId": THERE, "updatedAt": updated_at});
        let mail = imported(&mail).unwrap();
        assert_eq!(mail.status, Status::Read);
        assert_eq!(mail.updated_at.to_string(), updated_at);
    }
}
