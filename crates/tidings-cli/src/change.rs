//! Changes events and reports the results.

use std::collections::HashSet;
use std::process::ExitCode;

use tidings_client::{Client, ClientError};
use tidings_event::{Change, EventId, Limits, Selection};
use tokio::task::JoinSet;

use crate::output;

/// How many single changes to send at once. The server commits concurrent changes together.
const CONCURRENT_CHANGES: usize = 64;

/// The result of a change.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changed {
    /// How many events changed.
    pub(crate) count: u64,
    /// How many named events already had the status, or were deleted already.
    pub(crate) unchanged: u64,
    /// The named events that do not exist.
    pub(crate) missing: Vec<EventId>,
}

/// Changes the events with these ids. Events that the bulk request does not report are missing or unchanged;
/// a single change of each, many at a time, tells which.
pub(crate) async fn by_ids(
    client: &Client,
    ids: &[EventId],
    change: Change,
) -> Result<Changed, ClientError> {
    let mut changed = Changed::default();
    let mut done = HashSet::new();
    for ids in ids.chunks(Limits::default().change_ids) {
        let (ids, count) = make(client, &Selection::Ids(ids.to_vec()), change).await?;
        changed.count += count;
        done.extend(ids);
    }
    let left: Vec<_> = ids.iter().copied().filter(|id| done.insert(*id)).collect();
    let mut missing = HashSet::new();
    let mut requests = JoinSet::new();
    let mut next = left.iter().copied();
    loop {
        while requests.len() < CONCURRENT_CHANGES
            && let Some(id) = next.next()
        {
            let client = client.clone();
            requests.spawn(async move { (id, is_there(&client, id, change).await) });
        }
        let Some(answer) = requests.join_next().await else {
            break;
        };
        let (id, found) = answer.expect("a request does not panic, and nobody aborts it");
        if found? {
            changed.unchanged += 1;
        } else {
            missing.insert(id);
        }
    }
    // In the given order.
    changed.missing = left;
    changed.missing.retain(|id| missing.contains(id));
    Ok(changed)
}

/// Whether an event exists; for a deletion, whether it ever existed.
async fn is_there(client: &Client, id: EventId, change: Change) -> Result<bool, ClientError> {
    match change {
        Change::Status(status) => client.set_status(id, status).await,
        Change::Delete => client.delete(id).await,
    }
}

/// Changes the events of a selection.
pub(crate) async fn by_selection(
    client: &Client,
    selection: &Selection,
    change: Change,
) -> Result<Changed, ClientError> {
    let (_, count) = make(client, selection, change).await?;
    Ok(Changed {
        count,
        ..Changed::default()
    })
}

async fn make(
    client: &Client,
    selection: &Selection,
    change: Change,
) -> Result<(Vec<EventId>, u64), ClientError> {
    let changes = client.change(selection.clone(), change).await?;
    Ok((changes.ids, changes.count))
}

/// Reports the result; `done` is the verb, such as `deleted`.
pub(crate) fn report(changed: Result<Changed, ClientError>, done: &str) -> ExitCode {
    let changed = match changed {
        Ok(changed) => changed,
        Err(error) => {
            output::report(&error);
            if error.is_temporary() {
                output::note("  try: run the command again; finished changes are kept");
            }
            return ExitCode::FAILURE;
        }
    };
    for id in &changed.missing {
        output::note(format_args!("error: no event {id}"));
    }
    let mut line = format!("{} {done}", changed.count);
    if changed.unchanged > 0 {
        line += &format!(", {} already", changed.unchanged);
    }
    output::note(line);
    if changed.missing.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
