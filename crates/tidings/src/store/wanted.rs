//! Which events a list is about.

use tidings_event::{EventFilter, EventId, OwnerKind, PageToken, Rev, Sort, SortOrder};
use uuid::Uuid;

use super::Side;
use super::kind::Kind;
use super::moment::moment;

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
