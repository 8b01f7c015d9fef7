//! A page of what an owner sees: the own feed and the system's merged, the newest first.

use std::fmt::Write as _;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use tidings_event::{Event, EventFilter, OwnerId, OwnerKind, PageRequest, PageToken, Paging};

use super::readers::Reader;
use super::row::{EVENT_COLUMNS, nanoseconds, read_event};
use crate::store::ListPage;

impl Reader {
    /// A page of what `owner` sees, with its counts, from one snapshot.
    pub(crate) fn list(
        &self,
        owner: OwnerId,
        filter: &EventFilter,
        page: PageRequest,
    ) -> rusqlite::Result<ListPage> {
        let transaction = self.connection.unchecked_transaction()?;
        let snapshot = self.snapshot_within(owner)?;
        let feeds = self.feeds(owner, filter)?;
        let total = total(&self.connection, &feeds, filter)?;
        let mut events = self.page(&feeds, filter, page)?;
        transaction.finish()?;

        // One event more than the page was read, to know whether there is another page.
        let size = usize::try_from(page.size).unwrap_or(usize::MAX);
        let next = if events.len() > size {
            events.truncate(size);
            events
                .last()
                .map(|last| PageToken::after(last.created_at, last.id, filter))
        } else {
            None
        };
        Ok(ListPage {
            events,
            next,
            total,
            snapshot,
        })
    }

    /// The keys of the feeds that the filter asks for.
    fn feeds(&self, owner: OwnerId, filter: &EventFilter) -> rusqlite::Result<Vec<i64>> {
        let system = OwnerId::from(self.system);
        let mut owners = Vec::with_capacity(2);
        if filter.owner_kind != Some(OwnerKind::User) || owner == system {
            owners.push(system);
        }
        if filter.owner_kind != Some(OwnerKind::System) && owner != system {
            owners.push(owner);
        }
        let mut keys = Vec::with_capacity(2);
        for owner in owners {
            keys.extend(self.feed(owner)?.map(|(key, _)| key));
        }
        Ok(keys)
    }

    /// The page and one event more. Each feed's part is cut to what the page can need on the index
    /// alone; only the rows of the page are read.
    fn page(
        &self,
        feeds: &[i64],
        filter: &EventFilter,
        page: PageRequest,
    ) -> rusqlite::Result<Vec<Event>> {
        if feeds.is_empty() {
            return Ok(Vec::new());
        }
        let mut query = Query::default();
        let wanted = page.size.saturating_add(1);
        let (skipped, after) = match page.paging {
            Paging::Number(number) => (number.saturating_mul(page.size), None),
            Paging::After(token) => (0, Some(token)),
        };
        let needed = query.bind_number(skipped.saturating_add(wanted));
        query.sql.push_str("SELECT key FROM (");
        for (index, feed) in feeds.iter().enumerate() {
            if index > 0 {
                query.sql.push_str(" UNION ALL ");
            }
            query
                .sql
                .push_str("SELECT * FROM (SELECT key, created_at, id FROM event WHERE ");
            query.restrict_to(&[*feed], filter);
            if let Some(token) = after {
                let moment = query.bind(nanoseconds(token.created_at).into());
                let id = query.bind(token.id.as_uuid().as_bytes().to_vec().into());
                let _ = write!(query.sql, " AND (created_at, id) < (?{moment}, ?{id})");
            }
            let _ = write!(
                query.sql,
                " ORDER BY created_at DESC, id DESC LIMIT ?{needed})"
            );
        }
        let (limit, offset) = (query.bind_number(wanted), query.bind_number(skipped));
        let _ = write!(
            query.sql,
            ") ORDER BY created_at DESC, id DESC LIMIT ?{limit} OFFSET ?{offset}"
        );
        let sql = format!(
            "SELECT {EVENT_COLUMNS} FROM event JOIN feed ON feed.key = event.feed \
             WHERE event.key IN ({}) ORDER BY event.created_at DESC, event.id DESC",
            query.sql
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(params_from_iter(query.values), read_event)?;
        rows.map(|row| row.map(|(_, event)| event)).collect()
    }
}

/// How many events match: from the counters where the filter asks for nothing they do not know,
/// else counted.
fn total(connection: &Connection, feeds: &[i64], filter: &EventFilter) -> rusqlite::Result<u64> {
    if feeds.is_empty() {
        return Ok(0);
    }
    // The feeds have settled whose events are meant.
    let counted = EventFilter {
        status: filter.status,
        severity: filter.severity.clone(),
        owner_kind: filter.owner_kind,
        ..EventFilter::default()
    };
    let mut query = Query::default();
    query.sql.push_str(if *filter == counted {
        "SELECT coalesce(sum(number), 0) FROM counter WHERE "
    } else {
        "SELECT count(*) FROM event WHERE "
    });
    query.restrict_to(feeds, filter);
    let count: i64 = connection
        .prepare_cached(&query.sql)?
        .query_row(params_from_iter(query.values), |row| row.get(0))?;
    u64::try_from(count).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(0, count))
}

