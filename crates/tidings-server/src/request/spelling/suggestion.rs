//! Suggestions for misspelled names.

use super::{Parameter, bare, is_same, letters};

/// The names of our filters in other systems. They are not accepted, since they can mean something else,
/// but the error suggests ours.
pub(super) const ELSEWHERE: [(&str, &str); 19] = [
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

/// The names of the page parameters in other systems.
pub(super) const PAGES_ELSEWHERE: [(&str, &str); 6] = [
    ("limit", "pagesize"),
    ("size", "pagesize"),
    ("offset", "page"),
    ("skip", "page"),
    ("nextToken", "next"),
    ("pageToken", "next"),
];

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
    use crate::request::spelling::{FILTERS, PAGING, PUBLISH, STREAM, find};

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
