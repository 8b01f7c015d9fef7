//! The pairs of a category and an action that an owner sees.

use rusqlite::Params;
use tidings_event::{EventType, OwnerId};

use super::lists::overlaid_events;
use super::read_connection::ReadConnection;
use super::row::word;

/// The pairs of a feed in the order of the counters' key, so that only as many are read as are wanted.
const OF_FEED: &str = "SELECT category, action FROM type_counter WHERE feed = ?1 \
     ORDER BY category, action LIMIT ?2";

/// Selects the pairs of the system's feed, without those of which the viewer has deleted every event. `?1` is
/// the key of the system's feed, `?2` that of the viewer's.
pub(super) fn pairs_of_system() -> String {
    format!(
        "WITH deleted AS (SELECT category, action, count(*) AS number FROM overlay{} \
         WHERE overlay.feed = ?2 AND overlay.deleted GROUP BY category, action) \
         SELECT there.category, there.action FROM type_counter AS there \
         LEFT JOIN deleted USING (category, action) \
         WHERE there.feed = ?1 AND there.number > coalesce(deleted.number, 0)",
        overlaid_events(1)
    )
}

impl ReadConnection {
    /// The first [`EventType::MAX`] pairs of the events that `owner` sees, sorted.
    pub(crate) fn type_pairs(&self, owner: OwnerId) -> rusqlite::Result<Vec<EventType>> {
        let transaction = self.connection.unchecked_transaction()?;
        let viewer = self.viewer(owner)?;
        let most = i64::try_from(EventType::MAX).unwrap_or(i64::MAX);
        let mut pairs = Vec::new();
        if let Some(own) = &viewer.own {
            self.add_pairs(OF_FEED, (own.key, most), &mut pairs)?;
            let newest = own.newest()?;
            pairs.extend(newest.with_types().map(|(_, of_type)| of_type.clone()));
        }
        if let Some(system) = &viewer.system {
            let parameters = (system.key, viewer.overlay_feed(), most);
            let sql = pairs_of_system() + " ORDER BY there.category, there.action LIMIT ?3";
            self.add_pairs(&sql, parameters, &mut pairs)?;
        }
        transaction.finish()?;
        pairs.sort_unstable();
        pairs.dedup();
        pairs.truncate(EventType::MAX);
        Ok(pairs)
    }

    fn add_pairs(
        &self,
        sql: &str,
        parameters: impl Params,
        pairs: &mut Vec<EventType>,
    ) -> rusqlite::Result<()> {
        let mut found = self.connection.prepare_cached(sql)?;
        let mut rows = found.query(parameters)?;
        while let Some(row) = rows.next()? {
            pairs.push(EventType {
                category: word(row, 0, "category")?,
                action: word(row, 1, "action")?,
            });
        }
        Ok(())
    }
}
