//! The parameters that are read by hand, described.

#![expect(dead_code, reason = "these types only describe what other code reads")]

use tidings_event::{
    OperationId, OwnerKind, PageToken, ResourceId, Severity, SortKey, SortOrder, Status,
};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{IntoParams, PartialSchema, ToSchema};

/// Those of the list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct ListParameters {
    /// Which page, from 0; junk and negative numbers are 0. It costs more the higher it is.
    #[param(required = false, default = 0)]
    page: i64,
    /// Events a page, from 1 to 1,000. More, negative numbers and the word `all` are 1,000; 0 and junk
    /// are 25.
    #[param(rename = "pagesize", required = false, default = 25)]
    page_size: i64,
    /// The page after the one that gave this out, at the same cost at any depth; wins over `page`.
    next: Option<PageToken>,
    /// By which moment the list is sorted; camelCase is taken too, and `order` behind it.
    #[param(value_type = Sort, inline, required = false)]
    sort: Option<SortKey>,
    /// Which way; `created_at desc` says both.
    #[param(value_type = Order, inline, required = false)]
    order: Option<SortOrder>,
    /// `none` to have nothing counted: `totalCount` is absent, and a search stops after some time
    /// with a page that may be short, even empty, and still have `next`.
    #[param(value_type = Count, inline, required = false)]
    count: Option<String>,
    /// Read or unread; both is neither.
    #[param(inline)]
    status: Option<Status>,
    /// The caller's own events, or the system's.
    #[param(inline)]
    owner_kind: Option<OwnerKind>,
    /// Of this operation.
    operation_id: Option<OperationId>,
    /// Created at this moment or later.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<String>,
    /// Created before this moment.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<String>,
    /// With this text in the description, in any case of any script; `%` and `_` are ordinary
    /// characters. At most 256 bytes in UTF-8, which are fewer characters where they are not ASCII.
    #[param(max_length = 256)]
    search: Option<String>,
    /// One of these categories, at most 100. Several values of this and of the next three may be
    /// given as a repeated parameter, with commas, or as a JSON array. A category that no event can have
    /// matches nothing.
    #[param(example = json!(["connection"]))]
    category: Option<Vec<String>>,
    /// One of these actions, at most 100. One that no event can have matches nothing.
    #[param(example = json!(["register", "ping"]))]
    action: Option<Vec<String>>,
    /// One of these severities.
    #[param(inline, example = json!(["error", "warning"]))]
    severity: Option<Vec<Severity>>,
    /// One of these resources, at most 100.
    #[param(inline, example = json!(["7b1d2c3e-0000-4000-8000-000000000001"]))]
    acted_upon: Option<Vec<ResourceId>>,
    /// A JSON object with any of these parameters as its fields, as clients of Meshery Cloud send it.
    /// Where a parameter is given too, both must say the same.
    #[param(example = "{\"status\":\"unread\"}")]
    filter: Option<String>,
}

/// A parameter that takes one of a few words. Described as a type with a default, a parameter would be
/// both a text and an object.
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

/// Those of publishing.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PublishParameters {
    /// Whether the events keep the past they had in another store: `status` and `updatedAt` count
    /// then, but for the system's events, for which each user has a status of their own. An event
    /// whose `owner` is its `systemId` was the system's there, and is the system's here.
    #[param(required = false, default = false)]
    import: bool,
    /// Whether the good events of an array are stored without the others. The answer is 207, and says
    /// of each event what became of it.
    #[param(required = false, default = false)]
    partial: bool,
}

/// Those of the stream.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct StreamParameters {
    /// Where to begin: a cursor, or `earliest`; absent means now. The header `Last-Event-ID` wins.
    /// `cursor` is the same. A filter of the list is refused.
    last_event_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use utoipa::openapi::path::ParameterIn;

    use super::*;

    #[test]
    fn every_parameter_of_the_list_is_described() {
        let described = ListParameters::into_params(|| Some(ParameterIn::Query));
        let mut described: Vec<String> = described.into_iter().map(|one| one.name).collect();
        let mut known: Vec<String> = crate::request::query::known().map(str::to_owned).collect();
        described.sort();
        known.sort();
        assert_eq!(described, known);
    }
}
