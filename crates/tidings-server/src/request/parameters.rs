//! The values that select events, from the query of a list or the `filter` of a change. Parsing does
//! not use serde's derive, so that one response names every fault.

mod filter;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use serde::Deserialize;
use serde_json::value::RawValue;
use tidings_event::{OwnerKind, Violations};

use crate::problem::quoted;
use crate::request::spelling::{FILTERS, Form, Parameter};

/// The most values of one parameter: each makes the query of the store longer.
const MAX_VALUES: usize = 100;

/// The source of the values, which decides the text of their faults.
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
                let remedy = format!("write a text, or leave `{name}` out");
                return violations.add(self.field(name), fault, remedy);
            }
        };
        if self.texts.contains_key(name) {
            let remedy = format!("give `{name}` once");
            violations.add(self.field(name), "is given twice", remedy);
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
            violations.add(self.field(name), fault, format!("leave `{name}` out"));
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
                let remedy = format!("give `{name}` once, as a parameter or in `filter`");
                violations.add(name, "has other values than in `filter`", remedy);
            } else {
                given.extend(texts);
            }
        }
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
                    let remedy = format!("give `{name}` once");
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

fn is_several(name: &str) -> bool {
    let mut filters = FILTERS.iter();
    filters.any(|filter| filter.name == name && filter.form == Form::Several)
}
