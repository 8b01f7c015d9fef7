//! The parameters of the list.

use tidings_event::{
    EventFilter, PageRequest, PageToken, PageTokenError, Paging, Sort, SortKey, SortOrder, Total,
    Violations,
};

use crate::error::quoted;
use crate::parameters::{LISTS, Origin, Parameters, TEXTS, camel_case};

/// The parameters that mean something beside those of a filter.
const OF_PAGE: [&str; 6] = ["page", "pagesize", "next", "sort", "order", "count"];

/// Existing clients send these without meaning.
const IGNORED: [&str; 2] = ["author", "provider"];

/// More parameters than any client sends; what is beyond is not even looked at.
const MAX_PARAMETERS: usize = 50;

/// The last page whose first event the stores can still number.
const MAX_PAGE: u64 = i64::MAX.unsigned_abs() / PageRequest::MAX_SIZE - 1;

/// What a list request asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ListQuery {
    pub(crate) filter: EventFilter,
    pub(crate) page: PageRequest,
}

impl ListQuery {
    /// Reads a query string, or says all that is wrong with it.
    pub(crate) fn parse(query: &str) -> Result<Self, Violations> {
        let mut violations = Violations::default();
        let mut given = collect(query, &mut violations);
        let filter = given.filter(&mut violations);
        let sort = sort(&mut given, &mut violations);
        let total = total(&mut given, &mut violations);
        let size = page_size(given.text("pagesize").as_deref());
        let number = page_number(given.text("page").as_deref());
        let next = next(&mut given, &filter, sort, &mut violations);
        violations.into_result()?;
        let paging = next.map_or(Paging::Number(number), Paging::After);
        let page = PageRequest {
            paging,
            size,
            sort,
            total,
        };
        Ok(Self { filter, page })
    }
}

/// Refuses the filters of the list, for paths that take none: what was meant to narrow an answer is
/// not passed over in silence. Other parameters mean nothing there, and existing clients send some.
pub(crate) fn refuse_filters(query: &str) -> Result<(), Violations> {
    let mut violations = Violations::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()).take(MAX_PARAMETERS) {
        let name = camel_case(&name);
        let is_filter = TEXTS.contains(&name) || LISTS.contains(&name);
        if is_filter && !value.is_empty() {
            let remedy = "leave it out; the list, /api/system/events, takes it";
            violations.add(
                quoted(name),
                "cannot be used here: this takes no filters",
                remedy,
            );
        }
    }
    violations.into_result()
}

/// All parameters that are known.
pub(crate) fn known() -> impl Iterator<Item = &'static str> {
    OF_PAGE.into_iter().chain(TEXTS).chain(LISTS)
}

fn collect<'a>(query: &'a str, violations: &mut Violations) -> Parameters<'a> {
    let mut given = Parameters::new(Origin::Query);
    let mut parameters = form_urlencoded::parse(query.as_bytes());
    for (name, value) in parameters.by_ref().take(MAX_PARAMETERS) {
        let name = camel_case(&name);
        if IGNORED.contains(&name) {
            continue;
        }
        match known().find(|known| *known == name) {
            Some(known) => given.insert(known, value, violations),
            None => {
                let known: Vec<_> = known().collect();
                let remedy = format!("leave it out; known are {}", known.join(", "));
                violations.add(quoted(name), "is not a parameter of the list", remedy);
            }
        }
    }
    if parameters.next().is_some() {
        let fault = format!("has more than {MAX_PARAMETERS} parameters");
        violations.add("the query", fault, "leave some out");
    }
    given
}

/// What existing clients get when they do not say how: the longest unchanged first.
const DEFAULT_SORT: Sort = Sort {
    key: SortKey::UpdatedAt,
    order: SortOrder::Ascending,
};

fn sort(given: &mut Parameters<'_>, violations: &mut Violations) -> Sort {
    let key = |text: &str| match text {
        "created_at" | "createdAt" => Some(SortKey::CreatedAt),
        "updated_at" | "updatedAt" => Some(SortKey::UpdatedAt),
        _ => None,
    };
    let order = |text: &str| match text {
        "asc" => Some(SortOrder::Ascending),
        "desc" => Some(SortOrder::Descending),
        _ => None,
    };
    let key = given.word(
        "sort",
        key,
        "write `created_at` or `updated_at`",
        violations,
    );
    let order = given.word("order", order, "write `asc` or `desc`", violations);
    Sort {
        key: key.unwrap_or(DEFAULT_SORT.key),
        order: order.unwrap_or(DEFAULT_SORT.order),
    }
}

