//! The memory of idle subscribers.

use std::fs;

use anyhow::Context as _;

use crate::Bench;
use crate::http::{Client, Subscriber};
use crate::publish_request::PublishRequest;
use crate::report::{Table, Target};
use crate::server::Server;
use crate::statistics::Samples;
use crate::waiting::soon;

/// The first subscribers do not count: they include what the server allocates once.
const WARM_UP: usize = 100;

pub(crate) async fn run(bench: &Bench) -> anyhow::Result<Table> {
    let subscribers = bench.size(10_000, 1_000);
    let directory = bench.directory()?;
    let server = Server::start(bench, &directory.path().join("data")).await?;
    let mut all = Vec::with_capacity(subscribers + WARM_UP);
    connect(&server, WARM_UP, &mut all).await?;
    let (before, kernel_before) = (server.process().resident_bytes()?, Kernel::now()?);
    connect(&server, subscribers, &mut all).await?;
    let (idle, kernel) = (server.process().resident_bytes()?, Kernel::now()?);

    // A subscriber that has never received an event can be cheaper than one that has.
    let mut publisher = Client::connect(server.address()).await?;
    for _ in 0..3 {
        publisher.publish(PublishRequest::one().renew()).await?;
        for subscriber in &mut all {
            soon("an event", subscriber.read_frames(1)).await??;
        }
    }
    let served = server.process().resident_bytes()?;
    drop(all);
    server.stop().await?;

    let each = |bytes: u64, before: u64| -> Samples {
        let growth = bytes.saturating_sub(before) as f64;
        Samples::from_iter([growth / subscribers as f64 / 1024.0])
    };
    let title = "idle-memory: memory per idle subscriber, KiB";
    let mut table = Table::new(title);
    table.figure("server process, RSS", &each(idle, before), Target::None);
    let after = "server process, RSS, after three events to all";
    table.figure(after, &each(served, before), Target::None);
    table.figure(
        "kernel objects (slab), both ends of the connection",
        &each(kernel.slab_bytes, kernel_before.slab_bytes),
        Target::None,
    );
    table.figure(
        "kernel socket buffers, both ends of the connection",
        &each(kernel.tcp_bytes, kernel_before.tcp_bytes),
        Target::None,
    );
    table.note(format!(
        "{subscribers} subscribers, connected one after the other. The server had {:.1} MiB before \
         them. The kernel's figures are those of the whole machine, before and after.",
        before as f64 / 1024.0 / 1024.0
    ));
    Ok(table)
}

async fn connect(
    server: &Server,
    subscribers: usize,
    all: &mut Vec<Subscriber>,
) -> anyhow::Result<()> {
    for _ in 0..subscribers {
        let mut subscriber = Subscriber::connect(server.address(), None).await?;
        soon("a stream to begin", subscriber.read_to_live()).await??;
        all.push(subscriber);
    }
    Ok(())
}

/// Memory of the kernel.
struct Kernel {
    slab_bytes: u64,
    tcp_bytes: u64,
}

impl Kernel {
    fn now() -> anyhow::Result<Self> {
        let meminfo = fs::read_to_string("/proc/meminfo").context("could not read meminfo")?;
        let slab = meminfo
            .lines()
            .find_map(|line| line.strip_prefix("Slab:")?.trim().strip_suffix(" kB"))
            .context("meminfo does not tell the slabs")?;
        let sockets =
            fs::read_to_string("/proc/net/sockstat").context("could not read sockstat")?;
        let pages = sockets
            .lines()
            .find_map(|line| {
                line.strip_prefix("TCP:")?
                    .split_once(" mem ")
                    .map(|(_, n)| n)
            })
            .context("sockstat does not tell the memory of TCP")?;
        let page = u64::try_from(rustix::param::page_size())?;
        Ok(Self {
            slab_bytes: slab.parse::<u64>()? * 1024,
            tcp_bytes: pages.trim().parse::<u64>()? * page,
        })
    }
}
