//! The events of a feed in the order in which they were created: the listed ones, then the newest.

use rusqlite::{Connection, Row};
use tidings_event::Rev;

use super::lists::List;
use super::newest::Newest;
use super::row::rev_to_sql;

/// The events that a feed created after a rev and up to another.
#[derive(Debug)]
pub(super) struct CreatedEvents<'a> {
    /// The key of the feed.
    pub(super) feed: i64,
    pub(super) newest: &'a Newest,
    pub(super) after: Rev,
    pub(super) up_to: Rev,
}

/// The columns that are read of each event.
#[derive(Clone, Copy, Debug)]
pub(super) struct EventSelect<'a> {
    pub(super) columns: &'a str,
    /// The SQL after the table `event`: joins, and conditions that begin with `AND`. They can use the
    /// parameters from `?4`.
    pub(super) joins: &'a str,
    pub(super) conditions: &'a str,
    /// The values of these parameters.
    pub(super) values: &'a [i64],
}

impl CreatedEvents<'_> {
    /// Passes the rows to `read` until it returns `false`.
    pub(super) fn read(
        &self,
        connection: &Connection,
        reading: EventSelect<'_>,
        mut read: impl FnMut(&Row<'_>) -> rusqlite::Result<bool>,
    ) -> rusqlite::Result<()> {
        let EventSelect {
            columns,
            joins,
            conditions,
            values,
        } = reading;
        // In this order, since without statistics SQLite might begin with all events.
        let sql = format!(
            "SELECT {columns} FROM listed CROSS JOIN event ON event.key = listed.event {joins} \
             WHERE listed.feed = ?1 AND listed.list = {} AND listed.at > ?2 AND listed.at <= ?3 \
             {conditions} ORDER BY listed.at",
            List::CREATED_REV.number()
        );
        let mut listed = connection.prepare_cached(&sql)?;
        listed.raw_bind_parameter(1, self.feed)?;
        listed.raw_bind_parameter(2, rev_to_sql(self.after)?)?;
        listed.raw_bind_parameter(3, rev_to_sql(self.up_to)?)?;
        for (number, value) in (4..).zip(values) {
            listed.raw_bind_parameter(number, value)?;
        }
        let mut rows = listed.raw_query();
        while let Some(row) = rows.next()? {
            if !read(row)? {
                return Ok(());
            }
        }
        let mut newest = self.newest.between(self.after, self.up_to).peekable();
        if newest.peek().is_none() {
            return Ok(());
        }
        let sql = format!("SELECT {columns} FROM event {joins} WHERE event.key = ?1 {conditions}");
        let mut one = connection.prepare_cached(&sql)?;
        for event in newest {
            one.raw_bind_parameter(1, event.key)?;
            for (number, value) in (4..).zip(values) {
                one.raw_bind_parameter(number, value)?;
            }
            let mut rows = one.raw_query();
            if let Some(row) = rows.next()?
                && !read(row)?
            {
                return Ok(());
            }
        }
        Ok(())
    }
}
