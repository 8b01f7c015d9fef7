//! Changes events and says what became of them.

use std::collections::HashSet;
use std::process::ExitCode;

use tidings_client::{Client, ClientError};
use tidings_event::{Change, EventId, Limits, Selection};
use tokio::task::JoinSet;

use crate::output;

/// How many events are asked about at once, so that thousands take a moment: the server does what
/// comes together in one commit.
const ASKED_AT_ONCE: usize = 64;

/// What a change did.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changed {
    /// How many events it changed.
    pub(crate) count: u64,
    /// How many were named that were so already.
    pub(crate) unchanged: u64,
    /// What was named and is not there.
    pub(crate) missing: Vec<EventId>,
}

/// Changes the events with these ids. What the bulk request passes over is either missing or was so
/// already: that is asked about each, many at a time.
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
    let mut asked = JoinSet::new();
    let mut next = left.iter().copied();
    loop {
        while asked.len() < ASKED_AT_ONCE
            && let Some(id) = next.next()
        {
            let client = client.clone();
            asked.spawn(async move { (id, is_there(&client, id, change).await) });
        }
        let Some(answer) = asked.join_next().await else {
            break;
        };
        let (id, found) = answer.expect("a question does not panic, and nobody aborts it");
        if found? {
            changed.unchanged += 1;
        } else {
            missing.insert(id);
        }
    }
    // In the order in which they were given.
    changed.missing = left;
    changed.missing.retain(|id| missing.contains(id));
    Ok(changed)
}

/// Whether an event that a change passed over is there; for a deletion, whether it ever was.
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

/// Says what became of the events; `done` is what was done to them, in words.
pub(crate) fn report(changed: Result<Changed, ClientError>, done: &str) -> ExitCode {
    let changed = match changed {
        Ok(changed) => changed,
        Err(error) => {
            output::report(&error);
            if error.is_temporary() {
                output::note("  try: do it again; what is done stays done");
            }
            return ExitCode::FAILURE;
        }
    };
    for id in &changed.missing {
        output::note(format_args!("error: you have no event {id}"));
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
