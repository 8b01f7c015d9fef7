//! Finding the events of a list, in its order, on the indexes alone.
//!
//! What an owner sees is one or more *branches*, each of which an index answers in the order of the
//! list; they are cut to what the list can need and merged. The own feed is one branch if all of it is
//! sorted by creation; otherwise it has one for each pair of status and severity that is asked for. The
//! system's feed is one branch, seen through the viewer's overlay.

use std::cmp::Ordering;
use std::fmt::Write as _;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use serde::Serialize;
use tidings_event::{
    Action, Category, EventFilter, EventId, OwnerKind, PageToken, Rev, Severity, Sort, SortKey,
    SortOrder, Status, Timestamp,
};
use uuid::Uuid;

use super::counts::Viewer;
use super::row::{nanoseconds, overlay_join, rev_to_sql, uuid};
use crate::store::Side;

/// Which events are looked for, and in which order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) filter: &'a EventFilter,
    /// The text to search for, folded.
    pub(super) needle: Option<&'a str>,
    pub(super) sort: Sort,
    /// Only those after this position of the list.
    pub(super) after: Option<PageToken>,
    /// Only those up to these revs of the own and the system's feed.
    pub(super) up_to: Option<(Rev, Rev)>,
}

/// A run of events of one feed, by the revs at which they were created.
#[derive(Clone, Copy, Debug)]
pub(super) struct Region {
    pub(super) side: Side,
    pub(super) first: Rev,
    pub(super) last: Rev,
}

/// The position of an event in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ListPosition {
    pub(super) key: i64,
    pub(super) at: i64,
    pub(super) id: EventId,
    pub(super) side: Side,
}

impl ListPosition {
    /// Compares the positions in ascending order. Only the side tells apart an event of the owner and one of the
    /// system that share their time and their id.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let key = |position: &Self| (position.at, position.id, position.side == Side::System);
        key(self).cmp(&key(other))
    }

    /// The token of the page after this position.
    pub(super) fn token(&self, wanted: Wanted<'_>) -> rusqlite::Result<PageToken> {
        let at = Timestamp::from_nanosecond(self.at.into())
            .map_err(|_| rusqlite::Error::IntegralValueOutOfRange(1, self.at))?;
        let token = PageToken::after(at, self.id, wanted.filter, wanted.sort);
        Ok(token.with_owner_kind(match self.side {
            Side::Own => OwnerKind::User,
            Side::System => OwnerKind::System,
        }))
    }
}

/// SQL with its parameters, which are all bound, never written into the text.
#[derive(Default)]
pub(super) struct Query {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
}

/// One branch: a feed, and which events of it.
struct Branch {
    feed: i64,
    side: Side,
    /// One pair of status and severity, which an index answers.
    kind: Option<(Status, Severity)>,
}

/// The events that are wanted, in the order of the list: as many as `limit` after `skip` others.
pub(super) fn positions(
    connection: &Connection,
    viewer: &Viewer,
    wanted: Wanted<'_>,
    region: Option<Region>,
    (skip, limit): (u64, u64),
) -> rusqlite::Result<Vec<ListPosition>> {
    let branches = branches(viewer, wanted, region);
    if branches.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = Query::default();
    let needed = query.bind_number(skip.saturating_add(limit));
    query.sql.push_str("SELECT key, at, id, of_system FROM (");
    for (index, branch) in branches.iter().enumerate() {
        if index > 0 {
            query.sql.push_str(" UNION ALL ");
        }
        let at = moment_column(branch.side, wanted.sort.key);
        let _ = write!(
            query.sql,
            "SELECT * FROM (SELECT event.key AS key, {at} AS at, event.id AS id, \
             {} AS of_system FROM event",
            i32::from(branch.side == Side::System)
        );
        query.restrict_to(viewer, branch, wanted, region)?;
        let direction = direction(wanted.sort.order);
        if let Some(token) = wanted.after {
            // Of two events with the token's time and id, the user's own comes first in ascending order.
            let comparison = match (wanted.sort.order, token.owner_kind, branch.side) {
                (SortOrder::Ascending, OwnerKind::User, Side::System) => ">=",
                (SortOrder::Ascending, _, _) => ">",
                (SortOrder::Descending, OwnerKind::System, Side::Own) => "<=",
                (SortOrder::Descending, _, _) => "<",
            };
            let moment = query.bind(nanoseconds(token.at).into());
            let id = query.bind(blob(token.id.as_uuid()));
            let _ = write!(
                query.sql,
                " AND ({at}, event.id) {comparison} (?{moment}, ?{id})"
            );
        }
        let _ = write!(
            query.sql,
            " ORDER BY {at} {direction}, event.id {direction} LIMIT ?{needed})"
        );
    }
    let (limit, offset) = (query.bind_number(limit), query.bind_number(skip));
    let direction = direction(wanted.sort.order);
    let _ = write!(
        query.sql,
        ") ORDER BY at {direction}, id {direction}, of_system {direction} \
         LIMIT ?{limit} OFFSET ?{offset}"
    );
    let mut statement = connection.prepare_cached(&query.sql)?;
    let rows = statement.query_map(params_from_iter(query.values), |row| {
        Ok(ListPosition {
            key: row.get(0)?,
            at: row.get(1)?,
            id: uuid(row, 2)?.into(),
            side: match row.get(3)? {
                true => Side::System,
                false => Side::Own,
            },
        })
    })?;
    rows.collect()
}

