//! `PUT /api/system/events/status/…`: marking events as read or unread.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use tidings::{ChangeOutcome, Changes};
use tidings_event::{Change, EventId, Status, UpdatedEvent, UpdatedEvents};

use crate::bulk_change::{self, BulkOutcome};
use crate::error::{ApiError, RouteError};
use crate::extract::{Changer, ChangerOfEvent, JsonBody};
use crate::request::change::Marking;
#[cfg(feature = "openapi")]
use crate::schema::changes::{MarkOne, MarkSeveral};
#[cfg(feature = "openapi")]
use crate::schema::examples;
#[cfg(feature = "openapi")]
use crate::schema::parameters::EventParameters;
use crate::state::AppState;

/// Marks one event. The response has no body, which existing clients expect.
#[cfg_attr(feature = "openapi", utoipa::path(
    put,
    path = "/api/system/events/status/{id}",
    summary = "Mark one event",
    description = "Marks the event as read or unread. An event of the system is marked for the caller only.",
    params(("id" = EventId, Path, description = "The id of the event."), EventParameters),
    request_body(content = MarkOne, example = json!({"status": "read"})),
    responses((status = 200, description = "The event is marked. The body is empty."))
))]
pub(crate) async fn mark_event(
    State(state): State<Arc<AppState>>,
    request: JsonBody<ChangerOfEvent, Status>,
) -> Result<StatusCode, ApiError> {
    mark_one(&state, request).await?;
    Ok(StatusCode::OK)
}

/// Marks one event, with a body in the response.
#[cfg_attr(feature = "openapi", utoipa::path(
    put,
    path = "/api/events/{id}/status",
    summary = "Mark one event",
    description = "Marks the event as read or unread. An event of the system is marked for the caller only.",
    params(("id" = EventId, Path, description = "The id of the event."), EventParameters),
    request_body(content = MarkOne, example = json!({"status": "read"})),
    responses((
        status = 200,
        description = "The event is marked.",
        body = UpdatedEvent,
        example = json!({
            "message": "The event is marked as read",
            "eventId": "0193f0a0-0000-7000-8000-000000000001",
            "status": "read"
        })
    ))
))]
pub(crate) async fn mark_event_with_answer(
    State(state): State<Arc<AppState>>,
    request: JsonBody<ChangerOfEvent, Status>,
) -> Result<Json<UpdatedEvent>, ApiError> {
    let (event_id, status) = mark_one(&state, request).await?;
    let message = format!("The event is marked as {status}");
    Ok(Json(UpdatedEvent::new(message, event_id, status)))
}

/// Marks several events. The response has no body if they were named by their ids, which existing
/// clients expect, and otherwise counts the changed ones.
#[cfg_attr(feature = "openapi", utoipa::path(
    put,
    path = "/api/system/events/status/bulk",
    summary = "Mark several events",
    description = "Selects the events by ids, by a filter, or all. Unknown ids are ignored. The change \
                   runs in steps of a few milliseconds and is safe to repeat.",
    request_body(
        content = MarkSeveral,
        examples(
            ("ids" = (value = json!(examples::as_read(examples::by_ids())))),
            ("filter" = (value = json!(examples::as_read(examples::by_filter())))),
            ("all" = (value = json!(examples::as_read(examples::all()))))
        )
    ),
    responses((
        status = 200,
        description = "The events are marked. No body is declared here, because it is empty if `ids` \
                       were given. Otherwise it is an `UpdatedEvents` with the number of changed \
                       events; `PUT /api/events/status` always returns one."
    ))
))]
pub(crate) async fn mark_events(
    State(state): State<Arc<AppState>>,
    request: JsonBody<Changer, Marking>,
) -> Result<Response, ApiError> {
    let marked = mark_several(&state, request).await?;
    Ok(if marked.by_ids {
        StatusCode::OK.into_response()
    } else {
        marked.into_response(list)
    })
}

/// Marks several events and lists the changed ones.
#[cfg_attr(feature = "openapi", utoipa::path(
    put,
    path = "/api/events/status",
    summary = "Mark several events",
    description = "Selects the events by ids, by a filter, or all. Unknown ids are ignored. The change \
                   runs in steps of a few milliseconds and is safe to repeat.",
    request_body(
        content = MarkSeveral,
        examples(
            ("ids" = (value = json!(examples::as_read(examples::by_ids())))),
            ("filter" = (value = json!(examples::as_read(examples::by_filter())))),
            ("all" = (value = json!(examples::as_read(examples::all()))))
        )
    ),
    responses((
        status = 200,
        description = "The events are marked. If `ids` were given, `updated` lists those that changed.",
        body = UpdatedEvents,
        example = json!(examples::updated(true))
    ))
))]
pub(crate) async fn mark_events_with_answer(
    State(state): State<Arc<AppState>>,
    request: JsonBody<Changer, Marking>,
) -> Result<Response, ApiError> {
    Ok(mark_several(&state, request).await?.into_response(list))
}

async fn mark_one(
    state: &AppState,
    request: JsonBody<ChangerOfEvent, Status>,
) -> Result<(EventId, Status), ApiError> {
    let ChangerOfEvent { caller, event } = request.head;
    let status = request.value;
    let outcome = state.engine.set_status(caller.owner, event, status).await?;
    match outcome {
        ChangeOutcome::Done => Ok((event.id, status)),
        ChangeOutcome::NotFound => Err(RouteError::EventNotFound.into()),
    }
}

async fn mark_several(
    state: &AppState,
    request: JsonBody<Changer, Marking>,
) -> Result<BulkOutcome, ApiError> {
    let JsonBody {
        head: Changer(caller),
        credential,
        value: Marking { selection, status },
    } = request;
    let change = Change::Status(status);
    bulk_change::run(state, caller, credential, selection, change).await
}

fn list(changes: Changes) -> UpdatedEvents {
    UpdatedEvents::new(changes.ids, changes.count)
}
