//! `DELETE /api/system/events/…`.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use tidings::{ChangeOutcome, Changes};
use tidings_event::{Change, DeletedEvents, Selection};

use crate::bulk_change;
use crate::error::{ApiError, RouteError};
use crate::extract::{Admitted, Changer, EventPath, Unfiltered};
use crate::identity::{Caller, Credential};
use crate::request::change;
use crate::response::{Reservation, ResponseBody};
#[cfg(feature = "openapi")]
use crate::schema::bodies::DeleteSeveral;
#[cfg(feature = "openapi")]
use crate::schema::examples;
use crate::state::AppState;

/// Deletes one event. Deleting it again is no error, so that a lost answer can be asked for again.
#[cfg_attr(feature = "openapi", utoipa::path(
    delete,
    path = "/api/system/events/{id}",
    summary = "Delete one event",
    description = "For good; one of the system's for the caller only.",
    params(("id" = tidings_event::EventId, Path, description = "Which event.")),
    responses((status = 204, description = "It is deleted, now or before."))
))]
pub(crate) async fn delete_event(
    State(state): State<Arc<AppState>>,
    Admitted(Changer(caller)): Admitted<Changer>,
    _: Unfiltered,
    EventPath(id): EventPath,
) -> Result<StatusCode, ApiError> {
    match state.engine.delete(caller.owner, id).await? {
        ChangeOutcome::Changed | ChangeOutcome::Unchanged => Ok(StatusCode::NO_CONTENT),
        ChangeOutcome::NotFound => Err(RouteError::EventNotFound.into()),
    }
}

/// Deletes several events. The answer has no body where they were named by their ids, as existing
/// clients are used to, and otherwise says how many were there.
#[cfg_attr(feature = "openapi", utoipa::path(
    delete,
    path = "/api/system/events/bulk",
    summary = "Delete several events",
    description = "By their ids, by a filter, or all. Unknown ids are passed over. It is done in \
                   steps of a few milliseconds, and safe to repeat.",
    request_body(
        content = DeleteSeveral,
        examples(
            ("ids" = (value = json!(examples::by_ids()))),
            ("filter" = (value = json!(examples::by_filter()))),
            ("all" = (value = json!(examples::all())))
        )
    ),
    responses(
        (status = 204, description = "They are deleted, where `ids` were given."),
        (
            status = 200,
            description = "They are deleted, where no `ids` were given; says how many were there.",
            body = DeletedEvents,
            example = json!(examples::deleted(false))
        )
    )
))]
pub(crate) async fn delete_events(
    State(state): State<Arc<AppState>>,
    Changer(caller): Changer,
    request: Request,
) -> Result<Response, ApiError> {
    let (by_ids, changes, room) = delete_several(&state, caller, request).await?;
    Ok(if by_ids {
        StatusCode::NO_CONTENT.into_response()
    } else {
        answer(room, changes)
    })
}

/// Deletes several events and says which.
#[cfg_attr(feature = "openapi", utoipa::path(
    delete,
    path = "/api/events",
    summary = "Delete several events",
    description = "By their ids, by a filter, or all. Unknown ids are passed over. It is done in \
                   steps of a few milliseconds, and safe to repeat.",
    request_body(
        content = DeleteSeveral,
        examples(
            ("ids" = (value = json!(examples::by_ids()))),
            ("filter" = (value = json!(examples::by_filter()))),
            ("all" = (value = json!(examples::all())))
        )
    ),
    responses((
        status = 200,
        description = "They are deleted. `deleted` holds those that were there, where `ids` were \
                       given.",
        body = DeletedEvents,
        example = json!(examples::deleted(true))
    ))
))]
pub(crate) async fn delete_events_with_answer(
    State(state): State<Arc<AppState>>,
    Changer(caller): Changer,
    request: Request,
) -> Result<Response, ApiError> {
    let (_, changes, room) = delete_several(&state, caller, request).await?;
    Ok(answer(room, changes))
}

/// The same for clients that send no body with a deletion.
#[cfg_attr(feature = "openapi", utoipa::path(
    post,
    path = "/api/events/delete",
    summary = "Delete several events",
    description = "By their ids, by a filter, or all. Unknown ids are passed over. It is done in \
                   steps of a few milliseconds, and safe to repeat.",
    request_body(
        content = DeleteSeveral,
        examples(
            ("ids" = (value = json!(examples::by_ids()))),
            ("filter" = (value = json!(examples::by_filter()))),
            ("all" = (value = json!(examples::all())))
        )
    ),
    responses((
        status = 200,
        description = "They are deleted. `deleted` holds those that were there, where `ids` were \
                       given.",
        body = DeletedEvents,
        example = json!(examples::deleted(true))
    ))
))]
pub(crate) async fn post_deletion(
    state: State<Arc<AppState>>,
    changer: Changer,
    request: Request,
) -> Result<Response, ApiError> {
    delete_events_with_answer(state, changer, request).await
}

/// The changes, whether the events were named by their ids, and room for the answer.
async fn delete_several(
    state: &AppState,
    caller: Caller,
    request: Request,
) -> Result<(bool, Changes, Reservation), ApiError> {
    let credential = request.extensions().get::<Credential>().cloned();
    let body = state.read_choice(caller, request).await?;
    let text = body.text()?;
    let selection = change::read_selection(text, state.engine.limits())?;
    drop(body);
    let room = state.reserve_changes(caller, credential.as_ref(), &selection);
    let room = room.await?;
    let by_ids = matches!(selection, Selection::Ids(_));
    let changes = bulk_change::run(state, caller, credential, selection, Change::Delete).await?;
    Ok((by_ids, changes, room))
}

fn answer(mut room: Reservation, changes: Changes) -> Response {
    let json = serde_json::to_vec(&DeletedEvents::new(changes.ids, changes.count));
    let json = json.expect("ids are texts");
    ResponseBody::whole([room.hold(json)]).into_json()
}