fn total(given: &mut Parameters<'_>, violations: &mut Violations) -> Total {
    let total = |text: &str| (text == "none").then_some(Total::Left);
    let remedy = "write `none` to have nothing counted, or leave it out";
    given
        .word("count", total, remedy, violations)
        .unwrap_or_default()
}

/// The token of the next page, which is good only for the list it was given out for.
fn next(
    given: &mut Parameters<'_>,
    filter: &EventFilter,
    sort: Sort,
    violations: &mut Violations,
) -> Option<PageToken> {
    let remedy =
        "give `next` of the page before, with the same filter, sort and order, or leave it out";
    let malformed = PageTokenError::Malformed.to_string();
    let token: PageToken = given.one("next", &malformed, remedy, violations)?;
    // With faults in it, the filter is not the one that was meant.
    if violations.is_empty()
        && let Err(error) = token.check(filter, sort)
    {
        violations.add("next", error.to_string(), remedy);
    }
    Some(token)
}

/// A negative size and `all` ask for everything, which is the largest page; what is no size is the
/// default.
fn page_size(text: Option<&str>) -> u64 {
    match text {
        None | Some("0") => PageRequest::DEFAULT_SIZE,
        Some("all") => PageRequest::MAX_SIZE,
        Some(text) => match text.parse::<i128>() {
            Ok(0) | Err(_) => PageRequest::DEFAULT_SIZE,
            Ok(size) => u64::try_from(size).map_or(PageRequest::MAX_SIZE, |size| {
                size.min(PageRequest::MAX_SIZE)
            }),
        },
    }
}

/// What is no page number, or negative, is the first page.
fn page_number(text: Option<&str>) -> u64 {
    let number = text.and_then(|text| text.parse::<u64>().ok());
    number.unwrap_or(0).min(MAX_PAGE)
}

#[cfg(test)]
mod tests {
    use tidings_event::{EventId, OwnerKind, Severity, Status, Timestamp};

    use super::*;

    fn parse(query: &str) -> ListQuery {
        ListQuery::parse(query).unwrap()
    }

