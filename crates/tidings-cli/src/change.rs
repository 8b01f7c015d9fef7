//! Changes events and reports the results.

use std::collections::{HashMap, HashSet};
use std::process::ExitCode;

use tidings_client::{ChangeOutcome, Client, ClientError};
use tidings_event::{Change, EventId, EventRef, Limits, Selection};
use tokio::task::JoinSet;

use crate::output;

/// How many single changes to send at once. The server commits concurrent changes together.
const CONCURRENT_CHANGES: usize = 64;

/// The result of a change.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ChangeResult {
    /// How many events changed.
    pub(crate) count: u64,
    /// How many named events already had the status, or were deleted already.
    pub(crate) unchanged: u64,
    /// The named events that do not exist.
    pub(crate) missing: Vec<EventRef>,
}

/// Changes the named events. Events that the bulk request does not report are missing or unchanged;
/// a single change of each, many at a time, tells which.
pub(crate) async fn by_ids(
    client: &Client,
    events: &[EventRef],
    change: Change,
) -> Result<ChangeResult, ClientError> {
    let mut changed = ChangeResult::default();
    let mut done = HashSet::new();
    let limit = Limits::default().change_ids;
    // A response has only ids, so that it cannot tell two events with the same id apart.
    let (first, twins) = split_twins(events);
    for events in first.chunks(limit).chain(twins.chunks(limit)) {
        let selection = Selection::Ids(events.to_vec());
        let (ids, count) = make(client, &selection, change).await?;
        changed.count += count;
        let ids: HashSet<EventId> = ids.into_iter().collect();
        done.extend(events.iter().filter(|event| ids.contains(&event.id)));
    }
    let left: Vec<_> = events
        .iter()
        .copied()
        .filter(|event| done.insert(*event))
        .collect();
    let mut missing = HashSet::new();
    let mut requests = JoinSet::new();
    let mut next = left.iter().copied();
    loop {
        while requests.len() < CONCURRENT_CHANGES
            && let Some(event) = next.next()
        {
            let client = client.clone();
            requests.spawn(async move { (event, change_one(&client, event, change).await) });
        }
        let Some(response) = requests.join_next().await else {
            break;
        };
        let (event, outcome) = response.expect("a request does not panic, and nobody aborts it");
        match outcome? {
            ChangeOutcome::Done => changed.unchanged += 1,
            ChangeOutcome::NotFound => {
                missing.insert(event);
            }
        }
    }
    // In the given order.
    changed.missing = left;
    changed.missing.retain(|event| missing.contains(event));
    Ok(changed)
}

/// Changes one event.
async fn change_one(
    client: &Client,
    event: EventRef,
    change: Change,
) -> Result<ChangeOutcome, ClientError> {
    match change {
        Change::Status(status) => client.set_status(event, status).await,
        Change::Delete => client.delete(event).await,
    }
}

/// Splits the events so that no part has two different events with the same id.
fn split_twins(events: &[EventRef]) -> (Vec<EventRef>, Vec<EventRef>) {
    let mut kinds = HashMap::new();
    let is_first = |event: &EventRef| {
        let kind = *kinds.entry(event.id).or_insert(event.owner_kind);
        kind == event.owner_kind
    };
    events.iter().copied().partition(is_first)
}

/// Changes the events of a selection.
pub(crate) async fn by_selection(
    client: &Client,
    selection: &Selection,
    change: Change,
) -> Result<ChangeResult, ClientError> {
    let (_, count) = make(client, selection, change).await?;
    Ok(ChangeResult {
        count,
        ..ChangeResult::default()
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
pub(crate) fn report(changed: Result<ChangeResult, ClientError>, done: &str) -> ExitCode {
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
    for event in &changed.missing {
        output::note(format_args!("error: no event {event}"));
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
