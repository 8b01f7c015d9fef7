//! Checks that the counters of a store agree with its rows.

use std::collections::HashMap;
use std::time::Instant;

use tidings_event::OwnerId;
use tokio_postgres::{IsolationLevel, Row, Transaction};
use uuid::Uuid;

use super::pool::Connection;
use super::read_fault::ReadFault;
use super::row::stored_bytes;
use crate::store::audit::{Audit, WrongCount};
use crate::store::kind::Kind;

/// The feeds that are compared in one snapshot.
const FEEDS_AT_A_TIME: i64 = 256;

const FEEDS: &str = "\
    SELECT owner, head, bytes, deletions, counts, overlay_read, overlay_deleted FROM feed \
    WHERE owner > $1 ORDER BY owner LIMIT $2";

const EVENTS: &str = concat!(
    "SELECT owner, (severity * 2 + status)::smallint, count(*), sum(",
    stored_bytes!(),
    ")::bigint, max(greatest(created_rev, changed_rev, content_rev)) \
     FROM event WHERE owner = ANY ($1) GROUP BY 1, 2"
);

/// The numbers of events that share contents and are in audiences, each with the publisher or the installation, and the
/// events whose content is missing.
const RECIPIENTS: [(&str, &str); 4] = [
    (
        "events with a shared content",
        "SELECT (SELECT system_id FROM installation), rows, coalesce(number, 0) FROM shared_content \
         LEFT JOIN (SELECT shared, count(*) AS number FROM event WHERE shared IS NOT NULL GROUP BY shared) \
         AS counted ON shared = key WHERE rows <> coalesce(number, 0) LIMIT 100",
    ),
    (
        "shared contents that nothing uses",
        "SELECT (SELECT system_id FROM installation), count(*), 0::bigint FROM shared_content WHERE rows = 0 \
         AND NOT EXISTS (SELECT 1 FROM audience WHERE content = shared_content.key) HAVING count(*) > 0",
    ),
    (
        "events without their shared content",
        "SELECT owner, 0::bigint, count(*) FROM event \
         WHERE shared <> '00000000-0000-0000-0000-000000000000' AND NOT EXISTS (SELECT 1 FROM shared_content \
         WHERE shared_content.key = event.shared) GROUP BY owner LIMIT 100",
    ),
    (
        "owners of a published event",
        "SELECT coalesce(audience.system_id, counted.system_id), coalesce(members, 0), coalesce(number, 0) \
         FROM audience FULL JOIN (SELECT id, system_id, count(*) AS number FROM event \
         WHERE shared IS NOT NULL GROUP BY id, system_id) AS counted \
         ON counted.id = audience.id AND counted.system_id = audience.system_id \
         WHERE coalesce(members, 0) <> coalesce(number, 0) LIMIT 100",
    ),
];

const TOMBSTONES: &str = "\
    SELECT owner, count(*), max(deleted_rev) FROM tombstone WHERE owner = ANY ($1) GROUP BY 1";

const OVERLAYS: &str = "\
    SELECT owner, severity, count(*) FILTER (WHERE status = 1 AND NOT deleted), \
    count(*) FILTER (WHERE deleted), max(changed_rev) \
    FROM overlay WHERE owner = ANY ($1) GROUP BY 1, 2";

/// Rows that no feed leads to.
const STRAYS: &str = "\
    SELECT owner, count(*) FROM event WHERE NOT EXISTS (SELECT 1 FROM feed WHERE feed.owner = event.owner) \
    GROUP BY 1 LIMIT 100";

/// The numbers of a feed, as they are kept or as they were counted.
#[derive(Debug, Default)]
struct Numbers {
    bytes: i64,
    deletions: i64,
    counts: [i64; Kind::NUMBER],
    read: [i64; 8],
    deleted: [i64; 8],
    /// The rev of the last change: kept as the head, which can be later.
    last: i64,
}

/// Compares the counters of all feeds with their rows, until `end`.
pub(super) async fn audit(
    connection: &mut Connection,
    end: Option<Instant>,
) -> Result<Audit, ReadFault> {
    let mut audit = Audit::default();
    match compare(connection, end, &mut audit).await {
        Ok(()) => audit.complete = true,
        Err(fault) if end.is_some() && fault.is_time_out() => {}
        Err(fault) => return Err(fault),
    }
    Ok(audit)
}

