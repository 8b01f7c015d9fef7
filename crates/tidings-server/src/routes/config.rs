//! `/api/system/events/config`: how much the server writes into its log.
//!
//! It says nothing about events and stands beside them because existing clients look for it there.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use tidings_event::{ErrorBody, Violations};

use crate::error::{ApiError, quoted};
use crate::json;
use crate::log_level::{Level, LogLevel};
use crate::state::AppState;

/// The names of the one field, the older one last.
const NAMES: [&str; 2] = ["eventLogLevel", "event_log_level"];

/// More fields than any client sends.
const MAX_FIELDS: usize = 50;

/// The log's level, and what became of setting it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LogConfig {
    /// The level now.
    event_log_level: &'static str,
    /// The levels there are, the quietest first.
    available_levels: [&'static str; Level::ALL.len()],
    /// Whether it was set; absent where only asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Outcome>,
}

/// Whether the level was set.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    /// It was.
    Success,
    /// The level is the one before.
    Error,
}

/// A refused level: existing clients expect the same body as on success, the others that of an error.
#[derive(Debug, Serialize)]
pub(crate) struct RefusedLogConfig {
    #[serde(flatten)]
    config: LogConfig,
    #[serde(flatten)]
    error: ErrorBody,
}

/// Answers with the level of the server's log.
pub(crate) async fn get_config(
    State(state): State<Arc<AppState>>,
) -> Result<Json<LogConfig>, ApiError> {
    Ok(Json(config(log_level(&state)?, None)))
}

/// Sets the level of the server's log, until the server ends.
pub(crate) async fn set_config(
    State(state): State<Arc<AppState>>,
    request: Request,
) -> Result<Response, ApiError> {
    let log_level = log_level(&state)?;
    let body = state.read_change(request).await?;
    let text = json::text(&body.bytes).map_err(ApiError::invalid_json);
    match text.and_then(read_level) {
        Ok(level) => {
            log_level.set(level).map_err(ApiError::Config)?;
            tracing::info!(%level, "the log's level was set");
            Ok(Json(config(log_level, Some(Outcome::Success))).into_response())
        }
        Err(error) => {
            let (status, error) = error.into_envelope();
            let config = config(log_level, Some(Outcome::Error));
            Ok((status, Json(RefusedLogConfig { config, error })).into_response())
        }
    }
}

/// A program that mounts the routes and gives no handle on its log has no such path.
fn log_level(state: &AppState) -> Result<&LogLevel, ApiError> {
    state.log_level.as_ref().ok_or(ApiError::RouteNotFound)
}

fn config(log_level: &LogLevel, status: Option<Outcome>) -> LogConfig {
    LogConfig {
        event_log_level: log_level.get().as_str(),
        available_levels: Level::ALL.map(Level::as_str),
        status,
    }
}

fn read_level(text: &str) -> Result<Level, ApiError> {
    let [name, _] = NAMES;
    let remedy = format!("write one of {}", Level::ALL.map(Level::as_str).join(", "));
    let fields = json::fields(text, text, "body", MAX_FIELDS).map_err(ApiError::invalid_json)?;
    let given = fields.first.into_iter();
    let mut given = given.filter(|(name, _)| NAMES.contains(&name.as_str()));
    let mut violations = Violations::default();
    let mut level = None;
    match given.next() {
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
        violations.add(name, "is given twice", "give it once");
    }
    violations.into_result().map_err(ApiError::InvalidConfig)?;
    Ok(level.expect("a level that could not be read is a violation"))
}
