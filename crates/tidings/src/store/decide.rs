//! What a store decides without reading or writing: whether an event is a repeat, and what a change does to
//! an event.

pub(crate) mod change;
pub(crate) mod publish;
