//! The names of parameters and fields, and their other spellings.
//!
//! One table serves every operation. Case and separators of a name do not matter. A name that is only
//! close to a known one is rejected if ignoring it would change the result.

mod suggestion;
#[cfg(test)]
mod tests;

pub(crate) use suggestion::suggestion;

/// A parameter of a query, or a field of a body.
#[derive(Debug)]
pub(crate) struct Parameter {
    /// Its documented name.
    pub(crate) name: &'static str,
    /// Other names for it, such as its plural.
    also: &'static [&'static str],
    pub(crate) form: Form,
}

/// How many values a parameter has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// One value.
    One,
    /// One text that is used unchanged, even if it looks like JSON.
    Text,
    /// Any number of values.
    Several,
}

const fn one(name: &'static str, also: &'static [&'static str]) -> Parameter {
    let form = Form::One;
    Parameter { name, also, form }
}

const fn several(name: &'static str, also: &'static [&'static str]) -> Parameter {
    let form = Form::Several;
    Parameter { name, also, form }
}

/// The filters of the list and of a change.
pub(crate) static FILTERS: [Parameter; 11] = [
    several("status", &["statuses"]),
    several("ownerKind", &["ownerKinds"]),
    one("operationId", &["operationIds", "operation"]),
    one("from", &[]),
    one("to", &[]),
    Parameter {
        name: "search",
        also: &[],
        form: Form::Text,
    },
    several("category", &["categories"]),
    several("action", &["actions"]),
    several("severity", &["severities"]),
    several("actedUpon", &["actedUpons", "actedUponId", "actedUponIds"]),
    several("systemId", &["systemIds"]),
];

/// The parameters of the list that select the page and its order.
pub(crate) static PAGING: [Parameter; 7] = [
    one("page", &[]),
    one("pagesize", &["perPage"]),
    one("next", &[]),
    one("sort", &["sortBy", "sortOn"]),
    one("order", &["orderBy"]),
    one("count", &[]),
    one("filter", &["filters"]),
];

/// Existing clients send these parameters, and they are ignored. The first two narrow nothing in other
/// servers either; an interface keeps `initial` among its filters until its first page is loaded, and
/// `cumulative` belongs to another provider's `GET /api/events`.
pub(crate) static IGNORED: [Parameter; 4] = [
    one("author", &[]),
    one("provider", &[]),
    one("initial", &[]),
    one("cumulative", &[]),
];

/// The parameters of the stream.
pub(crate) static STREAM: [Parameter; 1] = [one("lastEventId", &["cursor"])];

/// The parameters of a publish request.
pub(crate) static PUBLISH: [Parameter; 2] = [one("import", &[]), one("partial", &[])];

/// The parameter of a request for one event.
pub(crate) static EVENT: [Parameter; 1] = [several("ownerKind", &["ownerKinds"])];

/// The parameters of a deletion: the first by an event's reader, the others by its publisher.
pub(crate) static DELETION: [Parameter; 5] = [
    several("ownerKind", &["ownerKinds"]),
    one(
        "owner",
        &["ownerId", "ownerName", "user", "userId", "recipient"],
    ),
    one("subject", &["sub"]),
    one("issuer", &["iss"]),
    one("owners", &["recipients"]),
];

/// The fields by which a change selects its events.
pub(crate) static SELECTION: [Parameter; 5] = [
    several("ids", &["id", "eventIds", "eventId"]),
    several("systemIds", &[]),
    one("filter", &["filters"]),
    one("upTo", &["cursor"]),
    one("all", &[]),
];

/// The field with the new status of events.
pub(crate) static STATUS: [Parameter; 1] = [one("status", &[])];

/// The field that sets the level of the log.
pub(crate) static LOG_LEVEL: [Parameter; 1] = [one("eventLogLevel", &[])];

impl Parameter {
    fn names(&self) -> impl Iterator<Item = &'static str> {
        [self.name].into_iter().chain(self.also.iter().copied())
    }
}

/// The parameter with this name, in any spelling.
pub(crate) fn find(table: &'static [Parameter], name: &str) -> Option<&'static Parameter> {
    let written = bare(name);
    if !is_separated(written) {
        return None;
    }
    // Most clients use the documented name.
    let exact = table.iter().find(|parameter| parameter.name == written);
    exact.or_else(|| {
        let is_meant = |parameter: &&Parameter| parameter.names().any(|one| is_same(one, written));
        table.iter().find(is_meant)
    })
}

/// Whether each separator of a name is between two letters or digits. A minus before a name, or before
/// the `=` behind it, means the opposite elsewhere.
fn is_separated(name: &str) -> bool {
    let words = name.split(['_', '-', ' ']);
    words.into_iter().all(|word| !word.is_empty())
}

/// Whether two names differ only in case and separators.
fn is_same(one: &str, other: &str) -> bool {
    letters(one).eq(letters(other))
}

/// A name without the brackets of repeated parameters (`severity[]`, `severity[0]`) and the prefix of
/// nested ones (`filter[severity]`, `filter.severity`).
fn bare(name: &str) -> &str {
    let name = match name
        .strip_suffix(']')
        .and_then(|open| open.rsplit_once('['))
    {
        Some((name, index)) if index.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => name,
    };
    let nested = |name: &'_ str| -> Option<usize> {
        let (outer, inner) = name.split_at_checked("filter".len())?;
        let is_nested = outer.eq_ignore_ascii_case("filter")
            && (inner.starts_with('.') || inner.starts_with('[') && inner.ends_with(']'));
        is_nested.then_some(outer.len() + 1)
    };
    match nested(name) {
        Some(start) => name[start..].trim_end_matches(']'),
        None => name,
    }
}

/// The letters and digits of a name, in lower case.
fn letters(name: &str) -> impl Iterator<Item = u8> {
    name.bytes()
        .filter(|byte| !matches!(byte, b'_' | b'-' | b' '))
        .map(|byte| byte.to_ascii_lowercase())
}
