//! Every operation: the one list that both the routes and the documentation are made of.

use axum::routing::{delete, get, post, put};
use tidings_event::ErrorCode;

use crate::identity::Access;
use crate::operation::Operation;
use crate::routes::events::{create, delete as deletion, get as single, list, status};
use crate::routes::events::{summary, types};
use crate::routes::{config, health, metrics, openapi, page, revocations, session, subscribe};

/// What a body can be refused with, and a query beside it.
const BODY: [ErrorCode; 6] = [
    ErrorCode::InvalidQuery,
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

/// What an answer that is as large as its caller's events, or takes as long, can be refused with.
const ANSWER: [ErrorCode; 2] = [ErrorCode::Overloaded, ErrorCode::QueryTooSlow];

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
        Operation::of::<config::__path_get_config>(Access::ADMINISTRATOR, get(config::get_config))
            .fails_with(&[ErrorCode::RouteNotFound]),
        Operation::of::<config::__path_set_config>(Access::ADMINISTRATOR, put(config::set_config))
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
        Operation::of::<list::__path_list_events>(Access::READER, get(list::list_events))
            .fails_with(&[ErrorCode::InvalidQuery])
            .fails_with(&EXCESS)
            .fails_with(&READ)
            .fails_with(&ANSWER)
            .also_at("/api/events", "list_events_alias"),
        Operation::of::<list::__path_list_events_as_data>(
            Access::READER,
            get(list::list_events_as_data),
        )
        .fails_with(&[ErrorCode::InvalidQuery])
        .fails_with(&EXCESS)
        .fails_with(&READ)
        .fails_with(&ANSWER),
        Operation::of::<create::__path_create_events>(
            Access::PUBLISHER,
            post(create::create_events),
        )
        .fails_with(&BODY)
        .fails_with(&[
            ErrorCode::InvalidEvent,
            ErrorCode::EventConflict,
            ErrorCode::QuotaExceeded,
        ])
        .fails_with(&EXCESS)
        .fails_with(&WRITE)
        .also_at("/api/events", "create_events_alias"),
        Operation::of::<single::__path_get_event>(Access::READER, get(single::get_event))
            .fails_with(&EVENT)
            .fails_with(&EXCESS)
            .fails_with(&READ)
            .fails_with(&ANSWER)
            .also_at("/api/events/{id}", "get_event_alias"),
        Operation::of::<types::__path_list_event_types>(
            Access::READER,
            get(types::list_event_types),
        )
        .fails_with(&[ErrorCode::InvalidQuery])
        .fails_with(&EXCESS)
        .fails_with(&READ)
        .fails_with(&ANSWER),
        Operation::of::<types::__path_list_event_type_pairs>(
            Access::READER,
            get(types::list_event_type_pairs),
        )
        .fails_with(&[ErrorCode::InvalidQuery])
        .fails_with(&EXCESS)
        .fails_with(&READ)
        .fails_with(&ANSWER),
        Operation::of::<summary::__path_summarize_events>(
            Access::READER,
            get(summary::summarize_events),
        )
        .fails_with(&[ErrorCode::InvalidQuery])
        .fails_with(&EXCESS)
        .fails_with(&READ)
        .fails_with(&ANSWER)
        .also_at("/api/events/summary", "summarize_events_alias"),
        Operation::of::<subscribe::__path_subscribe>(Access::READER, get(subscribe::subscribe))
            .fails_with(&EXCESS)
            .fails_with(&[ErrorCode::InvalidQuery, ErrorCode::TooManyStreams])
            .also_at("/api/events/subscribe", "subscribe_alias"),
    ]
}

fn changes() -> Vec<Operation> {
    let change = [&BODY[..], &WRITE, &EXCESS, &[ErrorCode::InvalidChange]].concat();
    let bulk = [&change[..], &[ErrorCode::QueryTooSlow]].concat();
    vec![
        Operation::of::<status::__path_mark_event>(Access::CHANGER, put(status::mark_event))
            .fails_with(&change)
            .fails_with(&[ErrorCode::EventNotFound]),
        Operation::of::<status::__path_mark_event_with_answer>(
            Access::CHANGER,
            put(status::mark_event_with_answer),
        )
        .fails_with(&change)
        .fails_with(&[ErrorCode::EventNotFound]),
        Operation::of::<status::__path_mark_events>(Access::CHANGER, put(status::mark_events))
            .fails_with(&bulk),
        Operation::of::<status::__path_mark_events_with_answer>(
            Access::CHANGER,
            put(status::mark_events_with_answer),
        )
        .fails_with(&bulk),
        Operation::of::<deletion::__path_delete_event>(
            Access::CHANGER,
            delete(deletion::delete_event),
        )
        .fails_with(&EVENT)
        .fails_with(&EXCESS)
        .fails_with(&WRITE)
        .also_at("/api/events/{id}", "delete_event_alias"),
        Operation::of::<deletion::__path_delete_events>(
            Access::CHANGER,
            delete(deletion::delete_events),
        )
        .fails_with(&bulk),
        Operation::of::<deletion::__path_delete_events_with_answer>(
            Access::CHANGER,
            delete(deletion::delete_events_with_answer),
        )
        .fails_with(&bulk),
        Operation::of::<deletion::__path_post_deletion>(
            Access::CHANGER,
            post(deletion::post_deletion),
        )
        .fails_with(&bulk),
    ]
}

/// What a server has beside it.
pub(crate) fn server() -> Vec<Operation> {
    vec![
        Operation::of::<page::__path_page>(
            Access::Everybody,
            get(page::page).options(page::page_options),
        ),
        Operation::of::<page::__path_components>(Access::Everybody, get(page::components)),
        Operation::of::<page::__path_asset>(Access::Everybody, get(page::asset))
            .fails_with(&[ErrorCode::RouteNotFound]),
        Operation::of::<health::__path_healthz>(
            Access::Everybody,
            get(health::healthz).options(health::healthz),
        ),
        Operation::of::<health::__path_readyz>(
            Access::Everybody,
            get(health::readyz).options(health::readyz),
        )
        .fails_with(&READ)
        .fails_with(&[ErrorCode::StorageFull]),
        Operation::of::<metrics::__path_metrics>(Access::ADMINISTRATOR, get(metrics::metrics))
            .fails_with(&READ),
        Operation::of::<session::__path_begin_session>(
            Access::Caller,
            post(session::begin_session),
        )
        .fails_with(&[ErrorCode::TooLarge, ErrorCode::RouteNotFound]),
        Operation::of::<session::__path_end_session>(
            Access::Everybody,
            delete(session::end_session),
        )
        .fails_with(&EXCESS)
        .fails_with(&[ErrorCode::RouteNotFound, ErrorCode::StorageFull]),
        Operation::of::<revocations::__path_revoke_token>(
            Access::ADMINISTRATOR,
            post(revocations::revoke_token),
        )
        .fails_with(&BODY)
        .fails_with(&[
            ErrorCode::InvalidRevocation,
            ErrorCode::RouteNotFound,
            ErrorCode::StorageFull,
        ]),
        Operation::of::<openapi::__path_get_openapi>(Access::Everybody, get(openapi::get_openapi)),
    ]
}
