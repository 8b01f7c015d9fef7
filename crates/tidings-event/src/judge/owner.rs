//! The owner of a published event.

use super::{Judge, Known, OWNER_REMEDY};
use crate::given::{Given, OwnerName};
use crate::id::OwnerId;
use crate::quote::shortened;

const SUBJECT_REMEDY: &str = "give either the owner, or the subject with its issuer";

impl Judge {
    /// The owner; `None` for the system.
    pub(super) fn owner(
        &mut self,
        owner: Given<OwnerName>,
        subject: Given<String>,
        issuer: Given<String>,
    ) -> Option<OwnerId> {
        let named = self.known("owner", owner, OWNER_REMEDY);
        let (subject, issuer) = match (subject, issuer) {
            (Given::Absent, _) => {
                return match named {
                    Known::Value(OwnerName::User(user)) if !user.is_nil() => Some(user),
                    Known::Value(OwnerName::User(_) | OwnerName::System)
                    | Known::Absent
                    | Known::Rejected => None,
                };
            }
            (Given::Value(subject), issuer @ (Given::Absent | Given::Value(_))) => {
                (subject, issuer.value())
            }
            (Given::Malformed(text), _) | (_, Given::Malformed(text)) => {
                let fault = format!("or its issuer (`{}`) is not one text", shortened(&text));
                self.reject("subject", fault, SUBJECT_REMEDY);
                return None;
            }
        };
        let Some(owner) = OwnerId::named_by(&subject, issuer.as_deref()) else {
            let fault = "is not a UUID, and no issuer is known to derive the owner from";
            self.reject("subject", fault, SUBJECT_REMEDY);
            return None;
        };
        match named {
            Known::Value(OwnerName::User(user)) if user == owner || user.is_nil() => {}
            Known::Absent | Known::Rejected => {}
            Known::Value(_) => {
                let fault = "names a different user than `owner`";
                self.reject("subject", fault, SUBJECT_REMEDY);
            }
        }
        Some(owner)
    }
}
