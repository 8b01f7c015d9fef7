//! `/api/system/events`.

mod bad_changes;
mod bad_input;
mod batch;
mod create;
mod delete;
mod get;
mod import;
mod list;
mod order;
mod partial;
mod repairs;
mod search;
mod status;
mod subject;
mod summary;
mod types;
