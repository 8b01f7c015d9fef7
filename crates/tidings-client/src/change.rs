//! Marking events as read or unread, and deleting them.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tidings_event::{DeletedEvents, EventFilter, EventId, Selection, Status, UpdatedEvents};
use url::Url;

use crate::client::Client;
use crate::error::ClientError;
use crate::response;

/// How long a change of many events may take: a million are done in less than a minute. The server
/// finishes it also when nobody waits any longer.
const BULK_TIMEOUT: Duration = Duration::from_secs(10 * 60);

impl Client {
    /// Marks one event as read or unread; `false` if the caller has no event with this id. Doing it
    /// again is no fault.
    ///
    /// # Errors
    ///
    /// Why no answer came.
    pub async fn set_status(&self, id: EventId, status: Status) -> Result<bool, ClientError> {
        let url = self.transport().events_url(&["status", &id.to_string()]);
        let request = self
            .transport()
            .request(Method::PUT, url)
            .json(&json!({ "status": status }));
        let found = self.transport().found(request, StatusCode::OK).await?;
        Ok(found.is_some())
    }

    /// Deletes one event; `false` if the caller has never had one with this id. Deleting it again is
    /// no fault.
    ///
    /// # Errors
    ///
    /// Why no answer came.
    pub async fn delete(&self, id: EventId) -> Result<bool, ClientError> {
        let request = self.transport().request(
            Method::DELETE,
            self.transport().events_url(&[&id.to_string()]),
        );
        let found = self
            .transport()
            .found(request, StatusCode::NO_CONTENT)
            .await?;
        Ok(found.is_some())
    }

    /// Marks all events of a selection, and says what that changed. Ids that the caller has no event
    /// of are passed over. It may be repeated, and then changes what is left.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Refused`](crate::ErrorKind::Refused), for example for an empty filter, or why no
    /// answer came. The server goes on with what it has begun.
    pub async fn set_status_of(
        &self,
        selection: &Selection,
        status: Status,
    ) -> Result<UpdatedEvents, ClientError> {
        let body = ChangeBody {
            selected: selected(selection),
            status: Some(status),
        };
        self.change(Method::PUT, self.transport().alias_url("status"), &body)
            .await
    }

    /// Deletes all events of a selection, and says which those were. Ids that the caller has no event
    /// of are passed over. It may be repeated, and then deletes what is left.
    ///
    /// # Errors
    ///
    /// As [`set_status_of`](Self::set_status_of).
    pub async fn delete_all_of(&self, selection: &Selection) -> Result<DeletedEvents, ClientError> {
        let body = ChangeBody {
            selected: selected(selection),
            status: None,
        };
        self.change(Method::POST, self.transport().alias_url("delete"), &body)
            .await
    }

    async fn change<T: DeserializeOwned>(
        &self,
        method: Method,
        url: Url,
        body: &ChangeBody,
    ) -> Result<T, ClientError> {
        let request = self.transport().request(method, url).json(body);
        let response = self.transport().send_within(BULK_TIMEOUT, request).await?;
        match response.status() {
            StatusCode::OK => response::json(response, self.transport().server()).await,
            _ => Err(response::refusal(response, self.transport().server()).await),
        }
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

fn selected(selection: &Selection) -> Map<String, Value> {
    let fields = match selection {
        Selection::Ids(ids) => vec![("ids", json!(ids))],
        Selection::Filter { filter, up_to } => {
            vec![("filter", given(filter)), ("upTo", json!(up_to))]
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
fn given(filter: &EventFilter) -> Value {
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
