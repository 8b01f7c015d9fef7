//! Finding the events of a list, in its order, without sorting them.
//!
//! The list of an owner is merged from one or more *branches*. An index that has the wanted order reads each
//! branch, up to the number of events that the page can need. The owner's feed is one branch if the whole feed
//! is sorted by creation; otherwise it has a branch for each wanted pair of status and severity. The system's
//! feed is one branch, seen through the viewer's overlay.

use std::fmt::Write as _;

use tidings_event::{EventFilter, Sort, SortKey};
use tokio_postgres::Row;

use super::query::Query;
use super::read_fault::ReadFault;
use super::read_transaction::ReadTransaction;
use super::row::{id, number, overlay_join, rev_to_sql, severity_number, side, status_number};
use super::viewer::Viewer;
use crate::store::Side;
use crate::store::list_position::ListPosition;
use crate::store::moment::nanoseconds;
use crate::store::wanted::{IndexedPart, Region, Wanted, sides};

/// One branch: a feed, and the part of it that is read.
#[derive(Clone, Debug)]
struct Branch {
    side: Side,
    read: FeedPart,
}

/// The part of a feed that is read.
#[derive(Clone, Debug)]
enum FeedPart {
    Part(IndexedPart),
    /// Only the events that were created in these runs of revs: the first rev and the last of each.
    Created(Vec<i64>, Vec<i64>),
}

/// The wanted events in the order of the list: at most `limit`, after the first `skip`. If `regions` are given,
/// only events of these regions.
pub(super) async fn positions(
    reading: &ReadTransaction<'_>,
    viewer: &Viewer,
    wanted: Wanted<'_>,
    regions: Option<&[Region]>,
    (skip, limit): (u64, u64),
) -> Result<Vec<ListPosition>, ReadFault> {
    let branches = branches(viewer, wanted, regions);
    if branches.is_empty() {
        return Ok(Vec::new());
    }
    let query = query_of(reading, viewer, &branches, wanted, (skip, limit));
    reading.rows(query).await?.iter().map(position).collect()
}

/// The query for a page, for tests that look at its plan.
#[cfg(test)]
pub(super) fn query(
    reading: &ReadTransaction<'_>,
    viewer: &Viewer,
    wanted: Wanted<'_>,
    regions: Option<&[Region]>,
    limits: (u64, u64),
) -> Query {
    let branches = branches(viewer, wanted, regions);
    query_of(reading, viewer, &branches, wanted, limits)
}

/// How many events are wanted, counted one by one.
pub(super) async fn count(
    reading: &ReadTransaction<'_>,
    viewer: &Viewer,
    wanted: Wanted<'_>,
    regions: Option<&[Region]>,
) -> Result<u64, ReadFault> {
    let mut total = 0;
    // Without an order, one statement counts the events of all kinds.
    let unordered = Wanted {
        sort: Sort::default(),
        ..wanted
    };
    for branch in branches(viewer, unordered, regions) {
        let mut query = Query::new("SELECT count(*)");
        restrict_to(&mut query, reading, viewer, &branch, wanted);
        for row in reading.rows(query).await? {
            total += number(&row, 0)?;
        }
    }
    Ok(total)
}

/// Names the side of an event in the keys of positions.
pub(super) const fn key_of(side: Side) -> i64 {
    match side {
        Side::Own => 0,
        Side::System => 1,
    }
}

fn position(row: &Row) -> Result<ListPosition, ReadFault> {
    let side = side(row, 2)?;
    Ok(ListPosition {
        key: key_of(side),
        at: row.try_get(1)?,
        id: id(row, 0)?,
        side,
    })
}

/// The query for the first events of all branches.
fn query_of(
    reading: &ReadTransaction<'_>,
    viewer: &Viewer,
    branches: &[Branch],
    wanted: Wanted<'_>,
    (skip, limit): (u64, u64),
) -> Query {
    let mut query = Query::default();
    let needed = query.bind_number(skip.saturating_add(limit));
    let direction = wanted.direction();
    query.sql.push_str("SELECT id, at, of_system FROM (");
    for (index, branch) in branches.iter().enumerate() {
        if index > 0 {
            query.sql.push_str(" UNION ALL ");
        }
        let at = branch.moment_column(wanted.sort.key);
        let of_system = branch.side == Side::System;
        let _ = write!(
            query.sql,
            "(SELECT event.id, {at} AS at, {of_system} AS of_system"
        );
        restrict_to(&mut query, reading, viewer, branch, wanted);
        if let Some(token) = wanted.after {
            let comparison = wanted.comparison_after(token.owner_kind, branch.side);
            let moment = query.bind(nanoseconds(token.at));
            let id = query.bind(*token.id.as_uuid());
            let _ = write!(
                query.sql,
                " AND ({at}, event.id) {comparison} (${moment}, ${id})"
            );
        }
        let _ = write!(
            query.sql,
            " ORDER BY {at} {direction}, event.id {direction} LIMIT ${needed})"
        );
    }
    let (skip, limit) = (query.bind_number(skip), query.bind_number(limit));
    let _ = write!(
        query.sql,
        ") AS listed ORDER BY at {direction}, id {direction}, of_system {direction} \
         OFFSET ${skip} LIMIT ${limit}"
    );
    query
}

