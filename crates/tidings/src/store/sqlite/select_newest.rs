//! Finding the newest events of the own feed, which are in no list yet.

use std::collections::HashSet;

use rusqlite::{Connection, params_from_iter};
use tidings_event::{EventFilter, SortKey};

use super::lists::Listed;
use super::query::{Query, needs_row};
use super::viewer::Viewer;
use crate::store::Side;
use crate::store::list_position::ListPosition;
use crate::store::moment::nanoseconds;
use crate::store::wanted::{Region, Wanted, sides};

/// The newest events that are wanted, in the order of the list. They are few.
pub(super) fn positions(
    connection: &Connection,
    viewer: &Viewer,
    wanted: Wanted<'_>,
    region: Option<Region>,
) -> rusqlite::Result<Vec<ListPosition>> {
    let Some(feed) = &viewer.own else {
        return Ok(Vec::new());
    };
    let is_elsewhere = |region: &Region| region.side != Side::Own || region.last <= feed.listed_rev;
    let is_asked_for = sides(wanted.filter).any(|side| side == Side::Own);
    if !is_asked_for || region.as_ref().is_some_and(is_elsewhere) {
        return Ok(Vec::new());
    }
    let newest = feed.newest()?;
    let is_wanted = |event: &&Listed| {
        wanted.wants(event.kind)
            && is_within(event, wanted.filter)
            && wanted.up_to.is_none_or(|(own, _)| event.created_rev <= own)
            && region.is_none_or(|region| (region.first..=region.last).contains(&event.created_rev))
    };
    let positions = newest.iter().filter(is_wanted).map(|event| ListPosition {
        key: event.key,
        at: match wanted.sort.key {
            SortKey::CreatedAt => event.created_at,
            SortKey::UpdatedAt => event.updated_at,
        },
        id: event.id,
        side: Side::Own,
    });
    let order = wanted.sort.order;
    let mut positions: Vec<_> = positions
        .filter(|position| {
            let token = wanted.after.as_ref();
            token.is_none_or(|token| position.is_after(token, order))
        })
        .collect();
    if needs_row(&wanted) && !positions.is_empty() {
        let found = matching_rows(connection, &positions, wanted)?;
        positions.retain(|position| found.contains(&position.key));
    }
    positions.sort_unstable_by(|one, other| one.compare(other, order));
    Ok(positions)
}

fn is_within(event: &Listed, filter: &EventFilter) -> bool {
    filter
        .from
        .is_none_or(|from| event.created_at >= nanoseconds(from))
        && filter
            .to
            .is_none_or(|to| event.created_at < nanoseconds(to))
}

/// The keys of those whose rows match the filter.
fn matching_rows(
    connection: &Connection,
    positions: &[ListPosition],
    wanted: Wanted<'_>,
) -> rusqlite::Result<HashSet<i64>> {
    let keys: Vec<_> = positions.iter().map(|position| position.key).collect();
    let mut query = Query::default();
    let keys = query.bind_list(&keys);
    query.sql = format!(
        "SELECT event.key FROM json_each(?{keys}) AS newest \
         CROSS JOIN event ON event.key = newest.value WHERE true"
    );
    query.filter_rows(&wanted);
    connection
        .prepare_cached(&query.sql)?
        .query_map(params_from_iter(query.values), |row| row.get(0))?
        .collect()
}
