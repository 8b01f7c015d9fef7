//! The cause of an event: `metadata.error`, as the server stores it.

use serde_json::{Map, Value};
use tidings_event::Event;

/// The `metadata.error` of an event. Values of an unexpected type have no parts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CauseView<'a>(&'a Map<String, Value>);

impl<'a> CauseView<'a> {
    /// The cause, if the event has one.
    pub(crate) fn of(event: &'a Event) -> Option<Self> {
        let error = event.metadata.as_ref()?.get("error")?;
        error.as_object().map(Self)
    }

    /// Short descriptions.
    pub(crate) fn short_description(self) -> impl Iterator<Item = &'a str> {
        self.texts("ShortDescription")
    }

    /// Details.
    pub(crate) fn long_description(self) -> impl Iterator<Item = &'a str> {
        self.texts("LongDescription")
    }

    /// Probable causes.
    pub(crate) fn probable_causes(self) -> impl Iterator<Item = &'a str> {
        self.texts("ProbableCause")
    }

    /// Suggested fixes.
    pub(crate) fn remedies(self) -> impl Iterator<Item = &'a str> {
        self.texts("SuggestedRemediation")
    }

    /// The code of the error, if it has one.
    pub(crate) fn code(self) -> Option<&'a str> {
        let code = self.0.get("Code").and_then(Value::as_str);
        code.filter(|code| !code.is_empty())
    }

    fn texts(self, key: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let texts = self.0.get(key).and_then(Value::as_array);
        texts.into_iter().flatten().filter_map(Value::as_str)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sample;

    #[test]
    fn reads_the_parts_of_a_cause() {
        let event = sample::event(
            &json!({"error": {"Code": "k-1", "SuggestedRemediation": ["start it", 7]}}),
        );
        let cause = CauseView::of(&event).unwrap();
        assert_eq!(cause.code(), Some("k-1"));
        assert_eq!(cause.remedies().collect::<Vec<_>>(), ["start it"]);
        assert_eq!(cause.probable_causes().count(), 0);
    }

    #[test]
    fn a_malformed_cause_has_no_parts() {
        for odd in [json!(null), json!("x"), json!([])] {
            assert!(CauseView::of(&sample::event(&json!({ "error": odd }))).is_none());
        }
        let event = sample::event(&json!({"error": {"SuggestedRemediation": "x", "Code": ""}}));
        let cause = CauseView::of(&event).unwrap();
        assert_eq!(cause.remedies().count(), 0);
        assert_eq!(cause.code(), None);
    }
}
