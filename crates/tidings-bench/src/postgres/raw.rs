//! The machine's own limit: the rows that the engine stores, written by PostgreSQL alone.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use tidings::PostgresConfig;
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Statement};
use uuid::Uuid;

use super::RawGroup;
use crate::Bench;
use crate::content::{ACTED_UPON, ACTION, CATEGORY, DESCRIPTION, mint_id};

/// The owners of the events, in turn.
pub(super) const OWNERS: usize = 1_000;

/// The connections that commit, as many as the engine has by default.
pub(super) const CONNECTIONS: usize = PostgresConfig::DEFAULT_COMMIT_CONNECTIONS;

/// As the engine numbers them: informational, and unread.
const SEVERITY: i16 = 6;
const UNREAD: i16 = 0;

/// The place of such events among the counts of a feed.
const KIND: usize = 12;

/// About as many bytes as an event.
const EVENT_BYTES: i64 = 600;

const INSERT: &str = "\
    INSERT INTO event (owner, id, created_rev, severity, status, created_at, updated_at, system_id, \
    operation_id, acted_upon, category, action, description, digest) \
    SELECT owner, id, rev, $4, $5, at, at, $7, id, $8, $9, $10, $11, $12 \
    FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $6::bigint[]) AS new (owner, id, rev, at)";

const FEEDS: &str = "\
    INSERT INTO feed (owner, head, bytes, counts) \
    SELECT owner, head, bytes, counts::bigint[] \
    FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[]) AS new (owner, head, bytes, counts) \
    ON CONFLICT (owner) DO UPDATE SET head = excluded.head, bytes = excluded.bytes, \
    counts = excluded.counts";

/// A connection and the owners whose events it commits.
struct Lane {
    client: Client,
    insert: Statement,
    feeds: Statement,
    /// Each with its last rev.
    owners: Vec<(Uuid, i64)>,
    next: usize,
}

/// Commits groups for a stretch, on the server's core. Returns the events per second.
pub(super) fn flat_out(bench: &Bench, database: &str, group: RawGroup) -> anyhow::Result<f64> {
    bench.cores.on_server(|| {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut lanes = Vec::new();
            for number in 0..CONNECTIONS {
                lanes.push(Lane::open(database, number).await?);
            }
            let stretch = bench.stretch();
            let mut tasks = JoinSet::new();
            for lane in lanes {
                tasks.spawn(lane.fill(group, stretch));
            }
            let mut rate = 0.0;
            while let Some(ended) = tasks.join_next().await {
                rate += ended??;
            }
            anyhow::Ok(rate)
        })
    })?
}

impl Lane {
    async fn open(database: &str, number: usize) -> anyhow::Result<Self> {
        let (client, connection) = tokio_postgres::connect(database, NoTls).await?;
        tokio::spawn(connection);
        let owners = (0..OWNERS / CONNECTIONS).map(|owner| {
            let owner = owner * CONNECTIONS + number;
            (Uuid::from_u128(0x1000 + owner as u128), 0)
        });
        Ok(Self {
            insert: client.prepare(INSERT).await?,
            feeds: client.prepare(FEEDS).await?,
            client,
            owners: owners.collect(),
            next: 0,
        })
    }

    async fn fill(mut self, group: RawGroup, stretch: Duration) -> anyhow::Result<f64> {
        let (start, mut events) = (Instant::now(), 0_usize);
        while start.elapsed() < stretch {
            self.commit(group).await?;
            events += group.owners * group.events_each;
        }
        Ok(events as f64 / start.elapsed().as_secs_f64())
    }

    /// Commits one group in one round trip.
    async fn commit(&mut self, group: RawGroup) -> anyhow::Result<()> {
        let at = i64::try_from(tidings_event::Timestamp::now().as_nanosecond())?;
        let (mut owners, mut ids, mut revs) = (Vec::new(), Vec::new(), Vec::new());
        let (mut touched, mut heads, mut bytes, mut counts) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for _ in 0..group.owners {
            let index = self.next % self.owners.len();
            self.next += 1;
            let (owner, head) = &mut self.owners[index];
            for _ in 0..group.events_each {
                *head += 1;
                owners.push(*owner);
                ids.push(mint_id());
                revs.push(*head);
            }
            touched.push(*owner);
            heads.push(*head);
            bytes.push(*head * EVENT_BYTES);
            let mut of_kinds = [0; 16];
            of_kinds[KIND] = *head;
            counts.push(format!(
                "{{{}}}",
                of_kinds.map(|count| count.to_string()).join(",")
            ));
        }
        let times = vec![at; ids.len()];
        let (system, digest) = (Uuid::nil(), [7_u8; 32]);
        let event: [&(dyn ToSql + Sync); 12] = [
            &owners,
            &ids,
            &revs,
            &SEVERITY,
            &UNREAD,
            &times,
            &system,
            &ACTED_UPON,
            &CATEGORY,
            &ACTION,
            &DESCRIPTION,
            &digest.as_slice(),
        ];
        let feed: [&(dyn ToSql + Sync); 4] = [&touched, &heads, &bytes, &counts];
        tokio::try_join!(
            self.client.batch_execute("BEGIN"),
            self.client.execute(&self.insert, &event),
            self.client.execute(&self.feeds, &feed),
            self.client.batch_execute("COMMIT"),
        )
        .context("could not commit")?;
        Ok(())
    }
}
