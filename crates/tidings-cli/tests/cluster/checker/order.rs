//! A new client that reads everything from the beginning, on each node.

use std::collections::HashMap;
use std::time::Duration;

use tidings_event::InboxSummary;
use tokio::time::timeout;

use crate::actors::Shared;
use crate::caller::User;
use crate::findings::Moment;
use crate::follower::{Fresh, State};
use crate::history::{Feed, Key};

/// How long a replay can take.
const STUCK: Duration = Duration::from_secs(30);

/// Checks that a new stream from the beginning on a node has the same events, in the order in which they were
/// acknowledged.
pub(super) async fn check_fresh(
    shared: &Shared,
    user: User,
    node: usize,
    events: &HashMap<Key, State>,
    head: &InboxSummary,
) -> Result<(), String> {
    let read = timeout(STUCK, Fresh::read(shared, user, node)).await;
    let fresh = read.map_err(|_| format!("a replay on node {node} does not end"))??;
    super::compare(&fresh.inbox, events, head)
        .map_err(|finding| format!("a new stream on node {node}: {finding}"))?;
    if fresh.inbox.cursor != Some(head.cursor) {
        return Err(format!(
            "a new stream on node {node} is live at {:?}, and the head is {}",
            fresh.inbox.cursor, head.cursor
        ));
    }
    let (own, system): (Vec<Key>, Vec<Key>) = fresh
        .created
        .iter()
        .partition(|key| key.feed != Feed::System);
    check_order(shared, &own)?;
    check_order(shared, &system)
}

/// Checks that no event comes after one that was sent when it had been acknowledged. A publication with several
/// attempts counts from its first to its first response.
fn check_order(shared: &Shared, feed: &[Key]) -> Result<(), String> {
    let record = shared.history.record();
    let mut latest: Option<(Moment, Key)> = None;
    for key in feed {
        let sent = &record.sent[key];
        let end = sent.stored.map_or(Moment::NEVER, |(stored, _)| stored);
        if let Some((begun, other)) = latest
            && end < begun
        {
            return Err(format!(
                "{key:?} was stored at {end} and comes after {other:?}, which was sent at {begun}"
            ));
        }
        if latest.is_none_or(|(begun, _)| begun < sent.begun) {
            latest = Some((sent.begun, *key));
        }
    }
    Ok(())
}
