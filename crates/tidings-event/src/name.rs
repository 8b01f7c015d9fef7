//! The category and the action of an event.

use std::fmt;
use std::str::FromStr;

use crate::serde_text::serde_as_text;

/// The reason why a text is not a category or an action.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// The text is empty.
    #[error("is empty")]
    Empty,
    /// The text has more than 64 bytes; this is its length.
    #[error("has {0} bytes, more than the {max} allowed", max = NameError::MAX_BYTES)]
    TooLong(usize),
    /// The text does not match `^[a-z][a-z0-9]*(_[a-z0-9]+)*$`.
    #[error("`{}` is not snake_case", crate::quote::shortened(.0))]
    NotSnakeCase(String),
}

impl NameError {
    /// The maximum length of a category or action, in bytes.
    pub const MAX_BYTES: usize = 64;

    /// Rejects a text that does not match `^[a-z][a-z0-9]*(_[a-z0-9]+)*$` or is too long.
    fn check(text: &str) -> Result<(), Self> {
        if text.is_empty() {
            return Err(Self::Empty);
        }
        if text.len() > Self::MAX_BYTES {
            return Err(Self::TooLong(text.len()));
        }
        let snake_case = text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.split('_').all(|word| {
                !word.is_empty()
                    && word
                        .bytes()
                        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            });
        if snake_case {
            Ok(())
        } else {
            Err(Self::NotSnakeCase(text.to_owned()))
        }
    }
}

/// Converts a text in any case and with any separators to `snake_case`. A leading digit is prefixed with
/// `x_`, because a name begins with a letter.
fn snake_case(text: &str) -> Option<String> {
    let mut name = String::new();
    let mut characters = text.trim().chars().peekable();
    let mut before = ' ';
    while let Some(character) = characters.next() {
        if name.len() > NameError::MAX_BYTES {
            break;
        }
        let next = characters.peek().copied().unwrap_or(' ');
        // `deployApp` and `HTTPServer` both have two words.
        let begins_word = character.is_ascii_uppercase()
            && (before.is_ascii_lowercase()
                || before.is_ascii_digit()
                || (before.is_ascii_uppercase() && next.is_ascii_lowercase()));
        let separates = !character.is_ascii_alphanumeric();
        if (begins_word || separates) && !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
        if !separates {
            if name.is_empty() && character.is_ascii_digit() {
                name.push_str("x_");
            }
            name.push(character.to_ascii_lowercase());
        }
        before = character;
    }
    name.truncate(NameError::MAX_BYTES);
    let name = name.trim_end_matches('_');
    (!name.is_empty()).then(|| name.to_owned())
}

macro_rules! name_newtype {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[cfg_attr(
            feature = "openapi",
            derive(utoipa::ToSchema),
            schema(max_length = 64, pattern = "^[a-z][a-z0-9]*(_[a-z0-9]+)*$")
        )]
        pub struct $name(String);

        impl $name {
            /// The name as a text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The name that replaces a missing one.
            pub(crate) fn unknown() -> Self {
                Self("unknown".to_owned())
            }

            /// Converts `text` to `snake_case` within the length limit. `None` if no character of it is
            /// allowed in a name.
            pub(crate) fn meant_by(text: &str) -> Option<Self> {
                snake_case(text)?.parse().ok()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                NameError::check(text)?;
                Ok(Self(text.to_owned()))
            }
        }
    };
}

name_newtype! {
    /// The subject area of an event, such as `connection`: `snake_case`, at most 64 bytes.
    Category
}
name_newtype! {
    /// The action that the event reports, such as `register`: `snake_case`, at most 64 bytes.
    Action
}

serde_as_text!(Category, Action);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_only_snake_case_names() {
        for good in ["a", "connection", "signup_request", "k8s", "a_1_b2"] {
            assert!(good.parse::<Category>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "_a",
            "a_",
            "a__b",
            "1a",
            "Snake-Case",
            "snake-case",
            "camelCase",
            "a b",
            "é",
            "a\0",
        ] {
            assert!(bad.parse::<Action>().is_err(), "{bad}");
        }
        assert!("a".repeat(64).parse::<Action>().is_ok());
        assert_eq!(
            "a".repeat(65).parse::<Action>(),
            Err(NameError::TooLong(65))
        );
    }

    #[test]
    fn converts_any_text_to_snake_case() {
        for (text, name) in [
            ("Connection", "connection"),
            ("deploy-app", "deploy_app"),
            ("deploy app", "deploy_app"),
            (" deploy  app ", "deploy_app"),
            ("deployApp", "deploy_app"),
            ("DeployApp", "deploy_app"),
            ("HTTPServer", "http_server"),
            ("k8sCluster", "k8s_cluster"),
            ("org.example.Deploy", "org_example_deploy"),
            ("a__b", "a_b"),
            ("_a_", "a"),
            ("REMOVE_FROM_ORGANIZATION", "remove_from_organization"),
            ("3scale", "x_3scale"),
            ("a\0b", "a_b"),
            ("Prüfung", "pr_fung"),
        ] {
            let meant = Category::meant_by(text).map(|name| name.to_string());
            assert_eq!(meant.as_deref(), Some(name), "{text}");
        }
        for nothing in ["", " ", "---", "接続"] {
            assert_eq!(Action::meant_by(nothing), None, "{nothing}");
        }
        let long = Action::meant_by(&"Word ".repeat(1_000)).unwrap();
        assert_eq!(long.as_str().len(), 64);
        let cut = Action::meant_by(&format!("{} b", "a".repeat(63))).unwrap();
        assert_eq!(cut.as_str(), "a".repeat(63));
    }
}