/// SQL with its parameters, which are all bound, never written into the text.
#[derive(Default)]
struct Query {
    sql: String,
    values: Vec<Value>,
}

impl Query {
    /// Binds a value and gives its number.
    fn bind(&mut self, value: Value) -> usize {
        self.values.push(value);
        self.values.len()
    }

    /// Binds a count; one too large for SQLite is as good as the largest.
    fn bind_number(&mut self, number: u64) -> usize {
        self.bind(i64::try_from(number).unwrap_or(i64::MAX).into())
    }

    /// Writes the condition that an event is in one of `feeds` and matches `filter`.
    fn restrict_to(&mut self, feeds: &[i64], filter: &EventFilter) {
        let blob = |uuid: &uuid::Uuid| Value::from(uuid.as_bytes().to_vec());
        self.one_of("feed", feeds.iter().map(|feed| Value::from(*feed)));
        let status = filter
            .status
            .iter()
            .map(|status| status.as_str().to_owned().into());
        let text_columns: [(&str, Vec<Value>); 4] = [
            ("status", status.collect()),
            (
                "category",
                filter
                    .category
                    .iter()
                    .map(|one| one.as_str().to_owned().into())
                    .collect(),
            ),
            (
                "action",
                filter
                    .action
                    .iter()
                    .map(|one| one.as_str().to_owned().into())
                    .collect(),
            ),
            (
                "severity",
                filter
                    .severity
                    .iter()
                    .map(|one| one.as_str().to_owned().into())
                    .collect(),
            ),
        ];
        let id_columns: [(&str, Vec<Value>); 2] = [
            (
                "acted_upon",
                filter
                    .acted_upon
                    .iter()
                    .map(|id| blob(id.as_uuid()))
                    .collect(),
            ),
            (
                "operation_id",
                filter
                    .operation_id
                    .iter()
                    .map(|id| blob(id.as_uuid()))
                    .collect(),
            ),
        ];
        for (column, values) in text_columns.into_iter().chain(id_columns) {
            if !values.is_empty() {
                self.sql.push_str(" AND ");
                self.one_of(column, values.into_iter());
            }
        }
        for (comparison, moment) in [(">=", filter.from), ("<", filter.to)] {
            if let Some(moment) = moment {
                let bound = self.bind(nanoseconds(moment).into());
                let _ = write!(self.sql, " AND created_at {comparison} ?{bound}");
            }
        }
    }

    fn one_of(&mut self, column: &str, values: impl Iterator<Item = Value>) {
        let _ = write!(self.sql, "{column} IN (");
        for (index, value) in values.enumerate() {
            let bound = self.bind(value);
            let _ = write!(self.sql, "{}?{bound}", if index == 0 { "" } else { ", " });
        }
        self.sql.push(')');
    }
}
