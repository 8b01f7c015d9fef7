//! Builds an event step by step.

use jiff::Timestamp;
use serde_json::Value;

use crate::cause::Cause;
use crate::draft::Draft;
use crate::event::{Event, Metadata};
use crate::given::{Given, OwnerName};
use crate::id::{EventId, OperationId, OwnerId, ResourceId, SystemId};
use crate::new_event::NewEvent;
use crate::policy::Policy;
use crate::rules::{Limits, Violations};
use crate::severity::Severity;

/// Builds an [`Event`]; created by [`Event::builder`].
///
/// To report both outcomes of an operation, set the common fields, then clone the builder into the
/// branches of success and failure. The clones share the operation id, and each `build` creates a new
/// event id.
///
/// `from_user` and `from_system` are the names of the guide for event authors. [`for_user`](Self::for_user)
/// and [`sent_by`](Self::sent_by) do the same and say it more clearly.
#[derive(Clone, Debug)]
#[must_use = "`build` creates the event and `publish` sends it"]
pub struct EventBuilder {
    new: NewEvent,
    cause: Option<Cause>,
    doc: Option<String>,
}

impl Event {
    /// Starts an event with a new operation id, which clones of the builder share.
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

    /// Begins with the fields that an update of the event `id` does not have.
    pub(crate) fn of_update(id: EventId) -> Self {
        let new = NewEvent {
            id: id.into(),
            owner: OwnerName::System.into(),
            ..NewEvent::default()
        };
        Self {
            new: new.with_placeholders(),
            cause: None,
            doc: None,
        }
    }

    /// Sets the resource that the event is about. If the resource has no UUID, derive one from its name
    /// (`Uuid::new_v5`), so that all its events have the same. The nil UUID is rejected.
    pub fn acted_upon(mut self, resource: impl Into<ResourceId>) -> Self {
        self.new.acted_upon = resource.into().into();
        self
    }

    /// Sets the user who receives the event. Without a user the system owns the event, and every user
    /// sees it.
    ///
    /// ```
    /// use tidings_event::{Event, OwnerId, ResourceId, Severity};
    ///
    /// let user = OwnerId::mint();
    /// let event = Event::builder()
    ///     .for_user(user)
    ///     .acted_upon(ResourceId::mint())
    ///     .with_category("connection")
    ///     .with_action("register")
    ///     .with_severity(Severity::Success)
    ///     .build()?;
    /// assert_eq!(event.owner, Some(user));
    /// # Ok::<(), tidings_event::Violations>(())
    /// ```
    pub fn for_user(mut self, user: impl Into<OwnerId>) -> Self {
        self.new.owner = OwnerName::User(user.into()).into();
        self
    }

    /// Same as [`for_user`](Self::for_user), under the name of the guide: the event results from this
    /// user's request, and the user receives it.
    pub fn from_user(self, user: impl Into<OwnerId>) -> Self {
        self.for_user(user)
    }

    /// Sets the installation that sends the event. The default is the installation that stores it.
    pub fn sent_by(mut self, system: impl Into<SystemId>) -> Self {
        self.new.system_id = system.into().into();
        self
    }

    /// Same as [`sent_by`](Self::sent_by), under the name of the guide.
    pub fn from_system(self, system: impl Into<SystemId>) -> Self {
        self.sent_by(system)
    }

    /// Sets the time at which the event is deleted by itself, for example when what it offers ends. Its owner sees it
    /// disappear within about two seconds of it. Without a time it stays until it is deleted, or until retention
    /// deletes it.
    pub fn expires_at(mut self, moment: Timestamp) -> Self {
        self.new.expires_at = moment.into();
        self
    }

    /// Sets the subject area, such as `connection`: `snake_case`, at most 64 bytes.
    pub fn with_category(mut self, category: impl AsRef<str>) -> Self {
        self.new.category = Given::parse(category.as_ref());
        self
    }

    /// Sets the action, such as `register`: `snake_case`, at most 64 bytes.
    pub fn with_action(mut self, action: impl AsRef<str>) -> Self {
        self.new.action = Given::parse(action.as_ref());
        self
    }

    /// Sets the urgency.
    pub fn with_severity(mut self, severity: Severity) -> Self {
        self.new.severity = severity.into();
        self
    }

    /// Sets what happened, in words for the user; at most 4 KiB of plain text.
    ///
    /// The rest of a longer text is stored in the metadata under `descriptionRest`. NUL characters are
    /// replaced by U+FFFD; other control characters, as in the output of a command, are stored.
    pub fn with_description(mut self, description: impl Into<String>) -> Self {
        self.new.description = Some(description.into());
        self
    }

