//! The queued requests, and the selection of the next group.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

use tidings_event::OwnerId;

use super::request::{Asker, ChangeRequest, PublishRequest, Replies, Request};
use super::steps::Steps;
use crate::store::Group;

/// The maximum size of a group. Such a group takes a few milliseconds to commit; larger groups are not more
/// efficient.
const GROUP_BYTES: usize = 8 * 1024 * 1024;

/// The maximum number of events that a group changes immediately, next to publish requests. These changes
/// delay the publishers of the same group.
const CHANGED_BESIDE: usize = 32;

/// One asker's share of [`CHANGED_BESIDE`], so that a single asker cannot make the single mark of another one
/// wait for a turn.
const CHANGED_BESIDE_EACH: usize = 8;

/// While several owners are active, the share of a group for an owner who publishes to themselves. A larger
/// request waits for a turn.
const OWN_BYTES: usize = 16 * 1024;
const OWN_EVENTS: usize = 32;

/// The rest after an owner's turn while several owners are active, as a multiple of the turn's duration. The
/// writer is then free for three quarters of the time, and a turn delays less than half of the other
/// requests. A turn of retention needs no rest after it, because retention must keep up with publishers.
const REST: u32 = 3;

/// The longest turn that is rested after in full. One that took longer waited for a disk or a database that was away,
/// and says nothing of its work.
const MAX_TURN: Duration = Duration::from_millis(200);

/// The requests that wait for their commit.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    arrived: VecDeque<Request>,
    /// The deferred requests.
    steps: Steps,
    /// Whether the last group contained no step although some were waiting. The next group then contains a
    /// turn.
    step_is_due: bool,
    /// The end of the rest, during which no step is committed.
    rested: Option<Instant>,
    closed: bool,
}

/// A group for the store, with the replies for its outcomes.
#[derive(Debug, Default)]
pub(super) struct TakenGroup {
    pub(super) group: Group,
    pub(super) replies: Replies,
    /// Whether the group contains a turn of an owner.
    pub(super) has_owners_steps: bool,
}

/// The next action of the committer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NextAction {
    Commit,
    /// Wait for requests, at most until the rest of the steps ends.
    WaitUntil(Instant),
    Wait,
    End,
}

impl Backlog {
    /// The maximum number of events in a group. Such a group takes a few milliseconds to commit; larger
    /// groups are not more efficient.
    pub(super) const GROUP_EVENTS: usize = 2048;

    pub(super) fn push(&mut self, request: Request) {
        self.arrived.push_back(request);
    }

    /// The number of queued requests that are not deferred.
    pub(super) fn arrived(&self) -> usize {
        self.arrived.len()
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    pub(super) const fn is_closed(&self) -> bool {
        self.closed
    }

    /// Delays the next step by [`REST`] times the duration of the last turn, of which [`MAX_TURN`] counts at most.
    pub(super) fn rest_after(&mut self, now: Instant, turn: Duration) {
        self.rested = Some(now + turn.min(MAX_TURN) * REST);
    }

    /// The end of the rest, if it is in the future. A closed queue does not rest.
    fn rest(&self, now: Instant) -> Option<Instant> {
        self.rested.filter(|rested| !self.closed && *rested > now)
    }

    pub(super) fn next(&self, now: Instant) -> NextAction {
        if !self.arrived.is_empty() {
            return NextAction::Commit;
        }
        match (self.steps.is_empty(), self.rest(now)) {
            (false, None) => NextAction::Commit,
            (false, Some(rested)) => NextAction::WaitUntil(rested),
            (true, _) if self.closed => NextAction::End,
            (true, _) => NextAction::Wait,
        }
    }

    /// Takes the next group.
    ///
    /// Deferred requests let newer requests go first, but only once, and a group contains at most one turn
    /// of them. So a publisher waits for at most one turn, and a turn waits for at most one group and the
    /// rest.
    pub(super) fn take(&mut self, now: Instant, is_shared: bool) -> TakenGroup {
        let mut forming = Forming::new(is_shared);
        let mut left = VecDeque::new();
        while let Some(request) = self.arrived.pop_front() {
            match forming.judge(&request) {
                Judgement::Take => forming.take(request),
                Judgement::SetAside(asker) => self.steps.push(asker, request),
                Judgement::Leave => left.push_back(request),
            }
            if forming.is_full() {
                break;
            }
        }
        left.append(&mut self.arrived);
        self.arrived = left;
        let mut taken = forming.taken;
        let may_step = !self.steps.is_empty() && self.rest(now).is_none();
        let has_steps = may_step && (taken.group.is_empty() || self.step_is_due);
        if has_steps {
            let (turn, is_of_owner) = self.steps.next_turn();
            taken.has_owners_steps = is_of_owner;
            for request in turn {
                taken.add(request);
            }
        }
        self.step_is_due = !has_steps && !self.steps.is_empty();
        taken
    }
}

/// The decision about a request while a group is formed.
enum Judgement {
    Take,
    /// Defer the request until a turn of its asker.
    SetAside(Asker),
    /// Keep the request in the queue for the next group.
    Leave,
}

/// A group that is being formed.
struct Forming {
    taken: TakenGroup,
    is_shared: bool,
    events: usize,
    bytes: usize,
    changed: usize,
    changed_by: HashMap<Asker, usize>,
    /// The number of events and bytes of each owner who publishes to themselves.
    published_by: HashMap<OwnerId, (usize, usize)>,
    /// The owners whose share is used up. Their later requests stay in the queue to keep their order.
    spent: HashSet<OwnerId>,
}

impl Forming {
    fn new(is_shared: bool) -> Self {
        Self {
            taken: TakenGroup::default(),
            is_shared,
            events: 0,
            bytes: 0,
            changed: 0,
            changed_by: HashMap::new(),
            published_by: HashMap::new(),
            spent: HashSet::new(),
        }
    }

