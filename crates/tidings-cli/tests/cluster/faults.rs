//! What goes wrong while the nodes work, chosen by the seed.

use std::time::Duration;

use crate::bus_proxy::Noise;
use crate::findings::{Findings, Phase};
use crate::gate::Way;
use crate::site::{NODES, Site};

/// How long a stopped node is stopped.
const STOP: Duration = Duration::from_secs(3);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    NodeKilled,
    NodeStopped,
    DatabaseKilled,
    /// The replica takes the place of the primary.
    Promotion,
    /// The same while commits wait for the replica.
    LatePromotion,
    BusKilled,
    BusCut,
    DatabaseCut,
    /// Nothing passes between a node and the database.
    DatabaseSilent,
    /// Commits and their answers are lost between a node and the database.
    CommitsLost,
}

const ALL: [Fault; 10] = [
    Fault::NodeKilled,
    Fault::NodeStopped,
    Fault::DatabaseKilled,
    Fault::Promotion,
    Fault::LatePromotion,
    Fault::BusKilled,
    Fault::BusCut,
    Fault::DatabaseCut,
    Fault::DatabaseSilent,
    Fault::CommitsLost,
];

impl Fault {
    /// Whether a site has what this needs.
    fn is_possible(self, site: &Site) -> bool {
        match self {
            Self::Promotion | Self::LatePromotion => site.has_replica,
            Self::BusKilled | Self::BusCut => site.nats.is_some(),
            Self::NodeKilled
            | Self::NodeStopped
            | Self::DatabaseKilled
            | Self::DatabaseCut
            | Self::DatabaseSilent
            | Self::CommitsLost => true,
        }
    }
}

/// Causes faults for some time, each of them at least once if there is time for it. Everything works again at the
/// end, except that a noisy bus stays noisy.
pub(crate) async fn cause(
    site: &mut Site,
    findings: &Findings,
    dice: &mut fastrand::Rng,
    time: Duration,
) {
    for proxy in &site.bus_proxies {
        proxy.set_noise(Noise::LOUD);
    }
    let work = async {
        loop {
            let mut faults: Vec<Fault> = ALL.into_iter().collect();
            faults.retain(|fault| fault.is_possible(site));
            dice.shuffle(&mut faults);
            for fault in faults {
                wait(findings, dice, 200..1_000).await;
                if findings.phase() != Phase::Busy {
                    return;
                }
                happen(fault, site, findings, dice).await;
            }
        }
    };
    let ends = async {
        findings.pause_while_busy(time).await;
        findings.enter(Phase::Settling);
    };
    // A fault that has begun is ended.
    tokio::join!(work, ends);
}

async fn wait(findings: &Findings, dice: &mut fastrand::Rng, millis: std::ops::Range<u64>) {
    let time = Duration::from_millis(dice.u64(millis));
    findings.pause_while_busy(time).await;
}

async fn happen(fault: Fault, site: &mut Site, findings: &Findings, dice: &mut fastrand::Rng) {
    let node = dice.usize(..NODES);
    match fault {
        Fault::NodeKilled => {
            findings.tell(format_args!("node {node} is killed"));
            site.nodes[node].kill().await;
            wait(findings, dice, 0..1_500).await;
            site.nodes[node].start().await;
        }
        Fault::NodeStopped => {
            findings.tell(format_args!("node {node} is stopped for {STOP:?}"));
            site.nodes[node].stop();
            tokio::time::sleep(STOP).await;
            site.nodes[node].go_on();
        }
        Fault::DatabaseKilled => {
            findings.tell("PostgreSQL is killed");
            site.database.kill().await;
            wait(findings, dice, 0..1_000).await;
            site.database.restart().await;
        }
        Fault::Promotion | Fault::LatePromotion => {
            if !site.database.has_caught_up().await {
                findings.tell("no promotion: the replica has not caught up");
                return;
            }
            let is_late = fault == Fault::LatePromotion;
            let late = is_late.then(|| Duration::from_millis(dice.u64(100..800)));
            match late {
                Some(late) => findings.tell(format_args!(
                    "the replica is stopped for {late:?}, PostgreSQL killed, the replica promoted"
                )),
                None => findings.tell("PostgreSQL is killed and the replica promoted"),
            }
            site.database.promote(late).await;
            wait(findings, dice, 0..1_000).await;
            site.database.add_replica().await;
        }
        Fault::BusKilled => {
            findings.tell("nats-server is killed");
            let nats = site.nats.as_mut().expect("it is possible");
            nats.kill().await;
            wait(findings, dice, 0..2_500).await;
            nats.restart().await;
        }
        Fault::BusCut => {
            findings.tell(format_args!("node {node} is cut off from the bus"));
            site.bus_proxies[node].set_cut(true);
            wait(findings, dice, 500..3_000).await;
            site.bus_proxies[node].set_cut(false);
        }
        Fault::DatabaseCut => {
            findings.tell(format_args!("node {node} is cut off from the database"));
            site.set_way(node, Way::Cut);
            wait(findings, dice, 100..3_000).await;
            site.set_way(node, Way::Open);
        }
        Fault::DatabaseSilent => {
            findings.tell(format_args!("node {node} gets nothing from the database"));
            site.set_way(node, Way::Hole);
            wait(findings, dice, 500..6_000).await;
            // What was held back arrives late, or never.
            if dice.bool() {
                site.set_way(node, Way::Cut);
            }
            site.set_way(node, Way::Open);
        }
        Fault::CommitsLost => {
            findings.tell(format_args!("commits of node {node} are lost"));
            site.set_way(node, Way::LosesCommits);
            wait(findings, dice, 1_000..3_000).await;
            site.set_way(node, Way::Open);
        }
    }
}
