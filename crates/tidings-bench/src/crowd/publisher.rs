//! One publisher of a crowd.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Arrivals;
use super::lock::lock;
use crate::http::Client;
use crate::publish_request::PublishRequest;
use crate::publishers::Progress;
use crate::system::{Acknowledgement, System};
use crate::waiting::soon;

/// How precisely a timer wakes. A shorter wait polls, because the load generator's core is free then.
const TIMER: Duration = Duration::from_millis(2);

/// The users whom a publisher serves, and the requests to them.
pub(super) fn served(
    system: &System,
    publisher: usize,
    publishers: usize,
) -> Vec<(usize, PublishRequest)> {
    let users = system.users.iter().enumerate().skip(publisher);
    users
        .step_by(publishers)
        .map(|(index, user)| {
            let request = user.publish.clone();
            match system.publishers.get(publisher) {
                Some(token) => (index, request.authorized(token)),
                None => (index, request),
            }
        })
        .collect()
}

impl Acknowledgement {
    pub(super) async fn greet(self, client: &mut Client) -> anyhow::Result<()> {
        match self {
            Self::Line { sign, hello } if !hello.is_empty() => client.send(hello, sign, 1).await,
            Self::Created | Self::Line { .. } => Ok(()),
        }
    }

    pub(super) async fn publish(
        self,
        client: &mut Client,
        request: &mut PublishRequest,
    ) -> anyhow::Result<()> {
        match self {
            Self::Created => client.publish(request.renew()).await,
            Self::Line { sign, .. } => client.send(request.renew(), sign, 1).await,
        }
    }
}

pub(super) struct Publisher {
    pub(super) acknowledgement: Acknowledgement,
    pub(super) requests: Vec<(usize, PublishRequest)>,
    pub(super) arrivals: Arc<Arrivals>,
    pub(super) progress: Progress,
    /// When the next event is due, and the time between two.
    pub(super) schedule: Option<(Instant, Duration)>,
}

impl Publisher {
    pub(super) async fn run(mut self, address: SocketAddr) -> anyhow::Result<()> {
        let mut client = Client::connect(address).await?;
        self.acknowledgement.greet(&mut client).await?;
        let mut next = 0;
        while self.progress.goes_on() {
            let mut due = Instant::now();
            if let Some((at, interval)) = &mut self.schedule {
                wait_until(*at).await;
                // An event that waited for the previous one counts from when it was due.
                due = *at;
                *at += *interval;
            }
            let (user, request) = &mut self.requests[next];
            lock(&self.arrivals.under_way[*user]).push_back(due);
            soon(
                "a response",
                self.acknowledgement.publish(&mut client, request),
            )
            .await??;
            self.progress.acknowledge(1);
            next = (next + 1) % self.requests.len();
        }
        Ok(())
    }
}

async fn wait_until(due: Instant) {
    loop {
        let left = due.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        match left.checked_sub(TIMER) {
            Some(long) => tokio::time::sleep(long).await,
            None => tokio::task::yield_now().await,
        }
    }
}
