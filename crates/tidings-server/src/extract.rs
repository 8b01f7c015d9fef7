//! Extractors: what handlers take from a request.

mod admitted;
mod caller;
mod event_path;
mod unfiltered;

pub(crate) use admitted::Admitted;
pub(crate) use caller::{Administrator, Changer, Publisher, Reader, Shown};
pub(crate) use event_path::EventPath;
pub(crate) use unfiltered::Unfiltered;
