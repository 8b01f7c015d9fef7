//! The requests that wait, and which of them the next group takes.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

use tidings_event::OwnerId;

use super::request::{Asker, ChangeRequest, PublishRequest, Replies, Request};
use super::steps::Steps;
use crate::store::Group;

/// A group of this many bytes takes a few milliseconds to commit; a larger one gains nothing.
const GROUP_BYTES: usize = 8 * 1024 * 1024;

/// The events that are changed in the same commit as others are published, at the publishers' expense.
const CHANGED_BESIDE: usize = 32;

/// One asker's share of those: several askers flood the queue before another's single mark waits for a
/// turn.
const CHANGED_BESIDE_EACH: usize = 8;

/// While several owners are present, the share of a group that one owner has who publishes to
/// themselves. A larger request waits for a turn.
const OWN_BYTES: usize = 16 * 1024;
const OWN_EVENTS: usize = 32;

/// While several owners are present, steps rest for this many times as long as the last turn took that
/// an owner asked for. So the writer is free three quarters of the time, and a turn delays fewer than
/// half of the other requests. Retention does not rest: it must keep up with publishers.
const REST: u32 = 3;

/// What waits for its commit.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    arrived: VecDeque<Request>,
    /// Work that was set aside.
    steps: Steps,
    /// The last group left the steps out, so the next one has a turn of them.
    step_is_due: bool,
    /// Until then steps make room for other requests.
    rested: Option<Instant>,
    closed: bool,
}

/// A group for the store, and where its outcomes go.
#[derive(Debug, Default)]
pub(super) struct TakenGroup {
    pub(super) group: Group,
    pub(super) replies: Replies,
    /// Whether it has steps that an owner asked for.
    pub(super) has_owners_steps: bool,
}

/// What the committer does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Commit,
    /// Steps rest until this moment.
    WaitUntil(Instant),
    Wait,
    End,
}

impl Backlog {
    /// A group of this many events takes a few milliseconds to commit; a larger one gains nothing.
    pub(super) const GROUP_EVENTS: usize = 2048;

    pub(super) fn push(&mut self, request: Request) {
        self.arrived.push_back(request);
    }

    /// How many requests have arrived that are not set aside.
    pub(super) fn arrived(&self) -> usize {
        self.arrived.len()
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    pub(super) const fn is_closed(&self) -> bool {
        self.closed
    }

    /// Lets the steps rest after a turn that took this long.
    pub(super) fn rest_after(&mut self, now: Instant, turn: Duration) {
        self.rested = Some(now + turn * REST);
    }

    /// Until when the steps rest. A queue that closes does not rest.
    fn rest(&self, now: Instant) -> Option<Instant> {
        self.rested.filter(|rested| !self.closed && *rested > now)
    }

    pub(super) fn next(&self, now: Instant) -> Next {
        if !self.arrived.is_empty() {
            return Next::Commit;
        }
        match (self.steps.is_empty(), self.rest(now)) {
            (false, None) => Next::Commit,
            (false, Some(rested)) => Next::WaitUntil(rested),
            (true, _) if self.closed => Next::End,
            (true, _) => Next::Wait,
        }
    }

    /// Takes the next group.
    ///
    /// Work that takes long lets the requests that arrived meanwhile go first, once, and no group has
    /// more of it than one turn. So a publisher waits for one turn at most, and a turn for one group and
    /// its rest.
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

/// What becomes of a request when a group is formed.
enum Judgement {
    Take,
    /// It waits for a turn.
    SetAside(Asker),
    /// It stays where it is for the next group.
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
    /// The events and bytes of owners who publish to themselves.
    published_by: HashMap<OwnerId, (usize, usize)>,
    /// Owners whose further publish requests stay, so that they keep their order.
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
            Request::Change(_) => Judgement::Take,
        }
    }

