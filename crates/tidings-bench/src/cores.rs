//! Which core runs the server and which one the load generator.

use anyhow::Context as _;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The split of the machine: the server and its baselines run on one core, the load generator on
/// another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cores {
    server: usize,
    load: usize,
}

impl Cores {
    /// The first two cores of this process, or the same one twice if there is only one.
    pub(crate) fn choose() -> anyhow::Result<Self> {
        let allowed = sched_getaffinity(None).context("could not read the affinity")?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
        let server = cores.next().context("no core may be used")?;
        Ok(Self {
            server,
            load: cores.next().unwrap_or(server),
        })
    }

    /// Moves this thread and those that it starts to the load generator's core.
    pub(crate) fn pin_to_load(self) -> anyhow::Result<()> {
        pin(self.load)
    }

    /// Runs `work` on a new thread on the server's core and waits for it.
    pub(crate) fn on_server<T: Send>(self, work: impl FnOnce() -> T + Send) -> anyhow::Result<T> {
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| pin(self.server).map(|()| work()));
            match thread.join() {
                Ok(done) => done,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }

    /// Calls `start`, which starts a process, such that the process runs on the server's core.
    pub(crate) fn start_on_server<T>(self, start: impl FnOnce() -> T) -> anyhow::Result<T> {
        pin(self.server)?;
        let started = start();
        pin(self.load)?;
        Ok(started)
    }

    /// Describes the split.
    pub(crate) fn describe(self) -> String {
        if self.server == self.load {
            return "one core for everything: no figure below is worth much".to_owned();
        }
        format!(
            "server, engine and raw side on core {}, load on core {}",
            self.server, self.load
        )
    }
}

fn pin(core: usize) -> anyhow::Result<()> {
    let mut cores = CpuSet::new();
    cores.set(core);
    sched_setaffinity(None, &cores).with_context(|| format!("could not move to core {core}"))
}

/// Raises the limit of open files to its maximum, because each of thousands of subscribers needs a
/// socket. The server inherits the limit.
pub(crate) fn allow_many_files() -> anyhow::Result<()> {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let current = maximum;
    setrlimit(Resource::Nofile, Rlimit { current, maximum })
        .context("could not raise the limit of open files")
}
