//! The named values by which events are chosen, read by hand so that one answer names every fault:
//! from the query of a list, or from the `filter` of a change.

use std::borrow::Cow;
use std::collections::HashMap;
use std::str::FromStr;

use tidings_event::{EventFilter, NameError, OwnerKind, SeverityError, Timestamp, Violations};

use crate::error::quoted;

/// The most values of one parameter: each makes the store's query longer.
const MAX_VALUES: usize = 100;

/// The parameters that hold several texts.
pub(crate) const LISTS: [&str; 4] = ["category", "action", "severity", "actedUpon"];

/// The other parameters of a filter.
pub(crate) const TEXTS: [&str; 6] = ["status", "ownerKind", "operationId", "from", "to", "search"];

const NO_UUID: &str = "is not a UUID";

const UUID_REMEDY: &str = "write a UUID like 7b1d2c3e-0000-4000-8000-000000000001";

/// Where the values come from: their faults are worded for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The query of the URL.
    Query,
    /// The object `filter` of the body.
    Body,
}

/// The values by name, each at most once. A list is the text of a JSON array.
#[derive(Debug)]
pub(crate) struct Parameters<'a> {
    origin: Origin,
    texts: HashMap<&'static str, Cow<'a, str>>,
}

/// The one name of a parameter that has two: everything is taken in `snake_case` too.
pub(crate) fn camel_case(name: &str) -> &str {
    match name {
        "acted_upon" => "actedUpon",
        "owner_kind" => "ownerKind",
        "operation_id" => "operationId",
        "up_to" => "upTo",
        name => name,
    }
}

impl<'a> Parameters<'a> {
    pub(crate) fn new(origin: Origin) -> Self {
        Self {
            origin,
            texts: HashMap::new(),
        }
    }

    /// How a fault names a parameter.
    pub(crate) fn field(&self, name: &str) -> String {
        match self.origin {
            Origin::Query => name.to_owned(),
            Origin::Body => format!("filter.{name}"),
        }
    }

    /// Takes a value for a parameter that has none yet.
    pub(crate) fn insert(
        &mut self,
        name: &'static str,
        value: Cow<'a, str>,
        violations: &mut Violations,
    ) {
        if self.texts.insert(name, value).is_some() {
            let remedy = "give it once; several values are one JSON array";
            violations.add(self.field(name), "is given twice", remedy);
        }
    }

    /// The filter that the values describe, as far as they can be read.
    pub(crate) fn filter(&mut self, violations: &mut Violations) -> EventFilter {
        let in_words = |error: &NameError| error.to_string();
        let severity = |error: &SeverityError| error.to_string();
        let no_uuid = |_: &_| NO_UUID.to_owned();
        let uuid = |_: &_| UUID_REMEDY.to_owned();
        let read = "write `read` or `unread`";
        EventFilter {
            status: self.one("status", "is not a status", read, violations),
            category: self.several("category", in_words, snake_case_remedy, violations),
            action: self.several("action", in_words, snake_case_remedy, violations),
            severity: self.several("severity", severity, SeverityError::remedy, violations),
            acted_upon: self.several("actedUpon", no_uuid, uuid, violations),
            owner_kind: self.owner_kind(violations),
            operation_id: self.one("operationId", NO_UUID, UUID_REMEDY, violations),
            from: self.time("from", violations),
            to: self.time("to", violations),
            search: self.search(violations),
        }
    }

    /// The text of a parameter; empty means absent.
    pub(crate) fn text(&mut self, name: &'static str) -> Option<Cow<'a, str>> {
        self.texts.remove(name).filter(|text| !text.is_empty())
    }

    pub(crate) fn one<T: FromStr>(
        &mut self,
        name: &'static str,
        fault: &str,
        remedy: &str,
        violations: &mut Violations,
    ) -> Option<T> {
        let text = self.text(name)?;
        let value = text.parse().ok();
        if value.is_none() {
            let fault = format!("({}) {fault}", quoted(&text));
            violations.add(self.field(name), fault, remedy);
        }
        value
    }

    /// One of a few words.
    pub(crate) fn word<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&str) -> Option<T>,
        remedy: &str,
        violations: &mut Violations,
    ) -> Option<T> {
        let text = self.text(name)?;
        let value = read(&text);
        if value.is_none() {
            let fault = format!("({}) is not supported", quoted(&text));
            violations.add(self.field(name), fault, remedy);
        }
        value
    }

    fn several<T: FromStr>(
        &mut self,
        name: &'static str,
        fault: impl Fn(&T::Err) -> String,
        remedy: impl Fn(&T::Err) -> String,
        violations: &mut Violations,
    ) -> Vec<T> {
        let Some(text) = self.text(name) else {
            return Vec::new();
        };
        let Ok(texts) = serde_json::from_str::<Vec<String>>(&text) else {
            let fault = format!("({}) is not a JSON array of strings", quoted(&text));
            let remedy = match self.origin {
                Origin::Query => format!("write {name}=[\"…\",\"…\"], percent-encoded"),
                Origin::Body => format!("write \"{name}\": [\"…\", \"…\"]"),
            };
            violations.add(self.field(name), fault, remedy);
            return Vec::new();
        };
        if texts.len() > MAX_VALUES {
            let fault = format!("has {} values, more than {MAX_VALUES}", texts.len());
            violations.add(self.field(name), fault, "ask for fewer at a time");
            return Vec::new();
        }
        let mut values = Vec::with_capacity(texts.len());
        for text in texts {
            match text.parse::<T>() {
                Ok(value) => values.push(value),
                Err(error) => {
                    let fault = format!("({}) {}", quoted(&text), fault(&error));
                    violations.add(self.field(name), fault, remedy(&error));
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
            let remedy = match self.origin {
                Origin::Query => {
                    "write an RFC 3339 time such as 2026-08-01T10:00:00Z, with %2B for +"
                }
                Origin::Body => "write an RFC 3339 time such as 2026-08-01T10:00:00Z",
            };
            violations.add(self.field(name), fault, remedy);
        }
        time
    }

    fn owner_kind(&mut self, violations: &mut Violations) -> Option<OwnerKind> {
        let text = self.text("ownerKind")?;
        match text.as_ref() {
            "user" => Some(OwnerKind::User),
            "system" => Some(OwnerKind::System),
            other => {
                let fault = format!("({}) is no kind of owner", quoted(other));
                let remedy = "write `user` or `system`";
                violations.add(self.field("ownerKind"), fault, remedy);
                None
            }
        }
    }

    fn search(&mut self, violations: &mut Violations) -> Option<String> {
        let text = self.text("search")?;
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
        Some(text.into_owned())
    }
}

fn snake_case_remedy<E>(_: &E) -> String {
    "write it in snake_case, as it is in the events".to_owned()
}
