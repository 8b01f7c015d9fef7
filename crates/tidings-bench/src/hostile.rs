//! What a user notices while others attack the server.

mod abuse;
pub(crate) mod account;
mod answer;
mod attack;
mod bystander;
mod tokens;
mod unread_streams;
mod victim;

use std::net::SocketAddr;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use rustix::process::setpriority_process;
use tokio::sync::oneshot;
use uuid::Uuid;

use attack::{Attack, Tally, Target as Victim};
use bystander::{Bystander, ask_for_health};
use tokens::Tokens;

use crate::Bench;
use crate::report::{Table, Target};
use crate::server::Server;
use crate::statistics::Samples;

/// Someone else than the bystander.
const ATTACKER: Uuid = Uuid::from_u128(0x7b1d_2c3e_0000_4000_8000_0000_0000_000b);
const BYSTANDER: Uuid = Uuid::from_u128(0x7b1d_2c3e_0000_4000_8000_0000_0000_000a);

/// The attackers share a core with the bystander, whose own wait for it is not the server's fault.
const ATTACKERS_NICE: i32 = 10;

/// How long the server may take until it has let go of what an attack left.
const RECOVERY: Duration = Duration::from_secs(60);

/// The files that a server may have open more than before: connections to the store that it opened
/// meanwhile.
const FILES_LEFT: usize = 8;

pub(crate) async fn run(bench: &Bench) -> anyhow::Result<Table> {
    let title = "hostile: publish to read of a user, ms, before and during attacks";
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
        let turn = last.context("there is a turn")?;
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
            "{name}: {}; the server took {:.0} % of its core and at most {:.1} MiB, {:.1} before.",
            turn.tally,
            turn.cpu * 100.0,
            mib(turn.peak_bytes),
            mib(turn.bytes_before)
        ));
    }
    table.note(format!(
        "A server with `--auth jwt` and otherwise the default limits. The user publishes to themselves \
         and follows, an event every 5 ms; the attackers come from another address, and share the \
         load's core with the user at nice {ATTACKERS_NICE}. After each attack the server was well and \
         had let go of its connections. What the server did in the last turn:"
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
    /// The part of a core that the server took during the attack.
    cpu: f64,
    bytes_before: u64,
    peak_bytes: u64,
}

/// Measures before and during an attack, at a server of its own.
async fn measure(bench: &Bench, attack: Attack) -> anyhow::Result<Turn> {
    let directory = bench.directory()?;
    let tokens = Tokens::new(&bench.server)?;
    let secret = tokens.secret_file();
    let secret = secret.to_str().context("the secret has a plain path")?;
    let flags = ["--auth", "jwt", "--jwt-secret-file", secret];
    let server = Server::start_with(bench, &directory.path().join("data"), &flags).await?;
    let victim = Victim {
        server: server.address(),
        token: tokens.sign(ATTACKER, "events:read,events:write")?,
    };
    let token = tokens.sign(BYSTANDER, "events:read,events:write,events:publish")?;
    let calm = bench.size(Duration::from_secs(3), Duration::from_secs(1));
    // Longer than the server lets anybody be slow.
    let storm = bench.size(Duration::from_secs(12), Duration::from_secs(2));
    let (turn, server) = tokio::task::spawn_blocking(move || {
        let turn = weather(&server, attack, victim, token, (calm, storm));
        (turn, server)
    })
    .await?;
    server.stop().await?;
    turn.with_context(|| format!("the attack {attack:?} broke off"))
}

fn weather(
    server: &Server,
    attack: Attack,
    victim: Victim,
    token: String,
    (calm, storm): (Duration, Duration),
) -> anyhow::Result<Turn> {
    let address = server.address();
    let mut bystander = Bystander::connect(address, token)?;
    let before = bystander.measure(calm)?;
    let (files, bytes_before) = (server.open_files()?, server.resident_bytes()?);
    server.forget_peak()?;
    let (begun, beginning) = mpsc::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let attackers = std::thread::spawn(move || attack_until(attack, &victim, &begun, stopped));
    // Fails only if the attackers broke off, which joining them tells.
    let _ = beginning.recv();
    let (cpu, since) = (server.cpu()?, Instant::now());
    let during = bystander.measure(storm);
    let cpu = (server.cpu()? - cpu).as_secs_f64() / since.elapsed().as_secs_f64();
    drop(stop);
    let tally = attackers
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    ensure!(!tally.is_empty(), "the attackers did nothing");
    recover(server, address, files)?;
    Ok(Turn {
        before,
        during: during?,
        tally,
        cpu,
        bytes_before,
        peak_bytes: server.peak_resident_bytes()?,
    })
}

fn attack_until(
    attack: Attack,
    victim: &Victim,
    begun: &mpsc::Sender<()>,
    stopped: oneshot::Receiver<()>,
) -> anyhow::Result<Tally> {
    // Of this thread alone.
    setpriority_process(None, ATTACKERS_NICE).context("could not be nice")?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let stop = async {
        // It is dropped when it is time.
        let _ = stopped.await;
    };
    let begin = || {
        let _ = begun.send(());
    };
    Ok(runtime.block_on(attack::run(attack, victim, begin, stop)))
}

/// Waits until the server has closed what the attackers left, and is well.
#[expect(
    clippy::disallowed_methods,
    reason = "the files that another process has open give no signal"
)]
fn recover(server: &Server, address: SocketAddr, files: usize) -> anyhow::Result<()> {
    let over = Instant::now();
    loop {
        ask_for_health(address)?;
        let open = server.open_files()?;
        if open <= files + FILES_LEFT {
            return Ok(());
        }
        ensure!(
            over.elapsed() < RECOVERY,
            "{open} files are open {RECOVERY:?} after the attack, {files} before"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / 1024.0 / 1024.0
}
