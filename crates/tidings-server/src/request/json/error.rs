//! The error for a body, or a part of it, that is not the JSON it must be.

use axum::http::StatusCode;
use tidings_event::{ErrorCode, Violation, Violations};

use crate::problem::Problem;

/// The body, or a field of it, is not the JSON it must be.
#[derive(Debug)]
pub(crate) struct InvalidJson(pub(crate) Violations);

impl From<Violation> for InvalidJson {
    fn from(violation: Violation) -> Self {
        let mut violations = Violations::default();
        violations.add(violation.field, violation.fault, violation.remedy);
        Self(violations)
    }
}

impl InvalidJson {
    pub(crate) fn problem(&self) -> Problem {
        Problem::rejection(
            StatusCode::BAD_REQUEST,
            ErrorCode::InvalidJson,
            "The body is not the JSON that this path expects",
        )
        .effect("nothing was changed")
        .violations(&self.0)
    }
}
