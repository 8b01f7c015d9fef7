//! The guarantees that hold when everything works again and nobody sends anything.

mod marks;
mod order;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tidings_event::{Event, InboxSummary, Status, Summary};
use tokio::time::{Instant, sleep, timeout};

use crate::actors::Shared;
use crate::caller::User;
use crate::findings::Phase;
use crate::follower::{Follower, Inbox, State, key_of};
use crate::history::Key;
use crate::site::{Database, NODES};

/// How long the nodes have to become quiet. A commit that was cut off is tried for half a minute.
const QUIET: Duration = Duration::from_secs(90);

/// How long the streams have to reach the heads then.
const REACH: Duration = Duration::from_secs(30);

/// The pause between two looks.
const LOOK: Duration = Duration::from_millis(250);

/// How many looks in a row must be equal.
const EQUAL_LOOKS: usize = 6;

/// Checks everything. The actors have ended.
pub(crate) async fn check(shared: &Shared, followers: &[Arc<Follower>], database: &Database) {
    let Some(heads) = wait_for_quiet(shared, database).await else {
        return;
    };
    let findings = &shared.findings;
    findings.tell("the nodes are quiet");
    wait_for_streams(shared, followers, &heads).await;
    findings.enter(Phase::Over);
    for (user, head) in heads.iter().enumerate() {
        let streams = followers.iter().filter(|follower| follower.user == user);
        if let Err(finding) = check_user(shared, user, head, streams).await {
            findings.report(format_args!("user {user}: {finding}"));
        }
    }
    marks::check_publications(shared);
}

/// Waits until all nodes tell the same cursor and counts of each user, again and again, and no commit waits for the
/// locks of one that was cut off.
async fn wait_for_quiet(shared: &Shared, database: &Database) -> Option<Vec<InboxSummary>> {
    let end = Instant::now() + QUIET;
    let (mut last, mut equal) = (None, 0);
    loop {
        let looked = look(shared).await;
        let differing = looked.iter().position(|nodes| {
            let first = &nodes[0];
            first.is_none() || nodes.iter().any(|summary| summary != first)
        });
        let is_same = differing.is_none() && last.as_ref() == Some(&looked);
        equal = if is_same && !database.is_busy().await {
            equal + 1
        } else {
            0
        };
        if equal == EQUAL_LOOKS {
            return looked.into_iter().map(|[summary, ..]| summary).collect();
        }
        if Instant::now() > end {
            match differing {
                Some(user) => shared.findings.report(format_args!(
                    "the nodes do not agree on the summary of user {user}: {:?}",
                    looked[user]
                )),
                None => shared.findings.report("the nodes do not become quiet"),
            }
            return None;
        }
        last = Some(looked);
        sleep(LOOK).await;
    }
}

/// The summary of each user on each node.
async fn look(shared: &Shared) -> Vec<[Option<InboxSummary>; NODES]> {
    let mut looked = Vec::new();
    for user in 0..shared.caller.users() {
        let caller = &shared.caller;
        let (one, two, three) = tokio::join!(
            caller.summary(user, 0),
            caller.summary(user, 1),
            caller.summary(user, 2)
        );
        looked.push([one, two, three]);
    }
    looked
}

async fn wait_for_streams(shared: &Shared, followers: &[Arc<Follower>], heads: &[InboxSummary]) {
    let is_behind =
        |follower: &&Arc<Follower>| follower.cursor() != Some(heads[follower.user].cursor);
    let reached = timeout(REACH, async {
        while followers.iter().any(|follower| is_behind(&follower)) {
            sleep(LOOK).await;
        }
    });
    if reached.await.is_err() && shared.findings.is_empty() {
        for follower in followers.iter().filter(is_behind) {
            let Follower { user, name, .. } = **follower;
            shared.findings.report(format_args!(
                "follower {user}.{name} stays at {:?}, and the head is {}",
                follower.cursor(),
                heads[user].cursor
            ));
        }
    }
}

async fn check_user(
    shared: &Shared,
    user: User,
    head: &InboxSummary,
    followers: impl Iterator<Item = &Arc<Follower>>,
) -> Result<(), String> {
    let list = shared.caller.list(user, 0).await?;
    for node in 1..NODES {
        let other = shared.caller.list(user, node).await?;
        if let Some(difference) = difference(&list, &other) {
            return Err(format!(
                "node {node} lists otherwise than node 0: {difference}"
            ));
        }
    }
    let mut events: HashMap<Key, State> = HashMap::new();
    let mut recount = Summary::default();
    for event in &list {
        let event: Event = serde_json::from_value(event.clone()).map_err(|e| e.to_string())?;
        let key = key_of(user, &event)?;
        let record = shared.history.record();
        let update = record.check_seen(key, event.severity, &event.description)?;
        drop(record);
        recount.add(event.status, event.severity, 1);
        if events.insert(key, State::of(&event, update)).is_some() {
            return Err(format!("the list has {key:?} twice"));
        }
    }
    shared.history.record().present.extend(events.keys());
    if recount != head.counts {
        return Err(format!(
            "the summary counts {:?}, and the list has {recount:?}",
            head.counts
        ));
    }
    for follower in followers {
        let inbox = follower.inbox.lock().expect("no panic");
        compare(&inbox, &events, head)
            .map_err(|finding| format!("follower {}: {finding}", follower.name))?;
    }
    for node in 0..NODES {
        order::check_fresh(shared, user, node, &events, head).await?;
    }
    marks::check_states(shared, user, &events)
}

/// The first difference of two lists.
fn difference(one: &[Value], other: &[Value]) -> Option<String> {
    let pair = one.iter().zip(other).find(|(one, other)| one != other);
    match pair {
        Some((one, other)) => Some(format!("{one} and {other}")),
        None if one.len() != other.len() => {
            Some(format!("{} and {} events", one.len(), other.len()))
        }
        None => None,
    }
}

/// Compares the list with the inbox that a client has built from a stream.
fn compare(inbox: &Inbox, events: &HashMap<Key, State>, head: &InboxSummary) -> Result<(), String> {
    for (key, event) in events {
        let Some(state) = inbox.events.get(key) else {
            return Err(format!("{key:?} is in the list and did not come"));
        };
        if state != event {
            return Err(format!(
                "{key:?} is {state:?} in the stream and in the list {event:?}"
            ));
        }
    }
    if let Some(key) = inbox.events.keys().find(|key| !events.contains_key(key)) {
        return Err(format!("{key:?} came and is not in the list"));
    }
    match inbox.counts() {
        Some(counts) if *counts != head.counts => Err(format!(
            "the stream counts {counts:?}, and the summary {:?}",
            head.counts
        )),
        _ => Ok(()),
    }
}

/// The text of a status.
const fn name(status: Status) -> &'static str {
    status.as_str()
}
