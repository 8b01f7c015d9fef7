//! One run: a site, its users, its faults, and the check at the end.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::actors::{self, Shared};
use crate::caller::Caller;
use crate::findings::{Findings, Phase, say};
use crate::history::History;
use crate::site::{Bus, Site};
use crate::{checker, faults, follower, measures};

/// The users, each with several streams. Beside them there is the system.
const USERS: usize = 12;

/// How long the actors have to learn the results of their requests.
const SETTLE: Duration = Duration::from_secs(90);

/// The processor has room for one run at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// A run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene {
    pub(crate) bus: Bus,
    pub(crate) has_replica: bool,
    /// Whether to measure before the faults.
    pub(crate) measures: bool,
    pub(crate) time: Duration,
    pub(crate) seed: u64,
}

impl Scene {
    /// Plays the run. Panics if it has found a broken guarantee.
    pub(crate) async fn play(self) {
        let _turn = ONE_AT_A_TIME.lock().await;
        let Self {
            bus, seed, time, ..
        } = self;
        say(format_args!(
            "bus {bus:?}, {time:?} of faults, TIDINGS_TEST_SEED={seed}"
        ));
        let mut site = Site::start(bus, self.has_replica, seed).await;
        let caller = Caller::new(&site, USERS + measures::USERS);
        if self.measures {
            measures::measure(&caller, USERS).await;
        }
        let caller = caller.limited_to(USERS);
        let findings = Arc::new(Findings::new());
        let shared = Shared {
            caller,
            history: Arc::new(History::default()),
            findings: Arc::clone(&findings),
        };
        let mut dice = fastrand::Rng::with_seed(seed);
        let (followers, mut streams) = follower::start(&shared, &mut dice);
        let mut actors = actors::start(&shared, &mut dice);
        faults::cause(&mut site, &findings, &mut dice, time).await;
        findings.tell("no more faults");
        let settled = timeout(SETTLE, async {
            while let Some(ended) = actors.join_next().await {
                ended.expect("no actor panics");
            }
        });
        if settled.await.is_err() {
            findings.report(format_args!("{} requests get no result", actors.len()));
        }
        if findings.is_empty() {
            checker::check(&shared, &followers, &site.database).await;
        }
        findings.enter(Phase::Over);
        while let Some(ended) = streams.join_next().await {
            ended.expect("no follower panics");
        }
        for fault in site.faults_in_logs() {
            findings.report(fault);
        }
        let frames: u64 = followers
            .iter()
            .map(|follower| follower.inbox.lock().expect("no panic").frames)
            .sum();
        let tallies = site.bus_proxies.iter().map(|proxy| proxy.tally());
        let (seen, lost, changed) = tallies.fold((0, 0, 0), |(seen, lost, changed), tally| {
            (
                seen + tally.seen,
                lost + tally.lost,
                changed + tally.changed,
            )
        });
        findings.tell(format_args!(
            "{frames} frames; of {seen} messages of the bus {lost} were lost and {changed} repeated, late or damaged"
        ));
        let found = findings.take();
        if !found.is_empty() {
            site.show_logs();
            panic!("TIDINGS_TEST_SEED={seed} found\n{}", found.join("\n"));
        }
    }
}
