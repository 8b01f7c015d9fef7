//! SQL with the conditions of a filter.

use std::fmt::Write as _;

use rusqlite::types::Value;
use serde::Serialize;
use tidings_event::{Action, Category, EventFilter, Severity};
use uuid::Uuid;

use super::row::DESCRIPTION;
use crate::store::moment::nanoseconds;
use crate::store::wanted::Wanted;

/// SQL with its parameters, which are all bound, never written into the text.
#[derive(Debug, Default)]
pub(super) struct Query {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
}

/// Whether a filter needs a column that only the row of `event` has.
pub(super) const fn needs_row(wanted: &Wanted<'_>) -> bool {
    let filter = wanted.filter;
    !filter.category.is_empty()
        || !filter.action.is_empty()
        || !filter.acted_upon.is_empty()
        || !filter.system_id.is_empty()
        || filter.operation_id.is_some()
        || wanted.needle.is_some()
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

    /// Writes the conditions on columns that only the row of `event` has.
    pub(super) fn filter_rows(&mut self, wanted: &Wanted<'_>) {
        let filter = wanted.filter;
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
        if let Some(needle) = wanted.needle {
            let needle = self.bind(needle.to_owned().into());
            let _ = write!(self.sql, " AND contains_folded({DESCRIPTION}, ?{needle})");
        }
    }

    /// Writes the conditions for the status and the severity.
    pub(super) fn filter_kinds(&mut self, filter: &EventFilter, status_column: &str) {
        if let Some(status) = filter.status {
            let status = self.bind(status.as_str().to_owned().into());
            let _ = write!(self.sql, " AND {status_column} = ?{status}");
        }
        let severities: Vec<_> = filter
            .severity
            .iter()
            .copied()
            .map(Severity::as_str)
            .collect();
        self.one_of("event.severity", &severities);
    }

    /// Writes the conditions for the time of creation.
    pub(super) fn filter_times(&mut self, filter: &EventFilter, created_at: &str) {
        for (comparison, moment) in [(">=", filter.from), ("<", filter.to)] {
            if let Some(moment) = moment {
                let bound = self.bind(nanoseconds(moment).into());
                let _ = write!(self.sql, " AND {created_at} {comparison} ?{bound}");
            }
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

    fn one_of_list<T: Serialize>(&mut self, column: &str, values: &[T], value: &str) {
        if !values.is_empty() {
            let bound = self.bind_list(values);
            let _ = write!(
                self.sql,
                " AND {column} IN (SELECT {value} FROM json_each(?{bound}))"
            );
        }
    }

    /// Binds a list for `json_each`. It is one parameter, so that the statement's text does not depend on its
    /// length.
    pub(super) fn bind_list<T: Serialize>(&mut self, values: &[T]) -> usize {
        let list = serde_json::to_string(values).expect("a list of texts or numbers is JSON");
        self.bind(list.into())
    }
}
