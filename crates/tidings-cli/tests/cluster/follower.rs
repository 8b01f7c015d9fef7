//! Clients that follow streams on random nodes and resume with their last cursor.

mod counts;
mod inbox;
mod order;
mod stream;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tidings_event::{Cursor, StreamItem};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::actors::Shared;
use crate::caller::User;
use crate::findings::Phase;
use crate::history::Key;
use crate::site::NODES;
pub(crate) use inbox::{Inbox, State, key_of};
use stream::{End, Stream};

/// The streams of each user: one begins at each node, one at the load balancer.
const STREAMS: usize = NODES + 1;

/// A client gives up a connection without frames for so long, while there are faults.
const SILENCE: Duration = Duration::from_secs(20);

/// The longest pause before a client connects again.
const AGAIN: Duration = Duration::from_millis(500);

/// A connection that a client gives up by itself lives at most so long.
const LIFE: Duration = Duration::from_secs(15);

/// The pause before a summary is asked for again.
const SUMMARY: Duration = Duration::from_millis(300);

/// A client, which others can look at.
#[derive(Debug)]
pub(crate) struct Follower {
    pub(crate) user: User,
    pub(crate) name: usize,
    pub(crate) inbox: Mutex<Inbox>,
}

impl Follower {
    /// The position of a follower.
    pub(crate) fn cursor(&self) -> Option<Cursor> {
        self.inbox.lock().expect("no panic").cursor
    }
}

/// A new client that has read everything up to `live`.
pub(crate) struct Fresh {
    pub(crate) inbox: Inbox,
    /// The events in the order in which they came.
    pub(crate) created: Vec<Key>,
}

impl Fresh {
    pub(crate) async fn read(shared: &Shared, user: User, node: usize) -> Result<Self, String> {
        let mut inbox = Inbox::of(user);
        let response = shared.caller.subscribe(user, node, &inbox.start()).await;
        let response = response.ok_or_else(|| format!("no stream on node {node}"))?;
        let (mut stream, mut created) = (Stream::new(response), Vec::new());
        while inbox.counts().is_none() {
            let item = stream
                .next()
                .await
                .map_err(|end| format!("a replay ends: {end:?}"))?;
            if let StreamItem::Created { event, .. } = &item {
                created.push(key_of(user, event)?);
            }
            inbox.take(item, &shared.history)?;
        }
        Ok(Self { inbox, created })
    }
}

/// Starts all followers. They end when the run is over, or when they find something.
pub(crate) fn start(
    shared: &Shared,
    dice: &mut fastrand::Rng,
) -> (Vec<Arc<Follower>>, JoinSet<()>) {
    let (mut followers, mut tasks) = (Vec::new(), JoinSet::new());
    for user in 0..shared.caller.users() {
        for name in 0..STREAMS {
            let follower = Arc::new(Follower {
                user,
                name,
                inbox: Mutex::new(Inbox::of(user)),
            });
            followers.push(Arc::clone(&follower));
            tasks.spawn(follow(follower, shared.clone(), dice.fork()));
        }
    }
    (followers, tasks)
}

async fn follow(follower: Arc<Follower>, shared: Shared, mut dice: fastrand::Rng) {
    let findings = Arc::clone(&shared.findings);
    let mut door = follower.name;
    while findings.phase() != Phase::Over {
        let read = read(&follower, &shared, &mut dice, door);
        let ended = tokio::select! {
            ended = read => ended,
            () = async {
                findings.after(Phase::Busy).await;
                findings.after(Phase::Settling).await;
            } => return,
        };
        if let Err(finding) = ended {
            let Follower { user, name, .. } = *follower;
            findings.report(format_args!(
                "follower {user}.{name} at door {door}: {finding}"
            ));
            return;
        }
        door = shared.caller.door(&mut dice);
        sleep(AGAIN.mul_f64(dice.f64())).await;
    }
}

/// Reads one connection. An error is a broken guarantee.
async fn read(
    follower: &Follower,
    shared: &Shared,
    dice: &mut fastrand::Rng,
    door: usize,
) -> Result<(), String> {
    let start = {
        let mut inbox = follower.inbox.lock().expect("no panic");
        inbox.connects();
        inbox.start()
    };
    let user = follower.user;
    let Some(response) = shared.caller.subscribe(user, door, &start).await else {
        return Ok(());
    };
    let mut stream = Stream::new(response);
    let life = sleep_until(Instant::now() + LIFE.mul_f64(dice.f64() * dice.f64()));
    tokio::pin!(life);
    loop {
        let wants_summary = follower.inbox.lock().expect("no panic").wants_summary();
        let summary_door = shared.caller.door(dice);
        let summary = async {
            loop {
                if let Some(summary) = shared.caller.summary(user, summary_door).await {
                    return summary;
                }
                sleep(SUMMARY).await;
            }
        };
        tokio::pin!(summary);
        // Frames come while the summary is asked for. The same question goes on, since frames can come all the time.
        loop {
            tokio::select! {
                next = timeout(SILENCE, stream.next()) => {
                    let item = match next {
                        Ok(Ok(item)) => item,
                        Ok(Err(End::Garbled(finding))) => return Err(finding),
                        Ok(Err(End::Closed)) => return Ok(()),
                        // Later, a stream must get what it lacks without a new connection.
                        Err(_) if shared.findings.phase() != Phase::Busy => continue,
                        Err(_) => return Ok(()),
                    };
                    let mut inbox = follower.inbox.lock().expect("no panic");
                    inbox.take(item, &shared.history)?;
                    if inbox.wants_summary() != wants_summary {
                        break;
                    }
                }
                summary = &mut summary, if wants_summary => {
                    follower.inbox.lock().expect("no panic").take_summary(summary)?;
                    break;
                }
                () = &mut life, if shared.findings.phase() == Phase::Busy => return Ok(()),
            }
        }
    }
}
