//! The outcomes of groups, compared with those of SQLite.

use tidings_event::{Change, EventId, OwnerId, Status};
use uuid::Uuid;

use super::{Database, moment, open_as, submission, update};
use crate::schedules::seeds::seeds;
use crate::store::sqlite::SqliteStore;
use crate::store::{ChangeStep, Committed, ContentUpdate, Group, Publication, Side, Store, Target};

/// The groups of one history.
const GROUPS: u64 = 60;

/// The histories.
const HISTORIES: usize = 12;

/// A source of random groups. The same seed gives the same groups.
struct Groups {
    random: fastrand::Rng,
    owners: Vec<OwnerId>,
    ids: Vec<EventId>,
    clock: u64,
}

impl Groups {
    fn new(seed: u64, system: OwnerId) -> Self {
        let id = |number: u128| Uuid::from_u128(0xE000 + number).into();
        let owner = |number: u128| OwnerId::from_uuid(Uuid::from_u128(0xA000 + number));
        Self {
            random: fastrand::Rng::with_seed(seed),
            owners: vec![owner(1), owner(2), owner(3), system],
            ids: (0..10).map(id).collect(),
            clock: 0,
        }
    }

    fn choose<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.random.usize(..of.len())]
    }

    fn owner(&mut self) -> OwnerId {
        let owners = self.owners.clone();
        self.choose(&owners)
    }

    fn id(&mut self) -> EventId {
        let ids = self.ids.clone();
        self.choose(&ids)
    }

    fn publication(&mut self, system: tidings_event::SystemId) -> Publication {
        let number = self.random.usize(1..4);
        let submissions = (0..number).map(|_| {
            let (id, owner) = (self.id(), self.owner());
            // Nearly always the same content for an id.
            let content = match self.random.u8(..8) {
                0 => 1,
                _ => 2 + u64::from(id.as_uuid().as_bytes()[15] % 16),
            };
            submission(id, owner, content, system)
        });
        Publication {
            submissions: submissions.collect(),
            quota: self.choose(&[None, None, Some(4_000), Some(1_500)]),
        }
    }

    fn step(&mut self) -> ChangeStep {
        self.clock += 1;
        let targets = (0..self.random.usize(1..6)).map(|_| Target {
            id: self.id(),
            side: self.choose(&[None, None, Some(Side::Own), Some(Side::System)]),
        });
        let targets = targets.collect();
        let read = Change::Status(Status::Read);
        let unread = Change::Status(Status::Unread);
        ChangeStep {
            owner: self.owner(),
            targets,
            change: self.choose(&[read, read, unread, Change::Delete]),
            only: self.choose(&[None, None, Some(Status::Unread), Some(Status::Read)]),
            systems: self
                .choose(&[None, None, None, Some(())])
                .map(|()| Vec::new()),
            at: moment(10_000 + self.clock),
        }
    }

    fn update(&mut self) -> ContentUpdate {
        self.clock += 1;
        let (id, owner) = (self.id(), self.owner());
        let number = self.random.u64(..16);
        ContentUpdate {
            sequence: self.choose(&[None, None, Some(1), Some(2), Some(3)]),
            renotify: self.random.u8(..4) == 0,
            quota: self.choose(&[None, None, Some(4_000), Some(1_500)]),
            event_bytes: self.choose(&[100_000, 100_000, 100_000, 600]),
            systems: self
                .choose(&[None, None, None, Some(())])
                .map(|()| Vec::new()),
            ..update(id, owner, number, self.clock)
        }
    }

    fn group(&mut self, system: tidings_event::SystemId) -> Group {
        Group {
            publications: (0..self.random.usize(..4))
                .map(|_| self.publication(system))
                .collect(),
            updates: (0..self.random.usize(..4)).map(|_| self.update()).collect(),
            steps: (0..self.random.usize(..5)).map(|_| self.step()).collect(),
            ..Group::default()
        }
    }
}

async fn commit(store: &dyn Store, group: Group) -> String {
    let committed = store.commit(Box::new(|| group)).await.unwrap();
    let Committed {
        published,
        updated,
        mut changed,
        ..
    } = committed;
    for step in &mut changed {
        let ended = step.ended.as_mut().expect("few overlays");
        ended.sort_unstable_by_key(|overlay| (overlay.owner, overlay.changed_rev));
    }
    format!("{published:#?}\n{updated:#?}\n{changed:#?}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_have_the_outcomes_that_they_have_in_sqlite() {
    let seeds = seeds(
        "groups_have_the_outcomes_that_they_have_in_sqlite",
        HISTORIES,
    );
    for seed in seeds {
        let directory = tempfile::tempdir().unwrap();
        let sqlite = SqliteStore::open(directory.path()).unwrap();
        let system = sqlite.identity().system;
        let database = Database::create();
        let postgres = open_as(&database, system).await;
        let mut groups = [
            Groups::new(seed, system.into()),
            Groups::new(seed, system.into()),
        ];
        for number in 0..GROUPS {
            let [one, other] = &mut groups;
            let expected = commit(&sqlite, one.group(system)).await;
            let found = commit(&postgres, other.group(system)).await;
            let lines = found.lines().zip(expected.lines());
            let different = lines
                .into_iter()
                .find(|(found, expected)| found != expected);
            assert_eq!(different, None, "group {number}");
            assert_eq!(found.len(), expected.len(), "group {number}");
        }
        let wrong = database.query(include_str!("../../../../tests/conformance/audit.sql"));
        assert!(wrong.is_empty(), "{wrong:?}");
        postgres.close().await;
        sqlite.close().await;
    }
}
