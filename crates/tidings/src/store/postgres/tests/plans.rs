//! The plans of pages: what is read does not grow with the feed.

use std::sync::Arc;
use std::time::Duration;

use tidings_event::{
    EventFilter, EventId, OwnerId, OwnerKind, PageToken, Rev, Severity, Sort, SortKey, SortOrder,
    Status, Timestamp,
};
use uuid::Uuid;

use super::database::Database;
use super::open;
use crate::config::PostgresConfig;
use crate::store::postgres::connect::Connector;
use crate::store::postgres::pool::{Connection, Role};
use crate::store::postgres::query::Query;
use crate::store::postgres::read_transaction::ReadTransaction;
use crate::store::postgres::select;
use crate::store::wanted::{Region, Wanted};
use crate::store::{Side, Store as _};

/// The events of the owner with the long feed.
const LONG: u64 = 20_000;

/// A feed of 20,000 events among a thousand short ones, and 500 events of the system.
fn fill(database: &Database, owner: OwnerId, system: OwnerId) {
    let (owner, system) = (owner.as_uuid(), system.as_uuid());
    let sql = format!(
        "WITH feeds (owner, events) AS (VALUES ('{owner}'::uuid, {LONG}), ('{system}'::uuid, 500) \
             UNION ALL SELECT gen_random_uuid(), 10 FROM generate_series(1, 1000)), \
         new AS (INSERT INTO feed (owner, head, counts) \
             SELECT owner, events, array_fill(events / 16, ARRAY[16]) FROM feeds) \
         INSERT INTO event (owner, id, created_rev, severity, status, created_at, updated_at, \
             system_id, operation_id, acted_upon, category, action, description, digest) \
         SELECT owner, gen_random_uuid(), rev, rev % 8, rev / 8 % 2, rev * 1000, rev * 1000 + rev % 7, \
             owner, owner, owner, 'category_' || rev % 5, 'action', 'event ' || rev, '' \
         FROM feeds CROSS JOIN LATERAL generate_series(1, events) AS rev"
    );
    database.query(&sql);
}

/// The rows that a plan has read from tables, as `EXPLAIN ANALYZE` tells them.
fn rows_read(plan: &[String]) -> u64 {
    let after = |line: &str, word: &str| -> Option<u64> {
        let number = line.split(word).nth(1)?;
        let number = number
            .split(|letter: char| !letter.is_ascii_digit())
            .next()?;
        number.parse().ok()
    };
    let mut loops = 1;
    let mut read = 0;
    for line in plan {
        if let Some((_, actual)) = line.split_once("(actual") {
            loops = after(actual, "loops=").unwrap_or(1);
            if line.contains("Scan") && line.contains(" on ") {
                read += after(actual, "rows=").unwrap_or(0) * loops;
            }
        } else if line.contains("Rows Removed by") {
            read += after(line, ": ").unwrap_or(0) * loops;
        }
    }
    read
}

#[tokio::test]
async fn a_page_reads_little_of_a_long_feed() {
    let database = Database::create();
    let store = open(&database).await;
    let identity = store.identity;
    let (owner, system) = (OwnerId::mint(), OwnerId::from(identity.system));
    fill(&database, owner, system);
    let connector = Arc::new(Connector::new(&PostgresConfig::new(database.url())).unwrap());
    let connection = Connection::open(&connector, Role::Read).await.unwrap();
    let mut filters = vec![
        EventFilter::default(),
        EventFilter::default().with_status(Status::Unread),
        EventFilter::default().with_severity([Severity::Error, Severity::Debug]),
    ];
    // Without statistics, too, as in a new installation.
    for analyze in [false, true] {
        if analyze {
            database.query("ANALYZE");
            // Only statistics tell whether to read the feed in order or the events of a category.
            let category = "category_3".parse().unwrap();
            filters.push(EventFilter::default().with_category([category]));
        }
        let limit = Duration::from_secs(10);
        let begun = ReadTransaction::begin(&connection, identity, owner, limit).await;
        let (reading, viewer) = begun.unwrap();
        for filter in &filters {
            for (key, order) in [
                (SortKey::CreatedAt, SortOrder::Descending),
                (SortKey::CreatedAt, SortOrder::Ascending),
                (SortKey::UpdatedAt, SortOrder::Descending),
                (SortKey::UpdatedAt, SortOrder::Ascending),
            ] {
                let sort = Sort { key, order };
                // PostgreSQL sorts a user's overlays of system events: they are few.
                let filter = match key {
                    SortKey::CreatedAt => filter.clone(),
                    SortKey::UpdatedAt => filter.clone().with_owner_kind(OwnerKind::User),
                };
                let middle = Timestamp::from_nanosecond(10_000_000).unwrap();
                let id = EventId::from_uuid(Uuid::max());
                let token = PageToken::after(middle, id, &filter, sort);
                for after in [None, Some(token)] {
                    let wanted = Wanted {
                        filter: &filter,
                        needle: None,
                        sort,
                        after,
                        up_to: None,
                    };
                    let query = select::query(&reading, &viewer, wanted, None, (0, 26));
                    let plan = explain(&reading, query).await;
                    let read = rows_read(&plan);
                    // 26 of each of 16 kinds and of the system, and some that the filter leaves out.
                    assert!(read < 1_500, "{read} rows: {filter:?} {sort:?}\n{plan:#?}");
                    assert!(!plan.iter().any(|line| line.contains("Seq Scan on event")));
                }
            }
        }
        // Blocks of the search index.
        let regions = [1, 5_000].map(|first| Region {
            side: Side::Own,
            first: Rev::new(first),
            last: Rev::new(first + 255),
        });
        let filter = EventFilter::default();
        let wanted = Wanted {
            filter: &filter,
            needle: Some("event 1"),
            sort: Sort::default(),
            after: None,
            up_to: None,
        };
        let query = select::query(&reading, &viewer, wanted, Some(&regions), (0, 26));
        let plan = explain(&reading, query).await;
        let read = rows_read(&plan);
        assert!((1..=1_100).contains(&read), "{read} rows\n{plan:#?}");
        reading.end().await.unwrap();
    }
    store.close().await;
}

async fn explain(reading: &ReadTransaction<'_>, mut query: Query) -> Vec<String> {
    query.sql.insert_str(0, "EXPLAIN (ANALYZE, COSTS OFF) ");
    let rows = reading.rows(query).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}
