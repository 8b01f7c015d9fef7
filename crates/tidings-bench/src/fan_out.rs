//! One event to many subscribers.

mod arrivals;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use std::io::Write as _;
use std::net::TcpListener;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use arrivals::{Arrivals, SUBSCRIBERS};

use crate::http::{Client, Subscriber};
use crate::publish_request::PublishRequest;
use crate::report::{Table, Target};
use crate::sides::Build;
use crate::statistics::Samples;
use crate::waiting::soon;
use crate::{Bench, cpu};

const OUTSTANDING: usize = 16;

pub(crate) async fn run(bench: &Bench) -> anyhow::Result<Table> {
    let mut table = Table::new("fan-out: each event to 1,000 subscribers over HTTP");
    let mut wire_bytes = 0;
    let builds = Build::all(bench);
    let (build, others) = builds.split_first().expect("Tidings is measured");
    for (outstanding, events) in [
        (1, bench.size(200, 40)),
        (OUTSTANDING, bench.size(1600, 160)),
    ] {
        let (mut ours, mut raw) = (Spread::default(), Spread::default());
        let mut before = Spread::default();
        for _ in 0..bench.repetitions() {
            let (spread, wire) = served(bench, build, events, outstanding).await?;
            ours.push(spread);
            for other in others {
                before.push(served(bench, other, events, outstanding).await?.0);
            }
            raw.push(written(bench, events, outstanding, &wire).await?);
            wire_bytes = wire.len();
        }
        let how = if outstanding == 1 {
            "one event outstanding"
        } else {
            "16 events outstanding"
        };
        let mut baselines = vec![("a bare loop of socket writes", &raw)];
        baselines.extend(others.iter().map(|other| (other.name, &before)));
        for (name, baseline) in baselines {
            table.ratio(
                &format!("server CPU per delivery, µs, {how}"),
                &ours.cpu_us,
                (name, &baseline.cpu_us),
                Target::None,
            );
            table.ratio(
                &format!("deliveries/s, {how}"),
                &ours.per_second,
                (name, &baseline.per_second),
                Target::None,
            );
        }
    }
    table.note(format!(
        "A delivery has {wire_bytes} bytes on the wire. The bare loop writes the same bytes, one event \
         per write, to 1,000 loopback sockets with the same clients."
    ));
    table.note("The server's CPU time includes the request, the commit and its system calls.");
    Ok(table)
}

/// The cost of delivering events.
#[derive(Debug, Default)]
struct Spread {
    cpu_us: Samples,
    per_second: Samples,
}

impl Spread {
    fn push(&mut self, (cpu, elapsed, deliveries): (Duration, Duration, usize)) {
        let deliveries = deliveries as f64;
        self.cpu_us.push(cpu.as_secs_f64() * 1e6 / deliveries);
        self.per_second.push(deliveries / elapsed.as_secs_f64());
    }
}

type Measured = (Duration, Duration, usize);

/// Reads until all events have arrived.
async fn read(
    mut subscriber: Subscriber,
    arrivals: Arc<Arrivals>,
    events: usize,
) -> anyhow::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    let mut got = 0;
    while got < events {
        let more = usize::try_from(subscriber.read(&mut buffer).await?)?;
        arrivals.count(got..got + more)?;
        got += more;
    }
    Ok(())
}

async fn end(mut readers: JoinSet<anyhow::Result<()>>) -> anyhow::Result<()> {
    while let Some(ended) = soon("the readers to end", readers.join_next()).await? {
        ended??;
    }
    Ok(())
}

/// Lets the server deliver events. Also returns the bytes of one delivery.
async fn served(
    bench: &Bench,
    build: &Build,
    events: usize,
    outstanding: usize,
) -> anyhow::Result<(Measured, Vec<u8>)> {
    let directory = bench.directory()?;
    let server = build.serve(bench, &directory.path().join("data")).await?;
    let mut subscribers = Vec::with_capacity(SUBSCRIBERS);
    for _ in 0..SUBSCRIBERS {
        let mut subscriber = Subscriber::connect(server.address(), None).await?;
        soon("a stream to begin", subscriber.read_to_live()).await??;
        subscribers.push(subscriber);
    }
    let mut publisher = Client::connect(server.address()).await?;
    publisher.publish(PublishRequest::one().renew()).await?;
    let mut wire = Vec::new();
    for subscriber in &mut subscribers {
        wire = soon("the first event", subscriber.read_frames(1)).await??;
    }

    let arrivals = Arrivals::new(events, outstanding);
    let mut readers = JoinSet::new();
    for subscriber in subscribers {
        readers.spawn(read(subscriber, Arc::clone(&arrivals), events));
    }
    let (cpu_before, start) = (server.process().cpu()?, Instant::now());
    let mut publishers = JoinSet::new();
    for index in 0..outstanding {
        let mut publisher = Client::connect(server.address()).await?;
        let arrivals = Arc::clone(&arrivals);
        publishers.spawn(async move {
            let mut request = PublishRequest::one();
            for _ in (index..events).step_by(outstanding) {
                arrivals.take_room().await?;
                soon("a response", publisher.publish(request.renew())).await??;
            }
            Ok(())
        });
    }
    end(publishers).await?;
    arrivals.all(outstanding).await?;
    let measured = (
        server.process().cpu()? - cpu_before,
        start.elapsed(),
        events * SUBSCRIBERS,
    );
    end(readers).await?;
    server.stop().await?;
    Ok((measured, wire))
}

/// Lets a thread write the same bytes to sockets and do nothing else.
async fn written(
    bench: &Bench,
    events: usize,
    outstanding: usize,
    wire: &[u8],
) -> anyhow::Result<Measured> {
    let listener = TcpListener::bind("127.0.0.1:0").context("could not listen")?;
    let address = listener.local_addr()?;
    let arrivals = Arrivals::new(events, outstanding);
    let mut readers = JoinSet::new();
    let mut sockets = Vec::with_capacity(SUBSCRIBERS);
    for _ in 0..SUBSCRIBERS {
        let reader = TcpStream::connect(address).await?;
        let (socket, _) = listener.accept()?;
        socket.set_nodelay(true)?;
        sockets.push(socket);
        readers.spawn(read(
            Subscriber::over(reader),
            Arc::clone(&arrivals),
            events,
        ));
    }
    let cores = bench.cores;
    let start = Instant::now();
    let runtime = tokio::runtime::Handle::current();
    let (arrivals, wire) = (Arc::clone(&arrivals), wire.to_vec());
    let writing = tokio::task::spawn_blocking(move || {
        cores.on_server(|| {
            let mut cpu = Duration::ZERO;
            for _ in 0..events {
                runtime.block_on(arrivals.take_room())?;
                let before = cpu::of_thread();
                for socket in &mut sockets {
                    socket.write_all(&wire)?;
                }
                cpu += cpu::of_thread() - before;
            }
            runtime.block_on(arrivals.all(outstanding))?;
            anyhow::Ok((cpu, sockets))
        })
    });
    // The sockets stay open until everything is read.
    let (cpu, _sockets) = soon("the writer", writing).await????;
    let measured = (cpu, start.elapsed(), events * SUBSCRIBERS);
    end(readers).await?;
    Ok(measured)
}
