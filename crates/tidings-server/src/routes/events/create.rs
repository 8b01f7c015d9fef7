//! `POST /api/system/events`.

use std::sync::Arc;

use axum::extract::{OriginalUri, Request, State};
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use bytes::{BufMut as _, Bytes, BytesMut};
use tidings::{Prepared, Receipt};
use tidings_event::{
    CausePolicy, Draft, Given, Limits, NewEvent, OwnerName, Past, Violation, Violations,
};

use crate::body::ReadBody;
use crate::error::{ApiError, quoted};
use crate::identity::{Caller, Publisher};
use crate::json;
use crate::openapi::bodies::{Publication, Published};
use crate::openapi::examples;
use crate::openapi::parameters::PublishParameters;
use crate::state::AppState;
use crate::token::Scopes;

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
            headers(("Location" = String, description = "The path of a single event.")),
            body = Published,
            example = json!(examples::event())
        ),
        (
            status = 200,
            description = "All of it had been stored before. An event that was deleted since has \
                           `deletedAt` and no `Location`: it stays deleted.",
            headers(("Location" = String, description = "The path of a single event.")),
            body = Published,
            example = json!(examples::event())
        )
    )
)]
pub(crate) async fn create_events(
    State(state): State<Arc<AppState>>,
    Publisher(caller): Publisher,
    OriginalUri(uri): OriginalUri,
    request: Request,
) -> Result<Response, ApiError> {
    let reader = Reader {
        state: &state,
        caller,
        keeps_past: is_import(request.uri().query().unwrap_or(""))?,
    };
    // What a store of elsewhere says is anybody's past.
    if reader.keeps_past && !reader.publishes_for_all() {
        let any_of = &[Scopes::PUBLISH];
        return Err(ApiError::MissingScope { any_of });
    }
    // In a box of its own: this future is made for every event, and allocators are slow with more than
    // a KiB at a time.
    let body = Box::pin(state.read_publication(caller, request));
    let (form, receipts) = publish(reader, body).await?;
    Ok(answer(form, &receipts, &uri))
}

/// Whether a body is one event or an array. The answer has the same form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    One,
    Batch,
}

async fn publish(
    reader: Reader<'_>,
    body: impl Future<Output = Result<ReadBody, ApiError>>,
) -> Result<(Form, Vec<Receipt>), ApiError> {
    let body = body.await?;
    let text = json::text(&body.bytes).map_err(ApiError::invalid_json)?;
    let (form, prepared) = if text.trim_ascii_start().starts_with('[') {
        (Form::Batch, reader.read_batch(text)?)
    } else {
        (Form::One, vec![reader.read_one(text)?])
    };
    // The queue has a budget of its own.
    drop(body);
    let published = reader.state.engine.publish_prepared(prepared).await;
    let receipts = published.map_err(|error| ApiError::of_publish(error, form == Form::Batch))?;
    Ok((form, receipts))
}

/// Whether the events come from another store. Other parameters mean nothing here, and existing
/// clients send some.
fn is_import(query: &str) -> Result<bool, ApiError> {
    let parameters = form_urlencoded::parse(query.as_bytes());
    let mut given = parameters.filter(|(name, _)| name == "import");
    let Some((_, value)) = given.next() else {
        return Ok(false);
    };
    let mut violations = Violations::default();
    if given.next().is_some() {
        violations.add("import", "is given twice", "give it once");
    }
    if value != "true" && value != "false" {
        let fault = format!("({}) is neither true nor false", quoted(&value));
        violations.add("import", fault, "write import=true, or leave it out");
    }
    violations.into_result().map_err(ApiError::InvalidQuery)?;
    Ok(value == "true")
}

/// Reads what a caller publishes.
#[derive(Clone, Copy)]
struct Reader<'a> {
    state: &'a AppState,
    caller: Caller,
    /// Whether status and last change are taken from the body.
    keeps_past: bool,
}

