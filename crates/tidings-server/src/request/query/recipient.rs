//! Whose event a deletion is about, by its query.

use tidings_event::{Given, NewRetraction, OwnerName, Violations};

use super::InvalidQuery;
use super::names::MAX_PARAMETERS;
use crate::request::spelling::{self, DELETION, Parameter};

/// The parameter of the events' readers.
const OWNER_KIND: &str = "ownerKind";

/// The parameter for all owners of an event, and its only value.
const OWNERS: &str = "owners";
const ALL: &str = "all";

/// How the query of a deletion names whose event it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recipient {
    /// By the owner to whom it was published.
    Owner,
    /// By the kind of its owner, as its reader sees it.
    Kind,
    /// All owners to whom it was published together.
    All,
    /// Not at all: it is the caller's.
    Caller,
}

impl Recipient {
    /// How `query` names it. An empty value counts: a variable without a value must not turn a retraction from another
    /// inbox into a deletion in the caller's.
    pub(crate) fn named_in(query: &str) -> Self {
        let mut kind = Self::Caller;
        for (name, _) in form_urlencoded::parse(query.as_bytes()).take(MAX_PARAMETERS) {
            match parameter(&name).map(|parameter| parameter.name) {
                None => {}
                Some(OWNER_KIND) => kind = Self::Kind,
                Some(OWNERS) => kind = Self::All,
                Some(_) => return Self::Owner,
            }
        }
        kind
    }

    /// Checks a query that names all owners.
    pub(crate) fn check_all(query: &str) -> Result<(), InvalidQuery> {
        let mut violations = Violations::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()).take(MAX_PARAMETERS) {
            match parameter(&name).map(|parameter| parameter.name) {
                Some(OWNERS) if value != ALL => {
                    let remedy = "write `owners=all`, or name one owner with `owner`";
                    violations.add(OWNERS, "has another value than `all`", remedy);
                }
                Some(OWNERS) | None => {}
                Some(other) => {
                    violations.add(other, "stands beside `owners`", "leave one of them out");
                }
            }
        }
        violations.into_result().map_err(InvalidQuery)
    }

    /// The owner that the query of a retraction names, before validation.
    pub(crate) fn read(query: &str) -> Result<NewRetraction, InvalidQuery> {
        let mut violations = Violations::default();
        let mut recipient = NewRetraction::default();
        let mut given: Vec<(&'static str, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()).take(MAX_PARAMETERS) {
            let Some(parameter) = parameter(&name) else {
                continue;
            };
            let name = parameter.name;
            if name == OWNERS {
                violations.add(name, "stands beside an owner", "leave one of them out");
                continue;
            }
            if name == OWNER_KIND {
                let remedy =
                    "leave it out: `owner`, or `subject` with `issuer`, says whose event it is";
                violations.add(name, "is not for a publisher", remedy);
                continue;
            }
            if is_blank(&value) {
                violations.add(
                    name,
                    "is empty",
                    format!("give a value, or leave `{name}` out"),
                );
            }
            match given.iter().find(|(known, _)| *known == name) {
                Some((_, before)) if *before == *value => {}
                Some(_) => violations.add(name, "is given twice", format!("give `{name}` once")),
                None => given.push((name, value.into_owned())),
            }
        }
        for (name, value) in given {
            match name {
                "owner" => recipient.owner = Given::parse(&value),
                "subject" => recipient.subject = Given::Value(value),
                _ => recipient.issuer = Given::Value(value),
            }
        }
        if recipient.subject.is_absent() && !recipient.issuer.is_absent() {
            let remedy = "give `subject`, the user's `sub`, with it, or `owner` instead";
            violations.add("issuer", "is given without a subject", remedy);
        }
        violations.into_result().map_err(InvalidQuery)?;
        Ok(recipient)
    }
}

/// The parameter of a deletion with this name, also as a field of an object: `owner[id]`.
fn parameter(name: &str) -> Option<&'static Parameter> {
    let outer = name.split('[').next().unwrap_or(name);
    spelling::find(&DELETION, name).or_else(|| spelling::find(&DELETION, outer))
}

/// Whether a value says nothing. A name that is read as absent must not turn into another one.
fn is_blank(value: &str) -> bool {
    Given::<OwnerName>::parse(value).is_absent()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_a_retraction_from_a_readers_deletion() {
        for (query, expected) in [
            ("", Recipient::Caller),
            ("author=x", Recipient::Caller),
            ("ownerKind=system", Recipient::Kind),
            ("owners=all", Recipient::All),
            ("owners=", Recipient::All),
            ("owner_kind=", Recipient::Kind),
            ("owner=system", Recipient::Owner),
            ("Owner=", Recipient::Owner),
            ("owner_id=x", Recipient::Owner),
            ("user-id=x", Recipient::Owner),
            ("sub=x", Recipient::Owner),
            ("user=x", Recipient::Owner),
            ("recipient=", Recipient::Owner),
            ("owner[id]=x", Recipient::Owner),
            ("owner[]=x", Recipient::Owner),
            ("ownerKind=user&subject=x", Recipient::Owner),
            ("issuer=x", Recipient::Owner),
        ] {
            assert_eq!(Recipient::named_in(query), expected, "{query}");
        }
    }

    #[test]
    fn names_every_fault() {
        let read = |query: &str| -> Vec<String> {
            let rejected = Recipient::read(query).err();
            let faults = rejected.map(|InvalidQuery(violations)| {
                violations.iter().map(|one| one.field.clone()).collect()
            });
            faults.unwrap_or_default()
        };
        for fine in [
            "owner=system",
            "owner=system&owner=system&x=1",
            "subject=a%20b&issuer=c",
        ] {
            assert!(read(fine).is_empty(), "{fine}");
        }
        assert_eq!(read("owner=&subject="), ["owner", "subject"]);
        for blank in ["%20", "%09", "%C2%A0", "%22%22", "%27%20%27"] {
            assert_eq!(read(&format!("owner={blank}")), ["owner"], "{blank}");
            assert_eq!(read(&format!("sub={blank}")), ["subject"], "{blank}");
        }
        assert_eq!(read("owner=a&owner=b"), ["owner"]);
        assert_eq!(read("issuer=a"), ["issuer"]);
        assert_eq!(read("ownerKind=user&owner=system"), ["ownerKind"]);
        let named = Recipient::read("owner=undefined").unwrap();
        assert!(matches!(named.owner, Given::Malformed(_)));
    }
}
