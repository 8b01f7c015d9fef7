//! `/api/system/events/config`: the level of the server's log.
//!
//! It does not concern events. Existing clients expect it at this path.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use tidings_event::ErrorBody;
#[cfg(feature = "openapi")]
use utoipa::ToSchema;

use crate::error::{ApiError, RouteError};
use crate::extract::{Administrator, JsonBody, LogAdministrator};
use crate::log_level::{Level, LogLevel};
use crate::problem::ERROR_TYPE;
use crate::request::body::BodyError;
use crate::request::log_level::LogLevelRejection;
#[cfg(feature = "openapi")]
use crate::schema::bodies::SetLogLevel;
#[cfg(feature = "openapi")]
use crate::schema::examples;
use crate::state::AppState;

/// The log level, and the outcome of setting it.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct LogConfig {
    /// The current level.
    #[cfg_attr(feature = "openapi", schema(value_type = Level))]
    event_log_level: &'static str,
    /// All levels, the quietest first.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Level>))]
    available_levels: [&'static str; Level::ALL.len()],
    /// Whether the level was set; absent in responses to `GET`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    status: Option<Outcome>,
}

/// Whether the level was set.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    /// The level was set.
    Success,
    /// The level has not changed.
    Error,
}

/// A rejected level. Existing clients expect the body of a success, other clients that of an error.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub(crate) struct RefusedLogConfig {
    #[serde(flatten)]
    config: LogConfig,
    #[serde(flatten)]
    error: ErrorBody,
}

/// Returns the level of the server's log.
#[cfg_attr(feature = "openapi", utoipa::path(
    get,
    path = "/api/system/events/config",
    summary = "Get the log level",
    description = "Returns the level of the server's log. It does not concern events. The path does \
                   not exist if the program that runs the server does not offer it.",
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
    Ok(Json(config(handle(&state)?, None)))
}

/// Sets the level of the server's log until the server stops.
#[cfg_attr(feature = "openapi", utoipa::path(
    put,
    path = "/api/system/events/config",
    summary = "Set the log level",
    description = "Sets the level of the server's log until the server stops.",
    request_body(content = SetLogLevel, example = json!({"eventLogLevel": "debug"})),
    responses(
        (
            status = 200,
            description = "The level is set.",
            body = LogConfig,
            example = json!(examples::log_config(Some("success")))
        ),
        (
            status = 400,
            description = "`invalid_config`, `invalid_json`, `body_unreadable`: the level was not set. \
                           The body has the fields of a success and those of an error.",
            body = RefusedLogConfig,
            example = json!(examples::rejected_log_config())
        )
    )
))]
pub(crate) async fn set_config(
    State(state): State<Arc<AppState>>,
    request: Result<JsonBody<LogAdministrator, Level>, ApiError>,
) -> Result<Response, ApiError> {
    let log = handle(&state)?;
    let level = match request {
        Ok(request) => request.value,
        Err(
            error @ (ApiError::LogLevel(LogLevelRejection::Invalid(_))
            | ApiError::Json(_)
            | ApiError::Body(BodyError::Unreadable(_))),
        ) => {
            let problem = error.problem();
            let (status, error) = (problem.status(), problem.into_body());
            let config = config(log, Some(Outcome::Error));
            let rejected = Json(RefusedLogConfig { config, error });
            return Ok((status, [(CONTENT_TYPE, ERROR_TYPE)], rejected).into_response());
        }
        Err(other) => return Err(other),
    };
    log.set(level).map_err(LogLevelRejection::Failed)?;
    tracing::info!(%level, "the log's level was set");
    Ok(Json(config(log, Some(Outcome::Success))).into_response())
}

/// The path does not exist if the program gives the server no access to its log.
fn handle(state: &AppState) -> Result<&LogLevel, ApiError> {
    state.log_level.as_ref().ok_or(RouteError::NotFound.into())
}

fn config(log: &LogLevel, status: Option<Outcome>) -> LogConfig {
    LogConfig {
        event_log_level: log.get().as_str(),
        available_levels: Level::ALL.map(Level::as_str),
        status,
    }
}
