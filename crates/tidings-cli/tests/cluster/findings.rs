//! The output of a run, and the broken guarantees that it finds.

use std::fmt::Display;
use std::io::Write as _;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tokio::sync::watch;

/// The most findings that are kept. The first ones say the most.
const MAX_FINDINGS: usize = 20;

/// Prints a line, also if the test runner captures output.
pub(crate) fn say(text: impl Display) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// The phase of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Requests, streams and faults.
    Busy,
    /// No new requests and no faults. Publishers repeat the requests without a known result.
    Settling,
    /// Streams end where they are.
    Over,
}

/// The findings of a run, and its clock.
#[derive(Debug)]
pub(crate) struct Findings {
    began: Instant,
    found: Mutex<Vec<String>>,
    phase: watch::Sender<Phase>,
    /// Since when nothing fails but commits.
    only_commits: Mutex<Option<Moment>>,
}

impl Findings {
    pub(crate) fn new() -> Self {
        Self {
            began: Instant::now(),
            found: Mutex::default(),
            phase: watch::Sender::new(Phase::Busy),
            only_commits: Mutex::default(),
        }
    }

    /// The time since the run began.
    pub(crate) fn now(&self) -> Moment {
        Moment(self.began.elapsed())
    }

    /// Records a broken guarantee, and ends the faults and requests.
    pub(crate) fn report(&self, text: impl Display) {
        let mut found = self.found.lock().expect("no panic");
        if found.len() < MAX_FINDINGS {
            let text = format!("[{}] {text}", self.now());
            say(format_args!("FOUND {text}"));
            found.push(text);
        }
        drop(found);
        if self.phase() == Phase::Busy {
            self.enter(Phase::Settling);
        }
    }

    /// Prints what happens to the cluster.
    pub(crate) fn tell(&self, text: impl Display) {
        say(format_args!("[{}] {text}", self.now()));
    }

    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.send_replace(phase);
    }

    pub(crate) fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// Notes whether nothing fails from now on but commits and their responses.
    pub(crate) fn only_commits_fail(&self, is_so: bool) {
        *self.only_commits.lock().expect("no panic") = is_so.then(|| self.now());
    }

    /// Whether nothing else has failed since a moment.
    pub(crate) fn only_commits_failed_since(&self, begun: Moment) -> bool {
        let since = *self.only_commits.lock().expect("no panic");
        since.is_some_and(|since| since < begun)
    }

    /// Waits until the phase is another one than `phase`.
    pub(crate) async fn after(&self, phase: Phase) {
        let mut phases = self.phase.subscribe();
        phases
            .wait_for(|now| *now != phase)
            .await
            .expect("the sender is in self");
    }

    /// Waits for some time, or until the run is no longer busy.
    pub(crate) async fn pause_while_busy(&self, time: Duration) {
        // An elapsed time is no error here.
        let _ = tokio::time::timeout(time, self.after(Phase::Busy)).await;
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.found.lock().expect("no panic"))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.lock().expect("no panic").is_empty()
    }
}

/// A moment of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(Duration);

impl Moment {
    /// Later than all moments.
    pub(crate) const NEVER: Self = Self(Duration::MAX);
}

impl Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::NEVER => f.write_str("never"),
            Self(time) => write!(f, "{:.3} s", time.as_secs_f64()),
        }
    }
}
