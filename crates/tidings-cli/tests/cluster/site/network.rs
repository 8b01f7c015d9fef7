//! The network of a node: a namespace of its own, in which packets can be lost.

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::{interval, timeout};

use super::process::Process;
use super::warden::Warden;

const STUCK: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(10);

/// Each network has 8 addresses of the 256 that the process chooses by its pid.
const ADDRESSES: u32 = 8;

/// The name of a link within its namespace.
const INSIDE: &str = "eth0";

/// Networks that this process has made.
static MADE: AtomicU32 = AtomicU32::new(0);

/// What a node has connections with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    Clients,
    Database,
    Bus,
}

impl Peer {
    pub(crate) const ALL: [Self; 3] = [Self::Clients, Self::Database, Self::Bus];

    const fn host(self) -> u32 {
        match self {
            Self::Clients => 1,
            Self::Database => 2,
            Self::Bus => 3,
        }
    }
}

/// The address of a node in its network.
const NODE: u32 = 4;

/// A pair of links: one outside with an address for each peer, and one in a namespace that only the node uses. It ends
/// with the processes in the namespace.
#[derive(Debug)]
pub(crate) struct Network {
    first: u32,
    /// Only keeps the namespace alive.
    holder: Process,
}

impl Network {
    /// Whether this process may make networks. It needs root, and in a container the capability too.
    pub(super) async fn is_permitted() -> bool {
        let made = Command::new("unshare")
            .args(["--net", "true"])
            .stderr(Stdio::null())
            .status();
        rustix::process::geteuid().is_root() && made.await.is_ok_and(|status| status.success())
    }

    pub(super) async fn make(directory: &Path, warden: &Arc<Warden>) -> Self {
        let number = MADE.fetch_add(1, Ordering::Relaxed) % (256 / ADDRESSES);
        let mut command = Command::new("unshare");
        command.args(["--net", "sleep", "infinity"]);
        let holder = Process::start(command, &directory.join("networks.log"), warden);
        let pid = holder.pid();
        is_apart(pid).await;
        let network = Self {
            first: address_block() + number * ADDRESSES,
            holder,
        };
        // At most 15 letters.
        let outside = format!("td{}n{number}", std::process::id());
        let peer = ["type", "veth", "peer", "name", INSIDE, "netns"];
        let mut add = ip();
        add.args(["link", "add", &outside]).args(peer);
        run(add.arg(pid.to_string())).await;
        for peer in Peer::ALL {
            let address = format!("{}/29", network.address_of(peer));
            run(ip().args(["address", "add", &address, "dev", &outside])).await;
        }
        run(ip().args(["link", "set", &outside, "up"])).await;
        let own = format!("{}/29", network.node());
        for arguments in [
            ["address", "add", &own, "dev", INSIDE].as_slice(),
            &["link", "set", INSIDE, "up"],
            &["link", "set", "lo", "up"],
        ] {
            run(network.enter("ip").args(arguments)).await;
        }
        network
    }

    /// The address at which the node reaches a peer.
    pub(crate) const fn address_of(&self, peer: Peer) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.first + peer.host())
    }

    /// The address of the node.
    pub(crate) const fn node(&self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.first + NODE)
    }

    /// A command that runs in the namespace, with the pid that it is started with.
    pub(super) fn enter(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.holder.pid()));
        command.arg(program);
        command
    }

    /// Loses this part of all packets in percent, to and from these peers, and none of others.
    pub(crate) async fn lose(&self, percent: u8, peers: &[Peer]) {
        let mut rules = "add table inet faults\ndelete table inet faults\n".to_owned();
        if !peers.is_empty() {
            let addresses: Vec<String> = peers
                .iter()
                .map(|peer| self.address_of(*peer).to_string())
                .collect();
            let addresses = addresses.join(", ");
            // The command rejects a condition that always holds.
            let chance = match percent {
                100 => String::new(),
                _ => format!("numgen random mod 100 < {percent}"),
            };
            rules += "table inet faults {\n";
            for (hook, side) in [("input", "saddr"), ("output", "daddr")] {
                rules += &format!(
                    "chain {hook} {{ type filter hook {hook} priority 0; ip {side} {{ {addresses} }} {chance} drop; }}\n"
                );
            }
            rules += "}\n";
        }
        let mut command = self.enter("nft");
        command.args(["-f", "-"]).stdin(Stdio::piped());
        let mut nft = command.spawn().expect("nft starts");
        let mut input = nft.stdin.take().expect("it is piped");
        let written = input.write_all(rules.as_bytes()).await;
        written.expect("nft reads");
        drop(input);
        let status = nft.wait().await.expect("it can be waited for");
        assert!(status.success(), "nft refuses\n{rules}");
    }
}

/// Waits until a process is in a namespace of its own.
async fn is_apart(pid: u32) {
    let namespace = |pid: &str| std::fs::read_link(format!("/proc/{pid}/ns/net"));
    let own = namespace("self").expect("Linux has it");
    let is_apart = timeout(STUCK, async {
        let mut ticks = interval(POLL);
        while namespace(&pid.to_string()).is_ok_and(|other| other == own) {
            ticks.tick().await;
        }
    });
    is_apart.await.expect("unshare makes a namespace");
}

/// The first of 256 private addresses, in which runs beside this one do not take part.
fn address_block() -> u32 {
    let [_, _, high, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(10, 64 | (high & 0x3f), low, 0).to_bits()
}

fn ip() -> Command {
    Command::new("ip")
}

async fn run(command: &mut Command) {
    let output = command.output().await.expect("iproute2 is installed");
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
