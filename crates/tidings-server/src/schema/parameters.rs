//! Schemas of parameters that no single type reads.

#![expect(dead_code, reason = "these types only describe what other code reads")]

use tidings_event::{
    OperationId, OwnerKind, PageToken, ResourceId, Severity, SortKey, SortOrder, Status, SystemId,
};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{IntoParams, PartialSchema, ToSchema};

/// The parameters of the list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct ListParameters {
    /// The number of the page, from 0. Malformed and negative numbers mean 0. High numbers are slow: use
    /// `next` instead.
    #[param(required = false, default = 0)]
    page: i64,
    /// Events per page, from 1 to 1,000. Larger and negative numbers and the word `all` mean 1,000; 0 and
    /// malformed numbers mean 25.
    #[param(rename = "pagesize", required = false, default = 25)]
    page_size: i64,
    /// The token `next` of the previous page. The cost is the same at any depth. It takes precedence over
    /// `page`.
    next: Option<PageToken>,
    /// The time by which the list is sorted. camelCase is accepted too, and `created_at desc` sets the order
    /// as well.
    #[param(value_type = Sort, inline, required = false)]
    sort: Option<SortKey>,
    /// The direction. `created_at desc` sets the time to sort by as well.
    #[param(value_type = Order, inline, required = false)]
    order: Option<SortOrder>,
    /// `none` skips counting: `totalCount` is absent, and a slow search returns a short page, possibly an
    /// empty one, with `next`.
    #[param(value_type = Count, inline, required = false)]
    count: Option<String>,
    /// `read` or `unread`, in every spelling that an import accepts. Both together select all events. Another
    /// status matches nothing.
    #[param(inline)]
    status: Option<Status>,
    /// The caller's own events, or the system's.
    #[param(inline)]
    owner_kind: Option<OwnerKind>,
    /// Events of this operation.
    operation_id: Option<OperationId>,
    /// Events created at this time or later.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<String>,
    /// Events created before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<String>,
    /// Events with this text in the description. Case does not matter in any script, and `%` and `_` are
    /// ordinary characters. At most 256 bytes in UTF-8.
    #[param(max_length = 256)]
    search: Option<String>,
    /// One of these categories, at most 100. Several values can be given as a repeated parameter, with
    /// commas, or as a JSON array, as for the next four parameters. A category that no event can have
    /// matches nothing.
    #[param(example = json!(["connection"]))]
    category: Option<Vec<String>>,
    /// One of these actions, at most 100. An action that no event can have matches nothing.
    #[param(example = json!(["register", "ping"]))]
    action: Option<Vec<String>>,
    /// One of these severities, in every spelling that a publish accepts.
    #[param(inline, example = json!(["error", "warning"]))]
    severity: Option<Vec<Severity>>,
    /// One of these resources, at most 100.
    #[param(inline, example = json!(["7b1d2c3e-0000-4000-8000-000000000001"]))]
    acted_upon: Option<Vec<ResourceId>>,
    /// Events sent by one of these installations, at most 100.
    #[param(inline, example = json!(["0193f0a0-0000-7000-8000-00000000000b"]))]
    system_id: Option<Vec<SystemId>>,
    /// A JSON object with these parameters as its fields, as clients of Meshery Cloud send it. Its field
    /// `owner` lists ids of owners: the caller's, or the system's. A parameter that is also given in the
    /// query must have the same value there.
    #[param(example = "{\"status\":\"unread\"}")]
    filter: Option<String>,
}

/// A parameter that is one of a few words. As a type with a default, it would be both a text and an
/// object in the document.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, [$($word:literal),+] $(, $default:literal)?) => {
        $(#[$doc])*
        struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .enum_values(Some([$($word),+]))
                    $(.default(Some($default.into())))?
                    .into()
            }
        }

        impl ToSchema for $name {}
    };
}

words!(
    /// The values of `sort`.
    Sort,
    ["created_at", "updated_at"],
    "updated_at"
);
words!(
    /// The values of `order`.
    Order,
    ["asc", "desc"],
    "asc"
);
words!(
    /// The values of `count`.
    Count,
    ["none"]
);

/// The parameter of a request for one event.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct EventParameters {
    /// Whose event it is, if the caller and the system have events with this id. If absent, the caller's
    /// own comes before the system's.
    #[param(inline)]
    owner_kind: Option<OwnerKind>,
}

/// The parameters of a deletion by an event's publisher.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RecipientParameters {
    /// Retracts the event that was published to this owner: a user's UUID, or `system`. Needs `events:publish`, and
    /// works only for events of the caller's system.
    #[param(min_length = 1)]
    owner: Option<String>,
    /// The user's subject at the identity provider, instead of `owner`.
    #[param(min_length = 1)]
    subject: Option<String>,
    /// The issuer of `subject`. If absent, the issuer that the server trusts.
    #[param(min_length = 1)]
    issuer: Option<String>,
    /// `all` retracts an event that was published with `owners` from all of them. Needs `events:publish`.
    #[param(min_length = 1)]
    owners: Option<String>,
}

/// The parameters of publishing.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PublishParameters {
    /// Keeps the history of events from another server: their `status` and `updatedAt` are stored. Events
    /// of the system ignore both, because each user has their own status for them. An event whose `owner`
    /// is its `systemId` becomes an event of this system.
    #[param(required = false, default = false)]
    import: bool,
    /// Stores the valid events of an array without the others. The response is 207 with the outcome of
    /// each event.
    #[param(required = false, default = false)]
    partial: bool,
}

/// The parameters of the stream.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct StreamParameters {
    /// Where the stream starts: a cursor, or `earliest`; now if absent. The header `Last-Event-ID` takes
    /// precedence. `cursor` is another name of this parameter. Filters of the list are rejected.
    last_event_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use utoipa::openapi::path::ParameterIn;

    use super::*;

    #[test]
    fn describes_every_parameter_of_the_list() {
        let described = ListParameters::into_params(|| Some(ParameterIn::Query));
        let mut described: Vec<String> = described.into_iter().map(|one| one.name).collect();
        let mut known: Vec<String> = crate::request::query::known().map(str::to_owned).collect();
        described.sort();
        known.sort();
        assert_eq!(described, known);
    }
}
