//! The event. Its JSON is the wire contract.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::id::{EventId, OperationId, OwnerId, ResourceId, SystemId};
use crate::name::{Action, Category};
use crate::severity::Severity;
use crate::status::Status;

/// Free-form details of an event. Two keys have a meaning: `error` holds the cause of an error, and
/// `doc` a link to documentation.
pub type Metadata = Map<String, Value>;

/// A record of something that the server did. Its owner can change its status and delete it, and its publisher can
/// replace its severity, description and metadata with an update.
///
/// The JSON is written in camelCase and read in camelCase or `snake_case`, with the older names
/// `user_id` and `userId` for `owner`. Before the event is published, `system_id` is the nil UUID if it
/// is not set, and `owner` is absent if the system owns the event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Event {
    /// The id of the event, unique among the events of its owner: the same event can be published to
    /// several owners. Publishing the same id to the same owner again stores nothing.
    pub id: EventId,
    /// The owner: a user, or the system, whose events every user sees. For the system, the field is
    /// absent until the event is stored, and then has the id of the system.
    #[serde(
        default,
        alias = "user_id",
        alias = "userId",
        skip_serializing_if = "Option::is_none",
        deserialize_with = "nil_as_none"
    )]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub owner: Option<OwnerId>,
    /// The installation that sent the event; nil until it is published.
    #[serde(default = "nil_system", alias = "system_id")]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub system_id: SystemId,
    /// The operation; all its events share this id.
    #[serde(alias = "operation_id")]
    pub operation_id: OperationId,
    /// The resource that the event is about.
    #[serde(alias = "acted_upon")]
    pub acted_upon: ResourceId,
    /// The subject area, such as `connection`.
    pub category: Category,
    /// The action that the event reports, such as `register`.
    pub action: Action,
    /// What happened, in words for the user. At most 4 KiB; can be empty.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub description: String,
    /// The urgency.
    pub severity: Severity,
    /// Whether the owner has read it.
    pub status: Status,
    /// Further details; at most 64 KiB of JSON and 32 levels.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<std::collections::BTreeMap<String, serde_json::Value>>, required = true))]
    pub metadata: Option<Metadata>,
    /// The time of creation.
    #[serde(alias = "created_at")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// The time of the last change.
    #[serde(alias = "updated_at")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub updated_at: Timestamp,
    /// The time at which the event is deleted by itself, if its publisher has set one.
    #[serde(default, alias = "expires_at", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime, nullable = false))]
    pub expires_at: Option<Timestamp>,
    /// The time of deletion; present only in the response to a publish that repeats a deleted event.
    #[serde(default, alias = "deleted_at", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime, nullable = false))]
    pub deleted_at: Option<Timestamp>,
}

fn nil_as_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<OwnerId>, D::Error> {
    Ok(Option::<OwnerId>::deserialize(deserializer)?.filter(|owner| !owner.is_nil()))
}

const fn nil_system() -> SystemId {
    SystemId::NIL
}
