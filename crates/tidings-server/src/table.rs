//! Every operation: the one list that both the routes and the documentation are made of.

use axum::routing::{delete, get, post, put};
use tidings_event::ErrorCode;

use crate::operation::Operation;
use crate::routes::events::{create, delete as deletion, get as single, list, status};
use crate::routes::events::{summary, types};
use crate::routes::{config, health, metrics, openapi, page, subscribe};

/// What a body can be refused with.
const BODY: [ErrorCode; 5] = [
    ErrorCode::InvalidJson,
    ErrorCode::BodyUnreadable,
    ErrorCode::TooLarge,
    ErrorCode::UnsupportedMediaType,
    ErrorCode::Overloaded,
];

/// What the id of an event can be refused with.
const EVENT: [ErrorCode; 2] = [ErrorCode::InvalidQuery, ErrorCode::EventNotFound];

/// What a caller who asks for too much is refused with.
const EXCESS: [ErrorCode; 2] = [ErrorCode::RateLimited, ErrorCode::UriTooLong];

/// What the store can refuse to read with.
const READ: [ErrorCode; 2] = [ErrorCode::StorageUnavailable, ErrorCode::ShuttingDown];

/// What the store can refuse to write with.
const WRITE: [ErrorCode; 3] = [
    ErrorCode::StorageFull,
    ErrorCode::StorageUnavailable,
    ErrorCode::ShuttingDown,
];

/// What is below `/api`, where a program can mount it.
pub(crate) fn api() -> Vec<Operation> {
    let mut operations = events();
    operations.extend(changes());
    operations.extend([
        Operation::of::<config::__path_get_config>(get(config::get_config))
            .fails_with(&[ErrorCode::RouteNotFound]),
        Operation::of::<config::__path_set_config>(put(config::set_config))
            .fails_with(&BODY)
            .fails_with(&[
                ErrorCode::InvalidConfig,
                ErrorCode::RouteNotFound,
                ErrorCode::UriTooLong,
            ]),
    ]);
    operations
}

fn events() -> Vec<Operation> {
    vec![
        Operation::of::<list::__path_list_events>(get(list::list_events))
            .fails_with(&[ErrorCode::InvalidQuery])
            .fails_with(&EXCESS)
            .fails_with(&READ)
            .also_at("/api/events", "list_events_alias")
            .also_at("/api/events/list", "list_events_list_alias"),
        Operation::of::<create::__path_create_events>(post(create::create_events))
            .fails_with(&BODY)
            .fails_with(&[
                ErrorCode::InvalidEvent,
                ErrorCode::InvalidQuery,
                ErrorCode::EventConflict,
            ])
            .fails_with(&EXCESS)
            .fails_with(&WRITE)
            .also_at("/api/events", "create_events_alias"),
        Operation::of::<single::__path_get_event>(get(single::get_event))
            .fails_with(&EVENT)
            .fails_with(&EXCESS)
            .fails_with(&READ)
            .also_at("/api/events/{id}", "get_event_alias"),
        Operation::of::<types::__path_list_event_types>(get(types::list_event_types))
            .fails_with(&[ErrorCode::InvalidQuery])
            .fails_with(&EXCESS)
            .fails_with(&READ)
            .also_at("/api/events/types", "list_event_types_alias"),
        Operation::of::<summary::__path_summarize_events>(get(summary::summarize_events))
            .fails_with(&[ErrorCode::InvalidQuery])
            .fails_with(&EXCESS)
            .fails_with(&READ)
            .also_at("/api/events/summary", "summarize_events_alias"),
        Operation::of::<subscribe::__path_subscribe>(get(subscribe::subscribe))
            .fails_with(&EXCESS)
            .fails_with(&[ErrorCode::TooManyStreams])
            .also_at("/api/events/subscribe", "subscribe_alias"),
    ]
}

fn changes() -> Vec<Operation> {
    let change = [&BODY[..], &WRITE, &EXCESS, &[ErrorCode::InvalidChange]].concat();
    vec![
        Operation::of::<status::__path_mark_event>(put(status::mark_event))
            .fails_with(&change)
            .fails_with(&EVENT),
        Operation::of::<status::__path_mark_event_with_answer>(put(status::mark_event_with_answer))
            .fails_with(&change)
            .fails_with(&EVENT),
        Operation::of::<status::__path_mark_events>(put(status::mark_events)).fails_with(&change),
        Operation::of::<status::__path_mark_events_with_answer>(put(
            status::mark_events_with_answer,
        ))
        .fails_with(&change),
        Operation::of::<deletion::__path_delete_event>(delete(deletion::delete_event))
            .fails_with(&EVENT)
            .fails_with(&EXCESS)
            .fails_with(&WRITE)
            .also_at("/api/events/{id}", "delete_event_alias"),
        Operation::of::<deletion::__path_delete_events>(delete(deletion::delete_events))
            .fails_with(&change),
        Operation::of::<deletion::__path_delete_events_with_answer>(delete(
            deletion::delete_events_with_answer,
        ))
        .fails_with(&change),
        Operation::of::<deletion::__path_post_deletion>(post(deletion::post_deletion))
            .fails_with(&change),
    ]
}

/// What a server has beside it.
pub(crate) fn server() -> Vec<Operation> {
    vec![
        Operation::of::<page::__path_page>(get(page::page)),
        Operation::of::<health::__path_healthz>(get(health::healthz)),
        Operation::of::<health::__path_readyz>(get(health::readyz))
            .fails_with(&READ)
            .fails_with(&[ErrorCode::StorageFull]),
        Operation::of::<metrics::__path_metrics>(get(metrics::metrics)),
        Operation::of::<openapi::__path_get_openapi>(get(openapi::get_openapi)),
    ]
}