    fn faults(query: &str) -> Vec<String> {
        let violations = ListQuery::parse(query).unwrap_err();
        violations.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn page_and_size_are_forgiving() {
        for (query, number, size) in [
            ("", 0, 25),
            ("page=2&pagesize=10", 2, 10),
            ("page=-1&pagesize=0", 0, 25),
            ("page=x&pagesize=x", 0, 25),
            ("page=&pagesize=", 0, 25),
            ("pagesize=all", 0, 1000),
            ("pagesize=-5", 0, 1000),
            ("pagesize=1001", 0, 1000),
            ("page=18446744073709551615", MAX_PAGE, 25),
        ] {
            let page = parse(query).page;
            assert_eq!(
                (page.paging, page.size),
                (Paging::Number(number), size),
                "{query}"
            );
        }
    }

    #[test]
    fn every_filter_is_read() {
        let filter = parse(
            "status=unread&category=%5B%22connection%22%5D&action=[\"register\",\"ping\"]\
             &severity=[\"error\"]&acted_upon=[\"7b1d2c3e-0000-4000-8000-000000000001\"]\
             &ownerKind=system&operationId=7b1d2c3e-0000-4000-8000-000000000002\
             &from=2026-08-01T10:00:00Z&to=2026-08-01T12:00:00%2B02:00\
             &search=%25%20caf%C3%A9&sort=created_at&order=desc&author=x&provider=y",
        )
        .filter;
        assert_eq!(filter.search.as_deref(), Some("% café"));
        assert_eq!(filter.status, Some(Status::Unread));
        assert_eq!(filter.category[0].as_str(), "connection");
        assert_eq!(filter.action.len(), 2);
        assert_eq!(filter.severity, [Severity::Error]);
        assert_eq!(filter.acted_upon.len(), 1);
        assert_eq!(filter.owner_kind, Some(OwnerKind::System));
        assert!(filter.operation_id.is_some());
        assert_eq!(filter.from, filter.to);
    }

    #[test]
    fn empty_values_are_absent() {
        let empty: String = known().map(|name| format!("{name}=&")).collect();
        assert_eq!(parse(&empty), parse(""));
        assert_eq!(parse("category=[]"), parse(""));
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let faults = faults(
            "status=new&category=connection&action=[1]&severity=[\"info\"]&actedUpon=[\"x\"]\
             &ownerKind=me&operationId=x&from=yesterday&to=x&sort=name&order=up&next=x\
             &count=some&limit=y&page=1&page=2",
        );
        for name in [
            "status",
            "category",
            "action",
            "actedUpon",
            "ownerKind",
            "operationId",
            "from",
            "to",
            "sort",
            "order",
            "next",
            "count",
            "`limit`",
            "page",
        ] {
            let named = faults
                .iter()
                .any(|fault| fault.starts_with(&format!("{name} ")));
            assert!(named, "{name} in {faults:#?}");
        }
        for fault in [
            "status (`new`) is not a status: write `read` or `unread`",
            "operationId (`x`) is not a UUID: write a UUID like",
            "actedUpon (`x`) is not a UUID: write a UUID like",
            "next (`x`) is not a token of this server: ",
        ] {
            let named = faults.iter().any(|one| one.starts_with(fault));
            assert!(named, "{fault} in {faults:#?}");
        }
        let severity = "severity (`info`) `info` is not a severity: write `informational`";
        assert!(faults.iter().any(|fault| fault == severity), "{faults:#?}");
        assert!(
            faults
                .iter()
                .any(|fault| fault.contains("known are page, pagesize, next"))
        );
    }

    #[test]
    fn a_filter_where_none_is_taken_is_not_passed_over() {
        for fine in ["", "author=x&provider=y&z=1&page=2", "status=&severity="] {
            assert!(refuse_filters(fine).is_ok(), "{fine}");
        }
        for bad in ["status=read", "x=1&acted_upon=[]", "to=now"] {
            let violations = refuse_filters(bad).unwrap_err();
            assert_eq!(violations.iter().len(), 1, "{bad}");
        }
    }

    #[test]
    fn amounts_are_bounded() {
        let many = "x=1&".repeat(10_000);
        assert_eq!(faults(&many).len(), MAX_PARAMETERS + 1);
        let values = |number| format!("category={:?}", vec!["a"; number]);
        assert_eq!(parse(&values(100)).filter.category.len(), 100);
        assert!(faults(&values(101))[0].contains("101 values"));
        let search = |bytes| format!("search={}", "x".repeat(bytes));
        assert!(parse(&search(256)).filter.search.is_some());
        assert!(faults(&search(257))[0].contains("257 bytes"));
    }

    #[test]
    fn the_order_is_that_of_existing_clients_unless_it_is_named() {
        let sort = |query| parse(query).page.sort;
        assert_eq!(sort(""), DEFAULT_SORT);
        assert_eq!(sort("sort=&order="), DEFAULT_SORT);
        assert_eq!(sort("sort=createdAt&order=desc"), Sort::default());
        assert_eq!(sort("order=desc").key, SortKey::UpdatedAt);
        assert_eq!(sort("sort=created_at").order, SortOrder::Ascending);
        assert_eq!(parse("").page.total, Total::Counted);
        assert_eq!(parse("count=none").page.total, Total::Left);
    }

    #[test]
    fn next_wins_over_page_and_belongs_to_its_filter() {
        let filter = parse("status=read").filter;
        let token = PageToken::after(
            Timestamp::UNIX_EPOCH,
            EventId::mint(),
            &filter,
            DEFAULT_SORT,
        );
        let page = parse(&format!("status=read&page=3&next={token}")).page;
        assert_eq!(page.paging, Paging::After(token));
        let other = faults(&format!("status=unread&next={token}"));
        assert!(other[0].contains("another filter"), "{other:?}");
        let other = faults(&format!("status=read&order=desc&next={token}"));
        assert!(other[0].contains("another filter or order"), "{other:?}");
    }
}
