//! Requests other than the list. They accept few parameters or none, but never ignore a filter, since
//! the response or the change would include more events than the client wants.

use tidings_event::{OwnerKind, Violations};

use super::names::MAX_PARAMETERS;
use super::{InvalidQuery, object};
use crate::problem::quoted;
use crate::request::parameters::{Parameters, Source};
use crate::request::spelling::{
    self, DELETION, EVENT, FILTERS, PUBLISH, Parameter, SELECTION, STREAM,
};

/// Requests that accept no filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Elsewhere {
    /// A request that returns the counts or types of all events.
    Lookup,
    /// A request for one event. Its owner kind tells events with the same id apart.
    Event,
    /// A deletion of one event, by its reader or by its publisher.
    Deletion,
    /// A request for one event, with a body.
    EventBody,
    /// An update of an event. Its body says whose event it is.
    Update,
    /// The live stream.
    Stream,
    /// A request with a body.
    Body,
}

impl Elsewhere {
    /// The accepted parameters. A name that is close to one is rejected, too.
    fn taken(self) -> &'static [Parameter] {
        match self {
            Self::Lookup | Self::Update => &[],
            Self::Event | Self::EventBody => &EVENT,
            Self::Deletion => &DELETION,
            Self::Stream => &STREAM,
            Self::Body => &PUBLISH,
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            Self::Lookup | Self::Event | Self::Deletion | Self::EventBody => {
                "leave the parameter out; the list, /api/system/events, accepts it"
            }
            Self::Update => "leave the parameter out; `owner` in the body says whose event it is",
            Self::Stream => {
                "leave the parameter out, and filter the events that arrive; the stream always carries all of \
                 them, so that its cursor and its counts are exact"
            }
            Self::Body => {
                "leave the parameter out; name the events in the body, in `filter` or `ids`"
            }
        }
    }
}

/// Rejects the filters of the list in every spelling, and names that are close to one. Other parameters
/// are ignored: existing clients send some.
pub(crate) fn reject_filters(query: &str, place: Elsewhere) -> Result<(), Violations> {
    let mut violations = Violations::default();
    let mut parameters = form_urlencoded::parse(query.as_bytes());
    for (name, value) in parameters.by_ref().take(MAX_PARAMETERS) {
        if value.is_empty() || spelling::find(place.taken(), &name).is_some() {
            continue;
        }
        if spelling::find(&FILTERS, &name).is_some() || is_misplaced(&name, &value, place) {
            let fault = "cannot be used here: this request accepts no filters";
            violations.add(quoted(&name), fault, place.remedy());
            continue;
        }
        let known = [place.taken(), &FILTERS[..]];
        let mut suggestions = known
            .into_iter()
            .filter_map(|table| spelling::suggestion(table, &name));
        if let Some(meant) = suggestions.next() {
            let fault = "is not a parameter of this request";
            let remedy = format!(
                "leave the parameter out; if `{meant}` is meant: {}",
                remedy(meant, place)
            );
            violations.add(quoted(&name), fault, remedy);
        }
    }
    if parameters.next().is_some() {
        let fault = format!("has more than {MAX_PARAMETERS} parameters");
        violations.add("the query", fault, "leave some out");
    }
    violations.into_result()
}

/// The kind of owner that the query of a request for one event names.
pub(crate) fn owner_kind(query: Option<&str>) -> Result<Option<OwnerKind>, InvalidQuery> {
    let mut violations = Violations::default();
    let mut given = Parameters::new(Source::Query);
    let parameters = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    for (name, value) in parameters.take(MAX_PARAMETERS) {
        if let Some(parameter) = spelling::find(&EVENT, &name) {
            given.insert_text(parameter, value, &mut violations);
        }
    }
    let kind = given.filter(&mut violations).owner_kind;
    violations.into_result().map_err(InvalidQuery)?;
    Ok(kind)
}

/// Rejects the query of a request, if it has one with filters.
pub(crate) fn check_unfiltered(query: Option<&str>, place: Elsewhere) -> Result<(), InvalidQuery> {
    let Some(query) = query else { return Ok(()) };
    reject_filters(query, place).map_err(InvalidQuery)
}

fn remedy(meant: &str, place: Elsewhere) -> &'static str {
    match place.taken().iter().any(|taken| taken.name == meant) {
        true => "write that name",
        false => place.remedy(),
    }
}

