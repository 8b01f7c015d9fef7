//! Extractors: they authenticate the caller, count the request against the caller's limits, and parse
//! the request, so that a handler is a plain function.

mod admitted;
mod body;
mod caller;
mod event_path;
mod list;
mod login;
mod publication;
mod unfiltered;

pub(crate) use admitted::Admitted;
pub(crate) use body::{JsonBody, read_body};
pub(crate) use caller::{Administrator, Changer, Publisher, Reader, Shown};
pub(crate) use event_path::{ChangerOfEvent, EventPath};
pub(crate) use list::ListRequest;
pub(crate) use login::Login;
pub(crate) use publication::PublishRequest;
pub(crate) use unfiltered::Unfiltered;
