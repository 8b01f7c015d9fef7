//! What a publisher sends, not yet judged.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::{Event, Metadata};
use crate::given::{Given, OwnerName};
use crate::id::{EventId, OperationId, OwnerId, ResourceId, SystemId};
use crate::kind::{Action, Category, Severity};
use crate::unique_object::unambiguous;
use crate::warning::Warning;

/// The body of a publish request: the publisher's fields of an event, not yet judged.
///
/// Fields the server sets (`status`, `updatedAt`, `deletedAt`) and unknown ones are ignored, as
/// existing servers do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default, expecting = "an event object")]
pub struct NewEvent {
    /// Minted when absent or nil. Of another text than a UUID a UUID is made.
    #[serde(alias = "ID", skip_serializing_if = "Given::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<EventId>))]
    pub id: Given<EventId>,
    /// Over HTTP the caller when absent or nil; from the builder the system.
    #[serde(
        alias = "user_id",
        alias = "userId",
        alias = "userID",
        alias = "UserID",
        alias = "Owner",
        skip_serializing_if = "Given::is_absent"
    )]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub owner: Given<OwnerName>,
    /// The user's subject at the identity provider, in place of `owner`: the owner that a token with
    /// this `sub` has.
    #[serde(skip_serializing_if = "Given::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub subject: Given<String>,
    /// Who issues the tokens of `subject`. Absent, it is the issuer that the server trusts.
    #[serde(skip_serializing_if = "Given::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub issuer: Given<String>,
    /// This installation when absent or nil. Of another text than a UUID a UUID is made.
    #[serde(
        alias = "system_id",
        alias = "systemID",
        alias = "SystemID",
        skip_serializing_if = "Given::is_absent"
    )]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<SystemId>))]
    pub system_id: Given<SystemId>,
    /// The event's own id when absent or nil: an operation of one event. Of another text than a UUID
    /// a UUID is made.
    #[serde(
        alias = "operation_id",
        alias = "operationID",
        alias = "OperationID",
        skip_serializing_if = "Given::is_absent"
    )]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<OperationId>))]
    pub operation_id: Given<OperationId>,
    /// Required.
    #[serde(
        alias = "acted_upon",
        alias = "ActedUpon",
        skip_serializing_if = "Given::is_absent"
    )]
    #[cfg_attr(feature = "openapi", schema(value_type = ResourceId, required = true))]
    pub acted_upon: Given<ResourceId>,
    /// `unknown`, with a warning, when absent.
    #[serde(alias = "Category", skip_serializing_if = "Given::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Category, required = true))]
    pub category: Given<Category>,
    /// `unknown`, with a warning, when absent.
    #[serde(alias = "Action", skip_serializing_if = "Given::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Action, required = true))]
    pub action: Given<Action>,
    /// `error` with a cause and otherwise `informational`, with a warning, when absent.
    #[serde(alias = "Severity", skip_serializing_if = "Given::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Severity, required = true))]
    pub severity: Given<Severity>,
    /// Empty when absent.
    #[serde(alias = "Description")]
    pub description: Option<String>,
    /// Nothing when absent.
    #[serde(alias = "Metadata", deserialize_with = "unambiguous")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<std::collections::BTreeMap<String, serde_json::Value>>))]
    pub metadata: Option<Metadata>,
    /// The time of publishing when absent.
    #[serde(
        alias = "created_at",
        alias = "CreatedAt",
        skip_serializing_if = "Given::is_absent"
    )]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub created_at: Given<Timestamp>,
    /// What was repaired when it was read. Not sent.
    #[serde(skip)]
    pub warnings: Vec<Warning>,
}

impl NewEvent {
    /// Puts the owner that `subject` and `issuer` name into `owner`, unless that names one already: then
    /// [`NewEvent::into_draft`] compares the two.
    pub fn settle_subject(&mut self) {
        if let (Given::Value(subject), Given::Absent) = (&self.subject, &self.owner)
            && let issuer @ (Given::Absent | Given::Value(_)) = &self.issuer
            && let Some(owner) = OwnerId::named_by(subject, issuer.as_value().map(String::as_str))
        {
            self.owner = OwnerName::User(owner).into();
            self.subject = Given::Absent;
            self.issuer = Given::Absent;
        }
    }
}

impl From<Event> for NewEvent {
    fn from(event: Event) -> Self {
        Self {
            id: event.id.into(),
            owner: event
                .owner
                .map_or(OwnerName::System, OwnerName::User)
                .into(),
            subject: Given::Absent,
            issuer: Given::Absent,
            system_id: event.system_id.into(),
            operation_id: event.operation_id.into(),
            acted_upon: event.acted_upon.into(),
            category: event.category.into(),
            action: event.action.into(),
            severity: event.severity.into(),
            description: Some(event.description),
            metadata: event.metadata,
            created_at: event.created_at.into(),
            warnings: Vec::new(),
        }
    }
}
