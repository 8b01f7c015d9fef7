//! `PUT /api/system/events/status/…`: marking as read and as unread.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use tidings::{ChangeOutcome, Changes};
use tidings_event::{Change, EventId, Selection, Status, UpdatedEvent, UpdatedEvents};

use crate::bulk_change;
use crate::error::{ApiError, RouteError};
use crate::extract::{Changer, EventPath};
use crate::identity::{Caller, Credential};
use crate::request::change;
use crate::response::{Reservation, ResponseBody};
#[cfg(feature = "openapi")]
use crate::schema::bodies::{MarkOne, MarkSeveral};
#[cfg(feature = "openapi")]
use crate::schema::examples;
use crate::state::AppState;

/// Marks one event. The answer has no body, as existing clients are used to.
#[cfg_attr(feature = "openapi", utoipa::path(
    put,
    path = "/api/system/events/status/{id}",
    summary = "Mark one event",
    description = "As read or as unread. One of the system's is marked for the caller only.",
    params(("id" = EventId, Path, description = "Which event.")),
    request_body(content = MarkOne, example = json!({"status": "read"})),
    responses((status = 200, description = "It is marked; the body is empty."))
))]
pub(crate) async fn mark_event(
    State(state): State<Arc<AppState>>,
    Changer(caller): Changer,
    EventPath(id): EventPath,
    request: Request,
) -> Result<StatusCode, ApiError> {
    mark_one(&state, caller, id, request).await?;
    Ok(StatusCode::OK)
}

/// Marks one event and says so.
#[cfg_attr(feature = "openapi", utoipa::path(
    put,
    path = "/api/events/{id}/status",
    summary = "Mark one event",
    description = "As read or as unread. One of the system's is marked for the caller only.",
    params(("id" = EventId, Path, description = "Which event.")),
    request_body(content = MarkOne, example = json!({"status": "read"})),
    responses((
        status = 200,
        description = "It is marked.",
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
    Changer(caller): Changer,
    EventPath(id): EventPath,
    request: Request,
) -> Result<Json<UpdatedEvent>, ApiError> {
    let status = mark_one(&state, caller, id, request).await?;
    let message = format!("The event is marked as {status}");
    Ok(Json(UpdatedEvent::new(message, id, status)))
}

/// Marks several events. The answer has no body where they were named by their ids, as existing
/// clients are used to, and otherwise says how many changed.
#[cfg_attr(feature = "openapi", utoipa::path(
    put,
    path = "/api/system/events/status/bulk",
    summary = "Mark several events",
    description = "By their ids, by a filter, or all. Unknown ids are passed over. It is done in \
                   steps of a few milliseconds, and safe to repeat.",
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
        description = "They are marked. The body is empty where `ids` were given, which is why none \
                       is declared here. Otherwise it is an `UpdatedEvents` that says how many \
                       changed; `PUT /api/events/status` always answers with one."
    ))
))]
pub(crate) async fn mark_events(
    State(state): State<Arc<AppState>>,
    Changer(caller): Changer,
    request: Request,
) -> Result<Response, ApiError> {
    let (by_ids, changes, room) = mark_several(&state, caller, request).await?;
    Ok(if by_ids {
        StatusCode::OK.into_response()
    } else {
        answer(room, changes)
    })
}

/// Marks several events and says which.
#[cfg_attr(feature = "openapi", utoipa::path(
    put,
    path = "/api/events/status",
    summary = "Mark several events",
    description = "By their ids, by a filter, or all. Unknown ids are passed over. It is done in \
                   steps of a few milliseconds, and safe to repeat.",
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
        description = "They are marked. `updated` holds those that changed, where `ids` were given.",
        body = UpdatedEvents,
        example = json!(examples::updated(true))
    ))
))]
pub(crate) async fn mark_events_with_answer(
    State(state): State<Arc<AppState>>,
    Changer(caller): Changer,
    request: Request,
) -> Result<Response, ApiError> {
    let (_, changes, room) = mark_several(&state, caller, request).await?;
    Ok(answer(room, changes))
}

async fn mark_one(
    state: &AppState,
    caller: Caller,
    id: EventId,
    request: Request,
) -> Result<Status, ApiError> {
    let body = state.read_change(caller, request).await?;
    let text = body.text()?;
    let status = change::read_status(text)?;
    match state.engine.set_status(caller.owner, id, status).await? {
        ChangeOutcome::Changed | ChangeOutcome::Unchanged => Ok(status),
        ChangeOutcome::NotFound => Err(RouteError::EventNotFound.into()),
    }
}

/// The changes, whether the events were named by their ids, and room for the answer.
async fn mark_several(
    state: &AppState,
    caller: Caller,
    request: Request,
) -> Result<(bool, Changes, Reservation), ApiError> {
    let credential = request.extensions().get::<Credential>().cloned();
    let body = state.read_choice(caller, request).await?;
    let text = body.text()?;
    let (selection, status) = change::read_marking(text, state.engine.limits())?;
    drop(body);
    let room = state.reserve_changes(caller, credential.as_ref(), &selection);
    let room = room.await?;
    let by_ids = matches!(selection, Selection::Ids(_));
    let change = Change::Status(status);
    let changes = bulk_change::run(state, caller, credential, selection, change).await?;
    Ok((by_ids, changes, room))
}

fn answer(mut room: Reservation, changes: Changes) -> Response {
    let json = serde_json::to_vec(&UpdatedEvents::new(changes.ids, changes.count));
    let json = json.expect("ids are texts");
    ResponseBody::whole([room.hold(json)]).into_json()
}
