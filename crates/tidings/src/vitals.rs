//! Whether the tasks and threads that the engine cannot do without still run.

use std::any::Any;
use std::sync::OnceLock;

use crate::store::StoreError;

/// A task or thread that the engine needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Worker {
    /// The task that commits requests.
    Committer,
    /// The background task.
    Upkeep,
    /// The thread that writes to the store.
    Writer,
    /// The tasks that learn of the commits of other nodes.
    Nodes,
}

/// Why it has ended. Only opening the engine again brings it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    worker: Worker,
    reason: String,
}

/// Notes the first fault.
#[derive(Debug, Default)]
pub(crate) struct Vitals {
    fault: OnceLock<Fault>,
}

impl Worker {
    const fn name(self) -> &'static str {
        match self {
            Self::Committer => "the task that commits requests",
            Self::Upkeep => "the background task",
            Self::Writer => "the thread that writes to the store",
            Self::Nodes => "a task that follows the other nodes",
        }
    }
}

impl Fault {
    pub(crate) fn panicked(worker: Worker, panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        let reason = text.unwrap_or("a panic without a message").to_owned();
        Self { worker, reason }
    }

    /// The writer reports its own panic when it is closed.
    pub(crate) fn writer() -> Self {
        Self {
            worker: Worker::Writer,
            reason: "it takes no more requests".to_owned(),
        }
    }
}

impl Vitals {
    /// Notes a fault and logs it.
    pub(crate) fn note(&self, fault: Fault) {
        let worker = fault.worker.name();
        tracing::error!(
            worker,
            reason = fault.reason,
            "a part of the engine has ended; restart the program"
        );
        // The first fault is the cause of those that follow.
        let _ = self.fault.set(fault);
    }

    /// # Errors
    ///
    /// When something has ended. The panic's message is in the log only.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        self.fault.get().map_or(Ok(()), |fault| {
            let worker = fault.worker.name();
            Err(StoreError::Ended { worker })
        })
    }
}
