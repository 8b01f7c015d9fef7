//! The changes of a feed, as exactly as the node that committed them has delivered them.

use std::sync::LazyLock;

use bytes::Bytes;
use tidings_event::{
    Change, CountDelta, EventId, OwnerId, Rev, Severity, Status, StreamItem, Timestamp,
};
use tokio_postgres::Row;
use uuid::Uuid;

use super::query::Query;
use super::read_fault::ReadFault;
use super::read_transaction::ReadTransaction;
use super::replay::{created_sql, in_range, is_all};
use super::row::{
    CREATED_COLUMNS, EVENT_COLUMN_COUNT, UPDATED_COLUMNS, event_json, id, moment, owner, rev,
    rev_to_sql, severity, status,
};
use super::viewer::{SeenFeed, Viewer};
use crate::ended_overlay::EndedOverlay;
use crate::store::{Refill, RefillItem, RevRange, StepOutcome, Updated};

/// The most marks and deletions of one refill: two of the longest steps.
const MOST_CHANGES: usize = 2 * StreamItem::MAX_IDS;

/// The most steps of a refill that delete events of the system: each needs a statement.
const MOST_SYSTEM_DELETIONS: usize = 16;

/// The most overlays that a step tells; as many as the node that commits it.
const MOST_ENDED: usize = 16_384;

/// Joins the first mark of an event. The row of that mark has the status and time before it. The search begins at
/// the last mark and goes backwards, which shows that no mark is missing.
const FIRST_MARK: &str = "\
    LEFT JOIN LATERAL (WITH RECURSIVE mark AS (\
        SELECT rev, changed_before, before, updated_before FROM recent_change AS last \
        WHERE last.owner = event.owner AND last.rev = event.changed_rev \
        UNION ALL SELECT earlier.rev, earlier.changed_before, earlier.before, \
        earlier.updated_before FROM mark JOIN recent_change AS earlier \
        ON earlier.owner = event.owner AND earlier.rev = mark.changed_before) \
        SELECT rev, before, updated_before FROM mark WHERE changed_before IS NULL) \
    AS first ON event.changed_rev IS NOT NULL";

/// The marks and deletions of a feed: `$1` is its owner, `$2` and `$3` the range.
const CHANGES: &str = "\
    SELECT rev, id, step, system_rev, severity, before, after, at FROM recent_change \
    WHERE owner = $1 AND rev > $2 AND rev <= $3 ORDER BY rev LIMIT $4";

/// Whether a rev belongs to no step: `$1` is the owner, `$2` the rev.
const IS_NO_STEP: &str = "\
    SELECT 1 FROM event WHERE owner = $1 AND created_rev = $2 \
    UNION ALL SELECT 1 FROM recent_update WHERE owner = $1 AND rev = $2";

/// The most updates of one refill: some MiB of the largest events.
const MOST_UPDATES: i64 = 32;

/// The updates of a feed, with the events that no later update has changed. The condition on `owner` bounds both.
static UPDATES: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {UPDATED_COLUMNS}, noted.rev, noted.severity_before, noted.status_before, \
         noted.id \
         FROM (SELECT * FROM recent_update WHERE owner = $1 AND rev > $2 AND rev <= $3 \
         ORDER BY rev LIMIT {MOST_UPDATES}) AS noted \
         LEFT JOIN event ON event.owner = $1 AND event.id = noted.id AND event.content_rev = noted.rev \
         ORDER BY noted.rev"
    )
});

/// The overlays of events of the system: `$1` is the system, `$2` the events' revs. Without a row, or with one
/// whose removal has begun, the overlays of the event are no longer known.
const ENDED: &str = "\
    SELECT overlay.owner, overlay.changed_rev, overlay.severity, overlay.status, overlay.deleted, \
    (SELECT count(*) FROM ended \
     WHERE ended.owner = $1 AND ended.system_rev = ANY ($2) AND ended.ended_at <> 0) \
    FROM (VALUES (1)) AS one LEFT JOIN \
    (SELECT * FROM overlay WHERE system_rev = ANY ($2) LIMIT $3) AS overlay ON true";

/// One mark or deletion.
struct FoundChange {
    rev: Rev,
    id: EventId,
    /// The first rev of its step.
    step: Rev,
    system_rev: Option<Rev>,
    severity: Severity,
    before: Status,
    change: Change,
    at: Timestamp,
}

