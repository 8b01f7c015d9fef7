//! Decisions of a store that need no read or write: whether an event is a repeat, and what a change or an
//! update does to an event.

pub(crate) mod audience;
pub(crate) mod change;
pub(crate) mod foreign;
pub(crate) mod publish;
pub(crate) mod update;
