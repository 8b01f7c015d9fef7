//! The tasks that tell other nodes what this one commits, and bring what they commit to the subscribers of this
//! one.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;

use crate::bus::{Bus, BusError, NodeId, Outbox, announce, listen};
use crate::heads::Heads;
use crate::hub::Hub;
use crate::metrics::Metrics;
use crate::refill::{REFILLS, Refiller};
use crate::store::Store;
use crate::sync::{JoinHandle, spawn};
use crate::vitals::{Fault, Vitals, Worker};

/// The parts that the tasks use.
#[derive(Debug)]
pub(crate) struct Nodes {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) vitals: Arc<Vitals>,
    /// `None` if the nodes only compare heads.
    pub(crate) bus: Option<Arc<dyn Bus>>,
    /// How often heads are compared.
    pub(crate) interval: Duration,
}

/// The running tasks. Dropping it ends them, except the refills, which end with the hub.
#[derive(Debug, Default)]
pub(crate) struct NodeTasks {
    tasks: Vec<JoinHandle<()>>,
    outbox: Option<Arc<Outbox>>,
    bus: Option<Arc<dyn Bus>>,
}

impl Nodes {
    /// Starts the tasks on the current Tokio runtime. A store that is not shared needs none.
    pub(crate) fn start(self) -> NodeTasks {
        let Self {
            store,
            hub,
            metrics,
            vitals,
            bus,
            interval,
        } = self;
        if !store.is_shared() {
            return NodeTasks::default();
        }
        let heads = Heads::new(
            Arc::clone(&store),
            Arc::clone(&hub),
            Arc::clone(&metrics),
            interval,
        );
        let heads = Arc::new(heads);
        let refiller = Refiller {
            store,
            hub: Arc::clone(&hub),
            metrics: Arc::clone(&metrics),
            heads: Arc::clone(&heads),
        };
        for _ in 0..REFILLS {
            spawn(watched(refiller.clone().run(), Arc::clone(&vitals)));
        }
        let mut tasks = vec![spawn(endless(
            Arc::clone(&heads).run(),
            Arc::clone(&vitals),
        ))];
        let mut outbox = None;
        if let Some(bus) = &bus {
            let node = NodeId::mint();
            let hints = Arc::new(Outbox::new(Arc::clone(&metrics)));
            outbox = Some(Arc::clone(&hints));
            let announcing = announce(hints, Arc::clone(bus), node, Arc::clone(&metrics));
            tasks.push(spawn(endless(announcing, Arc::clone(&vitals))));
            let listening = listen(Arc::clone(bus), node, hub, heads, metrics);
            tasks.push(spawn(endless(listening, Arc::clone(&vitals))));
        }
        NodeTasks { tasks, outbox, bus }
    }
}

/// Notes it if a task panics.
async fn watched(task: impl Future<Output = ()>, vitals: Arc<Vitals>) {
    if let Err(panic) = AssertUnwindSafe(task).catch_unwind().await {
        vitals.note(Fault::panicked(Worker::Nodes, &*panic));
    }
}

fn endless(
    task: impl Future<Output = Infallible> + Send,
    vitals: Arc<Vitals>,
) -> impl Future<Output = ()> + Send {
    watched(task.map(|never| match never {}), vitals)
}

impl NodeTasks {
    /// Where the committer announces its commits.
    pub(crate) fn outbox(&self) -> Option<Arc<Outbox>> {
        self.outbox.clone()
    }

    /// Checks that the bus is connected, if there is one.
    pub(crate) fn check_bus(&self) -> Result<(), BusError> {
        self.bus.as_ref().map_or(Ok(()), |bus| bus.check())
    }
}

impl Drop for NodeTasks {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}
