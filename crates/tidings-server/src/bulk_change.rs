//! A bulk change on behalf of a caller.

use axum::response::Response;
use serde::Serialize;
use tidings::Changes;
use tidings_event::{Change, Selection};
use uuid::fmt::Hyphenated;

use crate::error::ApiError;
use crate::identity::{Caller, Credential, CredentialError, ended};
use crate::request::change::ChangeRejection;
use crate::response::{Reservation, ResponseBody};
use crate::shutdown::unless_abandoned;
use crate::state::AppState;

/// An event's id in a list, with its quotes and a comma.
const ID_BYTES: usize = Hyphenated::LENGTH + 3;

/// A bulk change that is done, and the memory of its response.
pub(crate) struct BulkOutcome {
    /// Whether the request named the events by their ids.
    pub(crate) by_ids: bool,
    changes: Changes,
    memory: Reservation,
}

impl BulkOutcome {
    /// The response with the body that says what was changed.
    pub(crate) fn into_response<T: Serialize>(self, body: impl FnOnce(Changes) -> T) -> Response {
        let Self {
            changes,
            mut memory,
            ..
        } = self;
        let json = serde_json::to_vec(&body(changes)).expect("ids are texts");
        ResponseBody::whole([memory.hold(json)]).into_json()
    }
}

/// Changes the selected events. A change that waits for its turn is given up when the client disconnects
/// or the credential ends. A running change continues without its client; when the credential ends, it
/// stops after the current step.
///
/// # Errors
///
/// If not everything was changed.
pub(crate) async fn run(
    state: &AppState,
    caller: Caller,
    credential: Option<Credential>,
    selection: Selection,
    change: Change,
) -> Result<BulkOutcome, ApiError> {
    let ids = match &selection {
        Selection::Ids(ids) => Some(ids.len()),
        Selection::Filter { .. } | Selection::All { .. } => None,
    };
    let bytes = ids.unwrap_or_default() * ID_BYTES;
    let memory = state.reserve_response(caller, credential.clone(), bytes);
    let memory = memory.await?;
    let mut ended = std::pin::pin!(ended(credential));
    let begin = state.wire.begin_change(caller.owner, selection, change);
    let begun = tokio::select! {
        biased;
        begun = unless_abandoned(begin) => begun.ok_or(ChangeRejection::Disconnected)?,
        rejected = &mut ended => return Err(CredentialError::from(rejected).into()),
    };
    let mut running = state.judge(begun)?;
    let changes = tokio::select! {
        biased;
        changes = running.finish() => changes?,
        rejected = ended => {
            running.stop();
            return Err(CredentialError::from(rejected).into());
        }
    };
    Ok(BulkOutcome {
        by_ids: ids.is_some(),
        changes,
        memory,
    })
}
