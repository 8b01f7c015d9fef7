//! `POST /api/system/events`.

mod partial;

use std::sync::Arc;

use axum::extract::{OriginalUri, Request, State};
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use tidings::{Prepared, Receipt};
use tidings_event::{EventId, Violations};
use uuid::fmt::Hyphenated;

use crate::error::ApiError;
use crate::extract::Publisher;
use crate::identity::Caller;
use crate::publication::{EventParser, PublishRefusal, Subjects, is_batch};
use crate::request::body::ReadBody;
use crate::request::query::{self, InvalidQuery};
use crate::request::spelling::PUBLISH;
use crate::response::{Reservation, ResponseBody};
#[cfg(feature = "openapi")]
use crate::schema::bodies::{PartlyPublished, Publication, Published};
#[cfg(feature = "openapi")]
use crate::schema::examples;
#[cfg(feature = "openapi")]
use crate::schema::parameters::PublishParameters;
use crate::state::AppState;

/// Stores one event, or an array of them, all or nothing. With `?import=true` the events keep the past
/// they had in another store.
#[cfg_attr(feature = "openapi", utoipa::path(
    post,
    path = "/api/system/events",
    summary = "Publish events",
    description = "One event, or an array that is stored whole or not at all, unless `partial=true` \
                   asks for each by itself. When the answer arrives, the events are on disk and \
                   were handed to every open stream of their owners. Publishing an id again is a \
                   no-op, also if its event was deleted since. Fields may be in snake_case too. What \
                   can be repaired is stored, and `warnings` says what was repaired.",
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
        ),
        (
            status = 207,
            description = "With `partial=true` and an array: what became of each event, in the order \
                           of the request.",
            body = PartlyPublished,
            example = json!(examples::partly_published())
        )
    )
))]
pub(crate) fn create_events(
    State(state): State<Arc<AppState>>,
    Publisher(caller): Publisher,
    OriginalUri(uri): OriginalUri,
    request: Request,
) -> impl Future<Output = Result<Response, ApiError>> + Send {
    // A future is made for every event, and allocators are slow with more than a KiB at a time: the
    // request goes into a box of its own, and of its address only the path is remembered. That
    // also lets go of its head; see `Visit`.
    let options = Options::read(uri.query().unwrap_or("")).map_err(Box::new);
    let collection = Collection::of(&uri);
    drop(uri);
    let reading = Arc::clone(&state);
    let body = Box::pin(async move { reading.read_publication(caller, request).await });
    async move {
        let options = options.map_err(|violations| InvalidQuery(*violations))?;
        let subjects = Subjects::from(&state.authenticator.identity);
        let limits = state.engine.limits();
        let parser = EventParser::new(caller, limits, subjects, options.keeps_past)?;
        let body = body.await?;
        if options.is_partial && body.text().is_ok_and(is_batch) {
            let publish = partial::publish(&state, caller, parser, body);
            return Box::pin(publish).await;
        }
        let stored = publish(&state, caller, parser, body).await?;
        Ok(answer(stored, collection))
    }
}

/// What the query asks for. Other parameters mean nothing here, and existing clients send some.
#[derive(Clone, Copy)]
struct Options {
    /// The events come from another store.
    keeps_past: bool,
    /// The good events of a batch are stored without the others.
    is_partial: bool,
}

impl Options {
    fn read(query: &str) -> Result<Self, Violations> {
        let [import, partial] = &PUBLISH;
        Ok(Self {
            keeps_past: query::is_set(query, import)?,
            is_partial: query::is_set(query, partial)?,
        })
    }
}

/// Whether a body is one event or an array. The answer has the same form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    One,
    Batch,
}

/// What was stored, and room for the answer.
struct Stored {
    form: Form,
    receipts: Vec<Receipt>,
    room: Option<Reservation>,
}

async fn publish(
    state: &AppState,
    caller: Caller,
    parser: EventParser<'_>,
    body: ReadBody,
) -> Result<Stored, ApiError> {
    let text = body.text()?;
    let (form, prepared) = if is_batch(text) {
        let admit = |events| {
            state
                .callers
                .count_batch(caller.owner, caller.reach(), events)
        };
        let prepare = |draft| state.engine.prepare(draft);
        let read = parser.read_batch(text, admit, prepare);
        (Form::Batch, state.judge(read)?)
    } else {
        (
            Form::One,
            vec![state.engine.prepare(parser.read_one(text)?)],
        )
    };
    let room = reserve(state, caller, prepared.iter()).await?;
    // The queue has a budget of its own.
    drop(body);
    let published = state.publish(caller, prepared).await;
    let receipts =
        published.map_err(|error| PublishRefusal::of_engine(error, form == Form::Batch))?;
    Ok(Stored {
        form,
        receipts,
        room,
    })
}

/// An answer that is no longer is part of what its connection may hold anyway.
const SMALL_BYTES: usize = 4 * 1024;

/// Reserves the memory of the answer before anything is stored. A repeat is answered with what is
/// stored, which differs by its status and times.
async fn reserve(
    state: &AppState,
    caller: Caller,
    prepared: impl Iterator<Item = &Prepared>,
) -> Result<Option<Reservation>, ApiError> {
    const DIFFERENCE_BYTES: usize = 64;
    let bytes = prepared
        .map(|one| one.json_bytes() + DIFFERENCE_BYTES)
        .sum();
    if bytes <= SMALL_BYTES {
        return Ok(None);
    }
    let room = Box::pin(state.reserve_echo(caller, bytes)).await?;
    Ok(Some(room))
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// 200 says that nothing new was stored.
fn answer(stored: Stored, collection: Collection) -> Response {
    let Stored {
        form,
        receipts,
        room,
    } = stored;
    let status = if receipts.iter().all(|receipt| receipt.repeated) {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    let mut response = match (form, receipts.as_slice()) {
        (Form::One, [receipt]) => {
            let json = with_warnings(receipt);
            let mut response = match room {
                None => json.into_response(),
                Some(mut room) => ResponseBody::whole([room.hold(json)]).into_json(),
            };
            // Of one that was deleted since there is nothing at its path.
            if !receipt.deleted {
                let location = collection.location(receipt.id);
                response.headers_mut().insert(LOCATION, location);
            }
            response
        }
        _ => array(receipts, room.unwrap_or_default()).into_json(),
    };
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
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

/// The event as it is stored, and what was repaired in it.
fn with_warnings(receipt: &Receipt) -> Bytes {
    if receipt.warnings.is_empty() {
        return receipt.json().clone();
    }
    let mut json = Vec::new();
    put_with_warnings(&mut json, receipt);
    json.into()
}

/// Encodes nothing again but the warnings, which most events have none of.
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
    serde_json::to_writer(json, value).expect("what is answered has only text keys");
}

/// A piece of the answer to a batch ends with the event that passes this size.
const PIECE_BYTES: usize = 64 * 1024;

/// The events as they are stored, without encoding them again.
fn array(receipts: Vec<Receipt>, mut room: Reservation) -> ResponseBody {
    let mut pieces = Vec::new();
    let mut piece = Vec::new();
    for (index, receipt) in receipts.into_iter().enumerate() {
        piece.push(if index == 0 { b'[' } else { b',' });
        put_with_warnings(&mut piece, &receipt);
        if piece.len() >= PIECE_BYTES {
            piece.shrink_to_fit();
            pieces.push(room.hold(std::mem::take(&mut piece)));
        }
    }
    piece.push(b']');
    pieces.push(room.hold(piece));
    ResponseBody::whole(pieces)
}
