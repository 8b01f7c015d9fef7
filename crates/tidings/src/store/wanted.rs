//! Which events a list is about.

use tidings_event::{EventFilter, EventId, OwnerKind, PageToken, Rev, Sort, SortKey, SortOrder};
use uuid::Uuid;

use super::Side;
use super::kind::{Kind, KindCounts};
use super::moment::{moment, nanoseconds};

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

impl Wanted<'_> {
    /// Whether the filter asks for events of this kind.
    pub(super) fn wants(&self, kind: Kind) -> bool {
        let filter = self.filter;
        filter.status.is_none_or(|status| status == kind.status())
            && (filter.severity.is_empty() || filter.severity.contains(&kind.severity()))
    }

    /// The first and the last time of creation that the filter and the page let through.
    pub(super) fn created_within(&self) -> (i64, i64) {
        let filter = self.filter;
        let mut earliest = filter.from.map_or(i64::MIN, nanoseconds);
        let mut latest = filter.to.map_or(i64::MAX, nanoseconds);
        if let (Some(token), SortKey::CreatedAt) = (self.after, self.sort.key) {
            match self.sort.order {
                SortOrder::Descending => latest = latest.min(nanoseconds(token.at)),
                SortOrder::Ascending => earliest = earliest.max(nanoseconds(token.at)),
            }
        }
        (earliest, latest)
    }

    /// The parts of a feed that have the wanted events in the order of the list. `counts` are those of the feed.
    pub(super) fn parts(&self, side: Side, counts: &KindCounts) -> Vec<IndexedPart> {
        let by_creation = self.sort.key == SortKey::CreatedAt;
        let all_kinds = self.filter.status.is_none() && self.filter.severity.is_empty();
        match side {
            // An overlay can change the status and the order by change of a system event. They are few.
            Side::System => vec![IndexedPart::All],
            Side::Own if by_creation && all_kinds => vec![IndexedPart::All],
            Side::Own => Kind::all()
                .filter(|kind| self.wants(*kind) && counts.of(*kind) > 0)
                .map(IndexedPart::OfKind)
                .collect(),
        }
    }

    /// The token of a page that begins with the first events of the moment `at`.
    pub(super) fn before(&self, at: i64) -> PageToken {
        let (id, kind) = match self.sort.order {
            SortOrder::Descending => (Uuid::max(), OwnerKind::System),
            SortOrder::Ascending => (Uuid::nil(), OwnerKind::User),
        };
        let id = EventId::from_uuid(id);
        PageToken::after(moment(at), id, self.filter, self.sort).with_owner_kind(kind)
    }
}

/// A part of a feed whose events an index has in the order of a list.
#[derive(Clone, Copy, Debug)]
pub(super) enum IndexedPart {
    All,
    /// Only the events of this kind.
    OfKind(Kind),
}

/// A run of events of one feed, by the revs at which they were created.
#[derive(Clone, Copy, Debug)]
pub(super) struct Region {
    pub(super) side: Side,
    pub(super) first: Rev,
    pub(super) last: Rev,
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
