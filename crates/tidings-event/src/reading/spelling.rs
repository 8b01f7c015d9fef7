//! The spellings of the names of fields.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

/// The names of the owner, in lower case without separators.
pub(super) const OWNER: [&str; 3] = ["owner", "userid", "ownerid"];

/// The names of the owner's subject, including the claim of a token.
pub(super) const SUBJECT: [&str; 2] = ["subject", "sub"];

/// The names of the issuer of the subject.
pub(super) const ISSUER: [&str; 2] = ["issuer", "iss"];

/// The documented names of the fields.
const DOCUMENTED: [&str; 15] = [
    "id",
    "owner",
    "subject",
    "issuer",
    "systemId",
    "operationId",
    "actedUpon",
    "category",
    "action",
    "severity",
    "description",
    "metadata",
    "createdAt",
    "updatedAt",
    "expiresAt",
];

/// A name in lower case without separators: `actedUpon`, `acted_upon` and `ActedUpon` become one.
pub(super) fn folded(name: &str) -> String {
    let letters = name
        .chars()
        .filter(|letter| !matches!(letter, '_' | '-' | ' '));
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}

/// Whether a field's name has another spelling than documented. The derived parser would ignore some of
/// these, for example `Subject`, which names the owner.
fn is_spelled_otherwise(name: &str) -> bool {
    if DOCUMENTED.contains(&name) || name == "status" {
        return false;
    }
    let name = folded(name);
    let others = OWNER
        .iter()
        .chain(&SUBJECT)
        .chain(&ISSUER)
        .chain(&["status"]);
    DOCUMENTED
        .iter()
        .any(|documented| documented.eq_ignore_ascii_case(&name))
        || others.into_iter().any(|other| *other == name)
}

/// Checks only the names of an object's fields.
pub(super) struct Spellings {
    pub(super) has_other: bool,
}

impl<'de> Deserialize<'de> for Spellings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(SpellingsVisitor)
    }
}

struct SpellingsVisitor;

impl<'de> Visitor<'de> for SpellingsVisitor {
    type Value = Spellings;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Spellings, A::Error> {
        let mut has_other = false;
        while let Some((IsOther(is_other), IgnoredAny)) = map.next_entry()? {
            has_other |= is_other;
        }
        Ok(Spellings { has_other })
    }
}

/// A name borrowed from the request.
struct IsOther(bool);

impl<'de> Deserialize<'de> for IsOther {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(IsOtherVisitor)
    }
}

struct IsOtherVisitor;

impl Visitor<'_> for IsOtherVisitor {
    type Value = IsOther;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<IsOther, E> {
        Ok(IsOther(is_spelled_otherwise(name)))
    }
}
