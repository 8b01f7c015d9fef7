//! A TCP proxy between one node and the server of NATS. It reads the protocol and loses, repeats, delays, reorders
//! and damages whole messages on their way to the node.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// The longest delay of a message in milliseconds.
const MAX_DELAY: u64 = 1_500;

/// Messages on their way. Beyond it they are lost, as in a network.
const ON_THE_WAY: usize = 4_096;

/// How the proxy treats messages, each in percent of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Noise {
    pub(crate) lost: u8,
    pub(crate) repeated: u8,
    pub(crate) delayed: u8,
    /// Sent after the next message.
    pub(crate) reordered: u8,
    /// Bytes of the payload are changed.
    pub(crate) damaged: u8,
}

impl Noise {
    pub(crate) const NONE: Self = Self {
        lost: 0,
        repeated: 0,
        delayed: 0,
        reordered: 0,
        damaged: 0,
    };

    pub(crate) const LOUD: Self = Self {
        lost: 30,
        repeated: 10,
        delayed: 10,
        reordered: 10,
        damaged: 2,
    };

    pub(crate) const SILENCE: Self = Self {
        lost: 100,
        ..Self::NONE
    };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    noise: Noise,
    is_cut: bool,
}

/// The numbers of messages by the proxy's treatment of them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) seen: u64,
    pub(crate) lost: u64,
    pub(crate) changed: u64,
}

/// The proxy.
#[derive(Debug)]
pub(crate) struct BusProxy {
    /// The address for the node.
    pub(crate) address: SocketAddr,
    state: watch::Sender<State>,
    tally: Arc<Mutex<Tally>>,
    task: JoinHandle<()>,
}

impl BusProxy {
    pub(crate) async fn open(host: Ipv4Addr, server: u16, seed: u64) -> Self {
        let listener = TcpListener::bind((host, 0)).await;
        let listener = listener.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let state = watch::Sender::new(State {
            noise: Noise::NONE,
            is_cut: false,
        });
        let tally = Arc::new(Mutex::new(Tally::default()));
        let (states, tallies) = (state.subscribe(), Arc::clone(&tally));
        let mut dice = fastrand::Rng::with_seed(seed);
        let task = tokio::spawn(async move {
            while let Ok((node, _)) = listener.accept().await {
                let connection = Connection {
                    states: states.clone(),
                    dice: dice.fork(),
                    tally: Arc::clone(&tallies),
                    held: None,
                };
                tokio::spawn(connection.pass(node, server));
            }
        });
        Self {
            address,
            state,
            tally,
            task,
        }
    }

    pub(crate) fn set_noise(&self, noise: Noise) {
        self.state.send_modify(|state| state.noise = noise);
    }

    pub(crate) fn set_cut(&self, is_cut: bool) {
        self.state.send_modify(|state| state.is_cut = is_cut);
    }

    pub(crate) fn tally(&self) -> Tally {
        *self.tally.lock().expect("no panic")
    }
}

impl Drop for BusProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Connection {
    states: watch::Receiver<State>,
    dice: fastrand::Rng,
    tally: Arc<Mutex<Tally>>,
    /// A message that goes after the next one.
    held: Option<Vec<u8>>,
}

impl Connection {
    async fn pass(mut self, node: TcpStream, server: u16) {
        if self.states.borrow().is_cut {
            return;
        }
        let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await else {
            return;
        };
        let _ = (node.set_nodelay(true), server.set_nodelay(true));
        let (mut from_node, to_node) = node.into_split();
        let (from_server, mut to_server) = server.into_split();
        let (sender, receiver) = mpsc::channel(ON_THE_WAY);
        let mut cuts = self.states.clone();
        tokio::select! {
            _ = tokio::io::copy(&mut from_node, &mut to_server) => {}
            () = write(receiver, to_node) => {}
            _ = self.read(from_server, sender) => {}
            _ = cuts.wait_for(|state| state.is_cut) => {}
        }
    }

    /// Reads what the server sends, unit by unit.
    async fn read(&mut self, server: OwnedReadHalf, node: mpsc::Sender<Vec<u8>>) -> Option<()> {
        let mut server = BufReader::new(server);
        loop {
            let mut unit = Vec::new();
            if server.read_until(b'\n', &mut unit).await.ok()? == 0 {
                return None;
            }
            let Some(payload) = payload_bytes(&unit) else {
                node.send(unit).await.ok()?;
                continue;
            };
            let head = unit.len();
            unit.resize(head + payload + b"\r\n".len(), 0);
            server.read_exact(&mut unit[head..]).await.ok()?;
            self.treat(unit, head..head + payload, &node);
        }
    }

    /// Passes a message on, or does something else with it.
    fn treat(
        &mut self,
        mut message: Vec<u8>,
        payload: std::ops::Range<usize>,
        node: &mpsc::Sender<Vec<u8>>,
    ) {
        let noise = self.states.borrow().noise;
        let mut happens = |percent: u8| self.dice.u8(..100) < percent;
        let is_lost = happens(noise.lost);
        let is_damaged = happens(noise.damaged);
        let is_reordered = happens(noise.reordered);
        let is_delayed = happens(noise.delayed);
        let is_repeated = happens(noise.repeated);
        let mut tally = self.tally.lock().expect("no panic");
        tally.seen += 1;
        if is_lost {
            tally.lost += 1;
            return;
        }
        if is_damaged || is_reordered || is_delayed || is_repeated {
            tally.changed += 1;
        }
        drop(tally);
        if is_damaged && !payload.is_empty() {
            for _ in 0..1 + self.dice.usize(..4) {
                let place = self.dice.usize(payload.clone());
                message[place] = self.dice.u8(..);
            }
        }
        if is_reordered && self.held.is_none() {
            self.held = Some(message);
            return;
        }
        // A full queue loses it.
        let times = if is_repeated { 2 } else { 1 };
        for _ in 0..times {
            if is_delayed {
                let (node, message) = (node.clone(), message.clone());
                let delay = Duration::from_millis(self.dice.u64(1..MAX_DELAY));
                tokio::spawn(async move {
                    tokio::time::sleep(delay).await;
                    let _ = node.try_send(message);
                });
            } else {
                let _ = node.try_send(message.clone());
            }
        }
        if let Some(held) = self.held.take() {
            let _ = node.try_send(held);
        }
    }
}

async fn write(mut units: mpsc::Receiver<Vec<u8>>, mut node: OwnedWriteHalf) {
    while let Some(unit) = units.recv().await {
        if node.write_all(&unit).await.is_err() {
            return;
        }
    }
}

/// The size of the payload that follows a line, if it begins a message: the last number of
/// `MSG subject sid [reply] bytes` and of `HMSG subject sid [reply] header-bytes bytes`.
fn payload_bytes(line: &[u8]) -> Option<usize> {
    let line = std::str::from_utf8(line).ok()?;
    let mut words = line.split_ascii_whitespace();
    match words.next()? {
        "MSG" | "HMSG" => words.next_back()?.parse().ok(),
        _ => None,
    }
}

#[test]
fn finds_the_size_of_messages() {
    for (line, expected) in [
        ("MSG tidings.1.hints 1 42\r\n", Some(42)),
        ("MSG tidings.1.hints 1 reply 42\r\n", Some(42)),
        ("HMSG tidings.1.hints 1 12 54\r\n", Some(54)),
        ("INFO {\"max_payload\": 10}\r\n", None),
        ("PING\r\n", None),
        ("+OK\r\n", None),
    ] {
        assert_eq!(payload_bytes(line.as_bytes()), expected, "{line}");
    }
}
