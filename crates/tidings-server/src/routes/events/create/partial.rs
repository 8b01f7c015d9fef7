//! A batch whose events are stored or rejected one by one.

use axum::http::StatusCode;
use axum::response::Response;
use futures_util::future::join_all;
use tidings::Receipt;
use tidings::wire::Prepared;

use super::super::receipt::put_json;
use super::response::{SMALL_BYTES, response_bytes};
use crate::error::ApiError;
use crate::extract::PublishRequest;
use crate::identity::Caller;
use crate::problem::Failure;
use crate::publication::PublishRejection;
use crate::response::{Reservation, ResponseBody};
use crate::state::AppState;

/// The outcome of one event.
type EventResult = Result<Receipt, ApiError>;

/// Publishes the events of an array that can be stored, and returns the outcome of each.
///
/// # Errors
///
/// If no event was looked at: the body is not an array of JSON, or has too many events. And if the store
/// accepted none, so that the whole request can be repeated.
pub(super) async fn publish(
    state: &AppState,
    request: PublishRequest,
) -> Result<Response, ApiError> {
    let read = request.prepare_each(state)?;
    let PublishRequest { caller, body, .. } = request;
    let bytes = response_bytes(read.iter().flatten());
    let memory = match bytes {
        ..=SMALL_BYTES => Reservation::default(),
        bytes => state.reserve_published(caller, bytes).await?,
    };
    // The queue has a budget of its own.
    drop(body);
    // The engine treats each event as a separate request. It commits them together and in this order.
    let outcomes = join_all(read.into_iter().map(|one| publish_one(state, caller, one))).await;
    let stores = |outcome: &EventResult| outcome.is_ok();
    if !outcomes.iter().any(stores) {
        let mut rejected = outcomes.into_iter().filter_map(Result::err);
        let mut others = Vec::new();
        return match rejected.find_map(|error| {
            if error.problem().status().is_server_error() {
                return Some(error);
            }
            others.push(Err(error));
            None
        }) {
            Some(failure) => Err(failure),
            None => Ok(response(&others, memory)),
        };
    }
    Ok(response(&outcomes, memory))
}

async fn publish_one(
    state: &AppState,
    caller: Caller,
    event: Result<Prepared, PublishRejection>,
) -> EventResult {
    let published = state.publish(caller, vec![event?]).await;
    let receipts = published.map_err(|error| PublishRejection::of_engine(error, false))?;
    let mut receipts = receipts.into_iter();
    let receipt = receipts.next();
    Ok(receipt.expect("the engine gives a receipt for each event"))
}

fn response(outcomes: &[EventResult], mut memory: Reservation) -> Response {
    let mut failure = None;
    let json = write(outcomes, &mut failure);
    let json = memory.hold(json);
    let mut response = ResponseBody::whole([json]).into_json();
    *response.status_mut() = StatusCode::MULTI_STATUS;
    if let Some(failure) = failure {
        response.extensions_mut().insert(failure);
    }
    response
}

fn write(outcomes: &[EventResult], failure: &mut Option<Failure>) -> Vec<u8> {
    let events: usize = outcomes
        .iter()
        .map(|outcome| {
            outcome
                .as_ref()
                .map_or(512, |receipt| receipt.json().len() + 64)
        })
        .sum();
    let mut json = Vec::with_capacity(events + 64);
    let (mut stored, mut repeated, mut rejected) = (0, 0, 0);
    json.extend_from_slice(b"{\"results\":[");
    for (index, outcome) in outcomes.iter().enumerate() {
        if index > 0 {
            json.push(b',');
        }
        json.extend_from_slice(format!("{{\"index\":{index},\"status\":").as_bytes());
        match outcome {
            Ok(receipt) => {
                let status = if receipt.repeated {
                    repeated += 1;
                    StatusCode::OK
                } else {
                    stored += 1;
                    StatusCode::CREATED
                };
                json.extend_from_slice(status.as_str().as_bytes());
                json.extend_from_slice(b",\"event\":");
                json.extend_from_slice(receipt.json());
                if !receipt.warnings.is_empty() {
                    json.extend_from_slice(b",\"warnings\":");
                    put_json(&mut json, &receipt.warnings);
                }
            }
            Err(error) => {
                rejected += 1;
                let problem = error.problem();
                if failure.is_none() {
                    *failure = problem.as_failure();
                }
                json.extend_from_slice(problem.status().as_str().as_bytes());
                json.extend_from_slice(b",\"error\":");
                put_json(&mut json, &problem.into_body_of_one());
            }
        }
        json.push(b'}');
    }
    let counts = format!("],\"stored\":{stored},\"repeated\":{repeated},\"refused\":{rejected}}}");
    json.extend_from_slice(counts.as_bytes());
    json
}
