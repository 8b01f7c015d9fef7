//! `POST /api/system/events`.

mod partial;

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use tidings::Receipt;
use tidings::wire::Prepared;

use crate::error::ApiError;
use crate::extract::PublishRequest;
use crate::publication::{EventLocation, EventParser, PublishRejection, Subjects, is_batch};
use crate::response::{Reservation, ResponseBody};
#[cfg(feature = "openapi")]
use crate::schema::bodies::{PartlyPublished, Publication, Published};
#[cfg(feature = "openapi")]
use crate::schema::examples;
#[cfg(feature = "openapi")]
use crate::schema::parameters::PublishParameters;
use crate::state::AppState;

/// Stores one event, or all events of an array. With `?import=true` the events keep the past they had
/// in another store.
#[cfg_attr(feature = "openapi", utoipa::path(
    post,
    path = "/api/system/events",
    summary = "Publish events",
    description = "Stores one event, or an array that is stored whole or not at all unless \
                   `partial=true` is given. When the response arrives, the events are on disk and \
                   have been sent to every open stream of their owners. Publishing an id again \
                   stores nothing, even if its event was deleted since. Fields can be in snake_case, \
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
    let PublishRequest {
        caller,
        options,
        location,
        body,
    } = request;
    let subjects = Subjects::from(&state.authenticator.identity);
    let limits = state.engine.limits();
    let parser = EventParser::new(caller, limits, subjects, options.keeps_past);
    if options.is_partial && body.text().is_ok_and(is_batch) {
        return Box::pin(partial::publish(&state, caller, parser, body)).await;
    }
    let (text, bytes) = (body.text()?, body.bytes.len() as u64);
    let is_batch = is_batch(text);
    let prepared = if is_batch {
        let count = |events| {
            let callers = &state.callers;
            callers.count_batch(caller.owner, caller.reach(), events, bytes)
        };
        let prepare = |draft| state.wire.prepare(draft);
        state.judge(parser.read_batch(text, count, prepare))?
    } else {
        vec![state.wire.prepare(parser.read_one(text)?)]
    };
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

/// The receipts of a request, in the form of the request.
enum Receipts {
    One(Receipt),
    Batch(Vec<Receipt>),
}

impl Receipts {
    fn new(mut receipts: Vec<Receipt>, is_batch: bool) -> Self {
        match receipts.pop() {
            Some(only) if !is_batch => Self::One(only),
            last => {
                receipts.extend(last);
                Self::Batch(receipts)
            }
        }
    }
}

/// A smaller response fits into what its connection can hold anyway.
const SMALL_BYTES: usize = 4 * 1024;

/// The size of the response to these events, which is reserved before anything is stored. A repeated
/// event is returned as it is stored, which differs by its status and times.
fn response_bytes<'a>(prepared: impl Iterator<Item = &'a Prepared>) -> usize {
    const DIFFERENCE_BYTES: usize = 64;
    prepared
        .map(|one| one.json_bytes() + DIFFERENCE_BYTES)
        .sum()
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

fn response(receipts: Receipts, memory: Option<Reservation>, location: EventLocation) -> Response {
    let status = |is_repeated| match is_repeated {
        true => StatusCode::OK,
        false => StatusCode::CREATED,
    };
    let mut response = match receipts {
        Receipts::One(receipt) => {
            let json = with_warnings(&receipt);
            let mut response = match memory {
                None => json.into_response(),
                Some(mut memory) => ResponseBody::whole([memory.hold(json)]).into_json(),
            };
            *response.status_mut() = status(receipt.repeated);
            // The path of an event that has been deleted since does not exist.
            if !receipt.deleted {
                let location = location.of(receipt.id);
                response.headers_mut().insert(LOCATION, location);
            }
            response
        }
        Receipts::Batch(receipts) => {
            let is_repeated = receipts.iter().all(|receipt| receipt.repeated);
            let mut response = array(receipts, memory.unwrap_or_default()).into_json();
            *response.status_mut() = status(is_repeated);
            response
        }
    };
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

/// The event as it is stored, with the repairs.
fn with_warnings(receipt: &Receipt) -> Bytes {
    if receipt.warnings.is_empty() {
        return receipt.json().clone();
    }
    let mut json = Vec::new();
    put_with_warnings(&mut json, receipt);
    json.into()
}

/// Encodes the warnings only, which most events do not have.
fn put_with_warnings(json: &mut Vec<u8>, receipt: &Receipt) {
    match receipt.json().strip_suffix(b"}") {
        Some(open) if !receipt.warnings.is_empty() => {
            json.extend_from_slice(open);
            json.extend_from_slice(b",\"warnings\":");
            put_json(json, &receipt.warnings);
            json.push(b'}');
        }
        _ => json.extend_from_slice(receipt.json()),
    }
}

fn put_json(json: &mut Vec<u8>, value: &impl serde::Serialize) {
    serde_json::to_writer(json, value).expect("responses have only text keys");
}

/// A piece of the response to a batch ends with the event that exceeds this size.
const PIECE_BYTES: usize = 64 * 1024;

/// The events as they are stored, not encoded again.
fn array(receipts: Vec<Receipt>, mut memory: Reservation) -> ResponseBody {
    let mut pieces = Vec::new();
    let mut piece = Vec::new();
    for (index, receipt) in receipts.into_iter().enumerate() {
        piece.push(if index == 0 { b'[' } else { b',' });
        put_with_warnings(&mut piece, &receipt);
        if piece.len() >= PIECE_BYTES {
            piece.shrink_to_fit();
            pieces.push(memory.hold(std::mem::take(&mut piece)));
        }
    }
    piece.push(b']');
    pieces.push(memory.hold(piece));
    ResponseBody::whole(pieces)
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
