//! The memory of idle streams, and what it takes to accept them.

mod kernel;

use std::time::Instant;

use anyhow::ensure;
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;

use crate::Bench;
use crate::certificate::Certificate;
use crate::http::Client;
use crate::peers::Peer;
use crate::report::{Table, Target};
use crate::scan::Scan;
use crate::sides::{Build, Side};
use crate::statistics::Samples;
use crate::system::{Accounts, System};
use crate::transport::{Connection, Transport};
use crate::waiting::soon;

use kernel::Kernel;

/// The first streams do not count: they include what the server allocates once.
const WARM_UP: usize = 100;

/// How many streams each user has.
const STREAMS_OF_USER: usize = 10;

/// About the size of a delivery of Tidings, for the peers.
const WIRE_BYTES: usize = 588;

pub(crate) async fn run(bench: &Bench) -> anyhow::Result<Table> {
    let streams = bench.size(10_000, 1_000);
    let users = u32::try_from((streams + WARM_UP) / STREAMS_OF_USER)?;
    let users: Vec<u32> = (0..users).collect();
    let accounts = Accounts::new(bench, &users, 1)?;
    let keys = TempDir::new()?;
    let certificate = Certificate::new(keys.path())?;
    let transports = [
        Transport::Plain,
        Transport::Tls(certificate.clone()),
        Transport::Http2(certificate),
    ];
    let mut table = Table::new("idle-memory: idle streams with a token, and accepting them");
    let mut ours = Vec::new();
    for transport in &transports {
        let mut builds = Build::all(bench).into_iter();
        let own = builds.next().expect("Tidings is measured");
        let own = figures(bench, &Side::Build(own), &accounts, transport, streams).await?;
        for before in builds {
            let before = Side::Build(before);
            let theirs = figures(bench, &before, &accounts, transport, streams).await?;
            own.compare(&mut table, transport, before.name(), &theirs);
        }
        ours.push(own);
    }
    for peer in Peer::ALL.into_iter().filter(|peer| peer.is_installed()) {
        let side = Side::Peer(peer);
        let theirs = figures(bench, &side, &accounts, &Transport::Plain, streams).await?;
        ours[0].compare(&mut table, &Transport::Plain, peer.name(), &theirs);
    }
    for (own, transport) in ours.iter().zip(&transports) {
        own.alone(&mut table, transport);
    }
    table.note(format!(
        "{streams} streams of {} users, connected one after the other, each on a connection of its own, \
         after {WARM_UP} that do not count. Memory is the growth of the server process, and that of the \
         kernel for both ends of a connection. The peers ask for no token.",
        users.len()
    ));
    Side::missing()
        .into_iter()
        .for_each(|text| table.note(text));
    Ok(table)
}

/// The measurements over one transport.
struct Figures {
    resident_kib: Samples,
    /// After an event to each.
    served_kib: Option<Samples>,
    slab_kib: Samples,
    buffers_kib: Samples,
    accept_us: Samples,
    per_second: Samples,
}

impl Figures {
    fn compare(&self, table: &mut Table, transport: &Transport, name: &str, theirs: &Self) {
        let over = transport.name();
        for (figure, own, other) in [
            (
                "KiB of the server process per stream",
                &self.resident_kib,
                &theirs.resident_kib,
            ),
            (
                "server CPU to accept a stream, µs",
                &self.accept_us,
                &theirs.accept_us,
            ),
            (
                "streams accepted per second",
                &self.per_second,
                &theirs.per_second,
            ),
        ] {
            let figure = format!("{figure}, {over}");
            table.ratio(&figure, own, (name, other), Target::None);
        }
    }

