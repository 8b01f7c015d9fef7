//! The feeds that a caller sees, with their counts, as one read found them.

use tidings_event::{OwnerId, Severity, Status, Summary};
use tokio_postgres::Row;
use uuid::Uuid;

use super::read_fault::ReadFault;
use super::row::rev;
use crate::store::kind::{Kind, KindCounts};
use crate::store::{FeedBounds, Side, Snapshot, StoreIdentity};

/// Reads a [`Viewer`] in one row: `$1` is the caller, `$2` the system. `overlay_read` and `overlay_deleted` count
/// the overlays of deleted system events until upkeep removes them, so these overlays are subtracted. If the caller
/// has no overlays, PostgreSQL does not look for them.
pub(super) const VIEWER: &str = "\
    SELECT installation.epoch, installation.system_id, \
    own.head, own.floor, own.counts, own.overlay_read, own.overlay_deleted, \
    shared.head, shared.floor, shared.counts, gone.codes, gone.numbers \
    FROM installation \
    LEFT JOIN feed AS own ON own.owner = $1 AND own.owner <> $2 \
    LEFT JOIN feed AS shared ON shared.owner = $2 \
    LEFT JOIN LATERAL (SELECT array_agg(code) AS codes, array_agg(number) AS numbers FROM (\
        SELECT overlay.severity * 2 + overlay.deleted::int AS code, count(*) AS number \
        FROM ended JOIN overlay ON overlay.owner = $1 AND overlay.system_rev = ended.system_rev \
        WHERE ended.owner = $2 AND (overlay.deleted OR overlay.status = 1) \
        AND (0 < ANY (own.overlay_read) OR 0 < ANY (own.overlay_deleted)) \
        GROUP BY 1) AS grouped) AS gone ON true";

/// The feeds that a caller sees.
#[derive(Clone, Debug)]
pub(super) struct Viewer {
    /// The caller.
    pub(super) owner: OwnerId,
    /// The caller's own feed. `None` if it does not exist yet, and for the system.
    pub(super) own: Option<SeenFeed>,
    /// The system's feed. `None` if it does not exist yet.
    pub(super) system: Option<SeenFeed>,
}

/// The row of a feed.
#[derive(Clone, Debug)]
pub(super) struct SeenFeed {
    pub(super) owner: OwnerId,
    pub(super) bounds: FeedBounds,
    /// How many of its events the caller sees, of each kind.
    pub(super) counts: KindCounts,
}

/// Checks that the first two columns of a row, an epoch and an installation, are those of the store that this node
/// has opened.
pub(super) fn check_identity(row: &Row, identity: StoreIdentity) -> Result<(), ReadFault> {
    let (epoch, system): (Uuid, Uuid) = (row.try_get(0)?, row.try_get(1)?);
    if epoch != *identity.epoch.as_uuid() || system != *identity.system.as_uuid() {
        return Err(ReadFault::Restored);
    }
    Ok(())
}

/// The counts of the system's feed that the caller's overlays take away, by severity.
type Overlaid = [u64; Severity::ALL.len()];

impl Viewer {
    /// Reads the row of [`VIEWER`].
    pub(super) fn read(
        rows: &[Row],
        identity: StoreIdentity,
        owner: OwnerId,
    ) -> Result<Self, ReadFault> {
        let row = rows.first().ok_or(ReadFault::Restored)?;
        check_identity(row, identity)?;
        let own = match row.try_get::<_, Option<i64>>(2)? {
            Some(_) => Some(SeenFeed {
                owner,
                bounds: bounds(row, 2)?,
                counts: numbers(row, 4, "counts")?.into(),
            }),
            None => None,
        };
        let system = match row.try_get::<_, Option<i64>>(7)? {
            Some(_) => Some(SeenFeed {
                owner: identity.system.into(),
                bounds: bounds(row, 7)?,
                counts: system_counts(row, own.is_some())?,
            }),
            None => None,
        };
        Ok(Self { owner, own, system })
    }

