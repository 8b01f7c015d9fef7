//! The page of a list to read.

use crate::page_token::PageToken;
use crate::sort::Sort;

/// The page to read: the first, a page by number, or the page after another.
///
/// A page by number is always full unless the list ends, because its reader computes the start of the
/// next page from the size. The other pages can end early and still have `next`: readers continue until
/// `next` is absent.
///
/// The engine must implement every way to page, so the enum is exhaustive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Paging {
    /// The first page of a list that continues with `next`. It can end early with [`Total::Left`]; with
    /// [`Total::Counted`] it equals page number 0.
    #[default]
    First,
    /// The page with this number, from 0. The cost grows with the number.
    Number(u64),
    /// The page after another, by its `next`. The cost is the same at any depth. The page ends early if
    /// its events exceed the maximum bytes of a page.
    After(PageToken),
}

/// The page of a list to read, with its size and order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PageRequest {
    /// The page; the first by default.
    pub paging: Paging,
    /// The maximum number of events on the page, from 1 to [`PageRequest::MAX_SIZE`]; 25 by default.
    pub size: u64,
    /// The order of the list; newest first by default.
    pub sort: Sort,
    /// Whether to count the matching events; true by default.
    pub total: Total,
}

/// Whether to count the events that match a filter.
///
/// The engine must implement every way to count, so the enum is exhaustive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Total {
    /// Counts exactly. The cost grows with the number of matches, unless the filter uses only severity,
    /// status and kind of owner.
    #[default]
    Counted,
    /// Does not count. Except on a page by number, a search then stops after its time budget and returns
    /// the events found so far with a token to continue. Such a page can have fewer events than
    /// requested, even none, and still have `next`.
    Left,
}

impl PageRequest {
    /// The default number of events on a page.
    pub const DEFAULT_SIZE: u64 = 25;
    /// The maximum number of events on a page; larger sizes are reduced to it.
    pub const MAX_SIZE: u64 = 1_000;

    /// Reads this page.
    #[must_use]
    pub const fn with_paging(mut self, paging: Paging) -> Self {
        self.paging = paging;
        self
    }

    /// Reads at most `size` events, from 1 to [`MAX_SIZE`](Self::MAX_SIZE).
    #[must_use]
    pub const fn with_size(mut self, size: u64) -> Self {
        self.size = size;
        self
    }

    /// Sorts the list in this order.
    #[must_use]
    pub const fn with_sort(mut self, sort: Sort) -> Self {
        self.sort = sort;
        self
    }

    /// Counts the matching events, or does not.
    #[must_use]
    pub const fn with_total(mut self, total: Total) -> Self {
        self.total = total;
        self
    }

    /// Whether the page can have fewer events than requested and still have `next`.
    pub const fn may_end_early(&self) -> bool {
        match self.paging {
            Paging::First => matches!(self.total, Total::Left),
            Paging::Number(_) => false,
            Paging::After(_) => true,
        }
    }
}

impl Default for PageRequest {
    fn default() -> Self {
        Self {
            paging: Paging::default(),
            size: Self::DEFAULT_SIZE,
            sort: Sort::default(),
            total: Total::default(),
        }
    }
}
