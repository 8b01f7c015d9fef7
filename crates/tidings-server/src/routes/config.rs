//! `/api/system/events/config`: how much the server writes into its log.
//!
//! It says nothing about events and stands beside them because existing clients look for it there.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use tidings_event::{ErrorBody, Violations};
#[cfg(feature = "openapi")]
use utoipa::ToSchema;

use crate::error::{ApiError, ERROR_TYPE, quoted};
use crate::identity::Administrator;
use crate::json;
use crate::log_level::{Level, LogLevel};
#[cfg(feature = "openapi")]
use crate::openapi::bodies::SetLogLevel;
#[cfg(feature = "openapi")]
use crate::openapi::examples;
use crate::spelling::{self, LOG_LEVEL};
use crate::state::AppState;

/// More fields than any client sends.
const MAX_FIELDS: usize = 50;

/// The log's level, and what became of setting it.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct LogConfig {
    /// The level now.
    #[cfg_attr(feature = "openapi", schema(value_type = Level))]
    event_log_level: &'static str,
    /// The levels there are, the quietest first.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Level>))]
    available_levels: [&'static str; Level::ALL.len()],
    /// Whether it was set; absent where only asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    status: Option<Outcome>,
}

/// Whether the level was set.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    /// It was.
    Success,
    /// The level is the one before.
    Error,
}

/// A refused level: existing clients expect the same body as on success, the others that of an error.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub(crate) struct RefusedLogConfig {
    #[serde(flatten)]
    config: LogConfig,
    #[serde(flatten)]
    error: ErrorBody,
}

/// Answers with the level of the server's log.
#[cfg_attr(feature = "openapi", utoipa::path(
    get,
    path = "/api/system/events/config",
    summary = "Get the log level",
    description = "How much the server writes into its log. It says nothing about events, and is \
                   not there where the program does not offer it.",
    responses((
        status = 200,
        description = "The level.",
        body = LogConfig,
        example = json!(examples::log_config(None))
    ))
))]
pub(crate) async fn get_config(
    State(state): State<Arc<AppState>>,
    _: Administrator,
) -> Result<Json<LogConfig>, ApiError> {
    Ok(Json(config(log_level(&state)?, None)))
}

/// Sets the level of the server's log, until the server ends.
#[cfg_attr(feature = "openapi", utoipa::path(
    put,
    path = "/api/system/events/config",
    summary = "Set the log level",
    description = "Until the server ends.",
    request_body(content = SetLogLevel, example = json!({"eventLogLevel": "debug"})),
    responses(
        (
            status = 200,
            description = "It is set.",
            body = LogConfig,
            example = json!(examples::log_config(Some("success")))
        ),
        (
            status = 400,
            description = "`invalid_config`, `invalid_json`, `body_unreadable`: it was not set. The \
                           fields of a success beside those of an error.",
            body = RefusedLogConfig,
            example = json!(examples::refused_log_config())
        )
    )
))]
pub(crate) async fn set_config(
    State(state): State<Arc<AppState>>,
    _: Administrator,
    request: Request,
) -> Result<Response, ApiError> {
    let log_level = log_level(&state)?;
    let level = match requested_level(&state, request).await {
        Ok(level) => level,
        Err(
            error @ (ApiError::InvalidConfig(_)
            | ApiError::InvalidJson(_)
            | ApiError::BodyUnreadable(_)),
        ) => {
            let (status, error) = error.envelope();
            let config = config(log_level, Some(Outcome::Error));
            let refused = Json(RefusedLogConfig { config, error });
            return Ok((status, [(CONTENT_TYPE, ERROR_TYPE)], refused).into_response());
        }
        Err(other) => return Err(other),
    };
    log_level.set(level).map_err(ApiError::Config)?;
    tracing::info!(%level, "the log's level was set");
    Ok(Json(config(log_level, Some(Outcome::Success))).into_response())
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

async fn requested_level(state: &AppState, request: Request) -> Result<Level, ApiError> {
    let body = state.read_body(request).await?;
    read_level(json::text(&body.bytes).map_err(ApiError::invalid_json)?)
}

fn read_level(text: &str) -> Result<Level, ApiError> {
    let name = LOG_LEVEL[0].name;
    let remedy = format!("write one of {}", Level::ALL.map(Level::as_str).join(", "));
    let fields = json::fields(text, text, "body", MAX_FIELDS).map_err(ApiError::invalid_json)?;
    let mut violations = Violations::default();
    if fields.count > MAX_FIELDS {
        let fault = format!("has {} fields, more than {MAX_FIELDS}", fields.count);
        violations.add("the body", fault, format!("send `{name}` alone"));
    }
    let given = fields.first.into_iter();
    let mut given = given.filter(|(name, _)| spelling::find(&LOG_LEVEL, name).is_some());
    let mut level = None;
    match given.next() {
        // It may be among those that were not looked at.
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
        violations.add(name, "is given twice", "give it once");
    }
    violations.into_result().map_err(ApiError::InvalidConfig)?;
    Ok(level.expect("a level that could not be read is a violation"))
}