fn branches(viewer: &Viewer, wanted: Wanted<'_>, regions: Option<&[Region]>) -> Vec<Branch> {
    let mut branches = Vec::new();
    for side in sides(wanted.filter) {
        let Some(feed) = viewer.feed(side) else {
            continue;
        };
        let branch = |read| Branch { side, read };
        if let Some(regions) = regions {
            let here = regions.iter().filter(|region| region.side == side);
            let (first, last): (Vec<_>, Vec<_>) = here
                .map(|region| (rev_to_sql(region.first), rev_to_sql(region.last)))
                .unzip();
            if !first.is_empty() {
                branches.push(branch(FeedPart::Created(first, last)));
            }
            continue;
        }
        let parts = wanted.parts(side, &feed.counts).into_iter();
        branches.extend(parts.map(|part| branch(FeedPart::Part(part))));
    }
    branches
}

impl Branch {
    /// The moment by which the list is sorted, as the viewer sees it.
    const fn moment_column(&self, key: SortKey) -> &'static str {
        match (self.side, key) {
            (_, SortKey::CreatedAt) => "event.created_at",
            (Side::Own, SortKey::UpdatedAt) => "event.updated_at",
            (Side::System, SortKey::UpdatedAt) => "greatest(overlay.updated_at, event.updated_at)",
        }
    }

    /// The status as the viewer sees it.
    const fn status_column(&self) -> &'static str {
        match self.side {
            Side::Own => "event.status",
            Side::System => "coalesce(overlay.status, event.status)",
        }
    }
}

/// Writes the rest of a branch after its columns: the events, the overlay, the conditions.
fn restrict_to(
    query: &mut Query,
    reading: &ReadTransaction<'_>,
    viewer: &Viewer,
    branch: &Branch,
    wanted: Wanted<'_>,
) {
    let filter: &EventFilter = wanted.filter;
    let feed = match branch.side {
        Side::Own => viewer.owner,
        Side::System => reading.system(),
    };
    let feed = query.bind(*feed.as_uuid());
    match &branch.read {
        FeedPart::Part(_) => query.sql.push_str(" FROM event"),
        FeedPart::Created(first, last) => {
            let (first, last) = (query.bind(first.clone()), query.bind(last.clone()));
            // In this order: each region by the index of the revs, whatever the statistics say. `OFFSET 0` keeps
            // PostgreSQL from joining them in another way.
            let _ = write!(
                query.sql,
                " FROM unnest(${first}, ${last}) AS region (first, last) \
                 CROSS JOIN LATERAL (SELECT * FROM event WHERE owner = ${feed} \
                 AND created_rev BETWEEN region.first AND region.last OFFSET 0) AS event"
            );
        }
    }
    if branch.side == Side::System {
        let viewer = query.bind(*viewer.owner.as_uuid());
        query.sql.push_str(&overlay_join(viewer, feed));
    }
    let _ = write!(query.sql, " WHERE event.owner = ${feed}");
    if branch.side == Side::System {
        query
            .sql
            .push_str(" AND NOT coalesce(overlay.deleted, false)");
    }
    if let Some((own, system)) = wanted.up_to {
        let up_to = match branch.side {
            Side::Own => own,
            Side::System => system,
        };
        let up_to = query.bind(rev_to_sql(up_to));
        let _ = write!(query.sql, " AND event.created_rev <= ${up_to}");
    }
    match branch.read {
        FeedPart::Part(IndexedPart::OfKind(kind)) => {
            let _ = write!(
                query.sql,
                " AND event.severity = {} AND event.status = {}",
                severity_number(kind.severity()),
                status_number(kind.status())
            );
        }
        FeedPart::Part(IndexedPart::All) | FeedPart::Created(..) => {
            query.filter_kinds(filter, branch.status_column())
        }
    }
    query.filter_times(filter);
    query.filter_rows(&wanted);
}
