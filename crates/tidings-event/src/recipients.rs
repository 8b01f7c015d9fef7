//! Events that are published to several owners.

use serde::{Deserialize, Serialize};

use crate::id::{EventId, OwnerId};
use crate::rules::Violations;
use crate::warning::Warning;

/// The owners of an event that is published to several: sorted, each once.
///
/// ```
/// use tidings_event::{OwnerId, Recipients};
///
/// let [one, other] = [OwnerId::mint(), OwnerId::mint()];
/// let recipients = Recipients::new([one, other, one])?;
/// assert_eq!(recipients.owners().len(), 2);
/// assert!(Recipients::new([]).is_err());
/// # Ok::<(), tidings_event::Violations>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipients(Vec<OwnerId>);

impl Recipients {
    /// The most owners of one publish request.
    pub const MAX: usize = 1_000;

    /// The recipients with these names. Their order does not matter, and neither does naming one twice.
    ///
    /// # Errors
    ///
    /// There are none, more than [`Self::MAX`], or one is nil.
    pub fn new(owners: impl IntoIterator<Item = OwnerId>) -> Result<Self, Violations> {
        let mut owners: Vec<OwnerId> = owners.into_iter().collect();
        owners.sort_unstable();
        owners.dedup();
        let mut violations = Violations::default();
        if owners.is_empty() {
            violations.add(
                "owners",
                "names no owner",
                "name at least one, or leave `owners` out",
            );
        }
        if owners.len() > Self::MAX {
            violations.add(
                "owners",
                format!(
                    "names {} owners, more than the {} allowed",
                    owners.len(),
                    Self::MAX
                ),
                "repeat the request with the same id for the others",
            );
        }
        if owners.first().is_some_and(|owner| owner.is_nil()) {
            violations.add(
                "owners",
                "has the nil UUID, which names no owner",
                "leave it out",
            );
        }
        violations.into_result()?;
        Ok(Self(owners))
    }

    /// The owners.
    pub fn owners(&self) -> &[OwnerId] {
        &self.0
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_false(truth: &bool) -> bool {
    !*truth
}

/// The result of publishing an event to several owners.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct SharedReceipt {
    /// The id of the event, the same in each feed.
    pub id: EventId,
    /// How many owners have the event because of this request.
    pub reached: u64,
    /// How many owners had the event before. An owner who deleted it since counts here and keeps it deleted.
    pub repeated: u64,
    /// Whether the event was retracted from all its owners before. Then it reaches no one else.
    #[serde(default, skip_serializing_if = "is_false")]
    pub retracted: bool,
    /// The repairs of the published event. They are not stored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

impl SharedReceipt {
    /// A receipt without warnings.
    pub const fn new(id: EventId, reached: u64, repeated: u64) -> Self {
        Self {
            id,
            reached,
            repeated,
            retracted: false,
            warnings: Vec::new(),
        }
    }
}

/// The result of an update of an event that was published to several owners.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct SharedUpdateReceipt {
    /// The id of the event.
    pub id: EventId,
    /// For how many owners the update replaced the content.
    pub updated: u64,
    /// How many owners have this content already, or that of a later update.
    pub unchanged: u64,
    /// For how many owners there is no room: their quotas are used up, and they keep the content that they have.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub over_quota: u64,
    /// Whether another update or a retraction of the event began before this one was complete. It reaches the rest.
    #[serde(default, skip_serializing_if = "is_false")]
    pub superseded: bool,
    /// The repairs of the update, and whether a later one is stored. They are not stored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

impl SharedUpdateReceipt {
    /// A receipt without warnings.
    pub const fn new(id: EventId, updated: u64, unchanged: u64) -> Self {
        Self {
            id,
            updated,
            unchanged,
            over_quota: 0,
            superseded: false,
            warnings: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn folds_repeated_owners_and_counts_the_rest() {
        let owners: Vec<_> = (1..=Recipients::MAX as u128)
            .map(|number| OwnerId::from_uuid(Uuid::from_u128(number)))
            .collect();
        let twice = owners.iter().rev().chain(&owners).copied();
        assert_eq!(Recipients::new(twice).unwrap().owners(), owners);
        let one_more = owners.iter().copied().chain([OwnerId::mint()]);
        let violations = Recipients::new(one_more).unwrap_err();
        let violation = violations.iter().next().unwrap();
        assert_eq!(violation.field, "owners");
        assert!(
            violation
                .to_string()
                .contains("1001 owners, more than the 1000")
        );
    }

    #[test]
    fn rejects_the_nil_owner() {
        let nil = OwnerId::from_uuid(Uuid::nil());
        assert!(Recipients::new([OwnerId::mint(), nil]).is_err());
    }
}