impl Reader<'_> {
    fn read_one(self, text: &str) -> Result<Prepared, ApiError> {
        check_size(text.trim_ascii(), None, self.state.engine.limits())?;
        match self.read_draft(text, text, "") {
            Ok(draft) => Ok(self.state.engine.prepare(draft)),
            Err(Unfit::Unreadable(fault)) => Err(ApiError::invalid_json(fault)),
            Err(Unfit::Invalid(violations)) => Err(ApiError::InvalidEvent(violations)),
            Err(Unfit::Foreign) => Err(ApiError::ForeignOwner { index: None }),
        }
    }

    /// Prepares one event after the other, so that only one at a time is there as parsed values.
    fn read_batch(self, text: &str) -> Result<Vec<Prepared>, ApiError> {
        let limits = self.state.engine.limits();
        let elements = json::elements(text, text, "body", limits.batch_events);
        let elements = elements.map_err(ApiError::invalid_json)?;
        match elements.count {
            0 => return Err(ApiError::EmptyBatch),
            events if events > limits.batch_events => {
                let limit = limits.batch_events;
                return Err(ApiError::TooManyEvents { events, limit });
            }
            events => self.state.admit_batch(self.caller, events)?,
        }
        let mut prepared = Vec::with_capacity(elements.count);
        let mut unreadable = false;
        let mut violations = Violations::default();
        for (index, element) in elements.first.into_iter().enumerate() {
            check_size(element.get(), Some(index), limits)?;
            match self.read_draft(text, element.get(), &format!("[{index}]")) {
                Ok(draft) => prepared.push(self.state.engine.prepare(draft)),
                Err(Unfit::Invalid(of_one)) => violations.extend_from_batch(index, of_one),
                Err(Unfit::Foreign) => return Err(ApiError::ForeignOwner { index: Some(index) }),
                Err(Unfit::Unreadable(fault)) => {
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

    fn publishes_for_all(self) -> bool {
        self.caller.scopes.contains(Scopes::PUBLISH)
    }

    /// An event that names no owner is the caller's.
    fn read_draft(self, document: &str, part: &str, prefix: &str) -> Result<Draft, Unfit> {
        // The parser would take an array for the fields in their order.
        if part.trim_ascii_start().starts_with('[') {
            return Err(Unfit::Unreadable(Violation {
                field: prefix.to_owned(),
                fault: "is an array in an array".to_owned(),
                remedy: "send one array of events".to_owned(),
            }));
        }
        let mut event: NewEvent = json::read(document, part, prefix).map_err(Unfit::Unreadable)?;
        if matches!(&event.owner, Given::Value(OwnerName::User(user)) if user.is_nil()) {
            event.owner = Given::Absent;
        }
        let caller = OwnerName::User(self.caller.owner);
        event.owner.or_default_to(caller);
        if !self.publishes_for_all() {
            if matches!(&event.owner, Given::Value(owner) if *owner != caller) {
                return Err(Unfit::Foreign);
            }
            // A user says what happened, and the server which event that is: ids that one may choose
            // would tell which ones are taken.
            event.id = Given::Absent;
            event.operation_id = Given::Absent;
            event.system_id = Given::Absent;
            event.created_at = Given::Absent;
        }
        let limits = self.state.engine.limits();
        let draft = event.into_draft(limits, CausePolicy::FillFromDescription);
        let draft = draft.map_err(Unfit::Invalid)?;
        if !self.keeps_past {
            return Ok(draft);
        }
        let past: Past = json::read(document, part, prefix).map_err(Unfit::Unreadable)?;
        past.apply(draft).map_err(Unfit::Invalid)
    }
}

/// Why an event of a request cannot be stored.
enum Unfit {
    /// It is not the JSON it should be.
    Unreadable(Violation),
    /// It breaks rules.
    Invalid(Violations),
    /// It is for somebody to whom the caller may not publish.
    Foreign,
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
            if !is_deleted(receipt) {
                let location = location(uri, receipt);
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