    /// Adds metadata as pairs of key and value. A key that is already set is replaced. All calls together
    /// can add 64 KiB of JSON, 32 levels and 4,096 keys; beyond that, the longest texts are cut.
    ///
    /// Use `serde_json::json!` for nested values and values of different types:
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

    /// Sets why the operation failed and what the user can do: a [`Cause`], or any
    /// [`std::error::Error`], whose source chain is kept. For a `Box<dyn Error>` or an `anyhow::Error`,
    /// pass `&*error`. An event of severity error requires a cause that is not blank.
    pub fn with_error(mut self, cause: impl Into<Cause>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Sets a link to documentation: an `http` or `https` URL.
    pub fn with_doc(mut self, url: impl Into<String>) -> Self {
        self.doc = Some(url.into());
        self
    }

    /// Adds the event to an operation that started elsewhere.
    pub fn for_operation(mut self, operation: impl Into<OperationId>) -> Self {
        self.new.operation_id = operation.into().into();
        self
    }

    /// Creates the event with a new id and the current time, and applies the rules with the default
    /// [`Limits`].
    ///
    /// Texts and metadata that are too large are cut, and NUL characters are replaced, because they come
    /// with the data and a rejection would lose the event. [`Draft::warnings`] lists these repairs, and so
    /// does the receipt of the publish.
    ///
    /// # Errors
    ///
    /// Every violation of the rules, each with its field, fault and remedy.
    pub fn build(self) -> Result<Draft, Violations> {
        self.build_within(&Limits::default())
    }

    /// Same as [`build`](Self::build), with other limits. An engine with smaller limits applies the rules
    /// again.
    ///
    /// # Errors
    ///
    /// Every violation of the rules, each with its field, fault and remedy.
    pub fn build_within(mut self, limits: &Limits) -> Result<Draft, Violations> {
        if let Some(cause) = self.cause.take() {
            self = self.with_metadata([("error", cause.into_value())]);
        }
        if let Some(doc) = self.doc.take() {
            self = self.with_metadata([("doc", doc)]);
        }
        self.new.into_draft(limits, Policy::Reject)
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
    fn shares_the_operation_id_between_clones_but_not_the_event_id() {
        let builder = started().with_severity(Severity::Success);
        let (first, second) = (builder.clone().build().unwrap(), builder.build().unwrap());
        assert_eq!(first.operation_id, second.operation_id);
        assert_ne!(first.id, second.id);
        assert_eq!(first.id.as_uuid().get_version_num(), 7);
    }

    #[test]
    fn names_every_missing_field() {
        let violations = Event::builder().build().unwrap_err();
        let fields: Vec<_> = violations
            .iter()
            .map(|violation| violation.field.as_str())
            .collect();
        assert_eq!(fields, ["actedUpon", "category", "action", "severity"]);
    }

    #[test]
    fn requires_a_cause_for_an_error() {
        let failed = started().with_severity(Severity::Error);
        let violations = failed.clone().build().unwrap_err();
        assert_eq!(violations.iter().next().unwrap().field, "metadata.error");
        for silent in [Cause::new(""), Cause::new(" "), Cause::default()] {
            let violations = failed.clone().with_error(silent).build().unwrap_err();
            let violation = violations.iter().next().unwrap();
            assert!(violation.fault.contains("blank"), "{violation}");
        }
        let event = failed
            .with_error(Cause::new("refused").with_suggested_remediation("start it"))
            .with_metadata([("node", "a")])
            .with_doc("https://example.org/ping")
            .build()
            .unwrap();
        let metadata = event.into_event().metadata.unwrap();
        assert_eq!(
            metadata["error"]["SuggestedRemediation"],
            json!(["start it"])
        );
        assert_eq!(metadata["doc"], json!("https://example.org/ping"));
        assert_eq!(metadata["node"], json!("a"));
    }

    #[test]
    fn repairs_faults_of_the_data_with_a_warning() {
        let long = "é".repeat(5_000);
        let draft = started()
            .with_severity(Severity::Error)
            .with_description(format!("{long}\0"))
            .with_error(Cause::new("refused").with_long_description("x".repeat(100_000)))
            .with_metadata([("out\0put", "a\0b")])
            .build()
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
        // Faults that a programmer can fix are rejected.
        let violations = started().with_category("Snake-Case").build().unwrap_err();
        let fields: Vec<_> = violations.iter().map(|one| one.field.as_str()).collect();
        assert_eq!(fields, ["category", "severity"]);
    }
}
