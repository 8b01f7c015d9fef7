//! Finding the events of a list, in its order, without sorting them.
//!
//! A list has one or more *branches*, each of which is a list of a feed that has the events in
//! the order that is asked for; they are cut to what can be needed and merged. The own feed is one branch
//! if all of it is sorted by creation; otherwise it has one for each pair of status and severity that is
//! asked for. The newest events of the own feed, which are in no list yet, are merged with them. The
//! system's feed is one branch, seen through the viewer's overlay.

use std::fmt::Write as _;

use rusqlite::{Connection, Row, params_from_iter};
use tidings_event::{Rev, SortKey};

use super::lists::List;
use super::query::{Query, needs_row};
use super::row::{number, overlay_join, rev_to_sql, uuid};
use super::select_newest;
use super::viewer::Viewer;
use crate::store::Side;
use crate::store::list_position::ListPosition;
use crate::store::moment::nanoseconds;
use crate::store::wanted::{IndexedPart, Region, Wanted, sides};

/// One branch: a feed, and which of its lists is read.
#[derive(Clone, Copy, Debug)]
struct Branch {
    feed: i64,
    side: Side,
    list: List,
    /// Whether the list has the order that is asked for.
    is_sorted: bool,
    /// Whether the list has only events of the wanted statuses and severities.
    is_of_kind: bool,
}

/// The events that are wanted, in the order of the list: as many as `limit` after `skip` others.
pub(super) fn positions(
    connection: &Connection,
    viewer: &Viewer,
    wanted: Wanted<'_>,
    region: Option<Region>,
    (skip, limit): (u64, u64),
) -> rusqlite::Result<Vec<ListPosition>> {
    let mut page = Page {
        skip,
        limit,
        positions: Vec::new(),
    };
    let mut newest = select_newest::positions(connection, viewer, wanted, region)?
        .into_iter()
        .peekable();
    let branches = branches(viewer, wanted, region);
    if !branches.is_empty() {
        let query = query(
            viewer,
            &branches,
            wanted,
            region,
            skip.saturating_add(limit),
        )?;
        let mut statement = connection.prepare_cached(&query.sql)?;
        let mut rows = statement.query(params_from_iter(query.values))?;
        while let Some(row) = rows.next()? {
            let listed = position(row)?;
            let is_before = |next: &ListPosition| next.compare(&listed, wanted.sort.order).is_lt();
            while let Some(next) = newest.next_if(is_before) {
                page.add(next);
            }
            page.add(listed);
            if page.is_full() {
                break;
            }
        }
    }
    for next in newest {
        page.add(next);
    }
    Ok(page.positions)
}

/// The positions of a page, which are offered in their order.
struct Page {
    skip: u64,
    limit: u64,
    positions: Vec<ListPosition>,
}

impl Page {
    fn is_full(&self) -> bool {
        self.positions.len() as u64 >= self.limit
    }

    fn add(&mut self, position: ListPosition) {
        if self.skip > 0 {
            self.skip -= 1;
        } else if !self.is_full() {
            self.positions.push(position);
        }
    }
}

fn position(row: &Row<'_>) -> rusqlite::Result<ListPosition> {
    Ok(ListPosition {
        key: row.get(0)?,
        at: row.get(1)?,
        id: uuid(row, 2)?.into(),
        side: match row.get(3)? {
            true => Side::System,
            false => Side::Own,
        },
    })
}

/// The query for the first `needed` listed events of all branches.
fn query(
    viewer: &Viewer,
    branches: &[Branch],
    wanted: Wanted<'_>,
    region: Option<Region>,
    needed: u64,
) -> rusqlite::Result<Query> {
    let mut query = Query::default();
    let needed = query.bind_number(needed);
    let direction = wanted.direction();
    query.sql.push_str("SELECT key, at, id, of_system FROM (");
    for (index, branch) in branches.iter().enumerate() {
        if index > 0 {
            query.sql.push_str(" UNION ALL ");
        }
        let (at, id) = (branch.moment_column(wanted.sort.key), branch.id_column());
        let _ = write!(
            query.sql,
            "SELECT * FROM (SELECT listed.event AS key, {at} AS at, {id} AS id, {} AS of_system",
            i32::from(branch.side == Side::System)
        );
        restrict_to(&mut query, viewer, branch, wanted, region)?;
        if let Some(token) = wanted.after {
            let comparison = wanted.comparison_after(token.owner_kind, branch.side);
            let moment = query.bind(nanoseconds(token.at).into());
            let token_id = query.bind(token.id.as_uuid().as_bytes().to_vec().into());
            let _ = write!(
                query.sql,
                " AND ({at}, {id}) {comparison} (?{moment}, ?{token_id})"
            );
        }
        let _ = write!(
            query.sql,
            " ORDER BY {at} {direction}, {id} {direction} LIMIT ?{needed})"
        );
    }
    let _ = write!(
        query.sql,
        ") ORDER BY at {direction}, id {direction}, of_system {direction} LIMIT ?{needed}"
    );
    Ok(query)
}

