//! Why an event of a request cannot be stored.

use tidings_event::{Violation, Violations};

use super::PublishRejection;
use crate::request::json;

/// Why an event of a request cannot be stored.
pub(super) enum Unfit {
    /// It is not JSON of the expected form.
    Unreadable(Violation),
    /// It breaks rules.
    Invalid(Violations),
    /// It is a `CloudEvent`, and not an event of this API.
    CloudEvent,
    /// Its owner is a user to whom the caller cannot publish.
    Foreign,
    /// Its system is not the one that the caller's token names.
    ForeignSystem,
}

impl Unfit {
    /// The rejection of an event that is not part of a batch.
    pub(super) fn alone(self) -> PublishRejection {
        match self {
            Self::Unreadable(violation) => violation.into(),
            Self::Invalid(violations) => PublishRejection::Invalid(violations),
            Self::CloudEvent => PublishRejection::CloudEvent,
            Self::Foreign => PublishRejection::ForeignOwner { index: None },
            Self::ForeignSystem => PublishRejection::ForeignSystem { index: None },
        }
    }
}

/// Whether a rejected object is a `CloudEvent`: it has `specversion` and one of the other attributes that every
/// such event has (<https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#required-attributes>),
/// or the version of the oldest ones.
pub(super) fn is_cloud_event(json: &str) -> bool {
    const MAX_FIELDS: usize = 100;
    let Ok(fields) = json::fields(json, json, "body", MAX_FIELDS) else {
        return false;
    };
    let has = |name: &str| fields.first.iter().any(|(field, _)| field == name);
    let is_of_one = || ["id", "source", "type"].into_iter().any(has);
    has("specversion") && is_of_one() || has("cloudEventsVersion")
}
