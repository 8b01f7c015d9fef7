//! `/api/system/events`.

mod create;
mod get;
mod list;

pub(crate) use create::create_events;
pub(crate) use get::get_event;
pub(crate) use list::list_events;
