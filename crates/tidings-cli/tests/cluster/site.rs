//! Three nodes behind a load balancer, their database and their bus: real programs in a temporary directory.

mod balancer;
mod database;
mod nats;
mod network;
mod node;
mod ports;
mod process;
mod warden;

use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use crate::bus_proxy::BusProxy;
use crate::findings::say;
use crate::gate::{Gate, Way};
pub(crate) use database::Database;
use nats::Nats;
use network::Network;
pub(crate) use network::Peer;
use node::Node;
use ports::free_port;
use process::Process;
use warden::Warden;

pub(crate) const NODES: usize = 3;

/// How many system events retention keeps: few, so that it deletes some all the time.
pub(crate) const KEPT_OF_SYSTEM: usize = 60;

/// The lines of each log that a failure shows.
const SHOWN: usize = 25;

/// The carrier of the hints between the nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bus {
    Nats,
    Postgres,
    None,
}

/// The programs of a run. Dropping it ends them all.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) has_replica: bool,
    pub(crate) database: Database,
    pub(crate) nats: Option<Nats>,
    /// Between each node and the bus.
    pub(crate) bus_proxies: Vec<BusProxy>,
    /// Between each node and the hosts of the database.
    pub(crate) gates: Vec<[Gate; 2]>,
    pub(crate) nodes: Vec<Node>,
    /// The key that signs the tokens of users.
    pub(crate) secret: String,
    balancer_port: u16,
    _balancer: Process,
    warden: Arc<Warden>,
}

impl Site {
    pub(crate) async fn start(bus: Bus, has_replica: bool, seed: u64) -> Self {
        let directory = tempfile::Builder::new()
            .prefix("tidings-cluster-")
            .permissions(std::fs::Permissions::from_mode(0o755))
            .tempdir()
            .expect("a directory can be made")
            .keep();
        let warden = Arc::new(Warden::of(&directory));
        let secret: String = (0..48).map(|_| fastrand::alphanumeric()).collect();
        std::fs::write(directory.join("secret"), &secret).expect("it can be written");
        let database = Database::start(&directory, &warden, has_replica).await;
        let nats = match bus {
            Bus::Nats => Some(Nats::start(&directory, &warden).await),
            Bus::Postgres | Bus::None => None,
        };
        let (mut gates, mut bus_proxies, mut nodes) = (Vec::new(), Vec::new(), Vec::new());
        let mut seeds = fastrand::Rng::with_seed(seed);
        let has_networks = Network::is_permitted().await;
        if !has_networks {
            say(
                "no network is made for each node, since that needs root: no packet is lost in this run",
            );
        }
        for number in 0..NODES {
            let network = match has_networks {
                true => Some(Network::make(&directory, &warden).await),
                false => None,
            };
            let host_of = |peer| match &network {
                Some(network) => network.address_of(peer),
                None => Ipv4Addr::LOCALHOST,
            };
            let [one, two] = database.ports();
            let seeds = [seeds.u64(..), seeds.u64(..), seeds.u64(..)];
            let hosts = [
                Gate::open(host_of(Peer::Database), one, seeds[0]).await,
                Gate::open(host_of(Peer::Database), two, seeds[1]).await,
            ];
            let address = match (&nats, bus) {
                (Some(nats), _) => {
                    let proxy = BusProxy::open(host_of(Peer::Bus), nats.port, seeds[2]).await;
                    let address = format!("nats://{}", proxy.address);
                    bus_proxies.push(proxy);
                    address
                }
                (None, Bus::Postgres) => "postgres".to_owned(),
                (None, Bus::None | Bus::Nats) => "none".to_owned(),
            };
            let host = network.as_ref().map_or(Ipv4Addr::LOCALHOST, Network::node);
            let listen = SocketAddr::from((host, free_port()));
            let args = [
                "serve",
                "--listen",
                &listen.to_string(),
                "--store",
                &format!(
                    "postgres://postgres@{},{}/tidings?sslmode=disable",
                    hosts[0].address, hosts[1].address
                ),
                "--bus",
                &address,
                "--auth",
                "jwt",
                "--jwt-secret-file",
                "secret",
                "--own-publish-rate",
                "0",
                "--request-rate",
                "0",
                "--max-connections-per-address",
                "0",
                "--max-streams-per-owner",
                "0",
                "--retain-system",
                &KEPT_OF_SYSTEM.to_string(),
                "--retention-interval",
                "500ms",
            ]
            .map(str::to_owned);
            let log = directory.join(format!("node{number}.log"));
            nodes.push(Node::new(listen, network, log, args.to_vec(), &warden));
            gates.push(hosts);
        }
        for node in &mut nodes {
            node.start().await;
        }
        let addresses: Vec<SocketAddr> = nodes.iter().map(|node| node.address).collect();
        let balancer_port = free_port();
        let balancer = balancer::start(balancer_port, &addresses, &directory, &warden);
        Self {
            has_replica,
            database,
            nats,
            bus_proxies,
            gates,
            nodes,
            secret,
            balancer_port,
            _balancer: balancer,
            warden,
        }
    }

    /// The addresses of the nodes, then that of the load balancer.
    pub(crate) fn doors(&self) -> Vec<SocketAddr> {
        let nodes = self.nodes.iter().map(|node| node.address);
        let balancer = (Ipv4Addr::LOCALHOST, self.balancer_port).into();
        nodes.chain([balancer]).collect()
    }

    /// Treats the connections between a node and the database.
    pub(crate) fn set_way(&self, node: usize, way: Way) {
        for gate in &self.gates[node] {
            gate.set(way);
        }
    }

    /// Treats the connections between all nodes and the database.
    pub(crate) fn set_ways(&self, way: Way) {
        for node in 0..NODES {
            self.set_way(node, way);
        }
    }

    /// Loses packets of a node, as a bad cable or a firewall does, or none.
    pub(crate) async fn lose_packets(&self, node: usize, percent: u8, peers: &[Peer]) {
        let network = self.nodes[node].network.as_ref();
        network.expect("it is possible").lose(percent, peers).await;
    }

    /// Whether packets can be lost.
    pub(crate) fn has_networks(&self) -> bool {
        self.nodes.iter().all(|node| node.network.is_some())
    }

    /// Faults that only a log tells: a panic, an end that nobody asked for, or nodes that lock in different orders.
    pub(crate) fn faults_in_logs(&mut self) -> Vec<String> {
        let mut faults = self.database.deadlocks();
        for (number, node) in self.nodes.iter_mut().enumerate() {
            if node.has_failed() {
                faults.push(format!("node {number} has ended by itself"));
            }
            let log = std::fs::read_to_string(&node.log).unwrap_or_default();
            let panics = log.lines().filter(|line| line.contains("panicked at"));
            faults.extend(panics.map(|line| format!("node {number}: {line}")));
        }
        faults
    }

    /// Prints the ends of all logs, and keeps them.
    pub(crate) fn show_logs(&self) {
        let nodes = self.nodes.iter().map(|node| node.log.as_path());
        let logs: Vec<PathBuf> = nodes.chain(self.database.logs()).map(Into::into).collect();
        for log in logs {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            say(format_args!("--- {}", log.display()));
            for line in &lines[lines.len().saturating_sub(SHOWN)..] {
                say(line);
            }
        }
        say(format_args!(
            "the logs are in {}",
            self.warden.keep().display()
        ));
    }
}
