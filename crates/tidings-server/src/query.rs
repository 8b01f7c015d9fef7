//! The parameters of the list, read by hand so that one answer names every fault.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Display;
use std::str::FromStr;

use tidings_event::{
    EventFilter, OwnerKind, PageRequest, PageToken, Paging, SeverityError, Timestamp, Violations,
};

use crate::error::quoted;

/// The parameters that mean something.
const KNOWN: [&str; 14] = [
    "page",
    "pagesize",
    "next",
    "status",
    "category",
    "action",
    "severity",
    "actedUpon",
    "ownerKind",
    "operationId",
    "from",
    "to",
    "sort",
    "order",
];

/// Existing clients send these without meaning.
const IGNORED: [&str; 2] = ["author", "provider"];

/// More parameters than any client sends; what is beyond is not even looked at.
const MAX_PARAMETERS: usize = 50;

/// The most values of one parameter: each makes the store's query longer.
const MAX_VALUES: usize = 100;

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
        let mut given = Given::collect(query, &mut violations);
        let filter = EventFilter {
            status: given.one("status", "write `read` or `unread`", &mut violations),
            category: given.several("category", snake_case_remedy, &mut violations),
            action: given.several("action", snake_case_remedy, &mut violations),
            severity: given.several("severity", SeverityError::remedy, &mut violations),
            acted_upon: given.several("actedUpon", |_| UUID_REMEDY.to_owned(), &mut violations),
            owner_kind: given.owner_kind(&mut violations),
            operation_id: given.one("operationId", UUID_REMEDY, &mut violations),
            from: given.time("from", &mut violations),
            to: given.time("to", &mut violations),
        };
        given.check_order(&mut violations);
        let size = page_size(given.text("pagesize").as_deref());
        let number = page_number(given.text("page").as_deref());
        let next = given.next(&filter, &mut violations);
        violations.into_result()?;
        let paging = next.map_or(Paging::Number(number), Paging::After);
        let page = PageRequest { paging, size };
        Ok(Self { filter, page })
    }
}

const UUID_REMEDY: &str = "write a UUID like 7b1d2c3e-0000-4000-8000-000000000001";
const TIME_REMEDY: &str = "write an RFC 3339 time such as 2026-08-01T10:00:00Z, with %2B for +";

fn snake_case_remedy<E>(_: &E) -> String {
    "write it in snake_case, as it is in the events".to_owned()
}

/// The parameters by name, each decoded and at most once.
struct Given<'a>(HashMap<&'static str, Cow<'a, str>>);

impl<'a> Given<'a> {
    fn collect(query: &'a str, violations: &mut Violations) -> Self {
        let mut given = HashMap::new();
        let mut parameters = form_urlencoded::parse(query.as_bytes());
        for (name, value) in parameters.by_ref().take(MAX_PARAMETERS) {
            let name = match name.as_ref() {
                "acted_upon" => "actedUpon",
                name => name,
            };
            // The search box of existing clients sends an empty one.
            if IGNORED.contains(&name) || (name == "search" && value.is_empty()) {
                continue;
            }
            let Some(known) = KNOWN.into_iter().find(|known| *known == name) else {
                let remedy = format!("leave it out; known are {}", KNOWN.join(", "));
                violations.add(quoted(name), "is not a parameter of the list", remedy);
                continue;
            };
            if given.insert(known, value).is_some() {
                let remedy = "give it once; several values are one JSON array";
                violations.add(known, "is given twice", remedy);
            }
        }
        if parameters.next().is_some() {
            let fault = format!("has more than {MAX_PARAMETERS} parameters");
            violations.add("the query", fault, "leave some out");
        }
        Self(given)
    }

