//! A history: an engine and the model beside it, with the readers of both.

use tidings::{Event, Tidings, wire};
use tidings_event::{OwnerId, Sort};

use super::steps::Step;
use crate::listed;
use crate::model::{Model, key_of, sort_events, user};
use crate::reader::Reader;
use crate::test_dir::TestDir;

/// The users of a history; one more owner is the system.
pub(super) const USERS: u8 = 3;

/// The readers of a history: two of each user, and one of the system's own feed.
pub(super) const READERS: usize = 2 * USERS as usize + 1;

pub(super) struct History {
    pub(super) tidings: Tidings,
    pub(super) system: OwnerId,
    pub(super) model: Model,
    pub(super) readers: Vec<Reader>,
    /// How many engines were opened.
    pub(super) engines: usize,
}

impl History {
    pub(super) async fn play(dir: &TestDir, steps: Vec<Step>) {
        let mut history = Self::begin(dir).await;
        for step in steps {
            history.take(dir, step).await;
        }
        history.end().await;
    }

    pub(super) async fn begin(dir: &TestDir) -> Self {
        let tidings = dir.open().await;
        let system = OwnerId::from(*tidings.system_id().as_uuid());
        Self {
            readers: (0..READERS)
                .map(|number| {
                    let owner = number / 2;
                    let owner = u8::try_from(owner).expect("there are few readers");
                    Reader::new(owner_of(owner, system), &tidings)
                })
                .collect(),
            model: Model::new(system),
            system,
            tidings,
            engines: 1,
        }
    }

    async fn take(&mut self, dir: &TestDir, step: Step) {
        match step {
            Step::Publish(sent) => self.publish(sent).await,
            Step::ChangeIds {
                owner,
                events,
                change,
            } => self.change_ids(owner, &events, change).await,
            update @ Step::Update { .. } => self.update(update).await,
            Step::Retract {
                event,
                owner,
                by_other,
            } => self.retract(event, owner, by_other).await,
            Step::FanOut { event, owners } => self.fan_out(event, owners).await,
            update @ Step::UpdateForAll { .. } => self.update_for_all(update).await,
            Step::RetractFromAll { event, by_other } => {
                self.retract_from_all(event, by_other).await;
            }
            Step::ChangeMatching {
                reader,
                filter,
                change,
            } => self.change_matching(reader, filter, change).await,
            Step::Reconnect { reader } => self.readers[reader].reconnect(&self.tidings).await,
            Step::Read { reader, items } => self.read(reader, items).await,
            Step::Cut { reader } => self.readers[reader].cut(),
            Step::List {
                owner,
                filter,
                sort,
                size,
            } => self.list(owner, filter, sort, size).await,
            Step::Restart { kept } => self.restart(dir, kept).await,
        }
    }

    async fn read(&mut self, reader: usize, items: usize) {
        let reader = &mut self.readers[reader];
        for _ in 0..items {
            if !reader.is_there() || reader.has_seen_all(&self.model) {
                break;
            }
            reader.checked_step(&self.model).await;
        }
    }

    pub(super) async fn end(mut self) {
        for number in 0..READERS {
            if !self.readers[number].is_there() {
                self.readers[number].reconnect(&self.tidings).await;
            }
            self.read(number, usize::MAX).await;
            let reader = &self.readers[number];
            assert!(reader.has_seen_all(&self.model));
            let owner = reader.owner();
            let listed = listed::all(&self.tidings, owner).await;
            let mut seen: Vec<_> = reader.inbox.values().cloned().collect();
            sort_events(&mut seen, Sort::default());
            assert_eq!(seen, listed, "the inbox of a reader is the list");
            self.compare(owner, &listed).await;
        }
        self.tidings.close().await;
    }

    async fn compare(&self, owner: OwnerId, listed: &[Event]) {
        let mut expected: Vec<_> = self.model.inbox(owner).into_values().collect();
        sort_events(&mut expected, Sort::default());
        let as_published: Vec<_> = listed
            .iter()
            .map(|event| {
                let mut event = event.clone();
                event.updated_at = event.created_at;
                event
            })
            .collect();
        assert_eq!(as_published, expected, "the list is the model's");
        let summary = self.tidings.summary(owner).await.expect("readable");
        let counts = self.model.summary_at(owner, summary.cursor);
        assert_eq!(summary.counts, counts);
        assert_eq!(summary.total_count, listed.len() as u64);
        let types = self.tidings.types(owner).await.expect("readable");
        assert_eq!(types, self.model.types(owner));
        let pairs = wire::Engine::of(&self.tidings).type_pairs(owner).await;
        assert_eq!(pairs.expect("readable"), self.model.type_pairs(owner));
        for id in self.model.ids() {
            let seen = self.tidings.get(owner, id).await.expect("readable");
            let meant = self.model.meant(owner, id);
            let expected = meant.and_then(|key| listed.iter().find(|event| key_of(event) == key));
            assert_eq!(seen.as_ref(), expected);
        }
    }
}

/// The owner with this number: a user, or after them the system.
pub(super) fn owner_of(number: u8, system: OwnerId) -> OwnerId {
    if number < USERS { user(number) } else { system }
}
