//! The names of parameters and fields, and the other ways in which clients write them.
//!
//! One table for every operation: a name that is found here means its parameter, whatever its case and
//! separators; a name that is only close to one is refused where something would be missed.

/// A parameter of a query, or a field of a body.
#[derive(Debug)]
pub(crate) struct Parameter {
    /// Its name in the documentation and in answers.
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
    /// One text that is taken as it is, whatever it looks like.
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

/// The parameters of the list that say which page it answers with, in which order.
pub(crate) static PAGING: [Parameter; 7] = [
    one("page", &[]),
    one("pagesize", &["perPage"]),
    one("next", &[]),
    one("sort", &["sortBy", "sortOn"]),
    one("order", &["orderBy"]),
    one("count", &[]),
    one("filter", &["filters"]),
];

/// Existing clients send these without meaning. The first two narrow nothing there either; an interface
/// keeps `initial` among its filters until its first page is there, and `cumulative` is of another
/// provider's `GET /api/events`.
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

/// The fields by which a change names its events.
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

/// What other systems call our filters. These are not taken, since they may mean something else; where
/// one is refused, the answer names ours.
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

/// The same for the parameters of the page, which narrow nothing.
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

/// The parameter that `name` means, in whatever spelling.
pub(crate) fn find(table: &'static [Parameter], name: &str) -> Option<&'static Parameter> {
    let written = bare(name);
    // A minus before a name means its opposite elsewhere.
    if written.starts_with('-') {
        return None;
    }
    // Most names are written as they are documented.
    let exact = table.iter().find(|parameter| parameter.name == written);
    exact.or_else(|| {
        let is_meant = |parameter: &&Parameter| parameter.names().any(|one| is_same(one, written));
        table.iter().find(is_meant)
    })
}

/// The documented name that whoever wrote `name` most likely meant, of a parameter in `table`.
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

/// Whether two names are the same but for case and separators.
fn is_same(one: &str, other: &str) -> bool {
    letters(one).eq(letters(other))
}

/// A name without its ornaments: the brackets of repeated parameters (`severity[]`, `severity[0]`) and
/// of nested ones (`filter[severity]`, `filter.severity`).
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

/// The longest name that is compared; ours are shorter.
const MAX_COMPARED: usize = 20;

/// How many letters are wrong in `written`, if it is likely that `name` was meant: 1 in five to seven
/// letters, 2 in more. Shorter names are too close to others.
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

/// How many letters must be added, removed, replaced or swapped with their neighbour to make one word
/// of the other (optimal string alignment).
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
    fn case_separators_plurals_and_brackets_make_no_other_name() {
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
        ] {
            assert_eq!(meant(other), None, "{other}");
        }
    }

    #[test]
    fn a_name_means_one_parameter_of_a_table() {
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
    fn what_is_close_to_a_name_is_told_from_what_is_not() {
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