/// A change that some rev of the range stands for is not known.
struct NotKept;

/// The rows that one part of a refill has read. There are no other rows of this part up to the rev `up_to`.
struct Run<T> {
    read: Vec<T>,
    up_to: Rev,
}

/// The changes of a range of the viewer's own feed or, if the viewer is the system, of the system's feed.
pub(super) async fn refill(
    reading: &ReadTransaction<'_>,
    viewer: &Viewer,
    range: RevRange,
) -> Result<Refill, ReadFault> {
    let is_system = viewer.owner == reading.system();
    let feed = match is_system {
        true => viewer.system.as_ref(),
        false => viewer.own.as_ref(),
    };
    let head = feed.map_or(Rev::ZERO, |feed| feed.bounds.head);
    let (after, up_to) = (range.after, range.up_to.min(head));
    let (Some(feed), true) = (feed, after < up_to) else {
        let items = Vec::new();
        return Ok(Refill::Exact { items, head });
    };
    let Ok(changes) = changes(reading, feed, RevRange { after, up_to }).await? else {
        return Ok(Refill::Incomplete { head });
    };
    let up_to = changes.up_to;
    let Ok(created) = created(reading, feed, RevRange { after, up_to }).await? else {
        return Ok(Refill::Incomplete { head });
    };
    let up_to = created.up_to;
    let Ok(updated) = updated(reading, feed, RevRange { after, up_to }).await? else {
        return Ok(Refill::Incomplete { head });
    };
    let up_to = updated.up_to;
    let mut read = ReadChanges {
        created: created.read,
        updated: updated.read,
        changes: changes.read,
    };
    read.changes.retain(|changed| changed.rev <= up_to);
    let Ok(mut items) = items((feed.owner, is_system), (after, up_to), read) else {
        return Ok(Refill::Incomplete { head });
    };
    if is_system {
        add_ended(reading, &mut items).await?;
    }
    let items = items.into_iter().map(|(item, _)| item).collect();
    Ok(Refill::Exact { items, head })
}

/// The marks and deletions of a range, in whole steps.
async fn changes(
    reading: &ReadTransaction<'_>,
    feed: &SeenFeed,
    range: RevRange,
) -> Result<Result<Run<FoundChange>, NotKept>, ReadFault> {
    // A step that begins in the range and ends after it is read to its end, and one rev further.
    let beyond = RevRange {
        up_to: Rev::new(range.up_to.get().saturating_add(StreamItem::MAX_IDS as u64)),
        ..range
    };
    let most = i64::try_from(MOST_CHANGES).unwrap_or(i64::MAX);
    let rows = reading.rows(in_range(CHANGES, feed, beyond).with(most));
    let rows = rows.await?;
    let all: Result<Vec<_>, _> = rows.iter().map(changed).collect();
    let all = all?;
    // The range begins within a step, of which another refill would tell the rest only.
    if all.first().is_some_and(|first| first.step <= range.after) {
        return Ok(Err(NotKept));
    }
    let here = all.partition_point(|changed| changed.step <= range.up_to);
    let mut read = all;
    let next = read.split_off(here).first().map(|changed| changed.rev);
    let mut up_to = range.up_to;
    if let Some(last) = read.last() {
        let (step, end) = (last.step, last.rev);
        if rows.len() == MOST_CHANGES && next.is_none() {
            // The last step may go on.
            read.retain(|changed| changed.step != step);
            up_to = Rev::new(step.get() - 1);
        } else if end >= up_to {
            up_to = end;
            // The rest of the step may have been forgotten, unless it is known what follows it.
            let is_longest = end.get() - step.get() + 1 == StreamItem::MAX_IDS as u64;
            let is_whole = is_longest || end == feed.bounds.head || next == Some(end.next());
            if !is_whole && !is_created(reading, feed, end.next()).await? {
                return Ok(Err(NotKept));
            }
        }
    }
    Ok(Ok(Run { read, up_to }))
}

/// Whether an event that is still there was created or updated at a rev.
async fn is_created(
    reading: &ReadTransaction<'_>,
    feed: &SeenFeed,
    rev: Rev,
) -> Result<bool, ReadFault> {
    let query = Query::new(IS_NO_STEP)
        .with(*feed.owner.as_uuid())
        .with(rev_to_sql(rev));
    Ok(!reading.rows(query).await?.is_empty())
}

