//! Changing the status of events, and deleting them.

use reqwest::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tidings_event::{
    Change, ChangeOutcome, Changes, DeletedEvents, EventFilter, EventRef, OwnerKind, Selection,
    Status, UpdatedEvents,
};
use url::Url;

use crate::client::Client;
use crate::error::ClientError;
use crate::response;

impl Client {
    /// Marks one event as read or unread. The call can be repeated.
    ///
    /// # Errors
    ///
    /// The reason why there is no response, or a rejection.
    pub async fn set_status(
        &self,
        event: impl Into<EventRef>,
        status: Status,
    ) -> Result<ChangeOutcome, ClientError> {
        let url = self.transport().event_url(&["status"], event.into());
        let request = self
            .transport()
            .request(Method::PUT, url)
            .json(&json!({ "status": status }));
        let found = self.transport().found(request, StatusCode::OK).await?;
        Ok(outcome(found.is_some()))
    }

    /// Deletes one event. The call can be repeated: an event that was deleted before is [`ChangeOutcome::Done`].
    ///
    /// # Errors
    ///
    /// The reason why there is no response, or a rejection.
    pub async fn delete(&self, event: impl Into<EventRef>) -> Result<ChangeOutcome, ClientError> {
        self.delete_at(self.transport().event_url(&[], event.into()))
            .await
    }

    /// Sends a deletion of one event.
    pub(crate) async fn delete_at(&self, url: Url) -> Result<ChangeOutcome, ClientError> {
        let request = self.transport().request(Method::DELETE, url);
        let found = self
            .transport()
            .found(request, StatusCode::NO_CONTENT)
            .await?;
        Ok(outcome(found.is_some()))
    }

    /// Changes every event of a selection, and returns what changed. Ids of unknown events are skipped.
    /// The call can be repeated; it then changes the remaining events.
    ///
    /// The time limit is that of
    /// [`with_bulk_timeout`](crate::ClientBuilder::with_bulk_timeout), 10 minutes by default.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected), for example for an empty filter, or the reason
    /// why there is no response. The server completes a change that it has started.
    pub async fn change(
        &self,
        selection: Selection,
        change: Change,
    ) -> Result<Changes, ClientError> {
        let mut changes = Changes::default();
        for part in parts(selection) {
            let changed = self.change_part(&part, change).await?;
            changes.ids.extend(changed.ids);
            changes.count += changed.count;
        }
        Ok(changes)
    }

    async fn change_part(
        &self,
        selection: &Selection,
        change: Change,
    ) -> Result<Changes, ClientError> {
        let mut body = ChangeBody {
            selected: selected(selection),
            status: None,
        };
        match change {
            Change::Status(status) => {
                body.status = Some(status);
                let url = self.transport().alias_url("status");
                let UpdatedEvents { updated, count, .. } =
                    self.send_change(Method::PUT, url, &body).await?;
                Ok(Changes::new(updated, count))
            }
            Change::Delete => {
                let url = self.transport().alias_url("delete");
                let DeletedEvents { deleted, count, .. } =
                    self.send_change(Method::POST, url, &body).await?;
                Ok(Changes::new(deleted, count))
            }
        }
    }

    async fn send_change<T: DeserializeOwned>(
        &self,
        method: Method,
        url: Url,
        body: &ChangeBody,
    ) -> Result<T, ClientError> {
        let request = self.transport().request(method, url).json(body);
        let response = self.transport().send_bulk(request).await?;
        match response.status() {
            StatusCode::OK => response::json(response, self.server()).await,
            _ => Err(response::rejection(response, self.server()).await),
        }
    }
}

const fn outcome(is_found: bool) -> ChangeOutcome {
    match is_found {
        true => ChangeOutcome::Done,
        false => ChangeOutcome::NotFound,
    }
}

/// The body of a bulk change.
#[derive(Serialize)]
struct ChangeBody {
    #[serde(flatten)]
    selected: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
}

/// The requests for a selection: a request says for all of its ids which feed they are of, or for none.
fn parts(selection: Selection) -> Vec<Selection> {
    match selection {
        Selection::Ids(events) if !events.is_empty() => {
            let of_any = |event: &EventRef| event.owner_kind.is_none();
            let (of_any, of_known): (Vec<_>, Vec<_>) = events.into_iter().partition(of_any);
            let parts = [of_any, of_known].into_iter();
            let parts = parts.filter(|events| !events.is_empty());
            parts.map(Selection::Ids).collect()
        }
        Selection::Ids(_) | Selection::Filter { .. } | Selection::All { .. } => vec![selection],
    }
}

fn selected(selection: &Selection) -> Map<String, Value> {
    let fields = match selection {
        Selection::Ids(events) => {
            let ids: Vec<_> = events.iter().map(|event| event.id).collect();
            let of_system = |event: &&EventRef| event.owner_kind == Some(OwnerKind::System);
            let of_system = events.iter().filter(of_system);
            let system_ids: Vec<_> = of_system.map(|event| event.id).collect();
            let is_told = events.iter().any(|event| event.owner_kind.is_some());
            let system_ids = is_told.then(|| ("systemIds", json!(system_ids)));
            let ids = ("ids", json!(ids));
            std::iter::once(ids).chain(system_ids).collect()
        }
        Selection::Filter { filter, up_to } => {
            vec![("filter", set_parts(filter)), ("upTo", json!(up_to))]
        }
        Selection::All { up_to } => {
            let up_to = up_to.iter().map(|cursor| ("upTo", json!(cursor)));
            std::iter::once(("all", json!(true))).chain(up_to).collect()
        }
    };
    let fields = fields.into_iter();
    fields
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// The parts of a filter that are set.
fn set_parts(filter: &EventFilter) -> Value {
    let mut filter = json!(filter);
    if let Value::Object(parts) = &mut filter {
        parts.retain(|_, part| match part {
            Value::Null => false,
            Value::Array(list) => !list.is_empty(),
            _ => true,
        });
    }
    filter
}
