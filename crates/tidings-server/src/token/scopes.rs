//! The permissions of a token.

use std::fmt;
use std::ops::BitOr;
use std::str::FromStr;

/// A set of the four permissions of a token, each with a name in its `scope` claim (RFC 8693 §4.2). None
/// implies another.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Scopes(u8);

/// The text is not the name of a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a scope: give {READ}, {WRITE}, {PUBLISH} or {ADMIN}", READ = Scopes::READ, WRITE = Scopes::WRITE, PUBLISH = Scopes::PUBLISH, ADMIN = Scopes::ADMIN)]
#[non_exhaustive]
pub struct ScopeError;

impl Scopes {
    /// No permission.
    pub const NONE: Self = Self(0);
    /// `events:read`: read one's own events and the system's.
    pub const READ: Self = Self(1);
    /// `events:write`: change one's own events and publish to oneself.
    pub const WRITE: Self = Self(1 << 1);
    /// `events:publish`: publish to any owner and to the system.
    pub const PUBLISH: Self = Self(1 << 2);
    /// `events:admin`: administer the server.
    pub const ADMIN: Self = Self(1 << 3);

    /// The permissions of a user over their own inbox: read and write.
    pub const USER: Self = Self(0b0011);
    /// All four.
    pub const ALL: Self = Self(0b1111);

    const NAMES: [(Self, &str); 4] = [
        (Self::READ, "events:read"),
        (Self::WRITE, "events:write"),
        (Self::PUBLISH, "events:publish"),
        (Self::ADMIN, "events:admin"),
    ];

    /// Whether all of `scopes` are in this set.
    pub const fn contains(self, scopes: Self) -> bool {
        self.0 & scopes.0 == scopes.0
    }

    /// Whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The scopes with these names. Names of other services' scopes are skipped.
    #[cfg(feature = "jwt")]
    pub(super) fn known<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let known = names.into_iter().filter_map(|name| name.parse().ok());
        known.fold(Self::NONE, Self::bitor)
    }
}

impl BitOr for Scopes {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The names with a space between them, as in the `scope` claim.
impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        for (scope, name) in Self::NAMES {
            if self.contains(scope) {
                write!(f, "{between}{name}")?;
                between = " ";
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scopes({self})")
    }
}

/// One scope by its name.
impl FromStr for Scopes {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        let known = Self::NAMES.into_iter().find(|(_, name)| *name == text);
        known.map(|(scope, _)| scope).ok_or(ScopeError)
    }
}

#[cfg(test)]
#[cfg(feature = "jwt")]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_and_shown_by_name() {
        let all = Scopes::READ | Scopes::WRITE | Scopes::PUBLISH | Scopes::ADMIN;
        assert_eq!(
            all.to_string(),
            "events:read events:write events:publish events:admin"
        );
        assert_eq!(Scopes::known(all.to_string().split(' ')), all);
        assert_eq!(Scopes::NONE.to_string(), "");
        assert!(Scopes::NONE.is_empty() && !all.is_empty());
    }

    #[test]
    fn ignores_unknown_names() {
        let names = ["openid", "events:readx", "EVENTS:READ", "events:", "", "*"];
        assert_eq!(Scopes::known(names), Scopes::NONE);
        assert_eq!(Scopes::known(["profile", "events:admin"]), Scopes::ADMIN);
    }

    #[test]
    fn a_set_contains_its_members_only() {
        let set = Scopes::READ | Scopes::PUBLISH;
        for (scope, contained) in [
            (Scopes::NONE, true),
            (Scopes::READ, true),
            (Scopes::PUBLISH, true),
            (set, true),
            (Scopes::WRITE, false),
            (Scopes::READ | Scopes::WRITE, false),
            (Scopes::ADMIN, false),
        ] {
            assert_eq!(set.contains(scope), contained, "{scope}");
        }
    }

    #[test]
    fn the_error_names_every_scope() {
        let text = "events:all".parse::<Scopes>().unwrap_err().to_string();
        for (_, name) in Scopes::NAMES {
            assert!(text.contains(name), "{text}");
        }
    }
}
