//! Parses requests. One response names every fault.

pub(crate) mod body;
pub(crate) mod change;
pub(crate) mod json;
pub(crate) mod log_level;
pub(crate) mod parameters;
pub(crate) mod query;
pub(crate) mod revocation;
pub(crate) mod spelling;
pub(crate) mod stream_start;
