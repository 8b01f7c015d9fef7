//! `/api/system/events` and its other name, `/api/events`.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod list;
mod receipt;
pub(crate) mod status;
pub(crate) mod summary;
pub(crate) mod types;
pub(crate) mod update;
