//! Users with a stream each, and publishers that send to them.

mod lock;
mod publisher;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use lock::lock;
use publisher::{Publisher, served};

use crate::http::{Client, connect};
use crate::publishers::{Flow, Progress};
use crate::scan::Scan;
use crate::statistics::Samples;
use crate::system::{System, User};
use crate::transport::begin;
use crate::waiting::soon;

/// The streams of all users of a system.
#[derive(Debug)]
pub(crate) struct Crowd {
    arrivals: Arc<Arrivals>,
    streams: JoinSet<anyhow::Result<()>>,
    /// The bytes of one delivery.
    pub(crate) wire_bytes: usize,
}

#[derive(Debug)]
struct Arrivals {
    /// When the events on their way to each user were due. One publisher serves a user and waits for
    /// each response, so they arrive in this order.
    under_way: Vec<Mutex<VecDeque<Instant>>>,
    /// The milliseconds of the deliveries that count.
    latencies: Mutex<Vec<f64>>,
    progress: Mutex<Progress>,
}

/// The measurements of a run.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) flow: Flow,
    /// The milliseconds from when an event was due to be sent to its arrival.
    pub(crate) latencies: Samples,
    pub(crate) events_per_commit: Option<f64>,
}

impl Crowd {
    /// Opens the stream of each user, and sends the first an event.
    pub(crate) async fn gather(system: &System) -> anyhow::Result<Self> {
        let mut sockets = Vec::with_capacity(system.users.len());
        for user in &system.users {
            sockets.push(soon("a stream to begin", open(system, user)).await??);
        }
        let first = sockets.first_mut().context("there are no users")?;
        let wire_bytes = soon("the first event", try_out(system, first)).await??;
        let arrivals = Arc::new(Arrivals {
            under_way: system.users.iter().map(|_| Mutex::default()).collect(),
            latencies: Mutex::default(),
            progress: Mutex::default(),
        });
        let mut streams = JoinSet::new();
        for (user, socket) in sockets.into_iter().enumerate() {
            let scan = Scan::new(system.dialect.delivery);
            streams.spawn(read(socket, scan, user, Arc::clone(&arrivals)));
        }
        Ok(Self {
            arrivals,
            streams,
            wire_bytes,
        })
    }

    /// Lets publishers send to the users in turn: flat out, or as many events per second as given.
    pub(crate) async fn load(
        &mut self,
        system: &System,
        publishers: usize,
        rate: Option<f64>,
        stretch: Duration,
    ) -> anyhow::Result<Load> {
        let progress = Progress::default();
        *lock(&self.arrivals.progress) = progress.clone();
        lock(&self.arrivals.latencies).clear();
        let before = system.commits().await?;
        let mut tasks = JoinSet::new();
        let begin = Instant::now();
        let interval = rate.map(|rate| Duration::from_secs_f64(publishers as f64 / rate));
        for index in 0..publishers {
            let publisher = Publisher {
                acknowledgement: system.dialect.acknowledgement,
                requests: served(system, index, publishers),
                arrivals: Arc::clone(&self.arrivals),
                progress: progress.clone(),
                schedule: interval.map(|interval| {
                    let share = index as f64 / publishers as f64;
                    (begin + interval.mul_f64(share), interval)
                }),
            };
            tasks.spawn(publisher.run(system.address));
        }
        let flow = progress.measure(&system.process, tasks, stretch).await?;
        self.settle().await?;
        let events_per_commit = match (before, system.commits().await?) {
            (Some(before), Some(after)) => Some((after.1 - before.1) / (after.0 - before.0)),
            _ => None,
        };
        let latencies = std::mem::take(&mut *lock(&self.arrivals.latencies));
        Ok(Load {
            flow,
            latencies: latencies.into_iter().collect(),
            events_per_commit,
        })
    }

    /// Waits until everything that was published has arrived.
    async fn settle(&mut self) -> anyhow::Result<()> {
        let under_way = || -> usize {
            let users = self.arrivals.under_way.iter();
            users.map(|user| lock(user).len()).sum()
        };
        let arrive = async {
            while under_way() > 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        soon("the last events to arrive", arrive).await?;
        match self.streams.try_join_next() {
            Some(ended) => ended?.context("a stream ended"),
            None => Ok(()),
        }
    }
}

async fn open(system: &System, user: &User) -> anyhow::Result<TcpStream> {
    let mut socket = connect(system.address).await?;
    begin(&mut socket, &user.subscribe, system.dialect.opening).await?;
    Ok(socket)
}

/// Publishes an event to the first user. Returns the bytes of its delivery.
async fn try_out(system: &System, socket: &mut TcpStream) -> anyhow::Result<usize> {
    let mut client = Client::connect(system.address).await?;
    system.dialect.acknowledgement.greet(&mut client).await?;
    let [request, ..] = &mut *served(system, 0, 1) else {
        anyhow::bail!("there is no user");
    };
    system
        .dialect
        .acknowledgement
        .publish(&mut client, &mut request.1)
        .await?;
    let mut scan = Scan::new(system.dialect.delivery);
    let mut buffer = [0; 4096];
    let (mut bytes, mut seen) = (0, 0);
    while seen == 0 {
        let read = socket.read(&mut buffer).await?;
        ensure!(read > 0, "the server ended the stream");
        bytes += read;
        seen += scan.scan(&buffer[..read]);
    }
    Ok(bytes)
}

async fn read(
    mut socket: TcpStream,
    mut scan: Scan,
    user: usize,
    arrivals: Arc<Arrivals>,
) -> anyhow::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        let read = socket.read(&mut buffer).await?;
        ensure!(read > 0, "the server ended a stream");
        let events = scan.scan(&buffer[..read]);
        let now = Instant::now();
        for _ in 0..events {
            let due = lock(&arrivals.under_way[user]).pop_front();
            let due = due.context("a user received more than was sent")?;
            if lock(&arrivals.progress).is_measuring() {
                lock(&arrivals.latencies).push((now - due).as_secs_f64() * 1e3);
            }
        }
    }
}
