//! Metadata from the command line: `key=text` or `key:=json`.

use std::str::FromStr;

use serde_json::Value;

/// An entry of the metadata.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MetadataEntry {
    pub(crate) key: String,
    pub(crate) value: Value,
}

/// The reason why a text is not an entry.
#[derive(Debug)]
pub(crate) enum EntryError {
    NoSeparator,
    NoKey,
    NotJson {
        key: String,
        error: serde_json::Error,
    },
}

impl std::fmt::Display for EntryError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoSeparator => f.write_str("write key=text, or key:=json for any other value"),
            Self::NoKey => f.write_str("no key before the `=`"),
            Self::NotJson { key, error } => {
                write!(
                    f,
                    "the value of {key}:= is not JSON ({error}); write {key}=… for a text"
                )
            }
        }
    }
}

impl std::error::Error for EntryError {}

impl FromStr for MetadataEntry {
    type Err = EntryError;

    /// The first `=` ends the key. A colon before it marks the value as JSON.
    fn from_str(text: &str) -> Result<Self, EntryError> {
        let (key, value) = text.split_once('=').ok_or(EntryError::NoSeparator)?;
        let (key, value) = match key.strip_suffix(':') {
            None => (key, Value::from(value)),
            Some(key) => {
                let value = serde_json::from_str(value).map_err(|error| EntryError::NotJson {
                    key: key.to_owned(),
                    error,
                })?;
                (key, value)
            }
        };
        if key.is_empty() {
            return Err(EntryError::NoKey);
        }
        let key = key.to_owned();
        Ok(Self { key, value })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parses_text_and_json_values() {
        for (text, key, value) in [
            ("node=a", "node", json!("a")),
            ("node=", "node", json!("")),
            ("replicas=3", "replicas", json!("3")),
            ("replicas:=3", "replicas", json!(3)),
            ("query=a=b:=c", "query", json!("a=b:=c")),
            ("labels:={\"a\":[1]}", "labels", json!({"a": [1]})),
            ("dark:=true", "dark", json!(true)),
        ] {
            let entry: MetadataEntry = text.parse().unwrap();
            assert_eq!((entry.key.as_str(), entry.value), (key, value), "{text}");
        }
    }

    #[test]
    fn rejects_other_texts_with_the_right_form() {
        for (text, hint) in [
            ("node", "key=text"),
            ("{\"a\":1}", "key=text"),
            ("", "key=text"),
            ("=a", "no key"),
            (":=1", "no key"),
            ("a:=b", "write a=… for a text"),
        ] {
            let error = text.parse::<MetadataEntry>().unwrap_err().to_string();
            assert!(error.contains(hint), "{text}: {error}");
        }
    }
}
