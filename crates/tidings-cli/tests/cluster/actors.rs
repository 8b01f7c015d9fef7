//! Publishers and users that send requests to random nodes.

mod changes;
mod publishing;
mod retracting;
mod updating;

use std::sync::Arc;
use std::time::Duration;

use tidings_event::Severity;
use tokio::task::JoinSet;

use crate::caller::{Caller, Response, User};
use crate::findings::{Findings, Moment, Phase};
use crate::history::{Feed, History};
use crate::site::NODES;

/// The longest pause of an actor between two requests.
const PAUSE: Duration = Duration::from_millis(60);

/// The longest pause before a publisher sends a request again.
const AGAIN: Duration = Duration::from_millis(400);

/// The severities of events. Bulk deletions choose the last one.
const SEVERITIES: [Severity; 4] = [
    Severity::Error,
    Severity::Warning,
    Severity::Success,
    Severity::Debug,
];

#[derive(Clone, Copy, Debug)]
enum Role {
    Publisher,
    /// Publishes to nearly all feeds at once.
    Spreader,
    Marker,
    BulkMarker,
    Deleter,
    Retractor,
    Updater,
}

const ROLES: [Role; 19] = [
    Role::Publisher,
    Role::Publisher,
    Role::Publisher,
    Role::Publisher,
    Role::Publisher,
    // As many as nodes and one more, so that groups wait for each other's locks.
    Role::Spreader,
    Role::Spreader,
    Role::Spreader,
    Role::Spreader,
    Role::Marker,
    Role::Marker,
    Role::Marker,
    Role::BulkMarker,
    Role::BulkMarker,
    Role::Deleter,
    Role::Retractor,
    Role::Updater,
    Role::Updater,
    Role::Updater,
];

/// The state that all actors and followers of a run share.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub(crate) caller: Caller,
    pub(crate) history: Arc<History>,
    pub(crate) findings: Arc<Findings>,
}

/// One actor.
struct Actor {
    shared: Shared,
    dice: fastrand::Rng,
    /// How many events this one has sent.
    number: usize,
    name: usize,
}

/// Starts all actors. They end when the run is no longer busy, and the results of their requests are known.
pub(crate) fn start(shared: &Shared, dice: &mut fastrand::Rng) -> JoinSet<()> {
    let mut actors = JoinSet::new();
    for (name, role) in ROLES.into_iter().enumerate() {
        let actor = Actor {
            shared: shared.clone(),
            dice: dice.fork(),
            number: 0,
            name,
        };
        actors.spawn(actor.act(role));
    }
    actors
}

impl Actor {
    async fn act(mut self, role: Role) {
        let findings = Arc::clone(&self.shared.findings);
        while findings.phase() == Phase::Busy {
            match role {
                Role::Publisher => self.publish().await,
                Role::Spreader => self.spread().await,
                Role::Marker => self.change_one(false).await,
                Role::BulkMarker => self.change_many(false).await,
                Role::Deleter if self.dice.u8(..4) == 0 => self.change_many(true).await,
                Role::Deleter => self.change_one(true).await,
                Role::Retractor => self.retract().await,
                Role::Updater => self.update().await,
            }
            let pause = PAUSE.mul_f64(self.dice.f64());
            findings.pause_while_busy(pause).await;
        }
    }

    fn user(&mut self) -> User {
        self.dice.usize(..self.shared.caller.users())
    }

    /// A feed to publish to, or whose events to update.
    fn feed(&mut self) -> Feed {
        if self.dice.u8(..6) == 0 {
            Feed::System
        } else {
            Feed::User(self.user())
        }
    }

    fn door(&mut self) -> usize {
        self.shared.caller.door(&mut self.dice)
    }

    /// Reports an error of a node that had only to find out the outcome of its commit.
    fn check_response(&self, response: &Response, door: usize, begun: Moment) {
        let findings = &self.shared.findings;
        if let Response::Unknown(Some(error)) = response
            && door < NODES
            && findings.only_commits_failed_since(begun)
        {
            findings.report(format_args!(
                "node {door} answers {error}, although its database can tell what was committed"
            ));
        }
    }

    /// How long a client waits for a response: some give up early.
    fn patience(&mut self) -> Duration {
        Duration::from_millis(match self.dice.u8(..10) {
            0 => self.dice.u64(5..50),
            1..4 => self.dice.u64(50..1_000),
            _ => 5_000,
        })
    }
}
