//! An event as the publisher sent it, before validation.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::draft::Draft;
use crate::event::{Event, Metadata};
use crate::given::{Given, OwnerName};
use crate::id::{EventId, OperationId, OwnerId, ResourceId, SystemId};
use crate::name::{Action, Category};
use crate::severity::Severity;
use crate::unique_object::unambiguous;
use crate::warning::Warning;

/// The body of a publish request: the publisher's fields of an event, before validation.
///
/// Fields that the server sets (`status`, `updatedAt`, `deletedAt`) and unknown fields are ignored, as
/// existing servers do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default, expecting = "an event object")]
#[non_exhaustive]
pub struct NewEvent {
    /// The id. Created if absent or nil; derived from any text that is not a UUID.
    #[serde(alias = "ID", skip_serializing_if = "Given::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<EventId>))]
    pub id: Given<EventId>,
    /// The owner. If absent or nil: the caller over HTTP, the system for the builder.
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
    /// The user's subject at the identity provider, instead of `owner`: selects the owner of a token with
    /// this `sub`.
    #[serde(skip_serializing_if = "Given::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub subject: Given<String>,
    /// The issuer of `subject`. If absent, the issuer that the server trusts.
    #[serde(skip_serializing_if = "Given::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub issuer: Given<String>,
    /// The sending installation. If absent or nil, the installation that stores the event; derived from
    /// any text that is not a UUID.
    #[serde(
        alias = "system_id",
        alias = "systemID",
        alias = "SystemID",
        skip_serializing_if = "Given::is_absent"
    )]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<SystemId>))]
    pub system_id: Given<SystemId>,
    /// The operation. If absent or nil, an operation of this event only; derived from any text that is
    /// not a UUID.
    #[serde(
        alias = "operation_id",
        alias = "operationID",
        alias = "OperationID",
        skip_serializing_if = "Given::is_absent"
    )]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<OperationId>))]
    pub operation_id: Given<OperationId>,
    /// The resource that the event is about; required.
    #[serde(
        alias = "acted_upon",
        alias = "ActedUpon",
        skip_serializing_if = "Given::is_absent"
    )]
    #[cfg_attr(feature = "openapi", schema(value_type = ResourceId, required = true))]
    pub acted_upon: Given<ResourceId>,
    /// The category. If absent, `unknown` is stored with a warning.
    #[serde(alias = "Category", skip_serializing_if = "Given::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Category, required = true))]
    pub category: Given<Category>,
    /// The action. If absent, `unknown` is stored with a warning.
    #[serde(alias = "Action", skip_serializing_if = "Given::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Action, required = true))]
    pub action: Given<Action>,
    /// The severity. If absent, `error` is stored for an event with a cause, otherwise `informational`,
    /// with a warning.
    #[serde(alias = "Severity", skip_serializing_if = "Given::is_absent")]
    #[cfg_attr(feature = "openapi", schema(value_type = Severity, required = true))]
    pub severity: Given<Severity>,
    /// The description; empty if absent.
    #[serde(alias = "Description")]
    pub description: Option<String>,
    /// The metadata; none if absent.
    #[serde(alias = "Metadata", deserialize_with = "unambiguous")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<std::collections::BTreeMap<String, serde_json::Value>>))]
    pub metadata: Option<Metadata>,
    /// The time of creation. If absent, the time of publishing.
    #[serde(
        alias = "created_at",
        alias = "CreatedAt",
        skip_serializing_if = "Given::is_absent"
    )]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub created_at: Given<Timestamp>,
    /// The time at which the event is deleted by itself. If absent, it stays until it is deleted, or until retention
    /// deletes it.
    #[serde(
        alias = "expires_at",
        alias = "ExpiresAt",
        skip_serializing_if = "Given::is_absent"
    )]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Given<Timestamp>,
    /// Repairs that were made while reading. Not sent.
    #[serde(skip)]
    pub warnings: Vec<Warning>,
}

impl NewEvent {
    /// Sets `owner` from `subject` and `issuer`. If `owner` is already set, [`NewEvent::into_draft`]
    /// compares the two.
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

impl From<Draft> for NewEvent {
    fn from(draft: Draft) -> Self {
        draft.into_event().into()
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
            expires_at: event.expires_at.map_or(Given::Absent, Given::Value),
            warnings: Vec::new(),
        }
    }
}
