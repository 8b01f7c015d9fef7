//! Builds an event step by step.

use serde_json::Value;

use crate::cause::Cause;
use crate::draft::Draft;
use crate::event::{Event, Metadata};
use crate::given::{Given, OwnerName};
use crate::id::{OperationId, OwnerId, ResourceId, SystemId};
use crate::kind::Severity;
use crate::new_event::NewEvent;
use crate::policy::Policy;
use crate::rules::{Limits, Violations};

/// Builds an [`Event`]; made by [`Event::builder`].
///
/// It is `Clone`: fill in what is known, then clone it into the branches of success and failure.
/// The clones share the operation id, and each `build` mints an event id of its own.
#[derive(Clone, Debug)]
#[must_use = "an event is made by `build` and sent by `publish`"]
pub struct EventBuilder {
    new: NewEvent,
    cause: Option<Cause>,
    doc: Option<String>,
}

impl Event {
    /// Begins an event. The operation id is minted here, so that clones of the builder share it.
    pub fn builder() -> EventBuilder {
        EventBuilder::new()
    }
}

impl EventBuilder {
    pub(crate) fn new() -> Self {
        let new = NewEvent {
            operation_id: OperationId::mint().into(),
            ..NewEvent::default()
        };
        Self {
            new,
            cause: None,
            doc: None,
        }
    }

    /// The resource the event is about. Where it has no UUID, derive one from its name
    /// (`Uuid::new_v5`), so that all its events name the same; the nil UUID is refused.
    pub fn acted_upon(mut self, resource: impl Into<ResourceId>) -> Self {
        self.new.acted_upon = resource.into().into();
        self
    }

    /// The user the event is for. Without one it belongs to the system, and every user sees it.
    pub fn from_user(mut self, user: impl Into<OwnerId>) -> Self {
        self.new.owner = OwnerName::User(user.into()).into();
        self
    }

    /// The instance that sends it. The default is the installation that stores it.
    pub fn from_system(mut self, system: impl Into<SystemId>) -> Self {
        self.new.system_id = system.into().into();
        self
    }

    /// What it belongs to, such as `connection`: `snake_case`, at most 64 bytes.
    pub fn with_category(mut self, category: impl AsRef<str>) -> Self {
        self.new.category = Given::parse(category.as_ref());
        self
    }

    /// What the server does, such as `register`: `snake_case`, at most 64 bytes.
    pub fn with_action(mut self, action: impl AsRef<str>) -> Self {
        self.new.action = Given::parse(action.as_ref());
        self
    }

    /// How urgently it wants the user's attention.
    pub fn with_severity(mut self, severity: Severity) -> Self {
        self.new.severity = severity.into();
        self
    }

    /// What happened, in words for the user; at most 4 KiB of plain text.
    ///
    /// The rest of a longer text is kept in the metadata, under `descriptionRest`. NUL is replaced;
    /// other control characters, as in the output of a command, are stored as they are.
    pub fn with_description(mut self, description: impl Into<String>) -> Self {
        self.new.description = Some(description.into());
        self
    }

    /// Adds metadata, pairs of a key and a value; a key given before is replaced, the others stay.
    /// At most 64 KiB of JSON, 32 levels and 4,096 keys, all calls together; beyond that the longest
    /// texts are cut.
    ///
    /// Values of different kinds and nested ones are made with `serde_json::json!`:
    ///
    /// ```
    /// use serde_json::json;
    /// use tidings_event::Event;
    ///
    /// let event = Event::builder()
    ///     .with_metadata([("k8sContextName", "kind-kind")])
    ///     .with_metadata([("design", json!({"id": "7b1d2c3e", "name": "shop"})), ("nodes", json!(["a", "b"]))]);
    /// ```
    pub fn with_metadata<K: Into<String>, V: Into<Value>>(
        mut self,
        entries: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let entries = entries
            .into_iter()
            .map(|(key, value)| (key.into(), value.into()));
        self.new
            .metadata
            .get_or_insert_with(Metadata::new)
            .extend(entries);
        self
    }

