//! Measures the latency of a user's requests while another account uses its limits in full.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use fastrand::Rng;
use tempfile::TempDir;
use tidings::{Config, Draft, Event, Tidings};
use tidings_event::{OwnerId, Severity};
use uuid::Uuid;

use super::abuse::{self, Abuse, AbusedServer};
use super::alongside::{self, ATTACKERS_NICE, Alongside, Signals};
use super::attack::Tally;
use super::victim::{Latencies, Victim};
use super::{ATTACKER, BYSTANDER, mib, recover};
use crate::Bench;
use crate::certificate::Certificate;
use crate::content::{ACTED_UPON, Description};
use crate::report::{Table, Target};
use crate::server::Server;
use crate::statistics::Samples;
use crate::tokens::Tokens;

/// The second account of an abuse by two accounts.
const ACCOMPLICE: Uuid = Uuid::from_u128(0x7b1d_2c3e_0000_4000_8000_0000_0000_000c);

/// The number of events of the maximum size that the account has.
const LARGE_EVENTS: usize = 1_000;

/// The number of events in a batch.
const BATCH: usize = 1_000;
const LARGE_BATCH: usize = 50;

/// The target for the victim's medians, as a multiple of the medians before the abuse.
const MOST_SLOWED: f64 = 2.0;

/// The target for the growth of the server's memory, in MiB.
const MOST_GROWN_MIB: f64 = 256.0;

pub(crate) async fn run(bench: &Bench) -> anyhow::Result<Table> {
    let store = Store::fill(bench).await?;
    let mut table = Table::new("hostile-account: a user beside one demanding account, ms");
    let mut notes = Vec::new();
    for abuse in Abuse::ALL {
        let mut medians: [(&str, Samples, Samples); 3] = [
            ("list", Samples::default(), Samples::default()),
            ("mark", Samples::default(), Samples::default()),
            ("publish", Samples::default(), Samples::default()),
        ];
        let mut grown = Samples::default();
        let mut last = None;
        for _ in 0..bench.size(3, 1) {
            let turn = measure(bench, &store, abuse).await?;
            let sides = turn.before.by_name().into_iter().zip(turn.during.by_name());
            for ((_, before, during), (was, is)) in medians.iter_mut().zip(sides) {
                before.push(was.1.median());
                during.push(is.1.median());
            }
            grown.push(mib(turn.peak_bytes.saturating_sub(turn.bytes_before)));
            last = Some(turn);
        }
        let name = abuse.describe();
        for (request, before, during) in &medians {
            let figure = format!("{name}: {request}, median ms");
            let target = Target::AtMost(MOST_SLOWED);
            table.ratio(&figure, during, ("before", before), target);
        }
        let figure = format!("{name}: growth of the server's memory, MiB");
        table.figure(&figure, &grown, Target::AtMost(MOST_GROWN_MIB));
        let turn = last.context("no turn was measured")?;
        let slowest = turn
            .during
            .by_name()
            .map(|(request, taken)| format!("{request} {:.1} ms", taken.percentile(99)));
        notes.push(format!(
            "{name}: 99th percentiles {}; rejected requests of the user: {}; the account: {}; the server \
             used {:.0} % of its core.",
            slowest.join(", "),
            turn.during.rejected,
            turn.tally,
            turn.cpu * 100.0
        ));
    }
    table.note(format!(
        "The server runs with `--auth jwt` and default limits. The account can read and write its own \
         events (`events:read events:write`). It has {} events, and {LARGE_EVENTS} more with 64 KiB of \
         metadata each; the user has {} events. The user publishes an event, marks it and lists 25, every \
         20 ms over one connection. The account comes from other addresses and shares the load \
         generator's core with the user, at nice {ATTACKERS_NICE}. In the last turn:",
        store.events,
        store.events_of_user,
    ));
    for note in notes {
        table.note(note);
    }
    Ok(table)
}

/// The store that each turn starts with.
struct Store {
    directory: TempDir,
    events: usize,
    events_of_user: usize,
}

