//! One fault: how it begins and how it ends.

use std::ops::Range;
use std::time::Duration;

use crate::bus_proxy::Noise;
use crate::findings::Findings;
use crate::gate::Way;
use crate::site::{NODES, Peer, Site};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    NodeKilled,
    NodeStopped,
    /// A node is stopped until its connections have ended and the others have gone on without it.
    NodeOutlived,
    DatabaseKilled,
    /// The replica takes the place of the primary.
    Promotion,
    /// The same while commits wait for the replica.
    LatePromotion,
    /// The replica is away, commits wait for it, and then it takes the place of the primary.
    PromotionAfterOutage,
    BusKilled,
    BusCut,
    /// All hints are lost, and no connection is.
    BusSilent,
    DatabaseCut,
    /// Nothing passes between a node and the database.
    DatabaseSilent,
    /// Commits and their responses are lost between a node and the database.
    CommitsLost,
    /// No packet passes between a node and the database.
    DatabaseUnreachable,
    /// No packet passes between a node and the bus.
    BusUnreachable,
    /// No packet passes between a node and anything else.
    NodeUnreachable,
    /// A part of the packets of a node are lost.
    PacketsLost,
}

/// The place of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Node(usize),
    /// A node and what lies between it and the database.
    NodeWithWay(usize),
    Database,
    /// The connections between a node and the database.
    WayToDatabase(usize),
    Bus,
    /// The connections between a node and the bus.
    WayToBus(usize),
    /// The network of a node, with its connections to the database and to the bus.
    Network(usize),
    Hints,
}

/// A fault with everything that was chosen about it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    pub(super) kind: Kind,
    node: usize,
    /// How long after the fault before it this one begins.
    pub(super) after_millis: u64,
    pub(super) lasts: Duration,
    /// How long the replica takes nothing before a late promotion.
    late: Duration,
    /// Whether held messages arrive late, or never.
    is_held_back_for_good: bool,
    /// The part of the packets that are lost, in percent.
    loss: u8,
}

impl Kind {
    pub(super) const ALL: [Self; 17] = [
        Self::NodeKilled,
        Self::NodeStopped,
        Self::NodeOutlived,
        Self::DatabaseKilled,
        Self::Promotion,
        Self::LatePromotion,
        Self::PromotionAfterOutage,
        Self::BusKilled,
        Self::BusCut,
        Self::BusSilent,
        Self::DatabaseCut,
        Self::DatabaseSilent,
        Self::CommitsLost,
        Self::DatabaseUnreachable,
        Self::BusUnreachable,
        Self::NodeUnreachable,
        Self::PacketsLost,
    ];

    /// Whether a site has the servers that this fault needs.
    pub(super) fn is_possible(self, site: &Site) -> bool {
        match self {
            Self::Promotion | Self::LatePromotion | Self::PromotionAfterOutage => site.has_replica,
            Self::BusKilled | Self::BusCut | Self::BusSilent => site.nats.is_some(),
            Self::BusUnreachable => site.nats.is_some() && site.has_networks(),
            Self::DatabaseUnreachable | Self::NodeUnreachable | Self::PacketsLost => {
                site.has_networks()
            }
            Self::NodeKilled
            | Self::NodeStopped
            | Self::NodeOutlived
            | Self::DatabaseKilled
            | Self::DatabaseCut
            | Self::DatabaseSilent
            | Self::CommitsLost => true,
        }
    }

    const fn millis(self) -> Range<u64> {
        match self {
            Self::NodeKilled => 0..1_500,
            Self::NodeStopped => 2_000..4_000,
            Self::NodeOutlived => 4_000..7_000,
            Self::PromotionAfterOutage => 2_000..5_000,
            Self::DatabaseKilled | Self::Promotion | Self::LatePromotion => 0..1_000,
            Self::BusKilled => 0..2_500,
            Self::BusCut => 500..3_000,
            Self::BusSilent => 1_000..5_000,
            Self::DatabaseCut => 100..3_000,
            Self::DatabaseSilent => 500..6_000,
            Self::CommitsLost => 1_000..3_000,
            Self::DatabaseUnreachable | Self::BusUnreachable => 500..6_000,
            Self::NodeUnreachable => 500..5_000,
            Self::PacketsLost => 1_000..4_000,
        }
    }
}

impl Fault {
    pub(super) fn choose(kind: Kind, dice: &mut fastrand::Rng) -> Self {
        Self {
            kind,
            node: dice.usize(..NODES),
            after_millis: dice.u64(..500),
            lasts: Duration::from_millis(dice.u64(kind.millis())),
            late: Duration::from_millis(dice.u64(100..800)),
            is_held_back_for_good: dice.bool(),
            loss: dice.u8(5..40),
        }
    }

    const fn part(&self) -> Part {
        match self.kind {
            Kind::NodeOutlived => Part::NodeWithWay(self.node),
            Kind::NodeKilled | Kind::NodeStopped => Part::Node(self.node),
            Kind::DatabaseKilled
            | Kind::Promotion
            | Kind::LatePromotion
            | Kind::PromotionAfterOutage => Part::Database,
            Kind::BusKilled => Part::Bus,
            Kind::BusCut => Part::WayToBus(self.node),
            Kind::BusSilent => Part::Hints,
            Kind::DatabaseCut | Kind::DatabaseSilent | Kind::CommitsLost => {
                Part::WayToDatabase(self.node)
            }
            Kind::DatabaseUnreachable
            | Kind::BusUnreachable
            | Kind::NodeUnreachable
            | Kind::PacketsLost => Part::Network(self.node),
        }
    }

