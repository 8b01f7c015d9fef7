//! SQL with its parameters, and the conditions of a filter.

use std::fmt::Write as _;

use tidings_event::{Action, Category, EventFilter};
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use super::row::{folded_description, severity_number, status_number};
use crate::store::moment::nanoseconds;
use crate::store::wanted::Wanted;

/// SQL with its parameters, which are all bound, never written into the text.
#[derive(Debug, Default)]
pub(super) struct Query {
    pub(super) sql: String,
    values: Vec<Value>,
}

type Value = (Box<dyn ToSql + Sync + Send>, Type);

/// A parameter of a known type. Statements are sent with their types, so that they need no round trip to be
/// prepared, and are planned for the values that they have.
pub(super) trait Parameter: ToSql + Sync + Send + 'static {
    const TYPE: Type;
}

macro_rules! parameters {
    ($($rust:ty => $sql:ident),+ $(,)?) => {
        $(impl Parameter for $rust {
            const TYPE: Type = Type::$sql;
        })+
    };
}

parameters! {
    i16 => INT2,
    i64 => INT8,
    String => TEXT,
    Uuid => UUID,
    Vec<i16> => INT2_ARRAY,
    Vec<i64> => INT8_ARRAY,
    Vec<String> => TEXT_ARRAY,
    Vec<Uuid> => UUID_ARRAY,
    Vec<Vec<u8>> => BYTEA_ARRAY,
}

impl Query {
    /// A statement whose parameters are [added](Self::with) in their order.
    pub(super) fn new(sql: impl Into<String>) -> Self {
        Self {
            sql: sql.into(),
            values: Vec::new(),
        }
    }

    /// Adds the value of the next parameter.
    #[must_use]
    pub(super) fn with(mut self, value: impl Parameter) -> Self {
        self.bind(value);
        self
    }

    /// Binds a value and gives its number.
    pub(super) fn bind<T: Parameter>(&mut self, value: T) -> usize {
        self.values.push((Box::new(value), T::TYPE));
        self.values.len()
    }

    /// Binds a count; one too large for PostgreSQL is as good as the largest.
    pub(super) fn bind_number(&mut self, number: u64) -> usize {
        self.bind(i64::try_from(number).unwrap_or(i64::MAX))
    }

    pub(super) fn into_parts(self) -> (String, Vec<Value>) {
        (self.sql, self.values)
    }

    /// Writes the conditions that neither the order nor the kind of an event settles.
    pub(super) fn filter_rows(&mut self, wanted: &Wanted<'_>) {
        let filter = wanted.filter;
        let categories: Vec<_> = filter.category.iter().map(Category::as_str).collect();
        self.one_of_words("event.category", &categories);
        let actions: Vec<_> = filter.action.iter().map(Action::as_str).collect();
        self.one_of_words("event.action", &actions);
        let acted_upon = filter.acted_upon.iter().map(|id| *id.as_uuid());
        self.one_of_ids("event.acted_upon", acted_upon.collect());
        let systems = filter.system_id.iter().map(|id| *id.as_uuid());
        self.one_of_ids("event.system_id", systems.collect());
        let operation = filter.operation_id.iter().map(|id| *id.as_uuid());
        self.one_of_ids("event.operation_id", operation.collect());
        if let Some(needle) = wanted.needle {
            let needle = self.bind(needle.to_owned());
            // Under the collation "C", `lower` changes the letters of ASCII only, as `fold` does with a text of
            // nothing else. The column `folded` has the others.
            let _ = write!(
                self.sql,
                concat!(
                    " AND strpos(",
                    folded_description!(),
                    ", ${needle} COLLATE \"C\") > 0"
                ),
                needle = needle
            );
        }
    }

    /// Writes the conditions for the status and the severity.
    pub(super) fn filter_kinds(&mut self, filter: &EventFilter, status_column: &str) {
        if let Some(status) = filter.status {
            let status = self.bind(status_number(status));
            let _ = write!(self.sql, " AND {status_column} = ${status}");
        }
        if !filter.severity.is_empty() {
            let severities = filter.severity.iter().copied().map(severity_number);
            let severities = self.bind(severities.collect::<Vec<_>>());
            let _ = write!(self.sql, " AND event.severity = ANY (${severities})");
        }
    }

    /// Writes the conditions for the time of creation.
    pub(super) fn filter_times(&mut self, filter: &EventFilter) {
        for (comparison, moment) in [(">=", filter.from), ("<", filter.to)] {
            if let Some(moment) = moment {
                let bound = self.bind(nanoseconds(moment));
                let _ = write!(self.sql, " AND event.created_at {comparison} ${bound}");
            }
        }
    }

    /// Writes that a column has one of the words; of no words, nothing.
    fn one_of_words(&mut self, column: &str, words: &[&str]) {
        if !words.is_empty() {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            let bound = self.bind(words);
            let _ = write!(self.sql, " AND {column} = ANY (${bound})");
        }
    }

    /// Writes that a column has one of the ids; of no ids, nothing.
    fn one_of_ids(&mut self, column: &str, ids: Vec<Uuid>) {
        if !ids.is_empty() {
            let bound = self.bind(ids);
            let _ = write!(self.sql, " AND {column} = ANY (${bound})");
        }
    }
}
