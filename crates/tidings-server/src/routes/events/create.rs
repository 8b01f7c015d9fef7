//! `POST /api/system/events`.

mod many;
mod partial;
mod response;

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use crate::error::ApiError;
use crate::extract::{PreparedEvents, PublishRequest};
use crate::publication::PublishRejection;
#[cfg(feature = "openapi")]
use crate::schema::bodies::{PartlyPublished, Publication, Published};
#[cfg(feature = "openapi")]
use crate::schema::examples;
#[cfg(feature = "openapi")]
use crate::schema::parameters::PublishParameters;
use crate::state::AppState;

use response::{Receipts, SMALL_BYTES, response, response_bytes};

/// Stores one event, or all events of an array. With `?import=true` the events keep the past they had
/// in another store.
#[cfg_attr(feature = "openapi", utoipa::path(
    post,
    path = "/api/system/events",
    summary = "Publish events",
    description = "Stores one event, or an array that is stored whole or not at all unless \
                   `partial=true` is given. When the response arrives, the events are on disk and \
                   have been sent to every open stream of their owners. Publishing an id again \
                   stores nothing, even if its event was deleted since. With `owners` instead of an \
                   owner, one event goes to up to 1,000 owners, and the response says how many it reached. Fields can be in snake_case, \
                   too. The server repairs what it can, and `warnings` lists the repairs.",
    params(PublishParameters),
    request_body(
        content = Publication,
        examples(
            ("one" = (value = json!(examples::new_event()))),
            ("several" = (value = json!([examples::new_event()]))),
            (
                "import" = (
                    summary = "With ?import=true",
                    value = json!([examples::exported_event()])
                )
            )
        )
    ),
    responses(
        (
            status = 201,
            description = "At least one event is stored.",
            headers(("Location" = String, description = "The address of a single event, relative to the URL of the request.")),
            body = Published,
            example = json!(examples::event())
        ),
        (
            status = 200,
            description = "All events were stored before. An event that was deleted since has \
                           `deletedAt` and no `Location`: it stays deleted.",
            headers(("Location" = String, description = "The address of a single event, relative to the URL of the request.")),
            body = Published,
            example = json!(examples::event())
        ),
        (
            status = 207,
            description = "With `partial=true` and an array: the outcome of each event, in the order \
                           of the request.",
            body = PartlyPublished,
            example = json!(examples::partly_published())
        )
    )
))]
pub(crate) async fn create_events(
    State(state): State<Arc<AppState>>,
    request: PublishRequest,
) -> Result<Response, ApiError> {
    if request.is_partial_batch() {
        return Box::pin(partial::publish(&state, request)).await;
    }
    if request.is_for_many() {
        return Box::pin(many::publish(&state, request)).await;
    }
    let PreparedEvents { prepared, is_batch } = request.prepare(&state)?;
    let PublishRequest {
        caller,
        location,
        body,
        ..
    } = request;
    let memory = match response_bytes(prepared.iter()) {
        ..=SMALL_BYTES => None,
        bytes => Some(Box::pin(state.reserve_published(caller, bytes)).await?),
    };
    // The queue has a budget of its own.
    drop(body);
    let receipts = state.publish(caller, prepared).await;
    let receipts = receipts.map_err(|error| PublishRejection::of_engine(error, is_batch))?;
    Ok(response(
        Receipts::new(receipts, is_batch),
        memory,
        location,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The size of the future that a handler returns.
    fn future_bytes<F: Future>(_: fn(State<Arc<AppState>>, PublishRequest) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn the_future_of_a_publish_request_is_small() {
        // Allocators are slow with more than a KiB at a time, and one is made for every event.
        let bytes = future_bytes(create_events);
        assert!(bytes <= 1_000, "{bytes}");
    }
}
