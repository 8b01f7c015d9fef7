//! `PUT /api/system/events/{id}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};

use super::receipt::with_warnings;
use crate::error::ApiError;
use crate::extract::UpdateRequest;
use crate::publication::{EventParser, Named, Subjects, UpdateRejection};
use crate::response::ResponseBody;
#[cfg(feature = "openapi")]
use crate::schema::bodies::{UpdateForOwners, UpdatedContent};
#[cfg(feature = "openapi")]
use crate::schema::examples;
use crate::state::AppState;

/// Replaces severity, description and metadata of an event.
#[cfg_attr(feature = "openapi", utoipa::path(
    put,
    path = "/api/system/events/{id}",
    summary = "Update one event",
    description = "Replaces severity, description and metadata of an event that the caller's system has \
                   published. When the response arrives, the update is on disk and has been sent to every \
                   open stream of the event's owner. The event stays as its owner has marked it, unless it \
                   becomes more urgent or `renotify` is given. An update with a `sequence` that is not \
                   higher than that of the last one changes nothing, and the response has a warning with \
                   the code `outdated`, unless it is a repeat of the last one. With `owners` set to `all`, an event that \
                   was published with `owners` is updated for all of them, in steps, and the response says for how \
                   many; so it is without an owner. Without an owner, any other event is the caller's own.",
    params(("id" = tidings_event::EventId, Path, description = "The id of the event.")),
    request_body(content = UpdateForOwners, example = json!(examples::update())),
    responses((
        status = 200,
        description = "The event as it is stored now.",
        body = UpdatedContent,
        example = json!(examples::updated_event())
    ))
))]
pub(crate) async fn update_event(
    State(state): State<Arc<AppState>>,
    request: UpdateRequest,
) -> Result<Response, ApiError> {
    let UpdateRequest { caller, id, body } = request;
    let identity = &state.authenticator.identity;
    let parser = EventParser::new(
        caller,
        state.engine.limits(),
        Subjects::from(identity),
        false,
    );
    let (update, named) = parser.read_update(body.text()?, id)?;
    let bytes = state.engine.limits().event_bytes;
    let mut memory = Box::pin(state.reserve_published(caller, bytes)).await?;
    drop(body);
    let systems = caller.systems(state.engine.system_id(), identity);
    if named != Named::One {
        // The owners to whom it was published together, or else the caller.
        let updated = Box::pin(state.wire.update_for_all(update.clone(), systems.clone())).await;
        match updated.map_err(UpdateRejection::from) {
            Ok(receipt) => return Ok(Json(receipt).into_response()),
            // That of another publisher can have the same id.
            Err(UpdateRejection::NotFound | UpdateRejection::ForeignSystem { .. })
                if named == Named::Nobody => {}
            Err(rejected) => return Err(rejected.into()),
        }
    }
    let updated = Box::pin(state.wire.update(update, systems)).await;
    let receipt = updated.map_err(UpdateRejection::from)?;
    Ok(ResponseBody::whole([memory.hold(with_warnings(&receipt))]).into_json())
}
