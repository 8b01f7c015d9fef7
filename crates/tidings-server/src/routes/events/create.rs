//! `POST /api/system/events`.

use std::sync::Arc;

use axum::extract::{OriginalUri, Request, State};
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use bytes::{BufMut as _, Bytes, BytesMut};
use tidings::{Prepared, Receipt, Tidings};
use tidings_event::{
    CausePolicy, Draft, Given, Limits, NewEvent, OwnerId, OwnerName, Violation, Violations,
};

use crate::error::ApiError;
use crate::identity::Caller;
use crate::json;
use crate::state::AppState;

/// Stores one event, or an array of them, all or nothing.
pub(crate) async fn create_events(
    State(state): State<Arc<AppState>>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    request: Request,
) -> Result<Response, ApiError> {
    let (form, receipts) = publish(&state, caller, request).await?;
    Ok(answer(form, &receipts, &uri))
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
    request: Request,
) -> Result<(Form, Vec<Receipt>), ApiError> {
    let limits = state.engine.limits();
    let (head, body) = request.into_parts();
    let bodies = &state.bodies;
    let body = bodies
        .read_json(&head.headers, body, limits.batch_bytes)
        .await?;
    let text = json::text(&body.bytes).map_err(invalid_json)?;
    let (form, prepared) = if text.trim_ascii_start().starts_with('[') {
        (Form::Batch, read_batch(text, caller.owner, &state.engine)?)
    } else {
        (
            Form::One,
            vec![read_one(text, caller.owner, &state.engine)?],
        )
    };
    // The queue has a budget of its own.
    drop(body);
    let published = state.engine.publish_prepared(prepared).await;
    let receipts = published.map_err(|error| ApiError::of_publish(error, form == Form::Batch))?;
    Ok((form, receipts))
}

fn read_one(text: &str, caller: OwnerId, engine: &Tidings) -> Result<Prepared, ApiError> {
    let limits = engine.limits();
    check_size(text.trim_ascii(), None, limits)?;
    let event = read_event(text, text, "").map_err(invalid_json)?;
    let draft = draft(event, caller, limits).map_err(ApiError::InvalidEvent)?;
    Ok(engine.prepare(draft))
}

/// Prepares one event after the other, so that only one at a time is there as parsed values.
fn read_batch(text: &str, caller: OwnerId, engine: &Tidings) -> Result<Vec<Prepared>, ApiError> {
    let limits = engine.limits();
    let elements = json::elements(text, limits.batch_events);
    let elements = elements.map_err(invalid_json)?;
    match elements.count {
        0 => return Err(ApiError::EmptyBatch),
        events if events > limits.batch_events => {
            let limit = limits.batch_events;
            return Err(ApiError::TooManyEvents { events, limit });
        }
        _ => {}
    }
    let mut prepared = Vec::with_capacity(elements.count);
    let mut unreadable = false;
    let mut violations = Violations::default();
    for (index, element) in elements.first.into_iter().enumerate() {
        check_size(element.get(), Some(index), limits)?;
        match read_event(text, element.get(), &format!("[{index}]")) {
            Ok(event) => match draft(event, caller, limits) {
                Ok(draft) => prepared.push(engine.prepare(draft)),
                Err(of_one) => violations.extend_from_batch(index, of_one),
            },
            Err(fault) => {
                unreadable = true;
                violations.add(fault.field, fault.fault, fault.remedy);
            }
        }
    }
    match violations.into_result() {
        Ok(()) => Ok(prepared),
        Err(violations) if unreadable => Err(ApiError::InvalidJson(violations)),
        Err(violations) => Err(ApiError::InvalidEvent(violations)),
    }
}

/// The engine judges the stored form; here the form as it was sent bounds the work of reading it.
fn check_size(json: &str, index: Option<usize>, limits: &Limits) -> Result<(), ApiError> {
    let (bytes, limit) = (json.len(), limits.event_bytes);
    if bytes <= limit {
        return Ok(());
    }
    Err(ApiError::EventTooLarge {
        index,
        bytes,
        limit,
    })
}

fn read_event(document: &str, part: &str, prefix: &str) -> Result<NewEvent, Violation> {
    // The parser would take an array for the fields in their order.
    let first = part.trim_ascii_start().chars().next();
    if first == Some('[') {
        return Err(Violation {
            field: prefix.to_owned(),
            fault: "is an array in an array".to_owned(),
            remedy: "send one array of events".to_owned(),
        });
    }
    json::read(document, part, prefix)
}

/// An event that names no owner is the caller's.
fn draft(mut event: NewEvent, caller: OwnerId, limits: &Limits) -> Result<Draft, Violations> {
    if matches!(&event.owner, Given::Value(OwnerName::User(user)) if user.is_nil()) {
        event.owner = Given::Absent;
    }
    event.owner.or_default_to(OwnerName::User(caller));
    event.into_draft(limits, CausePolicy::FillFromDescription)
}

fn invalid_json(fault: Violation) -> ApiError {
    let mut violations = Violations::default();
    violations.add(fault.field, fault.fault, fault.remedy);
    ApiError::InvalidJson(violations)
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// 200 says that nothing new was stored.
fn answer(form: Form, receipts: &[Receipt], uri: &Uri) -> Response {
    let status = if receipts.iter().all(|receipt| receipt.repeated) {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    let mut response = match (form, receipts) {
        (Form::One, [receipt]) => {
            let mut response = receipt.json.clone().into_response();
            let location = location(uri, receipt);
            response.headers_mut().insert(LOCATION, location);
            response
        }
        _ => array(receipts).into_response(),
    };
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

/// Beside the path of the request, which knows where the routes are mounted.
fn location(uri: &Uri, receipt: &Receipt) -> HeaderValue {
    let path = uri.path().trim_end_matches('/');
    let location = format!("{path}/{}", receipt.id);
    HeaderValue::try_from(location).expect("a path and a UUID fit into a header")
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
