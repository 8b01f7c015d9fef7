//! The parameters of requests: those of the list, and what other requests do with them.

mod elsewhere;
mod error;
mod object;
mod order;

use tidings_event::{
    EventFilter, PageRequest, PageToken, PageTokenError, Paging, Sort, Total, Violations,
};

use crate::problem::quoted;
use crate::request::parameters::{Parameters, Source};
use crate::request::spelling::{self, FILTERS, PAGING, Parameter};

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use elsewhere::refuse_filters;
pub(crate) use elsewhere::{Elsewhere, check_unfiltered, is_set};
pub(crate) use error::InvalidQuery;

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

/// The names of all parameters of the list, as they are documented.
pub(crate) fn known() -> impl Iterator<Item = &'static str> {
    let all = PAGING.iter().chain(&FILTERS);
    all.map(|parameter| parameter.name)
}

/// The parameter of the list that a name means.
fn find(name: &str) -> Option<&'static Parameter> {
    spelling::find(&FILTERS, name).or_else(|| spelling::find(&PAGING, name))
}

/// What to do about a name that is none of the list's.
fn remedy(name: &str) -> String {
    let filter = spelling::suggestion(&FILTERS, name);
    match filter.or_else(|| spelling::suggestion(&PAGING, name)) {
        Some(meant) => format!("write `{meant}`, or leave it out"),
        None => {
            let known: Vec<_> = known().collect();
            format!("leave it out; known are {}", known.join(", "))
        }
    }
}

fn collect<'a>(query: &'a str, violations: &mut Violations) -> Parameters<'a> {
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
        object::read(&object, has_page, &mut fields, violations);
        given.merge(fields, violations);
    }
    given
}