    fn is_full(&self) -> bool {
        self.events >= Backlog::GROUP_EVENTS || self.bytes >= GROUP_BYTES
    }

    fn judge(&mut self, request: &Request) -> Judgement {
        match request {
            Request::Change(change) if !self.goes_beside(change) => {
                Judgement::SetAside(change.asker)
            }
            Request::Publish(publish) => self.judge_publish(publish),
            Request::FanOut(_) | Request::Audience(_) | Request::Update(_) | Request::Change(_) => {
                Judgement::Take
            }
        }
    }

    /// Whether the group takes a change immediately instead of deferring it.
    fn goes_beside(&mut self, change: &ChangeRequest) -> bool {
        let named = change.step.targets.len();
        if self.changed + named > CHANGED_BESIDE {
            return false;
        }
        let of_asker = self.changed_by.entry(change.asker).or_default();
        // The first change of each asker is exempt from the asker's share.
        if *of_asker > 0 && *of_asker + named > CHANGED_BESIDE_EACH {
            return false;
        }
        *of_asker += named;
        self.changed += named;
        true
    }

    fn judge_publish(&mut self, publish: &PublishRequest) -> Judgement {
        let Some(owner) = publish.by_owner.filter(|_| self.is_shared) else {
            return Judgement::Take;
        };
        let events = publish.publication.submissions.len();
        if publish.bytes > OWN_BYTES || events > OWN_EVENTS {
            return Judgement::SetAside(Asker::Owner(owner));
        }
        if self.spent.contains(&owner) {
            return Judgement::Leave;
        }
        let of_owner = self.published_by.entry(owner).or_default();
        let sum = (of_owner.0 + events, of_owner.1 + publish.bytes);
        if sum.0 > OWN_EVENTS || sum.1 > OWN_BYTES {
            self.spent.insert(owner);
            return Judgement::Leave;
        }
        *of_owner = sum;
        Judgement::Take
    }

