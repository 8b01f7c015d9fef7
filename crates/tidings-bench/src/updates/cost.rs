//! The cost of an update, beside that of a publish request of the same size.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::requests::{Content, StoredEvent};
use crate::content::{DESCRIPTION, SEVERITY, mint_id};
use crate::grown::settle;
use crate::http::Client;
use crate::publish_request::Owners;
use crate::report::{Table, Target};
use crate::statistics::{Samples, number};
use crate::system::System;
use crate::waiting::soon;

/// An update may cost this many publish requests.
const MOST: Target = Target::AtMost(1.5);

const PUBLISHERS: usize = 16;

/// Another description of the same length.
pub(super) const UPDATED: &str = "Checked design \"storefront\" in cluster \"eu-west-1\": 15 \
     components present, 10 changed, 10 missing";

/// Events of many owners that are published and then updated.
#[derive(Debug)]
pub(super) struct Cost {
    owners: u32,
    /// The events of each turn.
    events: usize,
    published: Figures,
    updated: Figures,
}

#[derive(Debug, Default)]
struct Figures {
    cpu_us: Samples,
    written_kib: Samples,
    per_second: Samples,
    per_commit: Samples,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Publish,
    Update,
}

impl Cost {
    pub(super) fn new(owners: u32, events: usize) -> Self {
        Self {
            owners,
            events,
            published: Figures::default(),
            updated: Figures::default(),
        }
    }

    /// Publishes events to owners at random, then updates each of them once.
    pub(super) async fn measure(&mut self, system: &System) -> anyhow::Result<()> {
        let owners = Owners {
            number: self.owners,
            skewed: false,
            burst: 1,
        };
        // Beyond the readers.
        let draw = || (mint_id(), Owners::owner(1_000 + owners.draw()));
        let events: Vec<(Uuid, Uuid)> = (0..self.events).map(|_| draw()).collect();
        let events: Arc<[_]> = events.into();
        self.published
            .measure(system, Kind::Publish, &events)
            .await?;
        self.updated.measure(system, Kind::Update, &events).await
    }

    /// Their number, which is exact.
    fn owners(&self) -> String {
        match self.owners {
            few @ ..1_000 => few.to_string(),
            many => number(f64::from(many)),
        }
    }

    pub(super) fn tell(&self, table: &mut Table) {
        type Row = (&'static str, fn(&Figures) -> &Samples, Target);
        let rows: [Row; 3] = [
            ("server CPU per update, µs", |figures| &figures.cpu_us, MOST),
            (
                "KiB written per update",
                |figures| &figures.written_kib,
                MOST,
            ),
            ("updates/s", |figures| &figures.per_second, Target::None),
        ];
        for (name, of, target) in rows {
            let name = format!("{name}, {} owners", self.owners());
            let publish = ("publishing", of(&self.published));
            table.ratio(&name, of(&self.updated), publish, target);
        }
        table.note(format!(
            "{} owners: in each turn {PUBLISHERS} publishers with one token published {} events, one event a request \
             and each to an owner at random, and then updated each event once, in the same order, with another \
             description of the same length, other metadata and a sequence. Each commit had {} events while \
             publishing and {} updates while updating. CPU and writes are counted until the server is idle, and \
             include the search index.",
            self.owners(),
            number(self.events as f64),
            self.published.per_commit,
            self.updated.per_commit,
        ));
    }
}

impl Figures {
    async fn measure(
        &mut self,
        system: &System,
        kind: Kind,
        events: &Arc<[(Uuid, Uuid)]>,
    ) -> anyhow::Result<()> {
        settle(&system.process).await?;
        let (commits, _) = system.commits().await?.context("commits are not counted")?;
        let written = system.process.written_bytes()?;
        let cpu = system.process.cpu()?;
        let start = Instant::now();
        let mut publishers = JoinSet::new();
        for index in 0..PUBLISHERS {
            let token = system.publishers[0].clone();
            let client = Client::connect(system.address).await?;
            publishers.spawn(send(client, token, kind, Arc::clone(events), index));
        }
        while let Some(ended) = publishers.join_next().await {
            ended??;
        }
        let number = events.len() as f64;
        self.per_second.push(number / start.elapsed().as_secs_f64());
        settle(&system.process).await?;
        let cpu = system.process.cpu()? - cpu;
        self.cpu_us.push(cpu.as_secs_f64() * 1e6 / number);
        let written = system.process.written_bytes()? - written;
        self.written_kib.push(written as f64 / 1024.0 / number);
        let (after, _) = system.commits().await?.context("commits are not counted")?;
        ensure!(after > commits, "the server counted no commit");
        self.per_commit.push(number / (after - commits));
        Ok(())
    }
}

/// Sends the share of one publisher.
async fn send(
    mut client: Client,
    token: String,
    kind: Kind,
    events: Arc<[(Uuid, Uuid)]>,
    publisher: usize,
) -> anyhow::Result<()> {
    for (id, owner) in events.iter().skip(publisher).step_by(PUBLISHERS) {
        let event = StoredEvent {
            id: *id,
            owner: *owner,
            token: &token,
        };
        match kind {
            Kind::Publish => {
                let request = event.publish(&content(DESCRIPTION, 10));
                soon("a response", client.publish(&request)).await??;
            }
            Kind::Update => {
                let request = event.update(&content(UPDATED, 90), 1);
                soon("a response", client.update(&request)).await??;
            }
        }
    }
    Ok(())
}

const fn content(description: &str, progress: u8) -> Content<'_> {
    Content {
        severity: SEVERITY,
        description,
        progress,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_has_a_text_of_the_same_length() {
        assert_eq!(UPDATED.len(), DESCRIPTION.len());
        assert_ne!(UPDATED, DESCRIPTION);
    }
}
