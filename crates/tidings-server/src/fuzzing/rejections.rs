//! The invariants of rejections.

use crate::error::ApiError;
use crate::problem::invariants;
use crate::publication::{PublishRejection, UpdateRejection};
use crate::request::change::ChangeRejection;

/// Panics unless the rejection blames the client and names each fault with its remedy.
pub(super) fn check_rejection(error: &ApiError) {
    invariants::check(error.problem());
    let violations = match error {
        ApiError::Json(invalid) => &invalid.0,
        ApiError::Query(invalid) => &invalid.0,
        ApiError::Publish(PublishRejection::Invalid(violations))
        | ApiError::Update(UpdateRejection::Invalid(violations))
        | ApiError::Change(
            ChangeRejection::Selection(violations) | ChangeRejection::Status(violations),
        ) => violations,
        ApiError::Publish(
            PublishRejection::Json(_)
            | PublishRejection::CloudEvent
            | PublishRejection::EmptyBatch
            | PublishRejection::TooManyEvents { .. }
            | PublishRejection::EventTooLarge { .. }
            | PublishRejection::BatchTooLarge { .. }
            | PublishRejection::Conflict { .. }
            | PublishRejection::OwnersConflict { .. }
            | PublishRejection::OwnerQuotaExceeded { .. }
            | PublishRejection::QuotaExceeded { .. }
            | PublishRejection::ForeignOwner { .. }
            | PublishRejection::ForeignSystem { .. }
            | PublishRejection::Limit(_)
            | PublishRejection::Store(_),
        )
        | ApiError::Update(
            UpdateRejection::Json(_)
            | UpdateRejection::NotFound
            | UpdateRejection::ForeignSystem { .. }
            | UpdateRejection::OnlyTexts { .. }
            | UpdateRejection::TooLarge { .. }
            | UpdateRejection::QuotaExceeded { .. }
            | UpdateRejection::Store(_),
        )
        | ApiError::Change(
            ChangeRejection::Json(_)
            | ChangeRejection::UpTo(_)
            | ChangeRejection::TooManyIds { .. }
            | ChangeRejection::Limit(_)
            | ChangeRejection::Overloaded
            | ChangeRejection::Disconnected
            | ChangeRejection::Store(_)
            | ChangeRejection::Stopped,
        )
        | ApiError::Body(_)
        | ApiError::LogLevel(_)
        | ApiError::Revocation(_)
        | ApiError::Credential(_)
        | ApiError::Foreign(_)
        | ApiError::Limit(_)
        | ApiError::Response(_)
        | ApiError::Store(_)
        | ApiError::Retract(_)
        | ApiError::Route(_) => return,
    };
    assert!(!violations.is_empty());
    for violation in violations.iter() {
        let texts = [&violation.field, &violation.fault, &violation.remedy];
        assert!(texts.iter().all(|text| !text.is_empty()), "{violation:?}");
    }
}