fn changed(row: &Row) -> Result<FoundChange, ReadFault> {
    let system_rev: Option<i64> = row.try_get(3)?;
    let after: Option<i16> = row.try_get(6)?;
    Ok(FoundChange {
        rev: rev(row, 0)?,
        id: id(row, 1)?,
        step: rev(row, 2)?,
        system_rev: match system_rev {
            Some(_) => Some(rev(row, 3)?),
            None => None,
        },
        severity: severity(row, 4)?,
        before: status(row, 5)?,
        change: match after {
            Some(_) => Change::Status(status(row, 6)?),
            None => Change::Delete,
        },
        at: moment(row, 7)?,
    })
}

/// The events that were created in a range, as they were then.
async fn created(
    reading: &ReadTransaction<'_>,
    feed: &SeenFeed,
    range: RevRange,
) -> Result<Result<Run<(Rev, Bytes)>, NotKept>, ReadFault> {
    let columns = format!(
        "{CREATED_COLUMNS}, event.content_rev IS NULL \
         AND (event.changed_rev IS NULL OR first.rev IS NOT NULL)"
    );
    let sql = created_sql(&columns, FIRST_MARK);
    let rows = reading.rows(in_range(&sql, feed, range)).await?;
    let mut read = Vec::with_capacity(rows.len());
    for row in &rows {
        if !row.try_get::<_, bool>(EVENT_COLUMN_COUNT)? {
            return Ok(Err(NotKept));
        }
        read.push((rev(row, 0)?, event_json(row)?));
    }
    let is_all = is_all(&rows, EVENT_COLUMN_COUNT + 1)?;
    let up_to = match read.last() {
        Some((last, _)) if !is_all => *last,
        _ => range.up_to,
    };
    Ok(Ok(Run { read, up_to }))
}

/// The updates of a range, if no later update has replaced the content of their events.
async fn updated(
    reading: &ReadTransaction<'_>,
    feed: &SeenFeed,
    range: RevRange,
) -> Result<Result<Run<Updated>, NotKept>, ReadFault> {
    let rows = reading.rows(in_range(&UPDATES, feed, range)).await?;
    let mut read = Vec::with_capacity(rows.len());
    for row in &rows {
        if row.try_get::<_, Option<i64>>(0)?.is_none() {
            return Ok(Err(NotKept));
        }
        let mut counts = CountDelta::default();
        // The columns of status and severity, which the update left like this.
        counts.add(status(row, 9)?, severity(row, 8)?, 1);
        let before = EVENT_COLUMN_COUNT + 1;
        counts.add(status(row, before + 1)?, severity(row, before)?, -1);
        read.push(Updated {
            owner: feed.owner,
            rev: rev(row, EVENT_COLUMN_COUNT)?,
            id: id(row, before + 2)?,
            json: event_json(row)?,
            counts,
        });
    }
    let is_full = i64::try_from(rows.len()) == Ok(MOST_UPDATES);
    let up_to = match read.last() {
        Some(last) if is_full => last.rev,
        _ => range.up_to,
    };
    Ok(Ok(Run { read, up_to }))
}

/// The rows that the parts of a refill have read, each in the order of its revs.
struct ReadChanges {
    created: Vec<(Rev, Bytes)>,
    updated: Vec<Updated>,
    changes: Vec<FoundChange>,
}

/// An item and, if it is a deletion of the system, the positions of the deleted events.
type Item = (RefillItem, Vec<Option<Rev>>);

/// The items of a range, if all its revs are accounted for. The feed's owner comes with whether it is the system.
fn items(
    owner: (OwnerId, bool),
    (after, up_to): (Rev, Rev),
    read: ReadChanges,
) -> Result<Vec<Item>, NotKept> {
    let mut items: Vec<Item> = Vec::new();
    let mut created = read.created.into_iter().peekable();
    let mut updated = read.updated.into_iter().peekable();
    let mut changes = read.changes.into_iter().peekable();
    let mut reached = after;
    while reached < up_to {
        let next = reached.next();
        if let Some((rev, json)) = created.next_if(|(rev, _)| *rev == next) {
            items.push((RefillItem::Created { rev, json }, Vec::new()));
            reached = rev;
            continue;
        }
        if let Some(updated) = updated.next_if(|updated| updated.rev == next) {
            reached = updated.rev;
            items.push((RefillItem::Updated(updated), Vec::new()));
            continue;
        }
        let first = changes.next_if(|changed| changed.rev == next);
        let first = first.ok_or(NotKept)?;
        let mut step = RefilledStep::begin(owner, &first);
        while let Some(other) = changes.next_if(|other| step.continues_with(other)) {
            step.add(&other);
        }
        reached = step.outcome.revs.up_to;
        items.push((RefillItem::Changed(step.outcome), step.system_revs));
    }
    Ok(items)
}

