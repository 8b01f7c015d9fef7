//! The order of a list in SQL.

use tidings_event::{OwnerKind, SortOrder};

use super::Side;
use super::wanted::Wanted;

impl Wanted<'_> {
    /// The direction of the order.
    pub(super) const fn direction(&self) -> &'static str {
        match self.sort.order {
            SortOrder::Ascending => "ASC",
            SortOrder::Descending => "DESC",
        }
    }

    /// The comparison with the time and the id of the page's token that the events of a side after it fulfil. Of
    /// two events with the token's time and id, the user's own comes first in ascending order.
    pub(super) const fn comparison_after(
        &self,
        token_is_of: OwnerKind,
        side: Side,
    ) -> &'static str {
        match (self.sort.order, token_is_of, side) {
            (SortOrder::Ascending, OwnerKind::User, Side::System) => ">=",
            (SortOrder::Ascending, _, _) => ">",
            (SortOrder::Descending, OwnerKind::System, Side::Own) => "<=",
            (SortOrder::Descending, _, _) => "<",
        }
    }
}