fn total(given: &mut Parameters<'_>, violations: &mut Violations) -> Total {
    let total = |text: &str| text.eq_ignore_ascii_case("none").then_some(Total::Left);
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

/// A number that is read forgivingly, if it is given.
fn number(
    given: &mut Parameters<'_>,
    name: &'static str,
    read: impl Fn(&str) -> u64,
    violations: &mut Violations,
) -> Option<u64> {
    given.word(name, |text| Some(read(text)), "write a number", violations)
}

/// A negative size and `all` ask for everything, which is the largest page; what is no size is the
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

/// What is no page number, or negative, is the first page.
fn page_number(text: &str) -> u64 {
    text.parse::<u64>().unwrap_or(0).min(MAX_PAGE)
}

#[cfg(test)]
mod tests {
    use tidings_event::{EventId, OwnerKind, Severity, SortKey, SortOrder, Status, Timestamp};

    use super::order::DEFAULT_SORT;
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
        let numbered = Paging::Number;
        for (query, paging, size) in [
            ("", Paging::First, 25),
            ("page=0", numbered(0), 25),
            ("page=2&pagesize=10", numbered(2), 10),
            ("page=-1&pagesize=0", numbered(0), 25),
            ("page=x&pagesize=x", numbered(0), 25),
            ("page=&pagesize=", Paging::First, 25),
            ("pagesize=all", Paging::First, 1000),
            ("pagesize=-5", Paging::First, 1000),
            ("pagesize=1001", Paging::First, 1000),
            ("page=18446744073709551615", numbered(MAX_PAGE), 25),
            ("page=undefined&pagesize=null", Paging::First, 25),
            ("page=2&page=2&page_size=10&pageSize=10", numbered(2), 10),
            ("Page=2&page-size=10", numbered(2), 10),
            ("per_page=10", Paging::First, 10),
            ("pagesize=ALL", Paging::First, 1000),
        ] {
            let page = parse(query).page;
            assert_eq!((page.paging, page.size), (paging, size), "{query}");
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
    fn several_values_are_an_array_or_a_list_or_repeated() {
        let expected = parse("severity=[\"error\",\"warning\"]");
        assert_eq!(
            expected.filter.severity,
            [Severity::Error, Severity::Warning]
        );
        for query in [
            "severity=error&severity=warning",
            "severity=error,warning",
            "severity=error%2C+warning,",
            "severity[]=error&severity[]=warning",
            "severity[0]=error&severity[1]=warning",
            "Severity=error&severities=warning",
            "severity=[\"error\"]&severity=warning",
            "severity=\"error\"&severity=[]&severity=&severity=[\"warning\"]",
            "filter[severity]=error&filter[severity]=warning",
            "filter={\"severity\":[\"error\",\"warning\"]}",
            "severity=error,warning&filter={\"severities\":[\"warning\",\"error\"]}",
        ] {
            let mut read = parse(query);
            read.filter.severity.sort_unstable();
            read.filter.severity.dedup();
            assert_eq!(read, expected, "{query}");
        }
        let both = [
            "status=read&status=unread",
            "status=[\"unread\",\"read\"]",
            "ownerKind=user,system",
        ];
        for query in both {
            assert_eq!(parse(query), parse(""), "{query}");
        }
        assert_eq!(
            parse("status=read&statuses=read").filter.status,
            Some(Status::Read)
        );
        assert_eq!(
            parse("operation_id=[\"7b1d2c3e-0000-4000-8000-000000000002\"]"),
            parse("operationId=7b1d2c3e-0000-4000-8000-000000000002")
        );
    }

    #[test]
    fn the_filter_of_the_published_client_means_the_same() {
        let expected = parse(
            "status=unread&category=a&search=x&sort=created_at&order=desc&pagesize=15&page=2",
        );
        for query in [
            "page=2&pagesize=15&search=x&order=created_at+desc&filter={\"category\":[\"a\"],\"action\":null,\
             \"severity\":[],\"actedUpon\":null,\"owner\":null,\"systemId\":[],\"provider\":[\"p\"],\
             \"status\":\"unread\",\"search\":\"x\",\"sortOn\":\"created_at\",\"order\":\"desc\",\
             \"limit\":15,\"offset\":30}",
            "page=2&filter={\"category\":\"a\",\"status\":\"unread\",\"search\":\"x\",\"order\":\"created_at desc\",\
             \"pageSize\":15}",
        ] {
            assert_eq!(parse(query), expected, "{query}");
        }
        assert_eq!(parse("filter={\"limit\":15,\"offset\":0}").page.size, 15);
        assert_eq!(parse("filter=&filters=null&filter={}"), parse(""));
        for (query, fault) in [
            ("filter=x", "filter (`x`) is not a JSON object"),
            ("filter=[]", "filter (`[]`) is not a JSON object"),
            (
                "filter={\"offset\":30}",
                "filter.`offset` is not a parameter",
            ),
            (
                "filter={\"owner\":[\"x\"]}",
                "filter.`owner` is not a parameter",
            ),
            (
                "filter={\"filter\":{}}",
                "filter.`filter` is not a parameter",
            ),
            (
                "severity=error&filter={\"severity\":[\"debug\"]}",
                "severity has other values than in `filter`",
            ),
            (
                "search=x&filter={\"search\":\"y\"}",
                "search is given twice, with other values",
            ),
            (
                "filter={\"severity\":{}}",
                "severity (`{}`) is not a JSON array of strings",
            ),
        ] {
            let faults = faults(query);
            assert_eq!(faults.len(), 1, "{faults:?}");
            assert!(faults[0].starts_with(fault), "{query}: {faults:?}");
        }
    }

    #[test]
    fn a_category_that_no_event_can_have_finds_nothing() {
        let nothing = |query| {
            let filter = parse(query).filter;
            filter.from.is_some() && filter.from == filter.to && filter.category.is_empty()
        };
        for query in [
            "category=Free+text",
            "action=[\"Free, text\"]",
            "category=[\"\"]",
            "category=a&action=B",
        ] {
            assert_eq!(nothing(query), query != "category=a&action=B", "{query}");
            assert!(parse(query).filter.from.is_some());
        }
        let some = parse("category=Free+text,connection").filter;
        assert_eq!((some.category.len(), some.from), (1, None));
    }

    #[test]
    fn what_is_close_to_a_name_is_refused_with_it() {
        for (query, meant) in [
            ("severty=error", "severity"),
            ("limit=1", "pagesize"),
            ("pagsize=1", "pagesize"),
            ("stauts=read", "status"),
            ("q=x", "search"),
        ] {
            let faults = faults(query);
            assert!(
                faults[0].contains(&format!("write `{meant}`")),
                "{faults:?}"
            );
        }
    }

    #[test]
    fn empty_values_are_absent() {
        for nothing in ["", "undefined", "null"] {
            let empty = known().filter(|name| nothing.is_empty() || *name != "search");
            let empty: String = empty.map(|name| format!("{name}={nothing}&")).collect();
            assert_eq!(parse(&empty), parse(""));
        }
        assert_eq!(parse("category=[]&category=,"), parse(""));
        // A text is what it is.
        assert_eq!(parse("search=null").filter.search.as_deref(), Some("null"));
        assert_eq!(
            parse("search=[\"a\"]").filter.search.as_deref(),
            Some("[\"a\"]")
        );
        assert_eq!(parse("initial=true&author=x&cumulative=true"), parse(""));
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let faults = faults(
            "status=new&category=[&action=[1]&severity=[\"info\"]&actedUpon=[\"x\"]\
             &ownerKind=me&operationId=x&from=yesterday&to=x&sort=name&order=up&next=x\
             &count=some&unheard=y&page=1&page=2",
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
            "`unheard`",
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
    fn amounts_are_bounded() {
        let many = "x=1&".repeat(10_000);
        assert_eq!(faults(&many).len(), MAX_PARAMETERS + 1);
        let object = format!("filter={{{}\"x\":1}}", "\"x\":1,".repeat(1_000));
        assert_eq!(faults(&object).len(), MAX_PARAMETERS + 1);
        let repeated = "severity=error,error&".repeat(MAX_PARAMETERS);
        assert_eq!(parse(&repeated).filter.severity.len(), 2 * MAX_PARAMETERS);

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
