//! The names of parameters and fields, and their other spellings.
//!
//! One table serves every operation. Case and separators of a name do not matter. A name that is only
//! close to a known one is refused if ignoring it would change the result.

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
pub(crate) static FILTERS: [Parameter; 10] = [
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

/// The fields by which a change selects its events.
pub(crate) static SELECTION: [Parameter; 4] = [
    several("ids", &["id", "eventIds", "eventId"]),
    one("filter", &["filters"]),
    one("upTo", &["cursor"]),
    one("all", &[]),
];

/// The field that says how events are marked.
pub(crate) static STATUS: [Parameter; 1] = [one("status", &[])];

/// The field that sets the level of the log.
pub(crate) static LOG_LEVEL: [Parameter; 1] = [one("eventLogLevel", &[])];

/// The names of our filters in other systems. They are not accepted, since they can mean something else,
/// but the error suggests ours.
const ELSEWHERE: [(&str, &str); 19] = [
    ("q", "search"),
    ("query", "search"),
    ("text", "search"),
    ("description", "search"),
    ("level", "severity"),
    ("levels", "severity"),
    ("type", "category"),
    ("types", "category"),
    ("since", "from"),
    ("after", "from"),
    ("start", "from"),
    ("until", "to"),
    ("before", "to"),
    ("end", "to"),
    ("read", "status"),
    ("unread", "status"),
    ("resource", "actedUpon"),
    ("owner", "ownerKind"),
    ("userId", "ownerKind"),
];

/// The same for the parameters of the page.
const PAGES_ELSEWHERE: [(&str, &str); 6] = [
    ("limit", "pagesize"),
    ("size", "pagesize"),
    ("offset", "page"),
    ("skip", "page"),
    ("nextToken", "next"),
    ("pageToken", "next"),
];

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

/// The parameter in `table` that a misspelled name most likely means, by its documented name.
pub(crate) fn suggestion(table: &'static [Parameter], name: &str) -> Option<&'static str> {
    let written = bare(name);
    let elsewhere = ELSEWHERE.iter().chain(&PAGES_ELSEWHERE);
    let translated = elsewhere
        .filter(|(foreign, _)| is_same(foreign, written))
        .map(|(_, ours)| *ours)
        .find(|ours| table.iter().any(|parameter| parameter.name == *ours));
    translated.or_else(|| {
        let written: Vec<u8> = letters(written).take(MAX_COMPARED + 1).collect();
        let close = table.iter().filter_map(|parameter| {
            let distances = parameter
                .names()
                .filter_map(|name| closeness(name, &written));
            distances.min().map(|distance| (distance, parameter.name))
        });
        close
            .min_by_key(|(distance, _)| *distance)
            .map(|(_, name)| name)
    })
}

/// Whether each separator of a name is between two letters or digits. A minus before a name, or before
/// the `=` behind it, means the opposite elsewhere.
fn is_separated(name: &str) -> bool {
    let words = name.split(['_', '-', ' ']);
    words.into_iter().all(|word| !word.is_empty())
}

/// Whether two names are the same but for case and separators.
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

/// The longest name that is compared. All known names are shorter.
const MAX_COMPARED: usize = 20;

/// The number of wrong letters in `written`, if it is likely a misspelled `name`: at most 1 in five to
/// seven letters, 2 in more. Shorter names are too close to others.
fn closeness(name: &str, written: &[u8]) -> Option<usize> {
    let name: Vec<u8> = letters(name).collect();
    let allowed = match name.len() {
        0..5 => return None,
        5..8 => 1,
        8.. => 2,
    };
    let distance = distance(&name, written);
    (written.len() <= MAX_COMPARED && distance <= allowed).then_some(distance)
}

/// The number of letters to add, remove, replace or swap with their neighbour to turn one word into the
/// other (optimal string alignment distance).
fn distance(one: &[u8], other: &[u8]) -> usize {
    let width = other.len() + 1;
    let mut before_last = vec![0; width];
    let mut last: Vec<usize> = (0..width).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut current = vec![row + 1; width];
        for (column, found) in other.iter().enumerate() {
            let replaced = last[column] + usize::from(letter != found);
            current[column + 1] = replaced.min(last[column + 1] + 1).min(current[column] + 1);
            let is_swapped =
                row > 0 && column > 0 && *letter == other[column - 1] && one[row - 1] == *found;
            if is_swapped {
                current[column + 1] = current[column + 1].min(before_last[column - 1] + 1);
            }
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last[width - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(name: &str) -> Option<&'static str> {
        find(&FILTERS, name).map(|parameter| parameter.name)
    }

    #[test]
    fn finds_a_name_in_every_spelling() {
        for (name, spellings) in [
            (
                "severity",
                &[
                    "severity",
                    "Severity",
                    "SEVERITY",
                    "severities",
                    "severity[]",
                    "severity[12]",
                    "severities[]",
                    "filter[severity]",
                    "filter[severity][]",
                    "filter.severity",
                    "Filter[Severities]",
                ][..],
            ),
            (
                "actedUpon",
                &[
                    "actedUpon",
                    "acted_upon",
                    "acted-upon",
                    "ActedUpon",
                    "ACTED_UPON",
                    "actedupon",
                    "actedUpon[]",
                    "acted_upon[0]",
                    "filter[acted_upon]",
                ],
            ),
            (
                "operationId",
                &["operationId", "operation_id", "operationID", "operation-id"],
            ),
            ("ownerKind", &["ownerKind", "owner_kind", "OwnerKind"]),
            ("category", &["categories", "category[]"]),
        ] {
            for spelling in spellings {
                assert_eq!(meant(spelling), Some(name), "{spelling}");
            }
        }
        for other in [
            "",
            "[",
            "]",
            "[]",
            "severity[x]",
            "filter",
            "filter[",
            "filter[]",
            "filter.",
            "severity]",
            "sev",
            "x[severity]",
            "éseverity",
            "-severity",
            "filter[-severity]",
            "filter.-severity",
            "severity-",
            "severity ",
            "severity_",
            "_severity",
            "acted--upon",
            "filter[severity-]",
        ] {
            assert_eq!(meant(other), None, "{other}");
        }
    }

    #[test]
    fn every_name_means_one_parameter() {
        let list = FILTERS.iter().chain(&PAGING);
        let list: Vec<_> = list.flat_map(Parameter::names).collect();
        for (index, name) in list.iter().enumerate() {
            let twice = list[..index].iter().any(|other| is_same(name, other));
            assert!(!twice, "{name}");
        }
        for (foreign, ours) in ELSEWHERE.iter().chain(&PAGES_ELSEWHERE) {
            assert!(list.contains(ours), "{ours}");
            assert!(!list.iter().any(|name| is_same(name, foreign)), "{foreign}");
        }
    }

    #[test]
    fn suggests_close_names_only() {
        for (written, name) in [
            ("severty", "severity"),
            ("serverity", "severity"),
            ("sevreity", "severity"),
            ("severitys", "severity"),
            ("stauts", "status"),
            ("catagory", "category"),
            ("acted_apon", "actedUpon"),
            ("operation_ids_", "operationId"),
            ("serach", "search"),
            ("level", "severity"),
            ("since", "from"),
        ] {
            let meant = find(&FILTERS, written).map(|parameter| parameter.name);
            assert_eq!(
                meant.or(suggestion(&FILTERS, written)),
                Some(name),
                "{written}"
            );
        }
        for other in [
            "", "_", "t", "ts", "v", "author", "provider", "initial", "state", "x", "page",
        ] {
            assert_eq!(suggestion(&FILTERS, other), None, "{other}");
        }
        assert_eq!(suggestion(&FILTERS, &"severity".repeat(1_000)), None);
        assert_eq!(suggestion(&PAGING, "limit"), Some("pagesize"));
        assert_eq!(suggestion(&STREAM, "last_event"), Some("lastEventId"));
        assert_eq!(suggestion(&PUBLISH, "imports"), Some("import"));
    }
}
