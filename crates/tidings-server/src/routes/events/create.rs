//! `POST /api/system/events`.

pub(crate) mod reading;

use std::sync::Arc;

use axum::extract::{OriginalUri, Request, State};
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use bytes::{BufMut as _, Bytes, BytesMut};
use tidings::Receipt;
use tidings_event::EventId;
use uuid::fmt::Hyphenated;

use crate::body::ReadBody;
use crate::error::ApiError;
use crate::identity::{Caller, Publisher};
use crate::json;
use crate::openapi::bodies::{Publication, Published};
use crate::openapi::examples;
use crate::openapi::parameters::PublishParameters;
use crate::query;
use crate::spelling::PUBLISH;
use crate::state::AppState;

use reading::Reader;

/// Stores one event, or an array of them, all or nothing. With `?import=true` the events keep the past
/// they had in another store.
#[utoipa::path(
    post,
    path = "/api/system/events",
    summary = "Publish events",
    description = "One event, or an array that is stored whole or not at all. When the answer \
                   arrives, the events are on disk and were handed to every open stream of their \
                   owners. Publishing an id again is a no-op, also if its event was deleted since. \
                   Fields may be in snake_case too.",
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
            description = "Something was stored.",
            headers(("Location" = String, description = "The address of a single event, relative to the address of the request.")),
            body = Published,
            example = json!(examples::event())
        ),
        (
            status = 200,
            description = "All of it had been stored before. An event that was deleted since has \
                           `deletedAt` and no `Location`: it stays deleted.",
            headers(("Location" = String, description = "The address of a single event, relative to the address of the request.")),
            body = Published,
            example = json!(examples::event())
        )
    )
)]
pub(crate) fn create_events(
    State(state): State<Arc<AppState>>,
    Publisher(caller): Publisher,
    OriginalUri(uri): OriginalUri,
    request: Request,
) -> impl Future<Output = Result<Response, ApiError>> + Send {
    // A future is made for every event, and allocators are slow with more than a KiB at a time: the
    // request goes into a box of its own, and of its address only the path is remembered. That
    // also lets go of its head; see `Visit`.
    let keeps_past = query::is_set(uri.query().unwrap_or(""), &PUBLISH[0]);
    let collection = Collection::of(&uri);
    drop(uri);
    let reading = Arc::clone(&state);
    let body = Box::pin(async move { reading.read_publication(caller, request).await });
    async move {
        let keeps_past = keeps_past.map_err(ApiError::InvalidQuery)?;
        let reader = Reader::new(caller, state.engine.limits(), keeps_past)?;
        let (form, receipts) = publish(&state, caller, reader, body).await?;
        Ok(answer(form, &receipts, collection))
    }
}

/// Whether a body is one event or an array. The answer has the same form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    One,
    Batch,
}

async fn publish(
    state: &AppState,
    caller: Caller,
    reader: Reader<'_>,
    body: impl Future<Output = Result<ReadBody, ApiError>>,
) -> Result<(Form, Vec<Receipt>), ApiError> {
    let body = body.await?;
    let text = json::text(&body.bytes).map_err(ApiError::invalid_json)?;
    let (form, prepared) = if reading::is_batch(text) {
        let admit = |events| state.admit_batch(caller, events);
        let prepare = |draft| state.engine.prepare(draft);
        (Form::Batch, reader.read_batch(text, admit, prepare)?)
    } else {
        (
            Form::One,
            vec![state.engine.prepare(reader.read_one(text)?)],
        )
    };
    // The queue has a budget of its own.
    drop(body);
    let published = state.engine.publish_prepared(prepared).await;
    let receipts = published.map_err(|error| ApiError::of_publish(error, form == Form::Batch))?;
    Ok((form, receipts))
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// 200 says that nothing new was stored.
fn answer(form: Form, receipts: &[Receipt], collection: Collection) -> Response {
    let status = if receipts.iter().all(|receipt| receipt.repeated) {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    let mut response = match (form, receipts) {
        (Form::One, [receipt]) => {
            let mut response = receipt.json.clone().into_response();
            if !is_deleted(receipt) {
                let location = collection.location(receipt.id);
                response.headers_mut().insert(LOCATION, location);
            }
            response
        }
        _ => array(receipts).into_response(),
    };
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

/// Whether the event was stored before and has been deleted since: there is nothing at its path.
fn is_deleted(receipt: &Receipt) -> bool {
    receipt.repeated && receipt.event().deleted_at.is_some()
}

/// Where the caller posted to, as its last segment: an address relative to it (RFC 9110 §10.2.2) holds
/// below whatever path a proxy or a program has put the routes.
struct Collection(String);

impl Collection {
    fn of(uri: &Uri) -> Self {
        let last = uri.path().rsplit('/').next().unwrap_or_default();
        let mut location = String::with_capacity(last.len() + 1 + Hyphenated::LENGTH);
        if !last.is_empty() {
            location.push_str(last);
            location.push('/');
        }
        Self(location)
    }

    /// The address of one of its events, relative to its own.
    fn location(self, id: EventId) -> HeaderValue {
        let Self(mut location) = self;
        let mut hyphenated = [0; Hyphenated::LENGTH];
        location.push_str(id.as_uuid().hyphenated().encode_lower(&mut hyphenated));
        HeaderValue::from_maybe_shared(Bytes::from(location))
            .expect("a path and a UUID fit into a header")
    }
}

/// The events as they are stored, without encoding them again.
fn array(receipts: &[Receipt]) -> Bytes {
    let events: usize = receipts.iter().map(|receipt| receipt.json.len() + 1).sum();
    let mut json = BytesMut::with_capacity(events + 1);
    for (index, receipt) in receipts.iter().enumerate() {
        json.put_u8(if index == 0 { b'[' } else { b',' });
        json.put_slice(&receipt.json);
    }
    json.put_u8(b']');
    json.freeze()
}
