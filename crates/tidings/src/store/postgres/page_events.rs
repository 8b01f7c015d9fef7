//! The events of a page as JSON, in the order of the page.

use bytes::Bytes;
use tidings_event::EventId;

use super::query::Query;
use super::read_fault::ReadFault;
use super::read_transaction::ReadTransaction;
use super::row::{EVENT_COLUMN_COUNT, SEEN_COLUMNS, event_json, overlay_join, with_event};
use super::select::key_of;
use super::viewer::Viewer;
use crate::store::{EncodedEvents, Side, Target};

/// How many events the first statement reads. Their sizes are not known yet: the largest events of this number take
/// a few MiB.
const FIRST: usize = 32;

/// The most events that a statement reads.
const MOST: usize = 256;

/// Appends the events with these keys and ids that the viewer sees. At least one is read, and more while all have
/// at most `bytes` of JSON. Returns how many of the keys are done.
pub(super) async fn append(
    reading: &ReadTransaction<'_>,
    viewer: &Viewer,
    keys: &[(i64, EventId)],
    bytes: usize,
    events: &mut EncodedEvents,
) -> Result<usize, ReadFault> {
    let (mut done, mut read, mut read_bytes) = (0, 0, 0);
    while done < keys.len() {
        let number = match read {
            0 => FIRST,
            // As many as fit, if they are like those before.
            _ => (bytes.saturating_sub(read_bytes) * read / read_bytes.max(1) + 1).min(MOST),
        };
        let chunk = &keys[done..keys.len().min(done + number)];
        for row in seen(reading, viewer, chunk).await? {
            let place: i64 = row.try_get(EVENT_COLUMN_COUNT)?;
            let place =
                usize::try_from(place - 1).map_err(|_| ReadFault::unreadable("place", place))?;
            let fits = with_event(&row, |event| {
                read_bytes += event.json_bytes();
                events.add(event, bytes)
            })?;
            if !fits {
                return Ok(done + place);
            }
            read += 1;
        }
        // Those that the viewer no longer sees are done, too.
        done += chunk.len();
    }
    Ok(done)
}

/// The rows of the events that the viewer sees, each with its place among the keys, from 1.
async fn seen(
    reading: &ReadTransaction<'_>,
    viewer: &Viewer,
    keys: &[(i64, EventId)],
) -> Result<Vec<tokio_postgres::Row>, ReadFault> {
    let owner_of = |key| match key == key_of(Side::System) {
        true => reading.system(),
        false => viewer.owner,
    };
    let owners = keys.iter().map(|(key, _)| *owner_of(*key).as_uuid());
    let owners: Vec<_> = owners.collect();
    let ids: Vec<_> = keys.iter().map(|(_, id)| *id.as_uuid()).collect();
    let overlay = overlay_join(1, 2);
    // `OFFSET 0` keeps PostgreSQL from joining them in another way than one by one.
    let sql = format!(
        "SELECT {SEEN_COLUMNS}, wanted.place \
         FROM unnest($3, $4) WITH ORDINALITY AS wanted (owner, id, place) \
         CROSS JOIN LATERAL (SELECT * FROM event \
         WHERE owner = wanted.owner AND id = wanted.id OFFSET 0) AS event {overlay} \
         WHERE NOT coalesce(overlay.deleted, false) ORDER BY wanted.place"
    );
    let query = Query::new(sql)
        .with(*viewer.owner.as_uuid())
        .with(*reading.system().as_uuid())
        .with(owners)
        .with(ids);
    reading.rows(query).await
}

/// The JSON of an event that the viewer sees. An id alone means their own event before the system's.
pub(super) async fn event(
    reading: &ReadTransaction<'_>,
    viewer: &Viewer,
    target: Target,
) -> Result<Option<Bytes>, ReadFault> {
    let sides: &[Side] = match target.side {
        // The system has no feed but the system's.
        Some(Side::Own) if viewer.owner == reading.system() => &[],
        Some(Side::Own) => &[Side::Own],
        Some(Side::System) => &[Side::System],
        None => &[Side::Own, Side::System],
    };
    let keys = sides.iter().map(|side| (key_of(*side), target.id));
    let rows = seen(reading, viewer, &keys.collect::<Vec<_>>()).await?;
    rows.first().map(event_json).transpose()
}
