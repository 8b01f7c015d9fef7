//! The values that select events, from the query of a list or the `filter` of a change. Not derived from
//! serde: one response names every fault.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use serde::Deserialize;
use serde_json::value::RawValue;
use tidings_event::{
    Action, Category, EventFilter, NameError, OwnerKind, Severity, SeverityError, Status,
    StatusError, Timestamp, Violations,
};

use crate::problem::quoted;
use crate::request::spelling::{FILTERS, Form, Parameter};

/// The most values of one parameter: each makes the query of the store longer.
const MAX_VALUES: usize = 100;

const NO_UUID: &str = "is not a UUID";

const UUID_REMEDY: &str = "write a UUID like 7b1d2c3e-0000-4000-8000-000000000001";

/// Where the values are given, which decides how their faults are worded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The query of the URL.
    Query,
    /// The object `filter` of the body.
    Body,
}

/// The values of each parameter, by its name.
#[derive(Debug)]
pub(crate) struct Parameters<'a> {
    source: Source,
    texts: BTreeMap<&'static str, Vec<Cow<'a, str>>>,
    /// A value names something that no event of the caller has, and no other value is given with it.
    finds_nothing: bool,
}

/// A JSON value that a filter can have.
#[derive(Deserialize)]
#[serde(untagged)]
enum Field {
    Nothing(()),
    Text(String),
    Texts(Vec<String>),
    Number(serde_json::Number),
}

impl<'a> Parameters<'a> {
    pub(crate) fn new(source: Source) -> Self {
        Self {
            source,
            texts: BTreeMap::new(),
            finds_nothing: false,
        }
    }

    /// The name of a parameter in a violation.
    pub(crate) fn field(&self, name: &str) -> String {
        match self.source {
            Source::Query => name.to_owned(),
            Source::Body => format!("filter.{name}"),
        }
    }

    /// Adds a value of a query: a JSON array, a list with commas, or one of a repeated parameter.
    pub(crate) fn insert_text(
        &mut self,
        parameter: &'static Parameter,
        text: Cow<'a, str>,
        violations: &mut Violations,
    ) {
        let name = parameter.name;
        // JavaScript writes variables without a value like this.
        let is_absent = text.is_empty() || matches!(text.as_ref(), "undefined" | "null");
        match parameter.form {
            Form::Text => self.add(name, [text]),
            _ if is_absent => {}
            Form::Several => match split(&text) {
                Some(texts) => self.add(name, texts.into_iter().map(Cow::Owned)),
                None => self.not_an_array(name, &text, violations),
            },
            // Some clients write every filter as an array: this one has one value.
            Form::One => match serde_json::from_str::<[String; 1]>(&text) {
                Ok(only) => self.add(name, only.map(Cow::Owned)),
                Err(_) => self.add(name, [text]),
            },
        }
    }

    /// Adds the value of a field. In a body `null`, an empty text and an empty list are violations, not
    /// absent values: a filter that narrows a deletion must not widen it.
    pub(crate) fn insert_field(
        &mut self,
        parameter: &'static Parameter,
        value: &RawValue,
        violations: &mut Violations,
    ) {
        let name = parameter.name;
        let texts = match (serde_json::from_str(value.get()), parameter.form) {
            (Ok(Field::Nothing(())), _) => return self.nothing(name, "is null", violations),
            (Ok(Field::Text(text)), _) => match text.is_empty() {
                true => return self.nothing(name, "is empty", violations),
                false => vec![text],
            },
            (Ok(Field::Texts(texts)), Form::Several) => match texts.is_empty() {
                true => return self.nothing(name, "is empty", violations),
                false => texts,
            },
            (_, Form::Several) => return self.not_an_array(name, value.get(), violations),
            (Ok(Field::Number(number)), _) if self.source == Source::Query => {
                vec![number.to_string()]
            }
            _ => {
                let fault = format!("({}) is not a text", quoted(value.get()));
                let remedy = "write a text, or leave it out";
                return violations.add(self.field(name), fault, remedy);
            }
        };
        if self.texts.contains_key(name) {
            violations.add(self.field(name), "is given twice", "give it once");
        }
        self.add(name, texts.into_iter().map(Cow::Owned));
    }

    /// Narrows the list to these kinds of owners. `None` is an owner whose events the caller cannot see.
    pub(crate) fn insert_owner_kinds(&mut self, kinds: impl Iterator<Item = Option<OwnerKind>>) {
        let kinds: Vec<_> = kinds.flatten().map(OwnerKind::as_str).collect();
        self.finds_nothing |= kinds.is_empty();
        self.add("ownerKind", kinds.into_iter().map(Cow::Borrowed));
    }

    fn nothing(&self, name: &str, fault: &str, violations: &mut Violations) {
        if self.source == Source::Body {
            violations.add(self.field(name), fault, "leave it out");
        }
    }

