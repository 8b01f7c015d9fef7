//! Parses a request that sets the level of the log.

use std::error::Error;

use axum::http::StatusCode;
use tidings_event::{ErrorCode, Violation, Violations};

use super::json::{self, InvalidJson};
use super::spelling::{self, LOG_LEVEL};
use crate::log_level::Level;
use crate::problem::{Problem, quoted};

/// More fields than any client sends.
const MAX_FIELDS: usize = 50;

/// Why the level of the log was not set.
#[derive(Debug)]
pub(crate) enum LogLevelRejection {
    /// The body is not JSON.
    Json(InvalidJson),
    /// The body does not name a level.
    Invalid(Violations),
    /// The program could not set the level.
    Failed(Box<dyn Error + Send + Sync>),
}

impl From<Violation> for LogLevelRejection {
    fn from(violation: Violation) -> Self {
        Self::Json(violation.into())
    }
}

impl LogLevelRejection {
    pub(crate) fn problem(&self) -> Problem {
        match self {
            Self::Json(invalid) => invalid.problem(),
            Self::Invalid(violations) => Problem::rejection(
                StatusCode::BAD_REQUEST,
                ErrorCode::InvalidConfig,
                "The log level was not set",
            )
            .violations(violations),
            Self::Failed(error) => Problem::internal("The server failed").caused_by(error.as_ref()),
        }
    }
}

/// Parses the requested level.
pub(crate) fn read(text: &str) -> Result<Level, LogLevelRejection> {
    let name = LOG_LEVEL[0].name;
    let remedy = format!("write one of {}", Level::ALL.map(Level::as_str).join(", "));
    let fields = json::fields(text, text, "body", MAX_FIELDS)?;
    let mut violations = Violations::default();
    if fields.count > MAX_FIELDS {
        let fault = format!("has {} fields, more than {MAX_FIELDS}", fields.count);
        violations.add("the body", fault, format!("send `{name}` alone"));
    }
    let given = fields.first.into_iter();
    let mut given = given.filter(|(name, _)| spelling::find(&LOG_LEVEL, name).is_some());
    let mut level = None;
    match given.next() {
        // The level can be among the fields that were not read.
        None if !violations.is_empty() => {}
        None => violations.add(name, "is missing", remedy),
        Some((_, value)) => {
            let text = serde_json::from_str::<String>(value.get());
            level = text.ok().and_then(|text| text.parse().ok());
            if level.is_none() {
                let fault = format!("({}) is not a log level", quoted(value.get()));
                violations.add(name, fault, remedy);
            }
        }
    }
    if given.next().is_some() {
        let remedy = format!("give `{name}` once");
        violations.add(name, "is given twice", remedy);
    }
    violations
        .into_result()
        .map_err(LogLevelRejection::Invalid)?;
    Ok(level.expect("a level that could not be read is a violation"))
}
