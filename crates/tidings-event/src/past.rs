//! What an event went through in another store, for an import.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::draft::Draft;
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
    /// When it had last changed; absent means never.
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
        let updated_at = match self.updated_at {
            Given::Absent => draft.event().created_at,
            Given::Value(moment) => moment,
            Given::Malformed(_) => {
                violations.add(
                    "updatedAt",
                    "is not an RFC 3339 time",
                    "give a time such as 2026-08-01T10:00:00.5Z, or leave it out",
                );
                draft.event().created_at
            }
        };
        if i64::try_from(updated_at.as_nanosecond()).is_err() {
            violations.add(
                "updatedAt",
                "is not between the years 1970 and 2262",
                "give a time such as 2026-08-01T10:00:00.5Z, or leave it out",
            );
        }
        violations.into_result()?;
        Ok(draft.with_past(status, updated_at))
    }
}