    /// The text of a parameter; empty means absent.
    fn text(&mut self, name: &'static str) -> Option<Cow<'a, str>> {
        self.0.remove(name).filter(|text| !text.is_empty())
    }

    fn one<T: FromStr>(
        &mut self,
        name: &'static str,
        remedy: &str,
        violations: &mut Violations,
    ) -> Option<T>
    where
        T::Err: Display,
    {
        let text = self.text(name)?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                violations.add(name, format!("({}) {error}", quoted(&text)), remedy);
                None
            }
        }
    }

    fn several<T: FromStr>(
        &mut self,
        name: &'static str,
        remedy: impl Fn(&T::Err) -> String,
        violations: &mut Violations,
    ) -> Vec<T>
    where
        T::Err: Display,
    {
        let Some(text) = self.text(name) else {
            return Vec::new();
        };
        let Ok(texts) = serde_json::from_str::<Vec<String>>(&text) else {
            let fault = format!("({}) is not a JSON array of strings", quoted(&text));
            let remedy = format!("write {name}=[\"…\",\"…\"], percent-encoded");
            violations.add(name, fault, remedy);
            return Vec::new();
        };
        if texts.len() > MAX_VALUES {
            let fault = format!("has {} values, more than {MAX_VALUES}", texts.len());
            violations.add(name, fault, "ask for fewer at a time");
            return Vec::new();
        }
        let mut values = Vec::with_capacity(texts.len());
        for text in texts {
            match text.parse::<T>() {
                Ok(value) => values.push(value),
                Err(error) => {
                    let fault = format!("({}) {error}", quoted(&text));
                    violations.add(name, fault, remedy(&error));
                }
            }
        }
        values
    }

    /// Without what `jiff` says about a malformed time: it is long, and the remedy says it all.
    fn time(&mut self, name: &'static str, violations: &mut Violations) -> Option<Timestamp> {
        let text = self.text(name)?;
        let time = text.parse().ok();
        if time.is_none() {
            let fault = format!("({}) is not a time", quoted(&text));
            violations.add(name, fault, TIME_REMEDY);
        }
        time
    }

    fn owner_kind(&mut self, violations: &mut Violations) -> Option<OwnerKind> {
        match self.text("ownerKind")?.as_ref() {
            "user" => Some(OwnerKind::User),
            "system" => Some(OwnerKind::System),
            other => {
                let fault = format!("({}) is no kind of owner", quoted(other));
                violations.add("ownerKind", fault, "write `user` or `system`");
                None
            }
        }
    }

    /// The list has one order; asking for another must not go unnoticed.
    fn check_order(&mut self, violations: &mut Violations) {
        for (name, accepted) in [
            // As long as nothing changes an event, both are the same.
            (
                "sort",
                ["created_at", "createdAt", "updated_at", "updatedAt"].as_slice(),
            ),
            ("order", &["desc"]),
        ] {
            if let Some(text) = self.text(name)
                && !accepted.contains(&text.as_ref())
            {
                let fault = format!("({}) is not supported", quoted(&text));
                let remedy = "this version lists the newest first: write \
                              sort=created_at&order=desc, or leave both out";
                violations.add(name, fault, remedy);
            }
        }
    }

    /// The token of the next page, which is good only for the filter it was given out for.
    fn next(&mut self, filter: &EventFilter, violations: &mut Violations) -> Option<PageToken> {
        let remedy = "give `next` of the page before, with the same filter, or leave it out";
        let token: PageToken = self.one("next", remedy, violations)?;
        // With faults in it, the filter is not the one that was meant.
        if violations.is_empty()
            && let Err(error) = token.check(filter)
        {
            violations.add("next", error.to_string(), remedy);
        }
        Some(token)
    }
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
    use tidings_event::{EventId, Severity, Status};

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
             &sort=created_at&order=desc&author=x&provider=y",
        )
        .filter;
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
        let empty: String = KNOWN.map(|name| format!("{name}=&")).concat();
        assert_eq!(parse(&empty), parse(""));
        assert_eq!(parse("category=[]"), parse(""));
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let faults = faults(
            "status=new&category=connection&action=[1]&severity=[\"info\"]&actedUpon=[\"x\"]\
             &ownerKind=me&operationId=x&from=yesterday&to=x&sort=name&order=asc&next=x\
             &search=y&page=1&page=2",
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
            "`search`",
            "page",
        ] {
            let named = faults
                .iter()
                .any(|fault| fault.starts_with(&format!("{name} ")));
            assert!(named, "{name} in {faults:#?}");
        }
        let severity = "severity (`info`) `info` is not a severity: write `informational`";
        assert!(faults.iter().any(|fault| fault == severity), "{faults:#?}");
        assert!(
            faults
                .iter()
                .any(|fault| fault.contains("known are page, pagesize"))
        );
    }

    #[test]
    fn amounts_are_bounded() {
        let many = "x=1&".repeat(10_000);
        assert_eq!(faults(&many).len(), MAX_PARAMETERS + 1);
        let values = |number| format!("category={:?}", vec!["a"; number]);
        assert_eq!(parse(&values(100)).filter.category.len(), 100);
        assert!(faults(&values(101))[0].contains("101 values"));
    }

    #[test]
    fn next_wins_over_page_and_belongs_to_its_filter() {
        let filter = parse("status=read").filter;
        let token = PageToken::after(Timestamp::UNIX_EPOCH, EventId::mint(), &filter);
        let page = parse(&format!("status=read&page=3&next={token}")).page;
        assert_eq!(page.paging, Paging::After(token));
        let other = faults(&format!("status=unread&next={token}"));
        assert!(other[0].contains("another filter"), "{other:?}");
    }
}
