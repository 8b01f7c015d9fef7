//! The order of a list.

use tidings_event::{Sort, SortKey, SortOrder, Violations};

use crate::problem::quoted;
use crate::request::parameters::Parameters;

/// The order that existing clients expect by default: the least recently changed first.
pub(super) const DEFAULT_SORT: Sort = Sort {
    key: SortKey::UpdatedAt,
    order: SortOrder::Ascending,
};

/// The key and the direction in one text.
type Said = (Option<SortKey>, Option<SortOrder>);

/// Reads `sort` and `order`. Each can hold both, as in `order=created_at desc`. Repeated values must
/// agree.
pub(super) fn read(given: &mut Parameters<'_>, violations: &mut Violations) -> Sort {
    let (mut key, mut order) = (None, None);
    for (name, is_complete, remedy) in [
        (
            "sort",
            has_key as fn(Said) -> bool,
            "write `created_at` or `updated_at`",
        ),
        ("order", |_| true, "write `asc` or `desc`"),
    ] {
        for text in given.all(name) {
            let Some(said) = said(&text).filter(|said| is_complete(*said)) else {
                let fault = format!("({}) is not supported", quoted(&text));
                violations.add(given.field(name), fault, remedy);
                continue;
            };
            let agrees = agree(&mut key, said.0) & agree(&mut order, said.1);
            if !agrees {
                let fault = format!("({}) contradicts another `sort` or `order`", quoted(&text));
                violations.add(given.field(name), fault, "give one order");
            }
        }
    }
    Sort {
        key: key.unwrap_or(DEFAULT_SORT.key),
        order: order.unwrap_or(DEFAULT_SORT.order),
    }
}

fn has_key((key, _): Said) -> bool {
    key.is_some()
}

/// Keeps a value. Returns whether it agrees with the one before.
fn agree<T: PartialEq + Copy>(known: &mut Option<T>, said: Option<T>) -> bool {
    let agrees = said.is_none() || known.is_none() || *known == said;
    *known = known.or(said);
    agrees
}

/// Reads a key, a direction, or a key and a direction.
fn said(text: &str) -> Option<Said> {
    let mut words = text.split_ascii_whitespace();
    let (first, second) = (words.next()?, words.next());
    if words.next().is_some() {
        return None;
    }
    match (key(first), direction(first), second) {
        (Some(key), _, None) => Some((Some(key), None)),
        (None, Some(order), None) => Some((None, Some(order))),
        (Some(key), _, Some(second)) => Some((Some(key), Some(direction(second)?))),
        _ => None,
    }
}

fn key(word: &str) -> Option<SortKey> {
    let is = |names: [&str; 2]| names.iter().any(|name| word.eq_ignore_ascii_case(name));
    if is(["created_at", "createdAt"]) {
        Some(SortKey::CreatedAt)
    } else if is(["updated_at", "updatedAt"]) {
        Some(SortKey::UpdatedAt)
    } else {
        None
    }
}

fn direction(word: &str) -> Option<SortOrder> {
    if word.eq_ignore_ascii_case("asc") {
        Some(SortOrder::Ascending)
    } else if word.eq_ignore_ascii_case("desc") {
        Some(SortOrder::Descending)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::request::parameters::Source;
    use crate::request::spelling::{PAGING, find};

    fn sort(pairs: &[(&str, &'static str)]) -> Result<Sort, Violations> {
        let mut violations = Violations::default();
        let mut given = Parameters::new(Source::Query);
        for (name, text) in pairs {
            let parameter = find(&PAGING, name).unwrap();
            given.insert_text(parameter, Cow::Borrowed(text), &mut violations);
        }
        let sort = read(&mut given, &mut violations);
        violations.into_result().map(|()| sort)
    }

    #[test]
    fn one_parameter_can_hold_key_and_direction() {
        let newest = Sort {
            key: SortKey::CreatedAt,
            order: SortOrder::Descending,
        };
        for pairs in [
            &[("order", "created_at desc")][..],
            &[("order", "createdAt DESC")],
            &[("sort", "created_at desc")],
            &[("sort", "created_at"), ("order", "desc")],
            &[("sort_on", "created_at"), ("order", "Desc")],
            &[
                ("order", "created_at desc"),
                ("sortOn", "created_at"),
                ("order", "desc"),
            ],
            &[("orderBy", "CREATED_AT  desc"), ("sort", "")],
        ] {
            assert_eq!(sort(pairs).unwrap(), newest, "{pairs:?}");
        }
        assert_eq!(
            sort(&[("order", "created_at")]).unwrap().key,
            SortKey::CreatedAt
        );
        assert_eq!(sort(&[]).unwrap(), DEFAULT_SORT);
    }

    #[test]
    fn rejects_contradictions() {
        for pairs in [
            &[("order", "created_at desc"), ("order", "asc")][..],
            &[("order", "created_at desc"), ("sort", "updated_at")],
            &[("sort", "created_at"), ("sort", "updated_at")],
            &[("sort", "desc")],
            &[("order", "desc created_at")],
            &[("order", "created_at desc, updated_at asc")],
            &[("order", "created_at desc asc")],
            &[("order", " ")],
            &[("sort", "name")],
        ] {
            let violations = sort(pairs).unwrap_err();
            assert_eq!(violations.iter().len(), 1, "{pairs:?}");
        }
    }
}