    fn alone(&self, table: &mut Table, transport: &Transport) {
        let over = transport.name();
        let limit = match transport {
            Transport::Plain => Target::AtMost(2.0),
            Transport::Tls(_) | Transport::Http2(_) => Target::None,
        };
        let mut figure = |name: &str, value: &Samples, target| {
            table.figure(&format!("{name}, {over}"), value, target);
        };
        figure(
            "KiB of the server process per stream",
            &self.resident_kib,
            limit,
        );
        if let Some(served) = &self.served_kib {
            let name = "KiB of the server process per stream after an event to each";
            figure(name, served, Target::None);
        }
        figure("KiB of kernel objects (slab)", &self.slab_kib, Target::None);
        figure("KiB of socket buffers", &self.buffers_kib, Target::None);
        figure(
            "server CPU to accept a stream, µs",
            &self.accept_us,
            Target::None,
        );
        figure(
            "streams accepted per second",
            &self.per_second,
            Target::None,
        );
    }
}

async fn figures(
    bench: &Bench,
    side: &Side,
    accounts: &Accounts,
    transport: &Transport,
    streams: usize,
) -> anyhow::Result<Figures> {
    let system = match side {
        Side::Build(build) => build.start_over(bench, accounts, transport).await?,
        Side::Peer(_) => side.start(bench, accounts, WIRE_BYTES).await?,
    };
    let process = &system.process;
    let mut all = Vec::with_capacity(streams + WARM_UP);
    connect(&system, accounts, transport, WARM_UP, &mut all).await?;
    let (before, kernel_before) = (process.resident_bytes()?, Kernel::now()?);
    let (start, cpu) = (Instant::now(), process.cpu()?);
    connect(&system, accounts, transport, streams, &mut all).await?;
    let (elapsed, cpu) = (start.elapsed(), process.cpu()? - cpu);
    let (idle, kernel) = (process.resident_bytes()?, Kernel::now()?);
    let mut served = None;
    if let (Transport::Plain, Side::Build(_)) = (transport, side) {
        serve(&system, &mut all).await?;
        served = Some(process.resident_bytes()?);
    }
    drop(all);
    let each = |bytes: u64, before: u64| -> Samples {
        let growth = bytes.saturating_sub(before) as f64;
        Samples::from_iter([growth / streams as f64 / 1024.0])
    };
    let figures = Figures {
        resident_kib: each(idle, before),
        served_kib: served.map(|served| each(served, before)),
        slab_kib: each(kernel.slab_bytes, kernel_before.slab_bytes),
        buffers_kib: each(kernel.tcp_bytes, kernel_before.tcp_bytes),
        accept_us: Samples::from_iter([cpu.as_secs_f64() * 1e6 / streams as f64]),
        per_second: Samples::from_iter([streams as f64 / elapsed.as_secs_f64()]),
    };
    system.stop().await?;
    Ok(figures)
}

/// Opens more streams, the next ones of the users in turn.
async fn connect(
    system: &System,
    accounts: &Accounts,
    transport: &Transport,
    more: usize,
    all: &mut Vec<Box<dyn Connection>>,
) -> anyhow::Result<()> {
    for _ in 0..more {
        let index = all.len() % system.users.len();
        let request = &system.users[index].subscribe;
        let token = accounts.user(index);
        let opening = system.dialect.opening;
        let open = transport.open(system.address, request, token, opening);
        all.push(soon("a stream to begin", open).await??);
    }
    Ok(())
}

/// Sends each user an event and reads it in all streams: a stream that has never had one can be cheaper.
async fn serve(system: &System, all: &mut [Box<dyn Connection>]) -> anyhow::Result<()> {
    let mut client = Client::connect(system.address).await?;
    for user in &system.users {
        let mut request = user.publish.clone().authorized(&system.publishers[0]);
        soon("a response", client.publish(request.renew())).await??;
    }
    let mut buffer = [0; 4096];
    for stream in all {
        let mut scan = Scan::new(system.dialect.delivery);
        let mut seen = 0;
        while seen == 0 {
            let read = soon("an event", stream.read(&mut buffer)).await??;
            ensure!(read > 0, "the server ended the stream");
            seen += scan.scan(&buffer[..read]);
        }
    }
    Ok(())
}
