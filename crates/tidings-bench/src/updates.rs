//! Updates of events in place: their cost compared with publishing, and reads of an inbox with updated events
//! compared with one without.

mod cost;
mod inboxes;
mod reads;
mod requests;

use crate::Bench;
use crate::report::{Table, Target};
use crate::sides::Build;
use crate::statistics::number;
use crate::system::Accounts;

use cost::Cost;
use inboxes::{MATCH_EVERY, UPDATE_EVERY, UpdatedInbox, WARNING_EVERY};
use reads::{Figures, Read};

/// Reads of an inbox with updates should be as fast as without. The rest is noise.
const AS_FAST: Target = Target::AtMost(1.1);

/// The numbers of the readers among the owners: without and with updates.
const READERS: [u32; 2] = [1, 2];

pub(crate) async fn run(bench: &Bench) -> anyhow::Result<Table> {
    let accounts = Accounts::new(bench, &READERS, 1)?;
    let builds = Build::all(bench);
    let (build, _) = builds.split_first().expect("Tidings is measured");
    let mut table = Table::new("updates: events that are updated in place, over HTTP");

    let events = bench.size(48_000, 4_000);
    for owners in bench.size([2_000, 20], [400, 4]) {
        let mut cost = Cost::new(owners, events);
        let system = build.start(bench, &accounts).await?;
        for _ in 0..bench.repetitions() {
            cost.measure(&system).await?;
        }
        system.stop().await?;
        cost.tell(&mut table);
    }

    let events = bench.size(20_000, 2_000);
    let system = build.start(bench, &accounts).await?;
    let plain = UpdatedInbox::fill(&system, READERS[0], events, false).await?;
    let updated = UpdatedInbox::fill(&system, READERS[1], events, true).await?;
    crate::grown::settle(&system.process).await?;
    let tokens = [accounts.user(0), accounts.user(1)];
    inboxes::check(&system, tokens, [&plain, &updated]).await?;
    let mut cases: Vec<(Read, [Figures; 2])> = Vec::new();
    cases.extend(Read::ALL.map(|read| (read, Default::default())));
    for _ in 0..bench.repetitions() {
        for (read, figures) in &mut cases {
            let tries = bench.size(read.tries, read.tries / 10);
            read.measure(&system, tokens, tries, figures).await?;
        }
    }
    system.stop().await?;
    for (read, [plain, updated]) in &cases {
        let name = format!("{}: server CPU, µs", read.name);
        table.ratio(&name, &updated.cpu_us, (WITHOUT, &plain.cpu_us), AS_FAST);
    }
    for (read, [plain, updated]) in &cases {
        let name = format!("{}: median, ms", read.name);
        table.ratio(
            &name,
            &updated.medians,
            (WITHOUT, &plain.medians),
            Target::None,
        );
    }
    table.note(format!(
        "The reads are those of two owners with {} events each in one store, of which one owner has 1 event in \
         {UPDATE_EVERY} updated, the oldest first and after the last publish request. Both inboxes have the same \
         severities and as many matches. Pages have 25 events; 1 event in {WARNING_EVERY} is a warning, and 1 in \
         {MATCH_EVERY} has the word that is searched. A client that resumes has missed 10 events or updates, and is \
         measured until `live`.",
        number(events as f64),
    ));
    Ok(table)
}

const WITHOUT: &str = "without updates";