    /// Whether a change shares the group of the requests that are taken at once.
    fn goes_beside(&mut self, change: &ChangeRequest) -> bool {
        let named = change.step.targets.len();
        if self.changed + named > CHANGED_BESIDE {
            return false;
        }
        let of_asker = self.changed_by.entry(change.asker).or_default();
        // The first of each asker goes, however large.
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

    /// How many events each request of a group changes; 0 for a publish request.
    fn changed(taken: &TakenGroup) -> Vec<usize> {
        let published = taken.group.publications.iter().map(|_| 0);
        let changed = taken.group.steps.iter().map(|step| step.targets.len());
        published.chain(changed).collect()
    }

    /// The groups until nothing is left.
    fn groups(mut backlog: Backlog, is_shared: bool) -> Vec<Vec<usize>> {
        backlog.close();
        let now = Instant::now();
        let mut groups = Vec::new();
        while backlog.next(now) != Next::End {
            groups.push(changed(&backlog.take(now, is_shared)));
        }
        groups
    }

    #[test]
    fn requests_go_before_a_step_and_no_group_has_two() {
        let backlog = backlog([change(512), publish(), change(300), publish()]);
        assert_eq!(groups(backlog, true), [vec![0, 0], vec![512], vec![300]]);
    }

    #[test]
    fn a_step_waits_for_one_group_only() {
        let mut backlog = backlog([change(512)]);
        for expected in [vec![0], vec![0, 512], vec![0], vec![0]] {
            backlog.push(publish());
            assert_eq!(changed(&backlog.take(Instant::now(), true)), expected);
        }
    }

    #[test]
    fn small_steps_share_a_group() {
        let groups = groups(backlog((0..40).map(|_| change(20))), true);
        let sizes: Vec<usize> = groups.iter().map(|group| group.iter().sum()).collect();
        assert_eq!(sizes, [20, 500, 280]);
    }

    #[test]
    fn askers_take_turns() {
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
    fn a_flood_of_single_marks_leaves_room_for_those_of_others() {
        let [flooder, other] = [OwnerId::mint(), OwnerId::mint()].map(Asker::Owner);
        let mut requests: Vec<_> = (0..600).map(|_| change_by(flooder, 1)).collect();
        requests.push(change_by(other, 2));
        let first = backlog(requests).take(Instant::now(), true);
        let mut expected = vec![1; CHANGED_BESIDE_EACH];
        expected.push(2);
        assert_eq!(changed(&first), expected);
    }

    #[test]
    fn steps_rest_while_others_are_served() {
        let mut backlog = backlog([change(512), change(512)]);
        let now = Instant::now();
        assert_eq!(changed(&backlog.take(now, true)), [512]);
        let turn = Duration::from_millis(10);
        backlog.rest_after(now, turn);
        assert_eq!(backlog.next(now), Next::WaitUntil(now + turn * REST));
        for _ in 0..3 {
            backlog.push(publish());
            assert_eq!(changed(&backlog.take(now, true)), [0]);
        }
        let rested = now + turn * REST;
        assert_eq!(backlog.next(rested), Next::Commit);
        assert_eq!(changed(&backlog.take(rested, true)), [512]);
        assert_eq!(backlog.next(rested), Next::Wait);
    }

    #[test]
    fn a_closed_queue_does_not_rest() {
        let mut backlog = backlog([change(512), change(512)]);
        backlog.rest_after(Instant::now(), Duration::from_secs(3_600));
        assert_eq!(groups(backlog, true), [[512], [512]]);
    }

    #[test]
    fn one_owner_who_publishes_much_has_a_share_of_a_group() {
        let owner = Some(OwnerId::mint());
        let mut backlog = backlog((0..40).map(|_| publish_by(owner, OWN_BYTES / 4)));
        backlog.push(publish());
        let now = Instant::now();
        let taken = backlog.take(now, true);
        assert_eq!(taken.group.publications.len(), 4 + 1);
        assert_eq!(backlog.take(now, true).group.publications.len(), 4);
        // Without other owners there is nobody to wait for.
        assert_eq!(backlog.take(now, false).group.publications.len(), 32);
    }

    #[test]
    fn large_requests_of_an_owner_wait_for_a_turn() {
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
            Next::WaitUntil(now + Duration::from_millis(3))
        );
    }
}