/// A step that is put together again.
struct RefilledStep {
    outcome: StepOutcome,
    /// Whether it is the system's.
    is_system: bool,
    first: Rev,
    system_revs: Vec<Option<Rev>>,
}

impl RefilledStep {
    fn begin((owner, is_system): (OwnerId, bool), changed: &FoundChange) -> Self {
        let before = Rev::new(changed.rev.get() - 1);
        let mut step = Self {
            outcome: StepOutcome {
                owner,
                change: changed.change,
                at: changed.at,
                ids: Vec::new(),
                system_ids: Vec::new(),
                unchanged: 0,
                foreign: None,
                revs: RevRange {
                    after: before,
                    up_to: before,
                },
                system: Rev::ZERO,
                counts: CountDelta::default(),
                ended: Some(Vec::new()),
            },
            is_system,
            first: changed.step,
            system_revs: Vec::new(),
        };
        step.add(changed);
        step
    }

    fn continues_with(&self, changed: &FoundChange) -> bool {
        changed.step == self.first && changed.rev == self.outcome.revs.up_to.next()
    }

    fn add(&mut self, changed: &FoundChange) {
        let outcome = &mut self.outcome;
        outcome.revs.up_to = changed.rev;
        outcome.ids.push(changed.id);
        if let Change::Status(after) = changed.change {
            outcome.counts.add(after, changed.severity, 1);
        }
        outcome.counts.add(changed.before, changed.severity, -1);
        match changed.system_rev {
            _ if self.is_system => {
                outcome.system_ids.push(changed.id);
                self.system_revs.push(changed.system_rev);
            }
            Some(system_rev) => {
                outcome.system_ids.push(changed.id);
                outcome.system = outcome.system.max(system_rev);
            }
            None => {}
        }
    }
}

/// Adds the users' overlays of the system events that ended. The items after some deletions are left to the next
/// refill.
async fn add_ended(reading: &ReadTransaction<'_>, items: &mut Vec<Item>) -> Result<(), ReadFault> {
    let mut deletions = 0;
    for index in 0..items.len() {
        let (RefillItem::Changed(step), system_revs) = &mut items[index] else {
            continue;
        };
        if deletions == MOST_SYSTEM_DELETIONS {
            items.truncate(index);
            return Ok(());
        }
        deletions += 1;
        let system_revs: Option<Vec<i64>> =
            system_revs.iter().map(|rev| rev.map(rev_to_sql)).collect();
        step.ended = match system_revs {
            Some(system_revs) => ended(reading, system_revs).await?,
            None => None,
        };
    }
    Ok(())
}

/// The users' overlays of these system events, which have ended. `None` if there are too many, or if some are no
/// longer known.
async fn ended(
    reading: &ReadTransaction<'_>,
    system_revs: Vec<i64>,
) -> Result<Option<Vec<EndedOverlay>>, ReadFault> {
    let known = i64::try_from(system_revs.len()).unwrap_or(i64::MAX);
    let query = Query::new(ENDED)
        .with(*reading.system().as_uuid())
        .with(system_revs)
        .with(i64::try_from(MOST_ENDED + 1).unwrap_or(i64::MAX));
    let rows = reading.rows(query).await?;
    if rows.len() > MOST_ENDED {
        return Ok(None);
    }
    let mut ended = Vec::with_capacity(rows.len());
    for row in &rows {
        if row.try_get::<_, i64>(5)? != known {
            return Ok(None);
        }
        if row.try_get::<_, Option<Uuid>>(0)?.is_none() {
            // There is no overlay.
            continue;
        }
        let is_deleted: bool = row.try_get(4)?;
        let status = status(row, 3)?;
        ended.push(EndedOverlay {
            owner: owner(row, 0)?,
            changed_rev: rev(row, 1)?,
            severity: severity(row, 2)?,
            status: (!is_deleted).then_some(status),
        });
    }
    Ok(Some(ended))
}
