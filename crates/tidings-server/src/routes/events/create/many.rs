//! Publishing an event to several owners.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use crate::error::ApiError;
use crate::extract::PublishRequest;
use crate::publication::PublishRejection;
use crate::state::AppState;

/// Stores the event for all its owners, or for none.
pub(super) async fn publish(
    state: &AppState,
    request: PublishRequest,
) -> Result<Response, ApiError> {
    let prepared = request.prepare_for_many(state)?;
    // The queue has a budget of its own.
    drop(request);
    let receipt = state.wire.publish_to_many(prepared).await;
    let receipt = receipt.map_err(|error| PublishRejection::of_engine(error, false))?;
    let status = match receipt.reached {
        0 => StatusCode::OK,
        _ => StatusCode::CREATED,
    };
    Ok((status, Json(receipt)).into_response())
}