/// Whether it is an object with at least one filter, or a field of the body.
fn is_misplaced(name: &str, value: &str, place: Elsewhere) -> bool {
    match spelling::find(&SELECTION, name) {
        Some(field) if field.name == object::NAME => {
            let mut faults = Violations::default();
            let mut given = Parameters::new(Source::Query);
            let context = object::Context {
                has_page: true,
                viewer: None,
            };
            object::read(value, context, &mut given, &mut faults);
            !faults.is_empty() || !given.filter(&mut faults).is_empty()
        }
        Some(_) => matches!(
            place,
            Elsewhere::Body | Elsewhere::EventBody | Elsewhere::Update
        ),
        None => false,
    }
}

/// Whether the switch `parameter` of a query is on.
pub(crate) fn is_set(query: &str, parameter: &'static Parameter) -> Result<bool, Violations> {
    let table = std::slice::from_ref(parameter);
    let parameters = form_urlencoded::parse(query.as_bytes());
    let mut given = parameters.filter(|(name, _)| spelling::find(table, name).is_some());
    let Some((_, value)) = given.next() else {
        return Ok(false);
    };
    let name = parameter.name;
    let mut violations = Violations::default();
    if given.next().is_some() {
        let remedy = format!("give `{name}` once");
        violations.add(name, "is given twice", remedy);
    }
    let is = |word: &str| value.eq_ignore_ascii_case(word);
    if !is("true") && !is("false") {
        let fault = format!("({}) is neither true nor false", quoted(&value));
        violations.add(name, fault, format!("write {name}=true, or leave it out"));
    }
    violations.into_result().map(|()| is("true"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACES: [Elsewhere; 7] = [
        Elsewhere::Lookup,
        Elsewhere::Event,
        Elsewhere::Deletion,
        Elsewhere::EventBody,
        Elsewhere::Update,
        Elsewhere::Stream,
        Elsewhere::Body,
    ];

    #[test]
    fn rejects_a_filter_where_none_is_accepted() {
        for place in PLACES {
            for fine in [
                "",
                "author=x&provider=y&z=1&page=2&_=1&client=ui",
                "status=&severity=",
                "page=1&pagesize=5&order=created_at%20desc&filter=",
                "filter={}&cumulative=true",
                "filter=%7B%22status%22%3A%22%22%2C%22category%22%3Anull%2C%22limit%22%3A0%7D",
            ] {
                assert_eq!(reject_filters(fine, place), Ok(()), "{fine} {place:?}");
            }
            for bad in [
                "status=read",
                "x=1&acted_upon=[]",
                "to=now",
                "Severity[]=error",
                "severities=error",
                "severty=error",
                "level=error",
                "since=2026-08-01T10:00:00Z",
                "filter=x",
                "filter={%22status%22:%22read%22}",
                "filter[status]=read",
            ] {
                let violations = reject_filters(bad, place).unwrap_err();
                assert_eq!(violations.iter().len(), 1, "{bad} {place:?}");
            }
            let many = "x=1&".repeat(10_000);
            assert_eq!(reject_filters(&many, place).unwrap_err().iter().len(), 1);
        }
        for place in PLACES {
            let takes_it = matches!(
                place,
                Elsewhere::Event | Elsewhere::Deletion | Elsewhere::EventBody
            );
            let taken = reject_filters("owner_kind=system", place);
            assert_eq!(taken.is_ok(), takes_it, "{place:?}");
        }
        assert!(reject_filters("ids=x", Elsewhere::Body).is_err());
        assert!(reject_filters("ids=x", Elsewhere::Lookup).is_ok());
        assert!(reject_filters("last_event=x", Elsewhere::Stream).is_err());
        assert!(reject_filters("last-event-id=x&cursor=y", Elsewhere::Stream).is_ok());
    }

    #[test]
    fn parses_a_switch_as_on_or_off_only() {
        let import = &PUBLISH[0];
        for (query, is_on) in [
            ("", false),
            ("x=import", false),
            ("import=true", true),
            ("Import=True&author=x", true),
            ("IMPORT=FALSE", false),
        ] {
            assert_eq!(is_set(query, import), Ok(is_on), "{query}");
        }
        for bad in [
            "import",
            "import=1",
            "import=yes",
            "import=true&Import=true",
        ] {
            assert!(is_set(bad, import).is_err(), "{bad}");
        }
    }
}