impl Store {
    async fn fill(bench: &Bench) -> anyhow::Result<Self> {
        let store = Self {
            directory: bench.directory()?,
            events: bench.size(200_000, 20_000),
            events_of_user: 2_000,
        };
        let engine = Tidings::open(Config::new(store.directory.path().join("data"))).await?;
        let mut random = Rng::with_seed(3);
        for (owner, events) in [
            (ATTACKER, store.events),
            (ACCOMPLICE, store.events),
            (BYSTANDER, store.events_of_user),
        ] {
            let mut left = events;
            while left > 0 {
                let number = left.min(BATCH);
                left -= number;
                let mut batch = Vec::with_capacity(number);
                for _ in 0..number {
                    batch.push(event(owner, &mut random)?);
                }
                engine.publish_batch(batch).await?;
            }
        }
        let large: serde_json::Value = vec![0; 32_700].into();
        for _ in 0..LARGE_EVENTS / LARGE_BATCH {
            let mut batch = Vec::with_capacity(LARGE_BATCH);
            for _ in 0..LARGE_BATCH {
                let mut event = event(ATTACKER, &mut random)?.into_event();
                let metadata = event.metadata.get_or_insert_default();
                metadata.insert("a".to_owned(), large.clone());
                batch.push(event);
            }
            engine.publish_batch(batch).await?;
        }
        engine.close().await;
        Ok(store)
    }

    fn copy_to(&self, data: &Path) -> anyhow::Result<()> {
        std::fs::create_dir(data)?;
        let database = data.join("tidings.db");
        std::fs::copy(self.directory.path().join("data/tidings.db"), &database)
            .context("could not copy the store")?;
        // The copy would otherwise still occupy the disk during the measurement.
        std::fs::File::open(&database)?.sync_all()?;
        Ok(())
    }
}

fn event(owner: Uuid, random: &mut Rng) -> anyhow::Result<Draft> {
    let mut description = Description::default();
    let (category, action) = description.make(random, false);
    Event::builder()
        .for_user(OwnerId::from_uuid(owner))
        .acted_upon(ACTED_UPON)
        .with_category(category)
        .with_action(action)
        .with_severity(Severity::Informational)
        .with_description(description.text())
        .build()
        .context("could not build an event")
}

struct Turn {
    before: Latencies,
    during: Latencies,
    tally: Tally,
    cpu: f64,
    bytes_before: u64,
    peak_bytes: u64,
}

async fn measure(bench: &Bench, store: &Store, abuse: Abuse) -> anyhow::Result<Turn> {
    let directory = bench.directory()?;
    let data = directory.path().join("data");
    store.copy_to(&data)?;
    let tokens = Tokens::new(&bench.server)?;
    let mut flags = tokens.flags().to_vec();
    let certificate = match abuse.needs_tls() {
        true => Some(Certificate::new(directory.path())?),
        false => None,
    };
    if let Some(certificate) = &certificate {
        flags.extend(certificate.flags());
    }
    let server = Server::start_with(bench, &data, &flags).await?;
    let tls = certificate.as_ref().map(|of| Arc::clone(&of.client));
    let scopes = "events:read,events:write";
    let place = AbusedServer {
        server: server.address(),
        tokens: [ATTACKER, ACCOMPLICE]
            .into_iter()
            .take(abuse.accounts())
            .map(|owner| tokens.sign(owner, scopes))
            .collect::<anyhow::Result<_>>()?,
        tls: tls.clone(),
    };
    // With `events:publish` the limit of 20 events per second for own events does not apply.
    let token = tokens.sign(BYSTANDER, "events:read,events:write,events:publish")?;
    let victim = Victim::new(server.address(), token, tls);
    let calm = bench.size(Duration::from_secs(4), Duration::from_secs(1));
    let storm = bench.size(Duration::from_secs(12), Duration::from_secs(3));
    let (turn, server) = tokio::task::spawn_blocking(move || {
        let turn = weather(&server, abuse, place, &victim, (calm, storm));
        (turn, server)
    })
    .await?;
    server.stop().await?;
    turn.with_context(|| format!("the abuse {abuse:?} failed"))
}

fn weather(
    server: &Server,
    abuse: Abuse,
    place: AbusedServer,
    victim: &Victim,
    (calm, storm): (Duration, Duration),
) -> anyhow::Result<Turn> {
    let before = victim.measure(calm)?;
    let files = server.process().open_files()?;
    let bytes_before = server.process().resident_bytes()?;
    server.process().forget_peak()?;
    let has_tls = place.tls.is_some();
    let address = place.server;
    let work = move |signals: Signals| async move {
        let (begin, stop) = signals.split();
        abuse::run(abuse, &place, begin, stop).await
    };
    let Alongside {
        measured,
        tally,
        cpu,
    } = alongside::measure(server, work, || victim.measure(storm))?;
    let peak_bytes = server.process().peak_resident_bytes()?;
    if !has_tls {
        recover(server, address, files)?;
    }
    Ok(Turn {
        before,
        during: measured,
        tally,
        cpu,
        bytes_before,
        peak_bytes,
    })
}
