//! The parameters of the list, and how other requests treat them.

mod elsewhere;
mod error;
mod names;
mod object;
mod order;
mod recipient;

use tidings_event::{
    EventFilter, OwnerId, PageRequest, PageToken, PageTokenError, Paging, Sort, Total, Violations,
};

use crate::problem::quoted;
use crate::request::parameters::{Parameters, Source};
use crate::request::spelling;

use names::{MAX_PARAMETERS, find, remedy};
use object::Context;

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use elsewhere::reject_filters;
pub(crate) use elsewhere::{Elsewhere, check_unfiltered, is_set, owner_kind};
pub(crate) use error::InvalidQuery;
#[cfg(test)]
pub(crate) use names::known;
pub(crate) use recipient::Recipient;

/// The last page whose first event the stores can still number.
const MAX_PAGE: u64 = i64::MAX.unsigned_abs() / PageRequest::MAX_SIZE - 1;

/// The caller of a list, who can see their own events and the system's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Viewer {
    pub(crate) owner: OwnerId,
    /// The installation, which owns the system's events.
    pub(crate) system: OwnerId,
}

/// A parsed list request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ListQuery {
    pub(crate) filter: EventFilter,
    pub(crate) page: PageRequest,
}

impl ListQuery {
    /// Reads a query string of `viewer`, or returns all its faults.
    pub(crate) fn parse(query: &str, viewer: Viewer) -> Result<Self, Violations> {
        let mut violations = Violations::default();
        let mut given = collect(query, viewer, &mut violations);
        let filter = given.filter(&mut violations);
        let sort = order::read(&mut given, &mut violations);
        let total = total(&mut given, &mut violations);
        let size = number(&mut given, "pagesize", page_size, &mut violations);
        let size = size.unwrap_or(PageRequest::DEFAULT_SIZE);
        let number = number(&mut given, "page", page_number, &mut violations);
        let next = next(&mut given, &filter, sort, &mut violations);
        violations.into_result()?;
        let paging = match (next, number) {
            (Some(token), _) => Paging::After(token),
            (None, Some(number)) => Paging::Number(number),
            (None, None) => Paging::First,
        };
        let page = PageRequest::default()
            .with_paging(paging)
            .with_size(size)
            .with_sort(sort)
            .with_total(total);
        Ok(Self { filter, page })
    }
}

fn collect<'a>(query: &'a str, viewer: Viewer, violations: &mut Violations) -> Parameters<'a> {
    let mut given = Parameters::new(Source::Query);
    let mut objects = Vec::new();
    let mut parameters = form_urlencoded::parse(query.as_bytes());
    for (name, value) in parameters.by_ref().take(MAX_PARAMETERS) {
        match find(&name) {
            Some(parameter) if parameter.name == object::NAME => objects.push(value),
            Some(parameter) => given.insert_text(parameter, value, violations),
            None if spelling::find(&spelling::IGNORED, &name).is_some() => {}
            None => {
                let fault = "is not a parameter of the list";
                violations.add(quoted(&name), fault, remedy(&name));
            }
        }
    }
    if parameters.next().is_some() {
        let fault = format!("has more than {MAX_PARAMETERS} parameters");
        violations.add("the query", fault, "leave some out");
    }
    let has_page = ["page", "pagesize"].iter().any(|name| given.has(name));
    for object in objects {
        let mut fields = Parameters::new(Source::Query);
        let context = Context {
            has_page,
            viewer: Some(viewer),
        };
        object::read(&object, context, &mut fields, violations);
        given.merge(fields, violations);
    }
    given
}

fn total(given: &mut Parameters<'_>, violations: &mut Violations) -> Total {
    let total = |text: &str| text.eq_ignore_ascii_case("none").then_some(Total::Left);
    let remedy = "write `none` to have nothing counted, or leave `count` out";
    given
        .word("count", total, remedy, violations)
        .unwrap_or_default()
}

/// The token of the next page, which is valid only for the list that returned it.
fn next(
    given: &mut Parameters<'_>,
    filter: &EventFilter,
    sort: Sort,
    violations: &mut Violations,
) -> Option<PageToken> {
    let remedy =
        "give `next` of the page before, with the same filter, sort and order, or leave `next` out";
    let malformed = PageTokenError::Malformed.to_string();
    let token: PageToken = given.one("next", &malformed, remedy, violations)?;
    // A filter with violations is not the one that the token belongs to.
    if violations.is_empty()
        && let Err(error) = token.check(filter, sort)
    {
        violations.add("next", error.to_string(), remedy);
    }
    Some(token)
}

/// A number, if it is given. Malformed numbers have a meaning, too.
fn number(
    given: &mut Parameters<'_>,
    name: &'static str,
    read: impl Fn(&str) -> u64,
    violations: &mut Violations,
) -> Option<u64> {
    given.word(name, |text| Some(read(text)), "write a number", violations)
}

/// A negative size and `all` mean everything, which is the largest page. 0 and malformed sizes are the
/// default.
fn page_size(text: &str) -> u64 {
    if text.eq_ignore_ascii_case("all") {
        return PageRequest::MAX_SIZE;
    }
    match text.parse::<i128>() {
        Ok(0) | Err(_) => PageRequest::DEFAULT_SIZE,
        Ok(size) => u64::try_from(size).map_or(PageRequest::MAX_SIZE, |size| {
            size.min(PageRequest::MAX_SIZE)
        }),
    }
}

/// A malformed or negative number is the first page.
fn page_number(text: &str) -> u64 {
    text.parse::<u64>().unwrap_or(0).min(MAX_PAGE)
}

#[cfg(test)]
mod tests;
