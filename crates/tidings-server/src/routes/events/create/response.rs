//! The response to published events.

use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use tidings::Receipt;
use tidings::wire::Prepared;

use super::super::receipt::{put_with_warnings, with_warnings};
use crate::publication::EventLocation;
use crate::response::{Reservation, ResponseBody};

/// The receipts of a request, in the form of the request.
pub(super) enum Receipts {
    One(Receipt),
    Batch(Vec<Receipt>),
}

impl Receipts {
    pub(super) fn new(mut receipts: Vec<Receipt>, is_batch: bool) -> Self {
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
pub(super) const SMALL_BYTES: usize = 4 * 1024;

/// The size of the response to these events, which is reserved before anything is stored. A repeated
/// event is returned as it is stored, which differs by its status and times.
pub(super) fn response_bytes<'a>(prepared: impl Iterator<Item = &'a Prepared>) -> usize {
    const DIFFERENCE_BYTES: usize = 64;
    prepared
        .map(|one| one.json_bytes() + DIFFERENCE_BYTES)
        .sum()
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

pub(super) fn response(
    receipts: Receipts,
    memory: Option<Reservation>,
    location: EventLocation,
) -> Response {
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
