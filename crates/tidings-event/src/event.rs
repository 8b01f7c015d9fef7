//! The event itself: its JSON is the wire contract.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::id::{EventId, OperationId, OwnerId, ResourceId, SystemId};
use crate::kind::{Action, Category, Severity, Status};

/// What a publisher adds for the user to know: free-form, but `error` holds the cause of an error
/// and `doc` a link to documentation.
pub type Metadata = Map<String, Value>;

/// One record of something the server did. Immutable but for `status` and deletion.
///
/// It is written in camelCase and read in camelCase or `snake_case`, with the older names
/// `user_id` and `userId` for `owner`. Before it is published, ids that are not set are the nil UUID,
/// except `owner`, which is left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Names this event among those of its owner: the same event can be published to several owners. To
    /// publish the same id to the same owner again changes nothing.
    pub id: EventId,
    /// The user it is for, or the system, whose events every user sees: under its own id once an event
    /// is stored, and absent before.
    #[serde(
        default,
        alias = "user_id",
        alias = "userId",
        skip_serializing_if = "Option::is_none",
        deserialize_with = "nil_as_none"
    )]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub owner: Option<OwnerId>,
    /// The instance that sent it; nil until it is published.
    #[serde(default = "nil_system", alias = "system_id")]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub system_id: SystemId,
    /// Shared by all events of one operation.
    #[serde(alias = "operation_id")]
    pub operation_id: OperationId,
    /// The resource it is about.
    #[serde(alias = "acted_upon")]
    pub acted_upon: ResourceId,
    /// What it belongs to, such as `connection`.
    pub category: Category,
    /// What the server did, such as `register`.
    pub action: Action,
    /// What happened, in words for the user. At most 4 KiB; may be empty.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub description: String,
    /// How urgently it wants attention.
    pub severity: Severity,
    /// Whether the owner has read it.
    pub status: Status,
    /// What else the user should know; at most 64 KiB of JSON and 32 levels.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<std::collections::BTreeMap<String, serde_json::Value>>, required = true))]
    pub metadata: Option<Metadata>,
    /// When it happened.
    #[serde(alias = "created_at")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// When it last changed.
    #[serde(alias = "updated_at")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub updated_at: Timestamp,
    /// When it was deleted: only in the answer to a publish that repeats a deleted event.
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
