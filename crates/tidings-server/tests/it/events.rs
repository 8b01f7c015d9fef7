//! `/api/system/events`.

mod bad_input;
mod batch;
mod create;
mod get;
mod list;
