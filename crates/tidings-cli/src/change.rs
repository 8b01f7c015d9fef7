//! Changes events and says what became of them.

use std::collections::HashSet;
use std::process::ExitCode;

use tidings_client::{Client, ClientError};
use tidings_event::{Change, EventId, Limits, Selection};

use crate::output;

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

/// Changes the events with these ids. What the bulk request passes over is asked about one by one,
/// since it is either missing or was so already.
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
    for id in ids {
        if !done.insert(*id) {
            continue;
        }
        let found = match change {
            Change::Status(status) => client.set_status(*id, status).await?,
            Change::Delete => client.delete(*id).await?,
        };
        if found {
            changed.unchanged += 1;
        } else {
            changed.missing.push(*id);
        }
    }
    Ok(changed)
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
    match change {
        Change::Status(status) => {
            let answer = client.set_status_of(selection, status).await?;
            Ok((answer.updated, answer.count))
        }
        Change::Delete => {
            let answer = client.delete_all_of(selection).await?;
            Ok((answer.deleted, answer.count))
        }
    }
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
