//! A bulk change on behalf of a caller: it waits for its turn only as long as its caller does.

use tidings::Changes;
use tidings_event::{Change, Selection};

use crate::error::ApiError;
use crate::identity::{Caller, Credential, CredentialError, ended};
use crate::request::change::ChangeRefusal;
use crate::shutdown::unless_abandoned;
use crate::state::AppState;

/// Changes the events. Before the change has begun, it gives its place back when the client hangs up
/// or the credential ends. After that a client may hang up; when the credential ends, the change stops
/// after its current step.
///
/// # Errors
///
/// When not everything was changed.
pub(crate) async fn run(
    state: &AppState,
    caller: Caller,
    credential: Option<Credential>,
    selection: Selection,
    change: Change,
) -> Result<Changes, ApiError> {
    let mut ended = std::pin::pin!(ended(credential));
    let begin = state.engine.begin_change(caller.owner, selection, change);
    let begun = tokio::select! {
        biased;
        begun = unless_abandoned(begin) => begun.ok_or(ChangeRefusal::HungUp)?,
        refused = &mut ended => return Err(CredentialError::from(refused).into()),
    };
    let mut running = state.judge(begun)?;
    tokio::select! {
        biased;
        changes = running.finish() => Ok(changes?),
        refused = ended => {
            running.stop();
            Err(CredentialError::from(refused).into())
        }
    }
}
