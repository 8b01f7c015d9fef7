//! The cause of a failure and its remedies: the `metadata.error` of an event.

use serde_json::{Map, Value};

/// The severity of a cause, in the numbering of existing views (0 to 4).
///
/// Existing views know exactly these numbers, so the enum is exhaustive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CauseSeverity {
    /// 0: unusable.
    Emergency,
    /// 1: not graded.
    #[default]
    None,
    /// 2: act immediately.
    Alert,
    /// 3: a major function has failed.
    Critical,
    /// 4: the process cannot continue.
    Fatal,
}

impl CauseSeverity {
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Emergency => 0,
            Self::None => 1,
            Self::Alert => 2,
            Self::Critical => 3,
            Self::Fatal => 4,
        }
    }
}

/// A failure a user can act on: what happened, why, and what to do next.
///
/// Create it from a text with [`Cause::new`], or from any [`std::error::Error`] or a reference to one. The
/// long description then has the whole source chain.
///
/// `Box<dyn Error>` and `anyhow::Error` do not implement `Error`, but dereference to one:
///
/// ```
/// use tidings_event::Cause;
///
/// let error: Box<dyn std::error::Error + Send + Sync> = "connection refused".into();
/// let cause = Cause::from(&*error);
/// assert_eq!(cause, Cause::new("connection refused"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Cause {
    code: String,
    severity: CauseSeverity,
    short_description: Vec<String>,
    long_description: Vec<String>,
    probable_cause: Vec<String>,
    suggested_remediation: Vec<String>,
}

impl Cause {
    /// A cause with a one-line description of the failure. The builder rejects a blank cause.
    pub fn new(short_description: impl Into<String>) -> Self {
        Self {
            short_description: vec![short_description.into()],
            ..Self::default()
        }
    }

    /// Sets a code by which users can look up the error.
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = code.into();
        self
    }

    /// Sets the severity.
    pub const fn with_severity(mut self, severity: CauseSeverity) -> Self {
        self.severity = severity;
        self
    }

    /// Adds a paragraph about the failure.
    pub fn with_long_description(mut self, text: impl Into<String>) -> Self {
        self.long_description.push(text.into());
        self
    }

    /// Adds a probable cause.
    pub fn with_probable_cause(mut self, text: impl Into<String>) -> Self {
        self.probable_cause.push(text.into());
        self
    }

    /// Adds a remedy for the user.
    pub fn with_suggested_remediation(mut self, text: impl Into<String>) -> Self {
        self.suggested_remediation.push(text.into());
        self
    }

    pub(crate) fn into_value(self) -> Value {
        let mut object = Map::new();
        object.insert("Code".into(), self.code.into());
        object.insert("Severity".into(), self.severity.number().into());
        object.insert("ShortDescription".into(), self.short_description.into());
        object.insert("LongDescription".into(), self.long_description.into());
        object.insert("ProbableCause".into(), self.probable_cause.into());
        object.insert(
            "SuggestedRemediation".into(),
            self.suggested_remediation.into(),
        );
        Value::Object(object)
    }
}

/// For a `Box<dyn Error>` or an `anyhow::Error`, pass the reference: `Cause::from(&*error)`.
impl<E: std::error::Error> From<E> for Cause {
    fn from(error: E) -> Self {
        let mut cause = Self::new(error.to_string());
        let mut source = error.source();
        while let Some(inner) = source {
            cause = cause.with_long_description(inner.to_string());
            source = inner.source();
        }
        cause
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("could not ping")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn keeps_the_source_chain_of_an_error() {
        let value = Cause::from(Outer(std::io::Error::other("connection refused"))).into_value();
        assert_eq!(value["ShortDescription"], json!(["could not ping"]));
        assert_eq!(value["LongDescription"], json!(["connection refused"]));
    }

    #[test]
    fn accepts_references_to_boxed_and_anyhow_errors() {
        let value = |cause: Cause| cause.into_value();
        let outer = || Outer(std::io::Error::other("connection refused"));
        let expected = value(outer().into());
        let boxed: Box<dyn std::error::Error> = Box::new(outer());
        assert_eq!(value(Cause::from(&*boxed)), expected);
        let boxed: Box<dyn std::error::Error + Send + Sync> = Box::new(outer());
        assert_eq!(value(Cause::from(&*boxed)), expected);
        let of_anyhow = anyhow::Error::new(outer());
        assert_eq!(value(Cause::from(&*of_anyhow)), expected);
        // The context becomes the headline.
        let value = value(Cause::from(&*of_anyhow.context("could not deploy")));
        assert_eq!(value["ShortDescription"], json!(["could not deploy"]));
        let chain = json!(["could not ping", "connection refused"]);
        assert_eq!(value["LongDescription"], chain);
        // A boxed error of a known type implements `Error` itself.
        assert_eq!(Cause::from(Box::new(outer())).into_value(), expected);
    }
}
