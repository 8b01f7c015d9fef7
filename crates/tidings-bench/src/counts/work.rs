//! The work that is counted.

use std::net::SocketAddr;

use anyhow::Context as _;
use tokio::task::JoinSet;

use crate::http::{Client, Subscriber};
use crate::publish_request::PublishRequest;
use crate::waiting::soon;

/// How many clients publish at the same time.
const PUBLISHERS: usize = 64;

/// How many streams each event goes to.
const STREAMS: usize = 1_000;

/// The first streams do not count: they include what the server allocates once.
const WARM_UP: usize = 100;

/// A kind of work.
#[derive(Clone, Copy, Debug)]
pub(super) enum Work {
    /// One event per request, by many publishers.
    Publish,
    /// One event after the other to many streams.
    Deliver,
    /// Streams that are opened one after the other, and stay open.
    Accept,
}

impl Work {
    pub(super) const ALL: [Self; 3] = [Self::Publish, Self::Deliver, Self::Accept];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Publish => "64 publishers",
            Self::Deliver => "one publisher to 1,000 streams",
            Self::Accept => "nobody",
        }
    }

    /// What the figures are divided by.
    pub(super) const fn unit(self) -> &'static str {
        match self {
            Self::Publish => "event, 64 publishers",
            Self::Deliver => "delivery, one event to 1,000 streams",
            Self::Accept => "stream that is accepted",
        }
    }
}

/// The clients of some work.
#[derive(Debug)]
pub(super) struct Clients {
    work: Work,
    address: SocketAddr,
    publishers: Vec<Client>,
    streams: Vec<Subscriber>,
}

impl Clients {
    /// Connects the clients, and lets the server do each thing once.
    pub(super) async fn prepare(work: Work, address: SocketAddr) -> anyhow::Result<Self> {
        let (publishers, streams) = match work {
            Work::Publish => (PUBLISHERS, 0),
            Work::Deliver => (1, STREAMS),
            Work::Accept => (0, WARM_UP),
        };
        let mut clients = Self {
            work,
            address,
            publishers: Vec::with_capacity(publishers),
            streams: Vec::with_capacity(streams),
        };
        for _ in 0..publishers {
            clients.publishers.push(Client::connect(address).await?);
        }
        clients.open(streams).await?;
        match work {
            Work::Publish => clients.publish(PUBLISHERS * 4).await?,
            Work::Deliver => clients.deliver(2).await?,
            Work::Accept => {}
        }
        Ok(clients)
    }

    /// Does about this much work for one client. Returns how many units were done.
    pub(super) async fn run(&mut self, size: usize) -> anyhow::Result<f64> {
        let done = match self.work {
            Work::Publish => {
                let each = size / PUBLISHERS;
                self.publish(each * PUBLISHERS).await?;
                each * PUBLISHERS
            }
            Work::Deliver => {
                let events = size / 100;
                self.deliver(events).await?;
                events * STREAMS
            }
            Work::Accept => {
                let streams = size / 8;
                self.open(streams).await?;
                streams
            }
        };
        Ok(done as f64)
    }

    async fn open(&mut self, streams: usize) -> anyhow::Result<()> {
        for _ in 0..streams {
            let mut stream = Subscriber::connect(self.address, None).await?;
            soon("a stream to begin", stream.read_to_live()).await??;
            self.streams.push(stream);
        }
        Ok(())
    }

    async fn publish(&mut self, events: usize) -> anyhow::Result<()> {
        let mut tasks = JoinSet::new();
        let each = events / self.publishers.len();
        for mut client in self.publishers.drain(..) {
            tasks.spawn(async move {
                let mut request = PublishRequest::one();
                for _ in 0..each {
                    soon("a response", client.publish(request.renew())).await??;
                }
                anyhow::Ok(client)
            });
        }
        while let Some(client) = tasks.join_next().await {
            self.publishers.push(client??);
        }
        Ok(())
    }

    async fn deliver(&mut self, events: usize) -> anyhow::Result<()> {
        let publisher = self
            .publishers
            .first_mut()
            .context("there is no publisher")?;
        let mut request = PublishRequest::one();
        for _ in 0..events {
            soon("a response", publisher.publish(request.renew())).await??;
            for stream in &mut self.streams {
                soon("an event", stream.read_frames(1)).await??;
            }
        }
        Ok(())
    }

    /// The number of commits and of events in them so far.
    pub(super) async fn commits(&self, server: SocketAddr) -> anyhow::Result<(f64, f64)> {
        let mut client = Client::connect(server).await?;
        let metrics = client.get("/metrics", None).await?;
        let metrics = String::from_utf8(metrics).context("the metrics are not UTF-8")?;
        let value = |name: &str| {
            let line = metrics.lines().find_map(|line| line.strip_prefix(name));
            let value = line.with_context(|| format!("the server does not measure {name}"))?;
            anyhow::Ok(value.trim().parse::<f64>()?)
        };
        Ok((
            value("tidings_commit_events_count ")?,
            value("tidings_commit_events_sum ")?,
        ))
    }
}
