//! The query of a list in every spelling, and its faults.

use tidings_event::{EventId, OwnerKind, Severity, SortKey, SortOrder, Status, Timestamp};
use uuid::Uuid;

use super::order::DEFAULT_SORT;
use super::*;

const VIEWER: Viewer = Viewer {
    owner: OwnerId::from_uuid(Uuid::from_u128(1)),
    system: OwnerId::from_uuid(Uuid::from_u128(2)),
};

fn parse(query: &str) -> ListQuery {
    ListQuery::parse(query, VIEWER).unwrap()
}

fn faults(query: &str) -> Vec<String> {
    let violations = ListQuery::parse(query, VIEWER).unwrap_err();
    violations.iter().map(ToString::to_string).collect()
}

#[test]
fn accepts_malformed_pages_and_sizes() {
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
fn parses_every_filter() {
    let filter = parse(
        "status=unread&category=%5B%22connection%22%5D&action=[\"register\",\"ping\"]\
         &severity=[\"error\"]&acted_upon=[\"7b1d2c3e-0000-4000-8000-000000000001\"]\
         &system_id=7b1d2c3e-0000-4000-8000-000000000003\
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
    assert_eq!(filter.system_id.len(), 1);
    assert_eq!(filter.owner_kind, Some(OwnerKind::System));
    assert!(filter.operation_id.is_some());
    assert_eq!(filter.from, filter.to);
}

#[test]
fn parses_several_values_as_array_list_or_repetition() {
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
fn parses_the_filter_object_of_the_published_client() {
    let expected =
        parse("status=unread&category=a&search=x&sort=created_at&order=desc&pagesize=15&page=2");
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
        ("filter={\"owner\":7}", "filter.`owner` is not a parameter"),
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
fn values_that_no_event_can_have_match_nothing() {
    let nothing = |query| {
        let filter = parse(query).filter;
        filter.from.is_some() && filter.from == filter.to && filter.category.is_empty()
    };
    for query in [
        "category=Free+text",
        "action=[\"Free, text\"]",
        "category=[\"\"]",
        "category=a&action=B",
        "status=completed",
        "filter={\"status\":\"completed\"}",
        "filter={\"owner\":[\"00000000-0000-0000-0000-000000000003\"]}",
        "filter={\"owner\":\"nobody\"}",
    ] {
        assert_eq!(nothing(query), query != "category=a&action=B", "{query}");
        assert!(parse(query).filter.from.is_some());
    }
    let some = parse("category=Free+text,connection").filter;
    assert_eq!((some.category.len(), some.from), (1, None));
}

#[test]
fn accepts_the_spellings_of_published_events() {
    for (query, severity) in [
        ("severity=ERROR", Severity::Error),
        ("severity=[\"info\"]", Severity::Informational),
        ("filter={\"severity\":[\"warn\"]}", Severity::Warning),
    ] {
        assert_eq!(parse(query).filter.severity, [severity], "{query}");
    }
    for (query, status) in [
        ("status=UNREAD", Status::Unread),
        ("status=seen", Status::Read),
        ("status=completed,read", Status::Read),
    ] {
        assert_eq!(parse(query).filter.status, Some(status), "{query}");
    }
}

#[test]
fn accepts_only_the_caller_and_the_system_in_a_filter_object() {
    let user = "00000000-0000-0000-0000-000000000001";
    let system = "00000000-0000-0000-0000-000000000002";
    for (owners, kind) in [
        (format!("[\"{user}\"]"), Some(OwnerKind::User)),
        (format!("\"{system}\""), Some(OwnerKind::System)),
        ("[\"system\"]".to_owned(), Some(OwnerKind::System)),
        (format!("[\"{user}\",\"x\"]"), Some(OwnerKind::User)),
        (format!("[\"{user}\",\"{system}\"]"), None),
        ("null".to_owned(), None),
    ] {
        let filter = parse(&format!("filter={{\"owner\":{owners}}}")).filter;
        assert_eq!((filter.owner_kind, filter.from), (kind, None), "{owners}");
    }
}

#[test]
fn rejects_a_misspelled_name_with_a_suggestion() {
    for (query, meant) in [
        ("severty=error", "severity"),
        ("limit=1", "pagesize"),
        ("pagsize=1", "pagesize"),
        ("stauts=read", "status"),
        ("q=x", "search"),
        ("severity-=error", "severity"),
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
    // A search text is used unchanged.
    assert_eq!(parse("search=null").filter.search.as_deref(), Some("null"));
    assert_eq!(
        parse("search=[\"a\"]").filter.search.as_deref(),
        Some("[\"a\"]")
    );
    assert_eq!(parse("initial=true&author=x&cumulative=true"), parse(""));
}

#[test]
fn names_every_fault_at_once() {
    let faults = faults(
        "category=[&action=[1]&severity=[\"loud\"]&actedUpon=[\"x\"]\
         &ownerKind=me&operationId=x&from=yesterday&to=x&sort=name&order=up&next=x\
         &count=some&unheard=y&page=1&page=2",
    );
    for name in [
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
        "operationId (`x`) is not a UUID: write a UUID like",
        "actedUpon (`x`) is not a UUID: write a UUID like",
        "next (`x`) is not a token of this server: ",
    ] {
        let named = faults.iter().any(|one| one.starts_with(fault));
        assert!(named, "{fault} in {faults:#?}");
    }
    let severity = "severity (`loud`) is not a severity: write one of emergency, ";
    let is_named = faults.iter().any(|fault| fault.starts_with(severity));
    assert!(is_named, "{faults:#?}");
    assert!(
        faults
            .iter()
            .any(|fault| fault.contains("known names are page, pagesize, next"))
    );
}

#[test]
fn limits_values_and_parameters() {
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
fn uses_the_order_of_existing_clients_by_default() {
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
fn next_wins_over_page_and_requires_its_filter() {
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