/// How many events are wanted, counted one by one.
pub(super) fn count(
    connection: &Connection,
    viewer: &Viewer,
    wanted: Wanted<'_>,
    region: Option<Region>,
) -> rusqlite::Result<u64> {
    let mut total = 0;
    for branch in branches(viewer, wanted, region) {
        let mut query = Query::default();
        query.sql.push_str("SELECT count(*) FROM event");
        query.restrict_to(viewer, &branch, wanted, region)?;
        total += connection
            .prepare_cached(&query.sql)?
            .query_row(params_from_iter(query.values), |row| {
                super::counts::number(row, 0)
            })?;
    }
    Ok(total)
}

/// Which sides the filter asks for.
pub(super) fn sides(filter: &EventFilter) -> impl Iterator<Item = Side> + use<> {
    let kind = filter.owner_kind;
    // With no time between the two, no event matches, and none is read.
    let is_empty = matches!((filter.from, filter.to), (Some(from), Some(to)) if from >= to);
    [
        (Side::Own, OwnerKind::User),
        (Side::System, OwnerKind::System),
    ]
    .into_iter()
    .filter(move |(_, of)| !is_empty && kind.is_none_or(|kind| kind == *of))
    .map(|(side, _)| side)
}

fn branches(viewer: &Viewer, wanted: Wanted<'_>, region: Option<Region>) -> Vec<Branch> {
    let filter = wanted.filter;
    let mut branches = Vec::new();
    for side in sides(filter) {
        if region.is_some_and(|region| region.side != side) {
            continue;
        }
        let feed = match side {
            Side::Own => viewer.own_key(),
            Side::System => viewer.system_key(),
        };
        let Some(feed) = feed else { continue };
        let by_kind = side == Side::Own
            && region.is_none()
            && (wanted.sort.key == SortKey::UpdatedAt
                || filter.status.is_some()
                || !filter.severity.is_empty());
        if !by_kind {
            branches.push(Branch {
                feed,
                side,
                kind: None,
            });
            continue;
        }
        for status in [Status::Unread, Status::Read] {
            for severity in Severity::ALL {
                let asked = filter.status.is_none_or(|wanted| wanted == status)
                    && (filter.severity.is_empty() || filter.severity.contains(&severity));
                if asked {
                    branches.push(Branch {
                        feed,
                        side,
                        kind: Some((status, severity)),
                    });
                }
            }
        }
    }
    branches
}

const fn direction(order: SortOrder) -> &'static str {
    match order {
        SortOrder::Ascending => "ASC",
        SortOrder::Descending => "DESC",
    }
}

/// The moment by which a list is sorted, as the viewer sees it.
const fn moment_column(side: Side, key: SortKey) -> &'static str {
    match (side, key) {
        (_, SortKey::CreatedAt) => "event.created_at",
        (Side::Own, SortKey::UpdatedAt) => "event.updated_at",
        (Side::System, SortKey::UpdatedAt) => "coalesce(overlay.updated_at, event.updated_at)",
    }
}

fn blob(uuid: &Uuid) -> Value {
    uuid.as_bytes().to_vec().into()
}

fn text(text: &str) -> Value {
    text.to_owned().into()
}

impl Query {
    /// Binds a value and gives its number.
    pub(super) fn bind(&mut self, value: Value) -> usize {
        self.values.push(value);
        self.values.len()
    }

    /// Binds a count; one too large for SQLite is as good as the largest.
    pub(super) fn bind_number(&mut self, number: u64) -> usize {
        self.bind(i64::try_from(number).unwrap_or(i64::MAX).into())
    }

