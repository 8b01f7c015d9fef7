//! Many users with one stream each, over HTTP with a token for each.

use crate::Bench;
use crate::crowd::{Crowd, Load};
use crate::report::{Table, Target};
use crate::sides::Side;
use crate::statistics::{Samples, number};
use crate::system::{Accounts, System};

const USERS: u32 = 1000;
const PUBLISHERS: [usize; 2] = [16, 64];

pub(crate) async fn run(bench: &Bench) -> anyhow::Result<Table> {
    let most = PUBLISHERS.into_iter().max().unwrap_or_default();
    let users: Vec<u32> = (0..USERS).collect();
    let accounts = Accounts::new(bench, &users, u32::try_from(most)?)?;
    let mut measured: Vec<Measured> = Vec::new();
    for side in Side::all(bench) {
        measured.push(Measured::new(side));
    }
    for _ in 0..bench.repetitions() {
        // That of Tidings, which comes first.
        let mut wire_bytes = 0;
        for side in &mut measured {
            side.measure(bench, &accounts, wire_bytes).await?;
            if wire_bytes == 0 {
                wire_bytes = side.wire_bytes;
            }
        }
    }
    let mut table = Table::new("unicast: 1,000 users with a stream and a token each, over HTTP");
    let (ours, others) = measured.split_first().expect("Tidings is measured");
    for (index, publishers) in PUBLISHERS.into_iter().enumerate() {
        for figure in FIGURES {
            let name = figure.name(publishers);
            let own = (figure.of)(&ours.flows[index]);
            if !others.iter().any(|other| figure.fits(&other.side)) {
                table.figure(&name, own, Target::None);
            }
            for other in others.iter().filter(|other| figure.fits(&other.side)) {
                let theirs = (figure.of)(&other.flows[index]);
                table.ratio(&name, own, (other.side.name(), theirs), Target::None);
            }
        }
    }
    for side in &measured {
        table.note(side.describe());
    }
    for missing in Side::missing() {
        table.note(missing);
    }
    table.note(
        "Each publisher sends one event a request to its share of the users in turn, the next when the \
         last is acknowledged: flat out, and at half of the rate that its system reached flat out. A \
         latency counts from when an event was due to be sent until its user's stream has it. \
         Tidings stores each event before it delivers it, and asks for a token at each request; the peers \
         do neither.",
    );
    Ok(table)
}

/// A figure of the table.
struct Figure {
    before: &'static str,
    after: &'static str,
    of: fn(&Flows) -> &Samples,
    of_peers: bool,
}

impl Figure {
    fn name(&self, publishers: usize) -> String {
        format!("{}, {publishers} publishers{}", self.before, self.after)
    }

    /// Whether a system has this figure: peers write nothing.
    fn fits(&self, side: &Side) -> bool {
        match side {
            Side::Build(_) => true,
            Side::Peer(_) => self.of_peers,
        }
    }
}

const FIGURES: [Figure; 8] = [
    Figure {
        before: "events/s",
        after: ", flat out",
        of: |flows| &flows.per_second,
        of_peers: true,
    },
    Figure {
        before: "server CPU per event, µs",
        after: ", flat out",
        of: |flows| &flows.cpu_us,
        of_peers: true,
    },
    Figure {
        before: "median latency, ms",
        after: ", flat out",
        of: |flows| &flows.flat_out_p50,
        of_peers: true,
    },
    Figure {
        before: "99th percentile, ms",
        after: ", flat out",
        of: |flows| &flows.flat_out_p99,
        of_peers: true,
    },
    Figure {
        before: "server CPU per event, µs",
        after: ", half rate",
        of: |flows| &flows.half_cpu_us,
        of_peers: true,
    },
    Figure {
        before: "median latency, ms",
        after: ", half rate",
        of: |flows| &flows.half_p50,
        of_peers: true,
    },
    Figure {
        before: "99th percentile, ms",
        after: ", half rate",
        of: |flows| &flows.half_p99,
        of_peers: true,
    },
    Figure {
        before: "KiB written per event",
        after: ", flat out",
        of: |flows| &flows.written_kib,
        of_peers: false,
    },
];

/// One system and all its figures.
struct Measured {
    side: Side,
    flows: [Flows; 2],
    wire_bytes: usize,
}

/// The figures with one number of publishers.
#[derive(Default)]
struct Flows {
    per_second: Samples,
    cpu_us: Samples,
    load_busy: Samples,
    written_kib: Samples,
    per_commit: Samples,
    flat_out_p50: Samples,
    flat_out_p99: Samples,
    half_per_second: Samples,
    half_cpu_us: Samples,
    half_p50: Samples,
    half_p99: Samples,
}

impl Measured {
    fn new(side: Side) -> Self {
        Self {
            side,
            flows: Default::default(),
            wire_bytes: 0,
        }
    }

    /// Measures the system once, newly started.
    async fn measure(
        &mut self,
        bench: &Bench,
        accounts: &Accounts,
        wire_bytes: usize,
    ) -> anyhow::Result<()> {
        let system: System = self.side.start(bench, accounts, wire_bytes).await?;
        let mut crowd = Crowd::gather(&system).await?;
        self.wire_bytes = crowd.wire_bytes;
        for (flows, publishers) in self.flows.iter_mut().zip(PUBLISHERS) {
            let flat_out = crowd.load(&system, publishers, None, bench.stretch());
            let flat_out = flat_out.await?;
            let rate = flat_out.flow.events_per_second / 2.0;
            let half = crowd.load(&system, publishers, Some(rate), bench.stretch());
            flows.push(&flat_out, &half.await?);
        }
        system.stop().await.map(drop)
    }

    fn describe(&self) -> String {
        let [few, many] = &self.flows;
        let commits = if few.per_commit.is_empty() {
            String::new()
        } else {
            format!(
                ", {} events per commit with 16 publishers flat out and {} with 64",
                few.per_commit, many.per_commit
            )
        };
        format!(
            "{}: a delivery has {} bytes{commits}. At half rate it took {} and {} events/s. The load \
             generator was busy for {} % and {} % of its core flat out.",
            self.side.name(),
            self.wire_bytes,
            few.half_per_second,
            many.half_per_second,
            number(few.load_busy.median()),
            number(many.load_busy.median()),
        )
    }
}

impl Flows {
    fn push(&mut self, flat_out: &Load, half: &Load) {
        let flow = &flat_out.flow;
        self.per_second.push(flow.events_per_second);
        self.cpu_us.push(flow.server_cpu_us);
        self.load_busy
            .push(flow.load_cpu_us * flow.events_per_second / 1e4);
        self.written_kib.push(flow.written_kib);
        if let Some(events) = flat_out.events_per_commit {
            self.per_commit.push(events);
        }
        self.flat_out_p50.push(flat_out.latencies.median());
        self.flat_out_p99.push(flat_out.latencies.percentile(99));
        self.half_per_second.push(half.flow.events_per_second);
        self.half_cpu_us.push(half.flow.server_cpu_us);
        self.half_p50.push(half.latencies.median());
        self.half_p99.push(half.latencies.percentile(99));
    }
}