/// How many events are wanted, counted one by one.
pub(super) fn count(
    connection: &Connection,
    viewer: &Viewer,
    wanted: Wanted<'_>,
    region: Option<Region>,
) -> rusqlite::Result<u64> {
    let newest = select_newest::positions(connection, viewer, wanted, region)?;
    let mut total = newest.len() as u64;
    for branch in branches(viewer, wanted, region) {
        let mut query = Query::default();
        query.sql.push_str("SELECT count(*)");
        restrict_to(&mut query, viewer, &branch, wanted, region)?;
        total += connection
            .prepare_cached(&query.sql)?
            .query_row(params_from_iter(query.values), |row| number(row, 0))?;
    }
    Ok(total)
}

fn branches(viewer: &Viewer, wanted: Wanted<'_>, region: Option<Region>) -> Vec<Branch> {
    let mut branches = Vec::new();
    for side in sides(wanted.filter) {
        if region.is_some_and(|region| region.side != side) {
            continue;
        }
        let Some(feed) = viewer.feed(side) else {
            continue;
        };
        let first = region.map_or(Rev::ZERO.next(), |region| region.first);
        if feed.listed_rev < first {
            continue;
        }
        let whole = |list, is_sorted| Branch {
            feed: feed.key,
            side,
            list,
            is_sorted,
            is_of_kind: false,
        };
        if region.is_some() {
            branches.push(whole(List::CREATED_REV, false));
            continue;
        }
        let by_creation = wanted.sort.key == SortKey::CreatedAt;
        let parts = wanted.parts(side, &feed.counts).into_iter();
        branches.extend(parts.map(|part| match part {
            IndexedPart::All => whole(List::CREATED_AT, by_creation),
            IndexedPart::OfKind(kind) => Branch {
                is_of_kind: true,
                ..whole(List::of_kind(kind, wanted.sort.key), true)
            },
        }));
    }
    branches
}

impl Branch {
    /// The moment by which a list is sorted, as the viewer sees it.
    const fn moment_column(&self, key: SortKey) -> &'static str {
        match (self.side, key) {
            _ if self.is_sorted => "listed.at",
            (_, SortKey::CreatedAt) => "event.created_at",
            (Side::Own, SortKey::UpdatedAt) => "event.updated_at",
            (Side::System, SortKey::UpdatedAt) => {
                "max(coalesce(overlay.updated_at, 0), event.updated_at)"
            }
        }
    }

    /// The lists by rev have no ids.
    fn id_column(&self) -> &'static str {
        match self.list == List::CREATED_REV {
            true => "event.id",
            false => "listed.id",
        }
    }

    /// The column with the time of creation.
    fn created_at(&self, key: SortKey) -> &'static str {
        let is_by_creation =
            self.list == List::CREATED_AT || (self.is_of_kind && key == SortKey::CreatedAt);
        match is_by_creation {
            true => "listed.at",
            false => "event.created_at",
        }
    }
}

/// Writes what follows the columns of a branch: the list, the events if they are needed, the overlay, the
/// conditions.
fn restrict_to(
    query: &mut Query,
    viewer: &Viewer,
    branch: &Branch,
    wanted: Wanted<'_>,
    region: Option<Region>,
) -> rusqlite::Result<()> {
    let filter = wanted.filter;
    let created_at = branch.created_at(wanted.sort.key);
    let reads_events = branch.side == Side::System
        || region.is_some()
        || wanted.up_to.is_some()
        || needs_row(&wanted)
        || (created_at != "listed.at" && (filter.from.is_some() || filter.to.is_some()));
    query.sql.push_str(" FROM listed");
    if reads_events {
        // In this order, since without statistics SQLite might begin with all events.
        query
            .sql
            .push_str(" CROSS JOIN event ON event.key = listed.event");
    }
    if branch.side == Side::System {
        let overlay_feed = query.bind(viewer.overlay_feed().into());
        let system_feed = query.bind(viewer.system_feed().into());
        query.sql.push_str(&overlay_join(overlay_feed, system_feed));
    }
    let feed = query.bind(branch.feed.into());
    let list = query.bind(i64::from(branch.list.number()).into());
    let _ = write!(
        query.sql,
        " WHERE listed.feed = ?{feed} AND listed.list = ?{list}"
    );
    if branch.side == Side::System {
        query.sql.push_str(" AND coalesce(overlay.deleted, 0) = 0");
    }
    if let Some(region) = region {
        let (first, last) = (rev_to_sql(region.first)?, rev_to_sql(region.last)?);
        let (first, last) = (query.bind(first.into()), query.bind(last.into()));
        let _ = write!(query.sql, " AND listed.at BETWEEN ?{first} AND ?{last}");
    }
    if let Some((own, system)) = wanted.up_to {
        let up_to = match branch.side {
            Side::Own => own,
            Side::System => system,
        };
        let up_to = query.bind(rev_to_sql(up_to)?.into());
        let _ = write!(query.sql, " AND event.created_rev <= ?{up_to}");
    }
    if !branch.is_of_kind {
        let status = match branch.side {
            Side::Own => "event.status",
            Side::System => "coalesce(overlay.status, event.status)",
        };
        query.filter_kinds(filter, status);
    }
    query.filter_times(filter, created_at);
    query.filter_rows(&wanted);
    Ok(())
}
