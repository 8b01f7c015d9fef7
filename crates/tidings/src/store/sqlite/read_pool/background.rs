//! Threads of low priority for long reads: if the processors are busy, short reads and the writer go
//! first.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::sync::oneshot;

/// The niceness of the threads: on a busy processor they get a tenth of the time of others.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

type Job = Box<dyn FnOnce() + Send>;

/// A fixed number of threads, which end when this is dropped.
#[derive(Debug)]
pub(super) struct Background {
    jobs: SyncSender<Job>,
}

/// The job panicked.
#[derive(Debug, thiserror::Error)]
#[error("a thread of the store panicked")]
pub(super) struct Panicked;

impl Background {
    pub(super) fn start(threads: usize) -> io::Result<Self> {
        let (jobs, queue) = sync_channel::<Job>(threads);
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..threads {
            let queue = Arc::clone(&queue);
            thread::Builder::new()
                .name("tidings-reader".to_owned())
                .spawn(move || work(&queue))?;
        }
        Ok(Self { jobs })
    }

    /// Runs a job. The caller must not run more jobs than there are threads, or sending waits.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Panicked> {
        let (reply, done) = oneshot::channel();
        let job = move || {
            // The caller may be gone.
            let _ = reply.send(job());
        };
        self.jobs.send(Box::new(job)).map_err(|_| Panicked)?;
        done.await.map_err(|_| Panicked)
    }
}

fn work(queue: &Mutex<Receiver<Job>>) {
    // On other systems it would slow down the whole process.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "could not lower the priority of a read thread");
    }
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        // A job that panics must not end the thread. The dropped sender tells its caller.
        let _ = catch_unwind(AssertUnwindSafe(job));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_thread_survives_a_job_that_panics() {
        let background = Background::start(1).unwrap();
        let panicked = background.run(|| panic!("a fault")).await;
        assert!(matches!(panicked, Err::<(), _>(Panicked)));
        assert_eq!(background.run(|| 7).await.unwrap(), 7);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn the_threads_have_low_priority() {
        let background = Background::start(1).unwrap();
        let of_thread = || rustix::process::getpriority_process(None);
        let before = of_thread().unwrap();
        let niceness = background.run(of_thread).await.unwrap();
        assert_eq!(niceness, Ok((before + NICENESS).min(19)).map(|_| NICENESS));
        assert_eq!(of_thread().unwrap(), before);
    }
}
