//! Every operation. The routes, the documentation and the metrics use this list.

mod operation;

use axum::routing::options;
use tidings_event::ErrorCode;

use crate::identity::Access;
use crate::routes::events::{create, delete as deletion, get as single, list, status};
use crate::routes::events::{summary, types, update};
#[cfg(feature = "metrics")]
use crate::routes::metrics;
#[cfg(feature = "openapi")]
use crate::routes::openapi;
#[cfg(feature = "ui")]
use crate::routes::page;
use crate::routes::{config, health, revocations, session, subscribe};

pub(crate) use operation::ApiOperation;
use operation::operation;

/// The errors of operations with a body.
const BODY: [ErrorCode; 6] = [
    ErrorCode::InvalidQuery,
    ErrorCode::InvalidJson,
    ErrorCode::BodyUnreadable,
    ErrorCode::TooLarge,
    ErrorCode::UnsupportedMediaType,
    ErrorCode::Overloaded,
];

/// The errors of operations with the id of an event.
const EVENT: [ErrorCode; 2] = [ErrorCode::InvalidQuery, ErrorCode::EventNotFound];

/// The errors of operations with limits per caller.
const LIMIT: [ErrorCode; 2] = [ErrorCode::RateLimited, ErrorCode::UriTooLong];

/// The errors of operations that read from the store.
const READ: [ErrorCode; 2] = [ErrorCode::StorageUnavailable, ErrorCode::ShuttingDown];

/// The errors of operations whose size or duration grows with the caller's events.
const RESPONSE: [ErrorCode; 2] = [ErrorCode::Overloaded, ErrorCode::QueryTooSlow];

/// The errors of operations that write to the store.
const WRITE: [ErrorCode; 3] = [
    ErrorCode::StorageFull,
    ErrorCode::StorageUnavailable,
    ErrorCode::ShuttingDown,
];

/// All operations of the server.
#[cfg(any(feature = "metrics", feature = "openapi"))]
pub(crate) fn all() -> Vec<ApiOperation> {
    let mut operations = api();
    operations.extend(server());
    operations
}

/// The operations below `/api`, which a program can mount.
pub(crate) fn api() -> Vec<ApiOperation> {
    let mut operations = events();
    operations.extend(changes());
    operations.extend([
        operation!(GET "/api/system/events/config", Access::ADMINISTRATOR, config::get_config)
            .fails_with(&[ErrorCode::RouteNotFound]),
        operation!(PUT "/api/system/events/config", Access::ADMINISTRATOR, config::set_config)
            .fails_with(&BODY)
            .fails_with(&[
                ErrorCode::InvalidConfig,
                ErrorCode::RouteNotFound,
                ErrorCode::UriTooLong,
            ]),
    ]);
    operations
}

fn events() -> Vec<ApiOperation> {
    vec![
        operation!(GET "/api/system/events", Access::READER, list::list_events)
            .fails_with(&[ErrorCode::InvalidQuery])
            .fails_with(&LIMIT)
            .fails_with(&READ)
            .fails_with(&RESPONSE)
            .also_at("/api/events", "list_events_alias"),
        operation!(GET "/api/events/list", Access::READER, list::list_events_as_data)
            .fails_with(&[ErrorCode::InvalidQuery])
            .fails_with(&LIMIT)
            .fails_with(&READ)
            .fails_with(&RESPONSE),
        operation!(POST "/api/system/events", Access::PUBLISHER, create::create_events)
            .fails_with(&BODY)
            .fails_with(&[
                ErrorCode::InvalidEvent,
                ErrorCode::EventConflict,
                ErrorCode::QuotaExceeded,
            ])
            .fails_with(&LIMIT)
            .fails_with(&WRITE)
            .also_at("/api/events", "create_events_alias"),
        operation!(PUT "/api/system/events/{id}", Access::UPDATER, update::update_event)
            .fails_with(&BODY)
            .fails_with(&[
                ErrorCode::InvalidEvent,
                ErrorCode::ForeignSystem,
                ErrorCode::EventNotFound,
                ErrorCode::QuotaExceeded,
            ])
            .fails_with(&LIMIT)
            .fails_with(&WRITE)
            .also_at("/api/events/{id}", "update_event_alias"),
        operation!(GET "/api/system/events/{id}", Access::READER, single::get_event)
            .fails_with(&EVENT)
            .fails_with(&LIMIT)
            .fails_with(&READ)
            .fails_with(&RESPONSE)
            .also_at("/api/events/{id}", "get_event_alias"),
        operation!(GET "/api/system/events/types", Access::READER, types::list_event_types)
            .fails_with(&[ErrorCode::InvalidQuery])
            .fails_with(&LIMIT)
            .fails_with(&READ)
            .fails_with(&RESPONSE),
        operation!(GET "/api/events/types", Access::READER, types::list_event_type_pairs)
            .fails_with(&[ErrorCode::InvalidQuery])
            .fails_with(&LIMIT)
            .fails_with(&READ)
            .fails_with(&RESPONSE),
        operation!(GET "/api/system/events/summary", Access::READER, summary::summarize_events)
            .fails_with(&[ErrorCode::InvalidQuery])
            .fails_with(&LIMIT)
            .fails_with(&READ)
            .fails_with(&RESPONSE)
            .also_at("/api/events/summary", "summarize_events_alias"),
        operation!(GET "/api/system/events/subscribe", Access::READER, subscribe::subscribe)
            .fails_with(&LIMIT)
            .fails_with(&[ErrorCode::InvalidQuery, ErrorCode::TooManyStreams])
            .also_at("/api/events/subscribe", "subscribe_alias"),
    ]
}

