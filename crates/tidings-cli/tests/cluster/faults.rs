//! The faults while the nodes work, chosen by the seed: one after the other, and several at once.

mod fault;

use std::time::Duration;

use tokio::time::Instant;

use crate::bus_proxy::Noise;
use crate::findings::{Findings, Phase};
use crate::gate::Way;
use crate::site::Site;
use fault::{Fault, Kind};

/// How long only commits are lost, at the beginning.
const FIRST: Duration = Duration::from_secs(3);

/// Causes faults for some time, each kind of them at least once if there is time for it. Everything works again at
/// the end, except that no hint passes the bus: the nodes find what they lack by comparing heads.
pub(crate) async fn cause(
    site: &mut Site,
    findings: &Findings,
    dice: &mut fastrand::Rng,
    time: Duration,
) {
    set_noise(site, Noise::LOUD);
    let work = async {
        lose_commits(site, findings).await;
        loop {
            let mut kinds: Vec<Kind> = Kind::ALL.into_iter().collect();
            kinds.retain(|kind| kind.is_possible(site));
            dice.shuffle(&mut kinds);
            while !kinds.is_empty() {
                let faults = choose(&mut kinds, dice);
                wait(findings, dice.u64(200..1_000)).await;
                if findings.phase() != Phase::Busy {
                    return;
                }
                happen(faults, site, findings).await;
            }
        }
    };
    let ends = async {
        findings.pause_while_busy(time).await;
        findings.enter(Phase::Settling);
    };
    // A fault that has begun is ended.
    tokio::join!(work, ends);
    set_noise(site, Noise::SILENCE);
}

/// Before anything else has failed, so that nothing else can be the reason for an error.
async fn lose_commits(site: &Site, findings: &Findings) {
    findings.tell("commits of all nodes are lost, and nothing else");
    site.set_ways(Way::LosesCommits);
    findings.only_commits_fail(true);
    findings.pause_while_busy(FIRST).await;
    findings.only_commits_fail(false);
    site.set_ways(Way::Open);
}

/// Takes up to three kinds that concern different parts of the site.
fn choose(kinds: &mut Vec<Kind>, dice: &mut fastrand::Rng) -> Vec<Fault> {
    let number = match dice.u8(..10) {
        0..4 => 1,
        4..8 => 2,
        _ => 3,
    };
    let mut faults: Vec<Fault> = Vec::new();
    kinds.retain(|kind| {
        let fault = Fault::choose(*kind, dice);
        let is_free = !faults.iter().any(|other| other.meets(&fault));
        let is_taken = faults.len() < number && is_free;
        if is_taken {
            faults.push(fault);
        }
        !is_taken
    });
    faults
}

/// Begins the faults one after the other, and ends them in the order of their ends.
async fn happen(faults: Vec<Fault>, site: &mut Site, findings: &Findings) {
    let mut ongoing = Vec::new();
    for fault in faults {
        wait(findings, fault.after_millis).await;
        if fault.begin(site, findings).await {
            ongoing.push((Instant::now() + fault.lasts, fault));
        }
    }
    ongoing.sort_by_key(|(end, _)| *end);
    for (end, fault) in ongoing {
        let left = end.saturating_duration_since(Instant::now());
        findings.pause_while_busy(left).await;
        fault.end(site).await;
    }
    for node in &mut site.nodes {
        node.is_up().await;
    }
}

fn set_noise(site: &Site, noise: Noise) {
    for proxy in &site.bus_proxies {
        proxy.set_noise(noise);
    }
}

async fn wait(findings: &Findings, millis: u64) {
    findings
        .pause_while_busy(Duration::from_millis(millis))
        .await;
}

#[test]
fn overlapping_faults_concern_different_parts_and_none_is_left_out() {
    for seed in 0..1_000 {
        let mut dice = fastrand::Rng::with_seed(seed);
        let mut kinds: Vec<Kind> = Kind::ALL.into_iter().collect();
        let mut chosen = Vec::new();
        while !kinds.is_empty() {
            let faults = choose(&mut kinds, &mut dice);
            assert!((1..=3).contains(&faults.len()));
            for (number, fault) in faults.iter().enumerate() {
                let mut others = faults[..number].iter();
                assert!(!others.any(|other| other.meets(fault)), "{faults:?}");
                chosen.push(fault.kind);
            }
        }
        chosen.sort_unstable();
        let mut all = Kind::ALL;
        all.sort_unstable();
        assert_eq!(chosen, all, "seed {seed}");
    }
}
