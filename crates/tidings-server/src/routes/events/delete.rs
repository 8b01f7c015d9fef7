//! `DELETE /api/system/events/…`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use tidings::{ChangeOutcome, Changes};
use tidings_event::{Change, DeletedEvents, Selection};

use crate::bulk_change::{self, BulkOutcome};
use crate::error::{ApiError, RouteError};
use crate::extract::{Changer, DeletionRequest, JsonBody};
use crate::publication::RetractRejection;
#[cfg(feature = "openapi")]
use crate::schema::changes::DeleteSeveral;
#[cfg(feature = "openapi")]
use crate::schema::examples;
#[cfg(feature = "openapi")]
use crate::schema::parameters::{EventParameters, RecipientParameters};
use crate::state::AppState;

/// Deletes one event, for its reader or as its publisher. Deleting it again is not an error, so that a request can be
/// repeated.
#[cfg_attr(feature = "openapi", utoipa::path(
    delete,
    path = "/api/system/events/{id}",
    summary = "Delete one event",
    description = "Deletes an event of the caller permanently; an event of the system for the caller only. With \
                   `owner` or `subject`, or with a token that can publish but not change the caller's events, it \
                   retracts what the caller's system has published: the event disappears from the inbox of its \
                   owner, an event of the system from all. `owners=all` retracts an event that was published with \
                   `owners` from all of them; so does a token that can only publish, if no owner is named. Publishing it again does not bring it back while the deletion is remembered.",
    params(
        ("id" = tidings_event::EventId, Path, description = "The id of the event."),
        EventParameters,
        RecipientParameters
    ),
    responses((status = 204, description = "The event is deleted, now or before."))
))]
pub(crate) async fn delete_event(
    State(state): State<Arc<AppState>>,
    request: DeletionRequest,
) -> Result<StatusCode, ApiError> {
    match request {
        DeletionRequest::ByReader { caller, event } => {
            match state.engine.delete(caller.owner, event).await? {
                ChangeOutcome::Done => Ok(StatusCode::NO_CONTENT),
                ChangeOutcome::NotFound => Err(RouteError::EventNotFound.into()),
            }
        }
        DeletionRequest::FromAll { caller, id } => {
            let identity = &state.authenticator.identity;
            let systems = caller.systems(state.engine.system_id(), identity);
            let retracted = state.wire.retract_from_all(id, systems).await;
            match retracted.map_err(RetractRejection::from)? {
                ChangeOutcome::Done => Ok(StatusCode::NO_CONTENT),
                ChangeOutcome::NotFound => Err(RetractRejection::NotFound.into()),
            }
        }
        DeletionRequest::ByPublisher {
            caller,
            retraction,
            names_owner,
        } => {
            let identity = &state.authenticator.identity;
            let systems = caller.systems(state.engine.system_id(), identity);
            if !names_owner {
                let id = retraction.id();
                let retracted = state.wire.retract_from_all(id, systems.clone()).await;
                match retracted.map_err(RetractRejection::from) {
                    Ok(ChangeOutcome::Done) => return Ok(StatusCode::NO_CONTENT),
                    // That of another publisher can have the same id.
                    Ok(ChangeOutcome::NotFound) | Err(RetractRejection::ForeignSystem { .. }) => {}
                    Err(rejected) => return Err(rejected.into()),
                }
            }
            let retracted = state.wire.retract(retraction, systems).await;
            match retracted.map_err(RetractRejection::from)? {
                ChangeOutcome::Done => Ok(StatusCode::NO_CONTENT),
                ChangeOutcome::NotFound => Err(RetractRejection::NotFound.into()),
            }
        }
    }
}

/// Deletes several events. The response has no body if they were named by their ids, which existing
/// clients expect, and otherwise counts them.
#[cfg_attr(feature = "openapi", utoipa::path(
    delete,
    path = "/api/system/events/bulk",
    summary = "Delete several events",
    description = "Selects the events by ids, by a filter, or all. Unknown ids are ignored. The change \
                   runs in steps of a few milliseconds and is safe to repeat.",
    request_body(
        content = DeleteSeveral,
        examples(
            ("ids" = (value = json!(examples::by_ids()))),
            ("filter" = (value = json!(examples::by_filter()))),
            ("all" = (value = json!(examples::all())))
        )
    ),
    responses(
        (status = 204, description = "The events are deleted, if `ids` were given."),
        (
            status = 200,
            description = "The events are deleted, if no `ids` were given, and counted.",
            body = DeletedEvents,
            example = json!(examples::deleted(false))
        )
    )
))]
pub(crate) async fn delete_events(
    State(state): State<Arc<AppState>>,
    request: JsonBody<Changer, Selection>,
) -> Result<Response, ApiError> {
    let deleted = delete_several(&state, request).await?;
    Ok(if deleted.by_ids {
        StatusCode::NO_CONTENT.into_response()
    } else {
        deleted.into_response(list)
    })
}

/// Deletes several events and lists them.
#[cfg_attr(feature = "openapi", utoipa::path(
    delete,
    path = "/api/events",
    summary = "Delete several events",
    description = "Selects the events by ids, by a filter, or all. Unknown ids are ignored. The change \
                   runs in steps of a few milliseconds and is safe to repeat.",
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
        description = "The events are deleted. If `ids` were given, `deleted` lists those that existed.",
        body = DeletedEvents,
        example = json!(examples::deleted(true))
    ))
))]
pub(crate) async fn delete_events_with_answer(
    State(state): State<Arc<AppState>>,
    request: JsonBody<Changer, Selection>,
) -> Result<Response, ApiError> {
    Ok(delete_several(&state, request).await?.into_response(list))
}

/// The same for clients that cannot send a body with `DELETE`.
#[cfg_attr(feature = "openapi", utoipa::path(
    post,
    path = "/api/events/delete",
    summary = "Delete several events",
    description = "Selects the events by ids, by a filter, or all. Unknown ids are ignored. The change \
                   runs in steps of a few milliseconds and is safe to repeat.",
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
        description = "The events are deleted. If `ids` were given, `deleted` lists those that existed.",
        body = DeletedEvents,
        example = json!(examples::deleted(true))
    ))
))]
pub(crate) async fn post_deletion(
    state: State<Arc<AppState>>,
    request: JsonBody<Changer, Selection>,
) -> Result<Response, ApiError> {
    delete_events_with_answer(state, request).await
}

async fn delete_several(
    state: &AppState,
    request: JsonBody<Changer, Selection>,
) -> Result<BulkOutcome, ApiError> {
    let JsonBody {
        head: Changer(caller),
        credential,
        value: selection,
    } = request;
    bulk_change::run(state, caller, credential, selection, Change::Delete).await
}

fn list(changes: Changes) -> DeletedEvents {
    DeletedEvents::new(changes.ids, changes.count)
}
