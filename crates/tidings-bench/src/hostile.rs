//! Measures the latency of a user's events while other clients attack the server.

mod abuse;
pub(crate) mod account;
mod alongside;
mod attack;
mod bystander;
mod response;
mod unread_streams;
mod victim;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use uuid::Uuid;

use alongside::{ATTACKERS_NICE, Alongside, Signals};
use attack::{Attack, AttackedServer, Tally};
use bystander::{Bystander, ask_for_health};

use crate::Bench;
use crate::report::{Table, Target};
use crate::server::Server;
use crate::statistics::Samples;
use crate::tokens::Tokens;

/// The user whose token the attackers have.
const ATTACKER: Uuid = Uuid::from_u128(0x7b1d_2c3e_0000_4000_8000_0000_0000_000b);
const BYSTANDER: Uuid = Uuid::from_u128(0x7b1d_2c3e_0000_4000_8000_0000_0000_000a);

/// The maximum time in which the server must close the connections of an attack.
const RECOVERY: Duration = Duration::from_secs(60);

/// The number of additional open files that are allowed after an attack, for new connections to the store.
const FILES_LEFT: usize = 8;

pub(crate) async fn run(bench: &Bench) -> anyhow::Result<Table> {
    let title = "hostile: a user's time from publish to delivery during attacks, ms";
    let mut table = Table::new(title);
    let mut notes = Vec::new();
    for attack in Attack::ALL {
        let (mut before, mut during) = (Side::default(), Side::default());
        let mut last = None;
        for _ in 0..bench.size(3, 1) {
            let turn = measure(bench, attack).await?;
            before.add(&turn.before);
            during.add(&turn.during);
            last = Some(turn);
        }
        let turn = last.context("no turn was measured")?;
        let name = attack.describe();
        table.ratio(
            &format!("{name}: median"),
            &during.median,
            ("before", &before.median),
            Target::None,
        );
        table.ratio(
            &format!("{name}: 99th percentile"),
            &during.p99,
            ("before", &before.p99),
            Target::None,
        );
        notes.push(format!(
            "{name}: {}; the server used {:.0} % of its core and at most {:.1} MiB, {:.1} MiB before.",
            turn.tally,
            turn.cpu * 100.0,
            mib(turn.peak_bytes),
            mib(turn.bytes_before)
        ));
    }
    table.note(format!(
        "The server runs with `--auth jwt` and default limits. The user publishes to themselves every 5 ms \
         and follows. The attackers come from another address and share the load generator's core with \
         the user, at nice {ATTACKERS_NICE}. After each attack the server was healthy and had closed the \
         attackers' connections. What the server did in the last turn:"
    ));
    for note in notes {
        table.note(note);
    }
    Ok(table)
}

#[derive(Default)]
struct Side {
    median: Samples,
    p99: Samples,
}

impl Side {
    fn add(&mut self, latencies: &Samples) {
        self.median.push(latencies.median());
        self.p99.push(latencies.percentile(99));
    }
}

struct Turn {
    before: Samples,
    during: Samples,
    tally: Tally,
    /// The fraction of a core that the server used during the attack.
    cpu: f64,
    bytes_before: u64,
    peak_bytes: u64,
}

/// Measures before and during an attack, on a new server.
async fn measure(bench: &Bench, attack: Attack) -> anyhow::Result<Turn> {
    let directory = bench.directory()?;
    let tokens = Tokens::new(&bench.server)?;
    let data = directory.path().join("data");
    let server = Server::start_with(bench, &data, &tokens.flags()).await?;
    let victim = AttackedServer {
        server: server.address(),
        token: tokens.sign(ATTACKER, "events:read,events:write")?,
    };
    let token = tokens.sign(BYSTANDER, "events:read,events:write,events:publish")?;
    let calm = bench.size(Duration::from_secs(3), Duration::from_secs(1));
    // Longer than every timeout of the server for slow clients.
    let storm = bench.size(Duration::from_secs(12), Duration::from_secs(2));
    let (turn, server) = tokio::task::spawn_blocking(move || {
        let turn = weather(&server, attack, victim, token, (calm, storm));
        (turn, server)
    })
    .await?;
    server.stop().await?;
    turn.with_context(|| format!("the attack {attack:?} failed"))
}

fn weather(
    server: &Server,
    attack: Attack,
    victim: AttackedServer,
    token: String,
    (calm, storm): (Duration, Duration),
) -> anyhow::Result<Turn> {
    let address = server.address();
    let mut bystander = Bystander::connect(address, token)?;
    let before = bystander.measure(calm)?;
    let (files, bytes_before) = (
        server.process().open_files()?,
        server.process().resident_bytes()?,
    );
    server.process().forget_peak()?;
    let work = move |signals: Signals| async move {
        let (begin, stop) = signals.split();
        attack::run(attack, &victim, begin, stop).await
    };
    let Alongside {
        measured,
        tally,
        cpu,
    } = alongside::measure(server, work, || bystander.measure(storm))?;
    recover(server, address, files)?;
    Ok(Turn {
        before,
        during: measured,
        tally,
        cpu,
        bytes_before,
        peak_bytes: server.process().peak_resident_bytes()?,
    })
}

/// Waits until the server has closed the attackers' connections, and checks its health.
#[expect(
    clippy::disallowed_methods,
    reason = "another process does not signal when it closes files"
)]
fn recover(server: &Server, address: SocketAddr, files: usize) -> anyhow::Result<()> {
    let over = Instant::now();
    loop {
        ask_for_health(address)?;
        let open = server.process().open_files()?;
        if open <= files + FILES_LEFT {
            return Ok(());
        }
        ensure!(
            over.elapsed() < RECOVERY,
            "the server has {open} open files {RECOVERY:?} after the attack; before it had {files}"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / 1024.0 / 1024.0
}
