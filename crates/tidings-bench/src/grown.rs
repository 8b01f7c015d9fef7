//! A store that has grown: many events of many owners, compared with an empty one.

mod reads;
mod store;

use crate::Bench;
use crate::publish_request::{Owners, PublishRequest};
use crate::publishers::{Flow, flat_out};
use crate::report::{Table, Target};
use crate::sides::Build;
use crate::statistics::{Samples, number};
use crate::system::{Accounts, System};

use reads::Reads;
use store::GrownStore;
pub(crate) use store::settle;

const PUBLISHERS: usize = 16;

pub(crate) async fn run(bench: &Bench) -> anyhow::Result<Table> {
    let plan = Plan {
        events: bench.size(10_000_000, 200_000),
        owners: bench.size(100_000, 2_000),
    };
    let accounts = Accounts::new(bench, &plan.readers(bench.size(200, 50)), 1)?;
    let mut builds = Vec::new();
    for build in Build::all(bench) {
        let store = GrownStore::fill(bench, &build, &accounts, plan).await?;
        builds.push(Measured {
            build,
            store,
            grown: Figures::default(),
            empty: Figures::default(),
        });
    }
    for _ in 0..bench.repetitions() {
        for build in &mut builds {
            build.measure(bench, &accounts, plan).await?;
        }
    }
    let mut table = Table::new("grown: a store with many events of many owners, over HTTP");
    let (ours, before) = builds.split_first().expect("Tidings is measured");
    for row in &ROWS {
        let own = (row.of)(&ours.grown);
        let empty = ("an empty store", (row.of)(&ours.empty));
        table.ratio(row.name, own, empty, row.than_empty);
        if let Some(limit) = row.absolute {
            table.figure(row.name, own, limit);
        }
        for other in before {
            let theirs = (other.build.name, (row.of)(&other.grown));
            table.ratio(row.name, own, theirs, row.than_before);
        }
    }
    table.note(format!(
        "{} events of {} owners: the first hundredth of the owners has 22 % of them, the last half 21 %. \
         They arrived in runs of {} events per owner. Then {PUBLISHERS} publishers sent one event a request, \
         each to an owner drawn from all alike. The reads are those of {} owners, drawn as the events were, \
         each with a token, one after the other and without publishers: pages have 25 events, and a client \
         that resumes has missed 10.",
        number(plan.events as f64),
        number(f64::from(plan.owners)),
        store::BURST,
        accounts.users(),
    ));
    for build in &builds {
        table.note(build.describe());
    }
    Ok(table)
}

/// The size of the store.
#[derive(Clone, Copy, Debug)]
struct Plan {
    events: usize,
    owners: u32,
}

impl Plan {
    /// The owners of the stored events.
    const fn skewed(self) -> Owners {
        Owners {
            number: self.owners,
            skewed: true,
            burst: store::BURST,
        }
    }

    /// The owners of the events that are measured.
    const fn alike(self) -> Owners {
        Owners {
            number: self.owners,
            skewed: false,
            burst: 1,
        }
    }

    /// Draws owners whose reads are measured.
    fn readers(self, number: usize) -> Vec<u32> {
        fastrand::seed(1);
        let mut drawn = Vec::new();
        while drawn.len() < number {
            let owner = self.skewed().draw();
            if !drawn.contains(&owner) {
                drawn.push(owner);
            }
        }
        drawn
    }
}

struct Row {
    name: &'static str,
    of: fn(&Figures) -> &Samples,
    than_empty: Target,
    than_before: Target,
    absolute: Option<Target>,
}

const ROWS: [Row; 6] = [
    Row {
        name: "events/s",
        of: |figures| &figures.per_second,
        than_empty: Target::AtLeast(0.7),
        than_before: Target::None,
        absolute: None,
    },
    Row {
        name: "KiB written per event",
        of: |figures| &figures.written_kib,
        than_empty: Target::None,
        than_before: Target::None,
        absolute: Some(Target::AtMost(12.0)),
    },
    Row {
        name: "server CPU per event, µs",
        of: |figures| &figures.cpu_us,
        than_empty: Target::None,
        than_before: Target::None,
        absolute: None,
    },
    Row {
        name: "first page, ms",
        of: |figures| &figures.first_page,
        than_empty: Target::None,
        than_before: Target::AtMost(1.2),
        absolute: None,
    },
    Row {
        name: "counts, ms",
        of: |figures| &figures.counts,
        than_empty: Target::None,
        than_before: Target::AtMost(1.2),
        absolute: None,
    },
    Row {
        name: "resume until the first missed event, ms",
        of: |figures| &figures.resume,
        than_empty: Target::None,
        than_before: Target::None,
        absolute: None,
    },
];

/// A build of the server with its grown store.
struct Measured {
    build: Build,
    store: GrownStore,
    grown: Figures,
    empty: Figures,
}

#[derive(Default)]
struct Figures {
    per_second: Samples,
    cpu_us: Samples,
    written_kib: Samples,
    per_commit: Samples,
    first_page: Samples,
    counts: Samples,
    resume: Samples,
}

impl Measured {
    /// Measures both stores once.
    async fn measure(
        &mut self,
        bench: &Bench,
        accounts: &Accounts,
        plan: Plan,
    ) -> anyhow::Result<()> {
        let system = self.build.start(bench, accounts).await?;
        store::publish_to_readers(&system, accounts).await?;
        self.empty.measure(bench, &system, accounts, plan).await?;
        drop(system.stop().await?);
        let system = self.store.start(bench, &self.build, accounts).await?;
        self.grown.measure(bench, &system, accounts, plan).await?;
        self.store.stop(system).await
    }

    fn describe(&self) -> String {
        format!(
            "{}: {}. {} events per commit in it, {} in the empty one.",
            self.build.name,
            self.store.describe(),
            self.grown.per_commit,
            self.empty.per_commit
        )
    }
}

impl Figures {
    async fn measure(
        &mut self,
        bench: &Bench,
        system: &System,
        accounts: &Accounts,
        plan: Plan,
    ) -> anyhow::Result<()> {
        let request = PublishRequest::one().authorized(&system.publishers[0]);
        let request = request.for_drawn(plan.alike());
        let before = system.commits().await?.unwrap_or_default();
        let side = (&system.process, system.address);
        let flow: Flow = flat_out(side, PUBLISHERS, &request, bench.stretch()).await?;
        let after = system.commits().await?.unwrap_or_default();
        self.per_second.push(flow.events_per_second);
        self.cpu_us.push(flow.server_cpu_us);
        self.written_kib.push(flow.written_kib);
        self.per_commit
            .push((after.1 - before.1) / (after.0 - before.0));
        store::settle(&system.process).await?;
        let reads = Reads::measure(system, accounts).await?;
        self.first_page.push(reads.first_page.median());
        self.counts.push(reads.counts.median());
        self.resume.push(reads.resume.median());
        Ok(())
    }
}