fn changes() -> Vec<ApiOperation> {
    let change = [&BODY[..], &WRITE, &LIMIT, &[ErrorCode::InvalidChange]].concat();
    let bulk = [&change[..], &[ErrorCode::QueryTooSlow]].concat();
    vec![
        operation!(PUT "/api/system/events/status/{id}", Access::CHANGER, status::mark_event)
            .fails_with(&change)
            .fails_with(&[ErrorCode::EventNotFound]),
        operation!(PUT "/api/events/{id}/status", Access::CHANGER, status::mark_event_with_answer)
            .fails_with(&change)
            .fails_with(&[ErrorCode::EventNotFound]),
        operation!(PUT "/api/system/events/status/bulk", Access::CHANGER, status::mark_events)
            .fails_with(&bulk),
        operation!(PUT "/api/events/status", Access::CHANGER, status::mark_events_with_answer)
            .fails_with(&bulk),
        operation!(DELETE "/api/system/events/{id}", Access::PUBLISHER, deletion::delete_event)
            .fails_with(&EVENT)
            .fails_with(&[ErrorCode::ForeignSystem])
            .fails_with(&LIMIT)
            .fails_with(&WRITE)
            .also_at("/api/events/{id}", "delete_event_alias"),
        operation!(DELETE "/api/system/events/bulk", Access::CHANGER, deletion::delete_events)
            .fails_with(&bulk),
        operation!(DELETE "/api/events", Access::CHANGER, deletion::delete_events_with_answer)
            .fails_with(&bulk),
        operation!(POST "/api/events/delete", Access::CHANGER, deletion::post_deletion)
            .fails_with(&bulk),
    ]
}

/// The operations of a server beside the API. Those of a feature that is not built in are missing.
pub(crate) fn server() -> Vec<ApiOperation> {
    let mut operations = Vec::new();
    #[cfg(feature = "ui")]
    operations.extend([
        operation!(GET "/", Access::Everybody, page::page)
            .with_options(options(page::page_options)),
        operation!(GET "/tidings.js", Access::Everybody, page::components),
        operation!(GET "/assets/{file}", Access::Everybody, page::asset)
            .fails_with(&[ErrorCode::RouteNotFound]),
    ]);
    operations.extend([
        operation!(GET "/healthz", Access::Everybody, health::healthz)
            .with_options(options(health::healthz)),
        operation!(GET "/readyz", Access::Everybody, health::readyz)
            .with_options(options(health::readyz))
            .fails_with(&READ)
            .fails_with(&[ErrorCode::StorageFull]),
    ]);
    #[cfg(feature = "metrics")]
    operations.push(
        operation!(GET "/metrics", Access::ADMINISTRATOR, metrics::metrics).fails_with(&READ),
    );
    operations.extend([
        operation!(POST "/session", Access::Caller, session::begin_session)
            .fails_with(&[ErrorCode::TooLarge, ErrorCode::RouteNotFound]),
        operation!(DELETE "/session", Access::Everybody, session::end_session)
            .fails_with(&LIMIT)
            .fails_with(&[ErrorCode::RouteNotFound, ErrorCode::StorageFull]),
        operation!(POST "/tokens/revoke", Access::ADMINISTRATOR, revocations::revoke_token)
            .fails_with(&BODY)
            .fails_with(&[
                ErrorCode::InvalidRevocation,
                ErrorCode::RouteNotFound,
                ErrorCode::StorageFull,
            ]),
    ]);
    #[cfg(feature = "openapi")]
    operations.push(operation!(GET "/openapi.json", Access::Everybody, openapi::get_openapi));
    operations
}
