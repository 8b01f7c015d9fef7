//! Extractors: they authenticate the caller, count the request against the caller's limits, and parse
//! the request, so that a handler is a plain function.

mod admitted;
mod body;
mod caller;
mod deletion;
mod event_path;
mod list;
mod log_level;
mod login;
mod publication;
mod session;
mod unfiltered;
mod update;

pub(crate) use admitted::Admitted;
pub(crate) use body::JsonBody;
pub(crate) use caller::{Administrator, Changer, Publisher, Reader, Shown, Updater};
pub(crate) use deletion::DeletionRequest;
pub(crate) use event_path::{ChangerOfEvent, EventPath};
pub(crate) use list::ListRequest;
pub(crate) use log_level::LogAdministrator;
pub(crate) use login::Login;
pub(crate) use publication::{PreparedEvents, PublishRequest};
pub(crate) use session::{NewSession, OldSession};
pub(crate) use unfiltered::Unfiltered;
pub(crate) use update::UpdateRequest;