async fn compare(
    connection: &mut Connection,
    end: Option<Instant>,
    audit: &mut Audit,
) -> Result<(), ReadFault> {
    let mut after = Uuid::nil();
    loop {
        let transaction = begin(connection, end).await?;
        let rows = transaction
            .query(FEEDS, &[&after, &FEEDS_AT_A_TIME])
            .await?;
        let Some(last) = rows.last() else {
            break;
        };
        after = last.try_get(0)?;
        let kept: Vec<_> = rows.iter().map(kept).collect::<Result<_, _>>()?;
        let owners: Vec<Uuid> = kept.iter().map(|(owner, _)| *owner).collect();
        let mut counted = count(&transaction, &owners).await?;
        transaction.commit().await?;
        for (owner, kept) in kept {
            audit.owners += 1;
            let found = counted.remove(&owner).unwrap_or_default();
            audit.wrong.extend(differences(owner, &kept, &found));
        }
    }
    let transaction = begin(connection, end).await?;
    for row in transaction.query(STRAYS, &[]).await? {
        audit.wrong.push(WrongCount {
            owner: OwnerId::from_uuid(row.try_get(0)?),
            what: "events without a feed",
            kept: 0,
            found: row.try_get::<_, i64>(1)?.unsigned_abs(),
        });
    }
    for (what, sql) in RECIPIENTS {
        for row in transaction.query(sql, &[]).await? {
            audit.wrong.push(WrongCount {
                owner: OwnerId::from_uuid(row.try_get(0)?),
                what,
                kept: row.try_get::<_, i64>(1)?.unsigned_abs(),
                found: row.try_get::<_, i64>(2)?.unsigned_abs(),
            });
        }
    }
    Ok(())
}

/// Begins one snapshot, whose statements end when the time is over.
async fn begin(
    connection: &mut Connection,
    end: Option<Instant>,
) -> Result<Transaction<'_>, ReadFault> {
    let transaction = connection
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await?;
    let milliseconds = end.map_or(0, |end| {
        end.saturating_duration_since(Instant::now())
            .as_millis()
            .max(1)
    });
    transaction
        .batch_execute(&format!("SET LOCAL statement_timeout = {milliseconds}"))
        .await?;
    Ok(transaction)
}

fn kept(row: &Row) -> Result<(Uuid, Numbers), ReadFault> {
    let numbers = Numbers {
        last: row.try_get(1)?,
        bytes: row.try_get(2)?,
        deletions: row.try_get(3)?,
        counts: array(row, 4)?,
        read: array(row, 5)?,
        deleted: array(row, 6)?,
    };
    Ok((row.try_get(0)?, numbers))
}

fn array<const N: usize>(row: &Row, index: usize) -> Result<[i64; N], ReadFault> {
    let numbers: Vec<i64> = row.try_get(index)?;
    let number = numbers.len();
    let numbers = numbers.try_into();
    numbers.map_err(|_| ReadFault::unreadable("counters", number))
}

async fn count(
    transaction: &Transaction<'_>,
    owners: &[Uuid],
) -> Result<HashMap<Uuid, Numbers>, ReadFault> {
    let mut counted: HashMap<Uuid, Numbers> = HashMap::new();
    for row in transaction.query(EVENTS, &[&owners]).await? {
        let feed = counted.entry(row.try_get(0)?).or_default();
        *slot(&mut feed.counts, &row)? = row.try_get(2)?;
        feed.bytes += row.try_get::<_, i64>(3)?;
        feed.last = feed.last.max(row.try_get(4)?);
    }
    for row in transaction.query(TOMBSTONES, &[&owners]).await? {
        let feed = counted.entry(row.try_get(0)?).or_default();
        feed.deletions = row.try_get(1)?;
        feed.last = feed.last.max(row.try_get(2)?);
    }
    for row in transaction.query(OVERLAYS, &[&owners]).await? {
        let feed = counted.entry(row.try_get(0)?).or_default();
        *slot(&mut feed.read, &row)? = row.try_get(2)?;
        *slot(&mut feed.deleted, &row)? = row.try_get(3)?;
        feed.last = feed.last.max(row.try_get(4)?);
    }
    Ok(counted)
}

/// The place of a number by the kind or severity in the second column.
fn slot<'a>(numbers: &'a mut [i64], row: &Row) -> Result<&'a mut i64, ReadFault> {
    let index: i16 = row.try_get(1)?;
    let slot = usize::try_from(index)
        .ok()
        .and_then(|index| numbers.get_mut(index));
    slot.ok_or_else(|| ReadFault::unreadable("severity or status", index))
}

fn differences(owner: Uuid, kept: &Numbers, found: &Numbers) -> Vec<WrongCount> {
    let mut compared = vec![
        ("bytes", kept.bytes, found.bytes),
        ("remembered deletions", kept.deletions, found.deletions),
        (
            "events",
            kept.counts.iter().sum(),
            found.counts.iter().sum(),
        ),
        // The last change can be forgotten, but none is after the head.
        ("changes", kept.last, kept.last.max(found.last)),
    ];
    for (what, kept, found) in [
        (
            "events of a severity and status",
            &kept.counts[..],
            &found.counts[..],
        ),
        ("read system events", &kept.read, &found.read),
        ("deleted system events", &kept.deleted, &found.deleted),
    ] {
        let pairs = kept.iter().zip(found);
        let first = pairs.into_iter().find(|(kept, found)| kept != found);
        compared.extend(first.map(|(kept, found)| (what, *kept, *found)));
    }
    let wrong = compared
        .into_iter()
        .filter(|(_, kept, found)| kept != found);
    wrong
        .map(|(what, kept, found)| WrongCount {
            owner: OwnerId::from_uuid(owner),
            what,
            kept: kept.unsigned_abs(),
            found: found.unsigned_abs(),
        })
        .collect()
}