    /// Why it failed and what the user can do: a [`Cause`], or any [`std::error::Error`], whose
    /// source chain is kept; of a `Box<dyn Error>` or an `anyhow::Error` give `&*error`. Required
    /// with severity error, and there it has to say something.
    pub fn with_error(mut self, cause: impl Into<Cause>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// A link to documentation: an `http` or `https` URL.
    pub fn with_doc(mut self, url: impl Into<String>) -> Self {
        self.doc = Some(url.into());
        self
    }

    /// Makes the event part of an operation begun elsewhere, instead of one of its own.
    pub fn for_operation(mut self, operation: impl Into<OperationId>) -> Self {
        self.new.operation_id = operation.into().into();
        self
    }

    /// Mints the event's id and time and applies the rules with the default [`Limits`].
    ///
    /// A text or metadata that is too large is cut, and NUL characters are replaced, since they come
    /// with the data and the event would be lost; [`build_draft`](Self::build_draft) says what was
    /// repaired.
    ///
    /// # Errors
    ///
    /// Every rule the event breaks, each with its field, fault and remedy.
    pub fn build(self) -> Result<Event, Violations> {
        self.build_within(&Limits::default())
    }

    /// As [`build`](Self::build), for an installation with limits of its own.
    ///
    /// # Errors
    ///
    /// Every rule the event breaks, each with its field, fault and remedy.
    pub fn build_within(self, limits: &Limits) -> Result<Event, Violations> {
        self.build_draft(limits).map(Draft::into_event)
    }

    /// As [`build_within`](Self::build_within), with the [warnings](Draft::warnings) of what was repaired.
    ///
    /// # Errors
    ///
    /// Every rule the event breaks, each with its field, fault and remedy.
    pub fn build_draft(mut self, limits: &Limits) -> Result<Draft, Violations> {
        if let Some(cause) = self.cause.take() {
            self = self.with_metadata([("error", cause.into_value())]);
        }
        if let Some(doc) = self.doc.take() {
            self = self.with_metadata([("doc", doc)]);
        }
        self.new.into_draft(limits, Policy::Refuse)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn started() -> EventBuilder {
        Event::builder()
            .acted_upon(Uuid::from_u128(1))
            .from_user(Uuid::from_u128(2))
            .with_category("connection")
            .with_action("ping")
    }

    #[test]
    fn clones_share_the_operation_and_not_the_event_id() {
        let builder = started().with_severity(Severity::Success);
        let (first, second) = (builder.clone().build().unwrap(), builder.build().unwrap());
        assert_eq!(first.operation_id, second.operation_id);
        assert_ne!(first.id, second.id);
        assert_eq!(first.id.as_uuid().get_version_num(), 7);
    }

    #[test]
    fn an_empty_builder_names_all_that_is_missing() {
        let violations = Event::builder().build().unwrap_err();
        let fields: Vec<_> = violations
            .iter()
            .map(|violation| violation.field.as_str())
            .collect();
        assert_eq!(fields, ["actedUpon", "category", "action", "severity"]);
    }

    #[test]
    fn an_error_needs_its_cause() {
        let failed = started().with_severity(Severity::Error);
        let violations = failed.clone().build().unwrap_err();
        assert_eq!(violations.iter().next().unwrap().field, "metadata.error");
        for silent in [Cause::new(""), Cause::new(" "), Cause::default()] {
            let violations = failed.clone().with_error(silent).build().unwrap_err();
            let violation = violations.iter().next().unwrap();
            assert!(violation.fault.contains("says nothing"), "{violation}");
        }
        let event = failed
            .with_error(Cause::new("refused").with_suggested_remediation("start it"))
            .with_metadata([("node", "a")])
            .with_doc("https://example.org/ping")
            .build()
            .unwrap();
        let metadata = event.metadata.unwrap();
        assert_eq!(
            metadata["error"]["SuggestedRemediation"],
            json!(["start it"])
        );
        assert_eq!(metadata["doc"], json!("https://example.org/ping"));
        assert_eq!(metadata["node"], json!("a"));
    }

    #[test]
    fn what_depends_on_the_data_is_repaired_with_a_warning() {
        let long = "é".repeat(5_000);
        let draft = started()
            .with_severity(Severity::Error)
            .with_description(format!("{long}\0"))
            .with_error(Cause::new("refused").with_long_description("x".repeat(100_000)))
            .with_metadata([("out\0put", "a\0b")])
            .build_draft(&Limits::default())
            .unwrap();
        let warned: Vec<_> = draft
            .warnings()
            .iter()
            .map(|warning| (warning.field.as_str(), warning.code.to_string()))
            .collect();
        let expected = [
            ("description", "characters_replaced"),
            ("description", "truncated"),
            ("metadata", "characters_replaced"),
            ("metadata", "truncated"),
        ];
        assert_eq!(
            warned,
            expected.map(|(field, code)| (field, code.to_owned()))
        );
        let event = draft.event();
        assert!(event.description.len() <= 4_096);
        let metadata = event.metadata.as_ref().unwrap();
        assert_eq!(metadata["out\u{fffd}put"], "a\u{fffd}b");
        assert_eq!(metadata["error"]["ShortDescription"], json!(["refused"]));
        assert!(serde_json::to_string(metadata).unwrap().len() <= 65_536);
        // What a programmer can fix is refused.
        let violations = started().with_category("Snake-Case").build().unwrap_err();
        let fields: Vec<_> = violations.iter().map(|one| one.field.as_str()).collect();
        assert_eq!(fields, ["category", "severity"]);
    }
}