    /// Whether both concern the same part.
    pub(super) fn meets(&self, other: &Self) -> bool {
        let (one, other) = (self.part(), other.part());
        let is_within = |one, other| match other {
            Part::NodeWithWay(node) => [
                Part::Node(node),
                Part::WayToDatabase(node),
                Part::Network(node),
            ]
            .contains(&one),
            Part::Network(node) => [Part::WayToDatabase(node), Part::WayToBus(node)].contains(&one),
            _ => false,
        };
        one == other || is_within(one, other) || is_within(other, one)
    }

    /// Begins the fault. `false` if it cannot happen now.
    pub(super) async fn begin(&self, site: &mut Site, findings: &Findings) -> bool {
        let node = self.node;
        let tell = |text: std::fmt::Arguments<'_>| {
            findings.tell(format_args!("{text}, {:?}", self.lasts));
        };
        match self.kind {
            Kind::NodeKilled => {
                tell(format_args!("node {node} is killed"));
                site.nodes[node].kill().await;
            }
            Kind::NodeStopped => {
                tell(format_args!("node {node} is stopped"));
                site.nodes[node].stop();
            }
            Kind::NodeOutlived => {
                tell(format_args!(
                    "node {node} is stopped, and its connections to the database are cut"
                ));
                site.nodes[node].stop();
                site.set_way(node, Way::Cut);
            }
            Kind::DatabaseKilled => {
                tell(format_args!("PostgreSQL is killed"));
                site.database.kill().await;
            }
            Kind::Promotion | Kind::LatePromotion | Kind::PromotionAfterOutage => {
                if !site.database.has_caught_up().await {
                    findings.tell("no promotion: the replica has not caught up");
                    return false;
                }
                if self.kind == Kind::PromotionAfterOutage {
                    tell(format_args!(
                        "the replica is killed, and later takes the place of PostgreSQL"
                    ));
                    site.database.kill_replica().await;
                    return true;
                }
                let late = (self.kind == Kind::LatePromotion).then_some(self.late);
                match late {
                    Some(late) => tell(format_args!(
                        "the replica is stopped for {late:?}, PostgreSQL killed, the replica promoted"
                    )),
                    None => tell(format_args!(
                        "PostgreSQL is killed and the replica promoted"
                    )),
                }
                site.database.promote(late).await;
            }
            Kind::BusKilled => {
                tell(format_args!("nats-server is killed"));
                site.nats.as_mut().expect("it is possible").kill().await;
            }
            Kind::BusCut => {
                tell(format_args!("node {node} is cut off from the bus"));
                site.bus_proxies[node].set_cut(true);
            }
            Kind::BusSilent => {
                tell(format_args!("all hints are lost"));
                super::set_noise(site, Noise::SILENCE);
            }
            Kind::DatabaseCut => {
                tell(format_args!("node {node} is cut off from the database"));
                site.set_way(node, Way::Cut);
            }
            Kind::DatabaseSilent => {
                tell(format_args!("node {node} gets nothing from the database"));
                site.set_way(node, Way::Hole);
            }
            Kind::CommitsLost => {
                tell(format_args!("commits of node {node} are lost"));
                site.set_way(node, Way::LosesCommits);
            }
            Kind::DatabaseUnreachable => {
                tell(format_args!("the database is unreachable for node {node}"));
                site.lose_packets(node, 100, &[Peer::Database]).await;
            }
            Kind::BusUnreachable => {
                tell(format_args!("the bus is unreachable for node {node}"));
                site.lose_packets(node, 100, &[Peer::Bus]).await;
            }
            Kind::NodeUnreachable => {
                tell(format_args!("node {node} is unreachable"));
                site.lose_packets(node, 100, &Peer::ALL).await;
            }
            Kind::PacketsLost => {
                let loss = self.loss;
                tell(format_args!("node {node} loses {loss} % of its packets"));
                site.lose_packets(node, loss, &Peer::ALL).await;
            }
        }
        true
    }

    /// Ends the fault. A killed node is started, though perhaps not ready yet.
    pub(super) async fn end(&self, site: &mut Site) {
        let node = self.node;
        match self.kind {
            Kind::NodeKilled => site.nodes[node].launch(),
            Kind::NodeStopped => site.nodes[node].go_on(),
            Kind::NodeOutlived => {
                site.set_way(node, Way::Open);
                site.nodes[node].go_on();
            }
            Kind::DatabaseKilled => site.database.restart().await,
            Kind::Promotion | Kind::LatePromotion => site.database.add_replica().await,
            Kind::PromotionAfterOutage => {
                site.database.replace_by_killed_replica().await;
                site.database.add_replica().await;
            }
            Kind::BusKilled => site.nats.as_mut().expect("it is possible").restart().await,
            Kind::BusCut => site.bus_proxies[node].set_cut(false),
            Kind::BusSilent => super::set_noise(site, Noise::LOUD),
            Kind::DatabaseSilent if self.is_held_back_for_good => {
                site.set_way(node, Way::Cut);
                site.set_way(node, Way::Open);
            }
            Kind::DatabaseCut | Kind::DatabaseSilent | Kind::CommitsLost => {
                site.set_way(node, Way::Open);
            }
            Kind::DatabaseUnreachable
            | Kind::BusUnreachable
            | Kind::NodeUnreachable
            | Kind::PacketsLost => site.lose_packets(node, 0, &[]).await,
        }
    }
}