    /// Writes what follows `FROM event` for a branch: the index, the overlay, the conditions.
    fn restrict_to(
        &mut self,
        viewer: &Viewer,
        branch: &Branch,
        wanted: Wanted<'_>,
        region: Option<Region>,
    ) -> rusqlite::Result<()> {
        // Named, since without statistics SQLite might take one that needs a sort.
        let index = match (region, branch.kind, branch.side, wanted.sort.key) {
            (Some(_), ..) => " INDEXED BY event_by_created_rev",
            (None, Some(_), _, SortKey::CreatedAt) => " INDEXED BY event_by_kind",
            (None, Some(_), _, SortKey::UpdatedAt) => " INDEXED BY event_by_kind_updated",
            (None, None, _, SortKey::CreatedAt) => " INDEXED BY event_by_created_at",
            // An overlay can change the order, so all of the few system events are sorted.
            (None, None, _, SortKey::UpdatedAt) => "",
        };
        self.sql.push_str(index);
        if branch.side == Side::System {
            let overlay_feed = self.bind(viewer.overlay_feed().into());
            let system_feed = self.bind(viewer.system_feed().into());
            self.sql.push_str(&overlay_join(overlay_feed, system_feed));
        }
        let feed = self.bind(branch.feed.into());
        let _ = write!(self.sql, " WHERE event.feed = ?{feed}");
        if branch.side == Side::System {
            self.sql.push_str(" AND coalesce(overlay.deleted, 0) = 0");
        }
        if let Some(region) = region {
            let (first, last) = (rev_to_sql(region.first)?, rev_to_sql(region.last)?);
            let (first, last) = (self.bind(first.into()), self.bind(last.into()));
            let _ = write!(
                self.sql,
                " AND event.created_rev BETWEEN ?{first} AND ?{last}"
            );
        }
        if let Some((own, system)) = wanted.up_to {
            let up_to = match branch.side {
                Side::Own => own,
                Side::System => system,
            };
            let up_to = self.bind(rev_to_sql(up_to)?.into());
            let _ = write!(self.sql, " AND event.created_rev <= ?{up_to}");
        }
        self.filter(branch, wanted);
        Ok(())
    }

    fn filter(&mut self, branch: &Branch, wanted: Wanted<'_>) {
        let filter = wanted.filter;
        let status_column = match branch.side {
            Side::Own => "event.status",
            Side::System => "coalesce(overlay.status, event.status)",
        };
        match branch.kind {
            Some((status, severity)) => {
                self.equals("event.status", status.as_str());
                self.equals("event.severity", severity.as_str());
            }
            None => {
                if let Some(status) = filter.status {
                    self.equals(status_column, status.as_str());
                }
                let severities: Vec<_> = filter.severity.iter().map(|one| one.as_str()).collect();
                self.one_of("event.severity", &severities);
            }
        }
        let categories: Vec<_> = filter.category.iter().map(Category::as_str).collect();
        self.one_of("event.category", &categories);
        let actions: Vec<_> = filter.action.iter().map(Action::as_str).collect();
        self.one_of("event.action", &actions);
        self.one_of_ids(
            "event.acted_upon",
            filter.acted_upon.iter().map(|id| *id.as_uuid()),
        );
        self.one_of_ids(
            "event.system_id",
            filter.system_id.iter().map(|id| *id.as_uuid()),
        );
        self.one_of_ids(
            "event.operation_id",
            filter.operation_id.iter().map(|id| *id.as_uuid()),
        );
        for (comparison, moment) in [(">=", filter.from), ("<", filter.to)] {
            if let Some(moment) = moment {
                let bound = self.bind(nanoseconds(moment).into());
                let _ = write!(self.sql, " AND event.created_at {comparison} ?{bound}");
            }
        }
        if let Some(needle) = wanted.needle {
            let needle = self.bind(text(needle));
            let _ = write!(
                self.sql,
                " AND contains_folded(event.description, ?{needle})"
            );
        }
    }

    /// Writes that a column has one of the words; of no words, nothing.
    fn one_of(&mut self, column: &str, words: &[&str]) {
        self.one_of_list(column, words, "value");
    }

    /// Writes that a column has one of the ids; of no ids, nothing.
    fn one_of_ids(&mut self, column: &str, ids: impl Iterator<Item = Uuid>) {
        let ids: Vec<_> = ids.map(|id| id.simple().to_string()).collect();
        self.one_of_list(column, &ids, "unhex(value)");
    }

    /// The list is one parameter, so that the statement's text does not depend on its length.
    fn one_of_list<T: Serialize>(&mut self, column: &str, values: &[T], value: &str) {
        if values.is_empty() {
            return;
        }
        let list = serde_json::to_string(values).expect("a list of texts is JSON");
        let bound = self.bind(list.into());
        let _ = write!(
            self.sql,
            " AND {column} IN (SELECT {value} FROM json_each(?{bound}))"
        );
    }

    /// Writes that a column has this word.
    fn equals(&mut self, column: &str, word: &str) {
        let bound = self.bind(text(word));
        let _ = write!(self.sql, " AND {column} = ?{bound}");
    }
}
