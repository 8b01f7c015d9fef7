//! `GET /api/system/events`.

use std::iter;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use bytes::{Buf as _, Bytes};
use futures_util::{Stream, stream};
use serde::Serialize;
use tidings::wire::{EncodedPage, PageRest};
use tidings_event::{Cursor, EventPage, PageToken, SeverityCount, SystemId};

use crate::error::ApiError;
use crate::extract::ListRequest;
use crate::identity::Caller;
use crate::request::query::ListQuery;
use crate::response::{Reservation, ResponseBody};
#[cfg(feature = "openapi")]
use crate::schema::bodies::DataPage;
#[cfg(feature = "openapi")]
use crate::schema::examples;
#[cfg(feature = "openapi")]
use crate::schema::parameters::ListParameters;
use crate::state::AppState;

/// Returns a page of the caller's events and the system's.
#[cfg_attr(feature = "openapi", utoipa::path(
    get,
    path = "/api/system/events",
    summary = "List events",
    description = "Returns the caller's own events and the system's that match every parameter. \
                   Parameter names are accepted in every case and with any separator, including \
                   `filter[severity]` and `severity[]`. `author`, `provider`, `initial` and \
                   `cumulative` are ignored. Other unknown parameters and malformed values are \
                   rejected.",
    params(ListParameters),
    responses((
        status = 200,
        description = "A page.",
        body = EventPage,
        example = json!(examples::page())
    ))
))]
pub(crate) async fn list_events(
    State(state): State<Arc<AppState>>,
    request: ListRequest,
) -> Result<Response, ApiError> {
    page(state, request, b"{\"events\":[").await
}

/// Returns the same page in the form that the published client declares.
#[cfg_attr(feature = "openapi", utoipa::path(
    get,
    path = "/api/events/list",
    summary = "List events",
    description = "Returns the same page as `GET /api/events`, with `data` in place of `events`.",
    params(ListParameters),
    responses((
        status = 200,
        description = "A page.",
        body = DataPage,
        example = json!(examples::data_page())
    ))
))]
pub(crate) async fn list_events_as_data(
    State(state): State<Arc<AppState>>,
    request: ListRequest,
) -> Result<Response, ApiError> {
    page(state, request, b"{\"data\":[").await
}

/// A page that starts with `head`, which names its events.
async fn page(
    state: Arc<AppState>,
    request: ListRequest,
    head: &'static [u8],
) -> Result<Response, ApiError> {
    let ListRequest {
        caller,
        credential,
        query: ListQuery { filter, page },
    } = request;
    let bytes = state.wire.page_bytes();
    let memory = state
        .reserve_response(caller, credential.clone(), bytes)
        .await?;
    let read = state.wire.list(caller.owner, filter, page);
    let EncodedPage {
        events, rest, page, ..
    } = state.read_while_valid(credential.clone(), read).await?;
    state
        .pace_response(caller, credential, size_of_pieces(&events))
        .await?;
    let more = rest.map(|rest| More {
        state,
        caller,
        rest,
    });
    let envelope = Envelope {
        head,
        tail: tail(&page),
    };
    Ok(body(memory, events, more, envelope).into_json())
}

/// The approximate size of the pieces in which the rest of a large page is read.
const REST_BYTES: usize = 256 * 1024;

/// The JSON around the events of a page.
struct Envelope {
    head: &'static [u8],
    tail: Vec<u8>,
}

/// The fields after the events of a page.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PageTail<'a> {
    page: u64,
    page_size: u64,
    count_by_severity_level: &'a [SeverityCount],
    #[serde(skip_serializing_if = "Option::is_none")]
    total_count: Option<u64>,
    read_count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<PageToken>,
    cursor: Cursor,
    system_id: SystemId,
}

fn tail(page: &EventPage) -> Vec<u8> {
    let mut tail = b"],".to_vec();
    let fields = PageTail {
        page: page.page,
        page_size: page.page_size,
        count_by_severity_level: &page.count_by_severity_level,
        total_count: page.total_count,
        read_count: page.read_count,
        next: page.next,
        cursor: page.cursor,
        system_id: page.system_id,
    };
    let fields = serde_json::to_vec(&fields).expect("a page has only text keys");
    // The end of the array replaces the opening brace.
    tail.extend_from_slice(&fields[1..]);
    tail
}

/// A page as a body: the events that were read at once, and then the rest as the client reads. So a page
/// of any size takes no more memory than one piece.
fn body(
    mut memory: Reservation,
    mut events: Vec<Vec<u8>>,
    more: Option<More>,
    envelope: Envelope,
) -> ResponseBody {
    let Envelope { head, tail } = envelope;
    let commas = usize::from(!events.is_empty());
    let rest = match more {
        Some(more) => Some(more.read(tail)),
        None => {
            append(&mut events, tail);
            None
        }
    };
    let mut pieces = hold(&mut memory, events);
    // Skips the comma before the first event.
    if let Some(first) = pieces.first_mut() {
        first.advance(commas);
    }
    let pieces = iter::once(Bytes::from_static(head)).chain(pieces);
    match rest {
        Some(rest) => ResponseBody::with_rest(pieces, rest),
        None => ResponseBody::whole(pieces),
    }
}

fn size_of_pieces(events: &[Vec<u8>]) -> usize {
    events.iter().map(Vec::len).sum()
}

fn append(events: &mut Vec<Vec<u8>>, tail: Vec<u8>) {
    match events.last_mut() {
        Some(last) => last.extend_from_slice(&tail),
        None => events.push(tail),
    }
}

fn hold(memory: &mut Reservation, events: Vec<Vec<u8>>) -> Vec<Bytes> {
    events.into_iter().map(|piece| memory.hold(piece)).collect()
}

/// The events of a page that are read while the client reads.
struct More {
    state: Arc<AppState>,
    caller: Caller,
    rest: PageRest,
}

impl More {
    fn read(self, tail: Vec<u8>) -> impl Stream<Item = Result<Vec<Bytes>, ApiError>> + use<> {
        stream::try_unfold(Some((self, tail)), |left| async move {
            let Some((
                Self {
                    state,
                    caller,
                    rest,
                },
                tail,
            )) = left
            else {
                return Ok(None);
            };
            let mut memory = state.reserve_response(caller, None, REST_BYTES).await?;
            let (mut events, rest) = state.wire.list_rest(rest, REST_BYTES).await?;
            state
                .pace_response(caller, None, size_of_pieces(&events))
                .await?;
            let left = match rest {
                Some(rest) => {
                    let more = Self {
                        state,
                        caller,
                        rest,
                    };
                    Some((more, tail))
                }
                None => {
                    append(&mut events, tail);
                    None
                }
            };
            Ok(Some((hold(&mut memory, events), left)))
        })
    }
}