    /// The feed on one side.
    pub(super) const fn feed(&self, side: Side) -> Option<&SeenFeed> {
        match side {
            Side::Own => self.own.as_ref(),
            Side::System => self.system.as_ref(),
        }
    }

    /// The counts of one side by status and severity.
    pub(super) fn counts(&self, side: Side) -> Summary {
        self.feed(side)
            .map_or_else(Summary::default, |feed| feed.counts.summary())
    }

    /// The events that the caller sees.
    pub(super) fn snapshot(&self) -> Snapshot {
        let side = |side| {
            let bounds = self.feed(side).map(|feed| feed.bounds);
            (bounds, self.counts(side))
        };
        let (own, system) = (side(Side::Own), side(Side::System));
        Snapshot::of((own.0, &own.1), (system.0, &system.1))
    }
}

fn bounds(row: &Row, index: usize) -> Result<FeedBounds, ReadFault> {
    Ok(FeedBounds {
        head: rev(row, index)?,
        floor: rev(row, index + 1)?,
    })
}

/// System events are unread unless the caller's overlays say otherwise.
fn system_counts(row: &Row, has_overlays: bool) -> Result<KindCounts, ReadFault> {
    let there: [u64; Kind::NUMBER] = numbers(row, 9, "counts")?;
    let (mut read, mut deleted) = (Overlaid::default(), Overlaid::default());
    if has_overlays {
        read = numbers(row, 5, "overlay_read")?;
        deleted = numbers(row, 6, "overlay_deleted")?;
    }
    let (gone_read, gone_deleted) = gone(row)?;
    let mut counts = [0; Kind::NUMBER];
    for (index, severity) in Severity::ALL.into_iter().enumerate() {
        // Every overlay that is subtracted was counted before.
        debug_assert!(read[index] >= gone_read[index] && deleted[index] >= gone_deleted[index]);
        let read = read[index].saturating_sub(gone_read[index]);
        let deleted = deleted[index].saturating_sub(gone_deleted[index]);
        let kind = |status| usize::from(Kind::of(severity, status).number());
        let there = there[kind(Status::Unread)];
        debug_assert!(there >= read + deleted);
        counts[kind(Status::Read)] = read;
        counts[kind(Status::Unread)] = there.saturating_sub(read).saturating_sub(deleted);
    }
    Ok(counts.into())
}

/// The caller's overlays of deleted system events that are still counted: read ones, and deleted ones.
fn gone(row: &Row) -> Result<(Overlaid, Overlaid), ReadFault> {
    let codes: Option<Vec<i32>> = row.try_get(10)?;
    let numbers: Option<Vec<i64>> = row.try_get(11)?;
    let (mut read, mut deleted) = (Overlaid::default(), Overlaid::default());
    let codes = codes.into_iter().flatten();
    for (code, number) in codes.zip(numbers.into_iter().flatten()) {
        let unreadable = || ReadFault::unreadable("overlay", code);
        let index = usize::try_from(code / 2).map_err(|_| unreadable())?;
        let counts = match code % 2 {
            0 => &mut read,
            _ => &mut deleted,
        };
        let count = counts.get_mut(index).ok_or_else(unreadable)?;
        *count = u64::try_from(number).map_err(|_| unreadable())?;
    }
    Ok((read, deleted))
}

/// Reads an array of counts.
fn numbers<const N: usize>(
    row: &Row,
    index: usize,
    column: &'static str,
) -> Result<[u64; N], ReadFault> {
    let numbers: Vec<i64> = row.try_get(index)?;
    let counts: Result<Vec<u64>, _> = numbers.iter().copied().map(u64::try_from).collect();
    counts
        .ok()
        .and_then(|counts| counts.try_into().ok())
        .ok_or_else(|| ReadFault::unreadable(column, format!("{numbers:?}")))
}
