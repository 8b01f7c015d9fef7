//! The program's parts.

use tidings::Tidings;
use tokio_util::task::TaskTracker;

use crate::connections::Connections;

/// State that the handlers share.
#[derive(Debug)]
pub struct App {
    pub(crate) tidings: Tidings,
    pub(crate) connections: Connections,
    /// The pings under way. They outlive the requests that started them.
    pub(crate) pings: TaskTracker,
}

impl App {
    /// State without pings under way.
    pub fn new(tidings: Tidings, connections: Connections) -> Self {
        Self {
            tidings,
            connections,
            pings: TaskTracker::new(),
        }
    }
}