    fn take(&mut self, request: Request) {
        match &request {
            Request::Publish(publish) => {
                self.events += publish.publication.submissions.len();
                self.bytes += publish.bytes;
            }
            Request::FanOut(request) => {
                self.events += request.fan_out.recipients.len();
                self.bytes += request.bytes;
            }
            Request::Audience(_) => self.events += 1,
            Request::Update(request) => {
                self.events += 1;
                self.bytes += request.update.bytes();
            }
            Request::Change(change) => self.events += change.step.targets.len(),
        }
        self.taken.add(request);
    }
}

impl TakenGroup {
    fn add(&mut self, request: Request) {
        match request {
            Request::Publish(request) => {
                self.group.publications.push(request.publication);
                self.replies.publishers.push(request.reply);
            }
            Request::FanOut(request) => {
                self.group.fan_outs.push(request.fan_out);
                self.replies.fan_outs.push(request.reply);
            }
            Request::Audience(start) => {
                self.group.audiences.push(start.request);
                self.replies.audiences.push(start.reply);
            }
            Request::Update(request) => {
                self.group.updates.push(request.update);
                self.replies.updaters.push(request.reply);
            }
            Request::Change(request) => {
                self.group.steps.push(request.step);
                self.replies.changers.push(request.reply);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{change, change_by, publish, publish_by};
    use super::*;

    fn backlog(requests: impl IntoIterator<Item = Request>) -> Backlog {
        let mut backlog = Backlog::default();
        for request in requests {
            backlog.push(request);
        }
        backlog
    }

    /// The number of events that each request of a group changes; 0 for a publish request.
    fn changed(taken: &TakenGroup) -> Vec<usize> {
        let published = taken.group.publications.iter().map(|_| 0);
        let changed = taken.group.steps.iter().map(|step| step.targets.len());
        published.chain(changed).collect()
    }

    /// All groups until the backlog is empty.
    fn groups(mut backlog: Backlog, is_shared: bool) -> Vec<Vec<usize>> {
        backlog.close();
        let now = Instant::now();
        let mut groups = Vec::new();
        while backlog.next(now) != NextAction::End {
            groups.push(changed(&backlog.take(now, is_shared)));
        }
        groups
    }

    #[test]
    fn takes_requests_before_steps_and_one_step_per_group() {
        let backlog = backlog([change(512), publish(), change(300), publish()]);
        assert_eq!(groups(backlog, true), [vec![0, 0], vec![512], vec![300]]);
    }

    #[test]
    fn delays_a_step_by_at_most_one_group() {
        let mut backlog = backlog([change(512)]);
        for expected in [vec![0], vec![0, 512], vec![0], vec![0]] {
            backlog.push(publish());
            assert_eq!(changed(&backlog.take(Instant::now(), true)), expected);
        }
    }

    #[test]
    fn puts_small_steps_into_one_group() {
        let groups = groups(backlog((0..40).map(|_| change(20))), true);
        let sizes: Vec<usize> = groups.iter().map(|group| group.iter().sum()).collect();
        assert_eq!(sizes, [20, 500, 280]);
    }

    #[test]
    fn alternates_between_askers() {
        let [one, other] = [OwnerId::mint(), OwnerId::mint()].map(Asker::Owner);
        let mut requests: Vec<_> = (0..4).map(|_| change_by(one, 500)).collect();
        requests.push(change_by(Asker::Upkeep, 400));
        requests.push(change_by(other, 300));
        requests.push(change_by(other, 301));
        let mut backlog = backlog(requests);
        let expected: [&[usize]; 7] = [&[500], &[400], &[300], &[500], &[301], &[500], &[500]];
        for (turn, expected) in expected.into_iter().enumerate() {
            let taken = backlog.take(Instant::now(), true);
            assert_eq!(changed(&taken), expected);
            assert_eq!(taken.has_owners_steps, turn != 1);
        }
    }

    #[test]
    fn takes_a_mark_of_another_owner_during_a_flood_of_marks() {
        let [flooder, other] = [OwnerId::mint(), OwnerId::mint()].map(Asker::Owner);
        let mut requests: Vec<_> = (0..600).map(|_| change_by(flooder, 1)).collect();
        requests.push(change_by(other, 2));
        let first = backlog(requests).take(Instant::now(), true);
        let mut expected = vec![1; CHANGED_BESIDE_EACH];
        expected.push(2);
        assert_eq!(changed(&first), expected);
    }

    #[test]
    fn rests_after_a_turn_while_taking_requests() {
        let mut backlog = backlog([change(512), change(512)]);
        let now = Instant::now();
        assert_eq!(changed(&backlog.take(now, true)), [512]);
        let turn = Duration::from_millis(10);
        backlog.rest_after(now, turn);
        assert_eq!(backlog.next(now), NextAction::WaitUntil(now + turn * REST));
        for _ in 0..3 {
            backlog.push(publish());
            assert_eq!(changed(&backlog.take(now, true)), [0]);
        }
        let rested = now + turn * REST;
        assert_eq!(backlog.next(rested), NextAction::Commit);
        assert_eq!(changed(&backlog.take(rested, true)), [512]);
        assert_eq!(backlog.next(rested), NextAction::Wait);
    }

    #[test]
    fn rests_briefly_after_a_turn_in_an_outage() {
        let mut backlog = backlog([change(512), change(512)]);
        let now = Instant::now();
        backlog.take(now, true);
        backlog.rest_after(now, Duration::from_secs(20));
        assert_eq!(
            backlog.next(now),
            NextAction::WaitUntil(now + MAX_TURN * REST)
        );
    }

    #[test]
    fn does_not_rest_when_closed() {
        let mut backlog = backlog([change(512), change(512)]);
        backlog.rest_after(Instant::now(), Duration::from_secs(3_600));
        assert_eq!(groups(backlog, true), [[512], [512]]);
    }

    #[test]
    fn limits_the_share_of_one_publishing_owner() {
        let owner = Some(OwnerId::mint());
        let mut backlog = backlog((0..40).map(|_| publish_by(owner, OWN_BYTES / 4)));
        backlog.push(publish());
        let now = Instant::now();
        let taken = backlog.take(now, true);
        assert_eq!(taken.group.publications.len(), 4 + 1);
        assert_eq!(backlog.take(now, true).group.publications.len(), 4);
        // The share is not limited without another active owner.
        assert_eq!(backlog.take(now, false).group.publications.len(), 32);
    }

    #[test]
    fn defers_large_requests_of_an_owner() {
        let owner = Some(OwnerId::mint());
        let requests = || {
            let large = (0..3).map(|_| publish_by(owner, 8 * OWN_BYTES));
            let mut backlog = backlog(large);
            backlog.push(publish_by(Some(OwnerId::mint()), 1_000));
            backlog
        };
        assert_eq!(groups(requests(), true), [[0], [0], [0], [0]]);
        assert_eq!(groups(requests(), false), [[0; 4]]);
        let mut shared = requests();
        let now = Instant::now();
        assert!(!shared.take(now, true).has_owners_steps);
        assert!(shared.take(now, true).has_owners_steps);
        shared.rest_after(now, Duration::from_millis(1));
        assert_eq!(
            shared.next(now),
            NextAction::WaitUntil(now + Duration::from_millis(3))
        );
    }
}