    fn not_an_array(&self, name: &str, given: &str, violations: &mut Violations) {
        let fault = format!("({}) is not a JSON array of strings", quoted(given));
        let remedy = match self.source {
            Source::Query => format!("write {name}=…,… or {name}=…&{name}=…"),
            Source::Body => format!("write \"{name}\": [\"…\", \"…\"]"),
        };
        violations.add(self.field(name), fault, remedy);
    }

    /// Whether a parameter has a value.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.texts.get(name).is_some_and(|texts| !texts.is_empty())
    }

    fn add(&mut self, name: &'static str, texts: impl IntoIterator<Item = Cow<'a, str>>) {
        self.texts.entry(name).or_default().extend(texts);
    }

    /// Adds the values of the object `filter` of the query, which must agree with the other values.
    pub(crate) fn merge(&mut self, other: Self, violations: &mut Violations) {
        self.finds_nothing |= other.finds_nothing;
        for (name, texts) in other.texts {
            let given = self.texts.entry(name).or_default();
            let distinct = |texts: &[Cow<'a, str>]| texts.iter().cloned().collect::<BTreeSet<_>>();
            if given.is_empty() {
                *given = texts;
            } else if is_several(name) && distinct(given) != distinct(&texts) {
                let remedy = "give it once, as a parameter or in `filter`";
                violations.add(name, "has other values than in `filter`", remedy);
            } else {
                given.extend(texts);
            }
        }
    }

    /// The filter that the values describe. Malformed values are violations.
    pub(crate) fn filter(&mut self, violations: &mut Violations) -> EventFilter {
        let in_words = |error: &NameError| error.to_string();
        let severity = |error: &SeverityError| error.to_string();
        let no_uuid = |_: &_| NO_UUID.to_owned();
        let uuid = |_: &_| UUID_REMEDY.to_owned();
        let no_status = |_: &_| "is not a status".to_owned();
        let read = |_: &_| "write `read` or `unread`".to_owned();
        let finds_nothing = !self.has_possible_values() || self.finds_nothing;
        let mut filter = EventFilter::default();
        let statuses = self.several("status", read_status, no_status, read, violations);
        filter.status = only(&statuses);
        let name = snake_case_remedy;
        filter.category = self.several("category", str::parse, in_words, name, violations);
        filter.action = self.several("action", str::parse, in_words, name, violations);
        let remedy = SeverityError::remedy;
        filter.severity = self.several("severity", read_severity, severity, remedy, violations);
        filter.acted_upon = self.several("actedUpon", str::parse, no_uuid, uuid, violations);
        filter.owner_kind = self.owner_kind(violations);
        filter.operation_id = self.one("operationId", NO_UUID, UUID_REMEDY, violations);
        filter.from = self.time("from", violations);
        filter.to = self.time("to", violations);
        filter.search = self.search(violations);
        if finds_nothing {
            (filter.from, filter.to) = (Some(NEVER), Some(NEVER));
        }
        filter
    }

    /// Removes categories, actions and statuses that no event can have. Interfaces send them, since they
    /// are free texts in the servers they come from, and expect an empty list. Returns whether a
    /// possible value is left of each. In the body of a change they stay, and are violations.
    fn has_possible_values(&mut self) -> bool {
        if self.source == Source::Body {
            return true;
        }
        let mut is_left = true;
        for name in ["category", "action", "status"] {
            if let Some(texts) = self.texts.get_mut(name).filter(|texts| !texts.is_empty()) {
                texts.retain(|text| is_possible(name, text));
                is_left &= !texts.is_empty();
            }
        }
        is_left
    }

    /// All values of a parameter.
    pub(crate) fn all(&mut self, name: &'static str) -> Vec<Cow<'a, str>> {
        self.texts.remove(name).unwrap_or_default()
    }

    /// The value of a parameter with one value. Repeated, it must be the same.
    fn read_one<T: PartialEq>(
        &mut self,
        name: &'static str,
        mut read: impl FnMut(&str) -> Result<T, String>,
        remedy: &str,
        violations: &mut Violations,
    ) -> Option<T> {
        let mut value = None;
        for text in self.all(name) {
            if text.is_empty() {
                continue;
            }
            match (read(&text), &value) {
                (Ok(read), None) => value = Some(read),
                (Ok(read), Some(value)) if read == *value => {}
                (Ok(_), Some(_)) => {
                    let remedy = "give it once";
                    violations.add(
                        self.field(name),
                        "is given twice, with other values",
                        remedy,
                    );
                }
                (Err(fault), _) => violations.add(self.field(name), fault, remedy),
            }
        }
        value
    }

    pub(crate) fn one<T: FromStr + PartialEq>(
        &mut self,
        name: &'static str,
        fault: &str,
        remedy: &str,
        violations: &mut Violations,
    ) -> Option<T> {
        let read = |text: &str| {
            let value = text.parse().ok();
            value.ok_or_else(|| format!("({}) {fault}", quoted(text)))
        };
        self.read_one(name, read, remedy, violations)
    }

    /// The value of a parameter that is one of a few words.
    pub(crate) fn word<T: PartialEq>(
        &mut self,
        name: &'static str,
        read: impl Fn(&str) -> Option<T>,
        remedy: &str,
        violations: &mut Violations,
    ) -> Option<T> {
        let read = |text: &str| {
            let fault = || format!("({}) is not supported", quoted(text));
            read(text).ok_or_else(fault)
        };
        self.read_one(name, read, remedy, violations)
    }

    fn several<T, E>(
        &mut self,
        name: &'static str,
        read: impl Fn(&str) -> Result<T, E>,
        fault: impl Fn(&E) -> String,
        remedy: impl Fn(&E) -> String,
        violations: &mut Violations,
    ) -> Vec<T> {
        let texts = self.all(name);
        if texts.len() > MAX_VALUES {
            let fault = format!("has {} values, more than {MAX_VALUES}", texts.len());
            violations.add(self.field(name), fault, "ask for fewer at a time");
            return Vec::new();
        }
        let mut values = Vec::with_capacity(texts.len());
        for text in texts {
            match read(&text) {
                Ok(value) => values.push(value),
                Err(error) => {
                    let fault = format!("({}) {}", quoted(&text), fault(&error));
                    violations.add(self.field(name), fault, remedy(&error));
                }
            }
        }
        values
    }

    /// Leaves out the message of `jiff` about a malformed time: it is long, and the remedy is enough.
    fn time(&mut self, name: &'static str, violations: &mut Violations) -> Option<Timestamp> {
        let remedy = match self.source {
            Source::Query => "write an RFC 3339 time such as 2026-08-01T10:00:00Z, with %2B for +",
            Source::Body => "write an RFC 3339 time such as 2026-08-01T10:00:00Z",
        };
        self.one(name, "is not a time", remedy, violations)
    }

    fn owner_kind(&mut self, violations: &mut Violations) -> Option<OwnerKind> {
        let mut kinds = Vec::new();
        for text in self.all("ownerKind") {
            match OwnerKind::ALL.iter().find(|kind| kind.as_str() == text) {
                Some(kind) => kinds.push(*kind),
                None => {
                    let fault = format!("({}) is not a kind of owner", quoted(&text));
                    let remedy = "write `user` or `system`";
                    violations.add(self.field("ownerKind"), fault, remedy);
                }
            }
        }
        only(&kinds)
    }

    fn search(&mut self, violations: &mut Violations) -> Option<String> {
        let text = self.one::<String>("search", "is not a text", "write a text", violations)?;
        let (bytes, most) = (text.len(), EventFilter::MAX_SEARCH_BYTES);
        if bytes > most {
            let fault = format!("has {bytes} bytes, more than the {most} allowed");
            violations.add(
                self.field("search"),
                fault,
                "search for a part of the description",
            );
            return None;
        }
        Some(text)
    }
}

/// As both `from` and `to` of a filter, this time matches no event.
const NEVER: Timestamp = Timestamp::UNIX_EPOCH;

/// Whether an event can have this category, action or status.
fn is_possible(name: &str, text: &str) -> bool {
    match name {
        "category" => text.parse::<Category>().is_ok(),
        "action" => text.parse::<Action>().is_ok(),
        _ => Status::meant_by(text).is_some(),
    }
}

/// The value of a property that has two. Both together, or none, narrow nothing.
fn only<T: PartialEq + Copy>(values: &[T]) -> Option<T> {
    let first = *values.first()?;
    values.iter().all(|value| *value == first).then_some(first)
}

/// The values in a text of a query; `None` if it starts like JSON and is not.
fn split(text: &str) -> Option<Vec<String>> {
    match text.trim_ascii_start().as_bytes().first() {
        Some(b'[') => serde_json::from_str(text).ok(),
        Some(b'"') => serde_json::from_str(text).ok().map(|text| vec![text]),
        _ => {
            let texts = text
                .split(',')
                .map(str::trim)
                .filter(|text| !text.is_empty());
            Some(texts.map(str::to_owned).collect())
        }
    }
}

/// Reads a severity in every spelling in which it can be published.
fn read_severity(text: &str) -> Result<Severity, SeverityError> {
    Severity::meant_by(text).map_or_else(|| text.parse(), Ok)
}

/// Reads a status in every spelling in which it can be imported.
fn read_status(text: &str) -> Result<Status, StatusError> {
    Status::meant_by(text).map_or_else(|| text.parse(), Ok)
}

fn is_several(name: &str) -> bool {
    let mut filters = FILTERS.iter();
    filters.any(|filter| filter.name == name && filter.form == Form::Several)
}

fn snake_case_remedy<E>(_: &E) -> String {
    "write it in snake_case, as it is in the events".to_owned()
}
