//! Random histories: publish requests, repeats, conflicts, changes of every kind, readers that connect and
//! disconnect, restarts that keep fewer events.

use std::collections::HashMap;
use std::time::Duration;

use proptest::prelude::*;
use tidings::wire;
use tidings::{
    Change, Event, EventFilter, PageRequest, PublishError, Selection, SqliteConfig, Status,
    Tidings, UpdateError,
};
use tidings_event::{
    Cursor, EventId, OwnerId, OwnerKind, Paging, ResourceId, Rev, Severity, Sort, SortKey,
    SortOrder,
};
use uuid::Uuid;

use super::{builder, built};
use crate::listed;
use crate::model::{
    Content, EventKey, Model, UpdateOutcome, key_of, lets_through, sort_events, user,
};
use crate::reader::{Reader, STUCK};
use crate::seeds;
use crate::test_dir::TestDir;

/// The users of a history; one more owner is the system.
const USERS: u8 = 3;

/// The user whose feed shows that retention has scanned all feeds.
const WITNESS: u8 = USERS;

/// The readers of a history: two of each user, and one of the system's own feed.
const READERS: usize = 2 * USERS as usize + 1;

/// Longer than any history takes, so that retention runs once, at the start of an engine.
const RETENTION_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

/// The bytes of a page that are read at once: one event, a few, or all.
const PAGE_BYTES: std::ops::Range<usize> = 0..12_000;

/// The events of a large request: more than the row of a feed holds.
const LARGE: std::ops::Range<usize> = SqliteConfig::DEFAULT_NEWEST_EVENTS + 1..120;

/// How many random histories run. Each opens stores on disk.
const HISTORIES: usize = 64;

const CATEGORIES: [&str; 2] = ["deployment", "connection"];
const ACTIONS: [&str; 3] = ["apply", "register", "ping"];
const TEXTS: [&str; 5] = [
    "Could NOT deploy",
    "Straße gesperrt",
    "ΟΔΟΣ 100%",
    "50_000 rows",
    "",
];
const SEARCHES: [&str; 7] = ["not d", "STRASSE", "οδο", "%", "_", "o", "absent"];

#[derive(Clone, Debug)]
enum Step {
    /// One publish request with these events.
    Publish(Vec<Sent>),
    /// An owner changes events of any owner, which are chosen by numbers.
    ChangeIds {
        owner: u8,
        events: Vec<usize>,
        change: Change,
    },
    /// A publisher updates an event, which is chosen by a number.
    Update {
        event: usize,
        severity: Option<Severity>,
        text: &'static str,
        progress: Option<u8>,
        sequence: Option<u64>,
        renotify: bool,
    },
    /// The owner of a reader changes all matching events, up to the reader's position if it has one.
    ChangeMatching {
        reader: usize,
        filter: EventFilter,
        change: Change,
    },
    /// A reader reconnects at its position, even if it is connected.
    Reconnect { reader: usize },
    /// A reader reads this many items, or as many as there are.
    Read { reader: usize, items: usize },
    /// A reader disconnects.
    Cut { reader: usize },
    /// A list is compared with the model.
    List {
        owner: u8,
        filter: EventFilter,
        sort: Sort,
        size: u64,
    },
    /// The engine restarts, and keeps this many events of each owner and of the system.
    Restart { kept: Option<u8> },
}

#[derive(Clone, Debug)]
enum Sent {
    New {
        owner: u8,
        severity: Severity,
        category: &'static str,
        action: &'static str,
        text: &'static str,
        /// Seconds: events of the same moment are common.
        moment: u64,
    },
    /// A published event, chosen by a number.
    Repeat { of: usize },
    /// The id of a published event, with other content.
    Conflict { with: usize },
    /// A published event for any owner, perhaps with other content.
    Copied {
        of: usize,
        owner: u8,
        is_changed: bool,
    },
}

fn severity() -> impl Strategy<Value = Severity> {
    prop::sample::select(&Severity::ALL[..]).prop_filter("error events need a cause", |severity| {
        *severity != Severity::Error
    })
}

fn sent() -> impl Strategy<Value = Sent> {
    let new = (
        0..=USERS,
        severity(),
        prop::sample::select(&CATEGORIES[..]),
        prop::sample::select(&ACTIONS[..]),
        prop::sample::select(&TEXTS[..]),
        0..5_u64,
    );
    prop_oneof![
        8 => new.prop_map(|(owner, severity, category, action, text, moment)| Sent::New {
            owner, severity, category, action, text, moment,
        }),
        1 => any::<usize>().prop_map(|of| Sent::Repeat { of }),
        1 => any::<usize>().prop_map(|with| Sent::Conflict { with }),
        4 => (any::<usize>(), 0..=USERS, prop::bool::weighted(0.2))
            .prop_map(|(of, owner, is_changed)| Sent::Copied { of, owner, is_changed }),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => Just(Change::Status(Status::Read)),
        2 => Just(Change::Status(Status::Unread)),
        1 => Just(Change::Delete),
    ]
}

fn filter() -> impl Strategy<Value = EventFilter> {
    let status = prop::option::of(prop::sample::select(vec![Status::Read, Status::Unread]));
    let kind = prop::option::of(prop::sample::select(vec![
        OwnerKind::User,
        OwnerKind::System,
    ]));
    let search = prop::option::weighted(0.3, prop::sample::select(&SEARCHES[..]));
    let category = prop::option::weighted(0.3, prop::sample::select(&CATEGORIES[..]));
    let action = prop::option::weighted(0.2, prop::sample::select(&ACTIONS[..]));
    let severities = prop::collection::vec(severity(), 0..3);
    let times = (
        prop::option::weighted(0.2, 0..5_u64),
        prop::option::weighted(0.2, 0..6_u64),
    );
    let about = prop::option::weighted(0.1, 0..2_u128);
    (
        status, kind, search, category, action, severities, times, about,
    )
        .prop_map(
            |(status, owner_kind, search, category, action, severity, (from, to), about)| {
                let mut filter = EventFilter::default();
                filter.status = status;
                filter.owner_kind = owner_kind;
                filter.search = search.map(str::to_owned);
                filter.category = category.iter().map(|name| parsed(name)).collect();
                filter.action = action.iter().map(|name| parsed(name)).collect();
                filter.severity = severity;
                filter.from = from.map(at);
                filter.to = to.map(at);
                filter.acted_upon = about
                    .map(|number| ResourceId::from(Uuid::from_u128(0xD00 + number)))
                    .into_iter()
                    .collect();
                filter.operation_id = None;
                filter
            },
        )
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Debug>>(name: &str) -> T {
    name.parse().expect("the test's name is snake_case")
}

fn at(seconds: u64) -> tidings_event::Timestamp {
    tidings_event::Timestamp::UNIX_EPOCH + Duration::from_secs(1_000_000_000 + seconds)
}

fn sort() -> impl Strategy<Value = Sort> {
    (
        prop::sample::select(vec![SortKey::CreatedAt, SortKey::UpdatedAt]),
        prop::sample::select(vec![SortOrder::Ascending, SortOrder::Descending]),
    )
        .prop_map(|(key, order)| Sort { key, order })
}

fn update() -> impl Strategy<Value = Step> {
    let numbers = (
        prop::option::of(0..3_u8),
        prop::option::weighted(0.5, 0..6_u64),
        prop::bool::weighted(0.2),
    );
    let texts = prop::sample::select(&TEXTS[..]);
    let severities = prop::option::weighted(0.5, severity());
    (any::<usize>(), severities, texts, numbers).prop_map(
        |(event, severity, text, (progress, sequence, renotify))| Step::Update {
            event,
            severity,
            text,
            progress,
            sequence,
            renotify,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        18 => prop::collection::vec(sent(), 1..6).prop_map(Step::Publish),
        1 => (0..=USERS, prop::collection::vec(sent(), LARGE)).prop_map(large),
        15 => (0..=USERS, prop::collection::vec(any::<usize>(), 1..5), change())
            .prop_map(|(owner, events, change)| Step::ChangeIds { owner, events, change }),
        12 => update(),
        6 => (0..READERS, filter(), change())
            .prop_map(|(reader, filter, change)| Step::ChangeMatching { reader, filter, change }),
        9 => (0..READERS).prop_map(|reader| Step::Reconnect { reader }),
        18 => (0..READERS, 1..8_usize).prop_map(|(reader, items)| Step::Read { reader, items }),
        3 => (0..READERS).prop_map(|reader| Step::Cut { reader }),
        9 => (0..=USERS, filter(), sort(), 1..20_u64)
            .prop_map(|(owner, filter, sort, size)| Step::List { owner, filter, sort, size }),
        3 => prop::option::of(0..8_u8).prop_map(|kept| Step::Restart { kept }),
    ]
}

/// A request whose new events are for one owner.
fn large((to, mut sent): (u8, Vec<Sent>)) -> Step {
    for one in &mut sent {
        if let Sent::New { owner, .. } | Sent::Copied { owner, .. } = one {
            *owner = to;
        }
    }
    // One conflict would reject all.
    sent.retain(|one| {
        !matches!(
            one,
            Sent::Conflict { .. }
                | Sent::Copied {
                    is_changed: true,
                    ..
                }
        )
    });
    Step::Publish(sent)
}

/// Every reader ends with the events of the list, the counts agree with the model at every cursor, lists and
/// bulk changes match the same events as the model, and rejected requests store nothing.
pub(crate) fn histories_agree_with_the_model(test_dir: fn() -> TestDir) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime starts");
    let histories = (PAGE_BYTES, prop::collection::vec(step(), 1..80));
    seeds::check("histories", HISTORIES, &histories, |(bytes, history)| {
        let dir = test_dir().with_page_bytes(bytes);
        runtime.block_on(History::play(&dir, history));
        dir.audit();
        Ok(())
    });
}

/// The model deletes all excess events at a restart, but retention works in the background: it can reach a
/// feed late, and then delete events that were published after the restart. Here it has to empty the feeds
/// of many other owners first. A history must wait for it although the history's own feeds are already
/// empty.
pub(crate) async fn a_history_waits_until_retention_has_scanned_all_feeds(dir: TestDir) {
    let mut history = History::begin(&dir).await;
    // Retention scans 256 feeds at a time, and deletes 512 events at a time.
    let others = (100..).map(|number| OwnerId::from(Uuid::from_u128(number)));
    let others: Vec<_> = others.take(300).collect();
    let events = others
        .iter()
        .flat_map(|owner| std::iter::repeat_n(*owner, 3))
        .map(|owner| built(builder(Some(owner))));
    let published = history.tidings.publish_batch(events.collect()).await;
    published.expect("the events are new");
    history.restart(&dir, Some(0)).await;
    let sent = |owner| Sent::New {
        owner,
        severity: Severity::Success,
        category: CATEGORIES[0],
        action: ACTIONS[0],
        text: TEXTS[0],
        moment: 0,
    };
    history.publish((0..=USERS).map(sent).collect()).await;
    for owner in others {
        until_at(&history.tidings, owner, Rev::new(6)).await;
    }
    history.end().await;
}

struct History {
    tidings: Tidings,
    system: OwnerId,
    model: Model,
    readers: Vec<Reader>,
    /// How many engines were opened.
    engines: usize,
}

impl History {
    async fn play(dir: &TestDir, steps: Vec<Step>) {
        let mut history = Self::begin(dir).await;
        for step in steps {
            history.take(dir, step).await;
        }
        history.end().await;
    }

    async fn begin(dir: &TestDir) -> Self {
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

    async fn publish(&mut self, sent: Vec<Sent>) {
        let published = self.model.keys();
        let mut events: Vec<Event> = Vec::new();
        for sent in sent {
            let nth = |number: usize| {
                let key = published[number % published.len()];
                let event = self.model.published(key);
                event.expect("it was published").clone()
            };
            match sent {
                Sent::Repeat { of } if !published.is_empty() => events.push(nth(of)),
                Sent::Conflict { with } if !published.is_empty() => {
                    let mut event = nth(with);
                    event.description.push_str(", but different");
                    events.push(event);
                }
                Sent::Copied {
                    of,
                    owner,
                    is_changed,
                } if !published.is_empty() => {
                    let mut event = nth(of);
                    event.owner = Some(owner_of(owner, self.system));
                    if is_changed {
                        event.description.push_str(", for another");
                    }
                    events.push(event);
                }
                Sent::New {
                    owner,
                    severity,
                    category,
                    action,
                    text,
                    moment,
                } => {
                    let owner = (owner < USERS).then(|| user(owner));
                    let builder = builder(owner)
                        .with_severity(severity)
                        .with_category(category)
                        .with_action(action)
                        .with_description(text);
                    let mut event = built(builder);
                    event.created_at = at(moment);
                    events.push(event);
                }
                // No event was published yet.
                Sent::Repeat { .. } | Sent::Conflict { .. } | Sent::Copied { .. } => {
                    events.push(built(builder(None)));
                }
            }
        }
        let conflict = self.conflict(&events);
        match (self.tidings.publish_batch(events).await, conflict) {
            (Ok(receipts), None) => self.model.accept(receipts),
            (Err(PublishError::Conflict { index, id }), Some(expected)) => {
                assert_eq!((index, id), expected);
            }
            (other, expected) => panic!("expected conflict {expected:?}, got {other:?}"),
        }
    }

    /// The first of these events whose owner has its id with other content, from before or from the same
    /// request. The events differ by their descriptions.
    fn conflict(&self, events: &[Event]) -> Option<(usize, EventId)> {
        let mut before: HashMap<EventKey, &Event> = HashMap::new();
        events.iter().enumerate().find_map(|(index, event)| {
            let key = (event.owner.unwrap_or(self.system), event.id);
            let known = before.get(&key).copied();
            let known = known.or_else(|| self.model.published(key)).unwrap_or(event);
            before.insert(key, known);
            (known.description != event.description).then_some((index, event.id))
        })
    }

    async fn change_ids(&mut self, owner: u8, events: &[usize], change: Change) {
        let published = self.model.ids();
        if published.is_empty() {
            return;
        }
        let owner = owner_of(owner, self.system);
        let ids: Vec<_> = events
            .iter()
            .map(|number| published[number % published.len()])
            .collect();
        let selection = Selection::ids(ids.iter().copied());
        let changed = self.tidings.change(owner, selection, change).await;
        let expected = self.model.change_ids(owner, &ids, change);
        assert_eq!(changed.expect("it is changed").ids, expected);
    }

    async fn update(&mut self, step: Step) {
        let Step::Update {
            event,
            severity,
            text,
            progress,
            sequence,
            renotify,
        } = step
        else {
            return;
        };
        let published = self.model.keys();
        if published.is_empty() {
            return;
        }
        let key = published[event % published.len()];
        // The severity that it was published with, if no other is given.
        let first = self.model.published(key).expect("it was published");
        let severity = severity.unwrap_or(first.severity);
        let mut builder = Event::update(key.1)
            .with_severity(severity)
            .with_description(text);
        if key.0 != self.system {
            builder = builder.for_user(key.0);
        }
        if let Some(progress) = progress {
            builder = builder.with_metadata([("progress", progress)]);
        }
        if let Some(sequence) = sequence {
            builder = builder.with_sequence(sequence);
        }
        if renotify {
            builder = builder.renotify();
        }
        let content = Content {
            severity,
            description: text.to_owned(),
            metadata: progress.map(|progress| {
                let entry = ("progress".to_owned(), progress.into());
                std::iter::once(entry).collect()
            }),
            is_unread: renotify,
        };
        let expected = self.model.update(key, content, sequence);
        let update = builder.build().expect("the test's update keeps the rules");
        let outcome = match self.tidings.update(update).await {
            Ok(receipt) if receipt.repeated && receipt.warnings.is_empty() => {
                UpdateOutcome::Repeated
            }
            Ok(receipt) if receipt.repeated => UpdateOutcome::Outdated,
            Ok(receipt) => {
                assert_eq!(receipt.rev, Some(self.model.head(key.0)));
                UpdateOutcome::Updated
            }
            Err(UpdateError::NotFound) => UpdateOutcome::NotFound,
            Err(UpdateError::OnlyTexts { .. }) => UpdateOutcome::OnlyTexts,
            Err(other) => panic!("unexpected {other}"),
        };
        assert_eq!(outcome, expected);
    }

    async fn change_matching(&mut self, reader: usize, filter: EventFilter, change: Change) {
        let owner = self.readers[reader].owner();
        // A cursor from before a reset works, too.
        let seen = self.readers[reader].cursor;
        let selection = match (filter.is_empty(), seen) {
            (true, up_to) => Selection::All { up_to },
            (false, Some(up_to)) => Selection::Filter {
                filter: Box::new(filter.clone()),
                up_to,
            },
            (false, None) => return,
        };
        let summary = self.tidings.summary(owner).await.expect("readable");
        let up_to: Cursor = seen.unwrap_or(summary.cursor);
        let mut expected = 0;
        for key in self.model.matching(owner, &filter, up_to) {
            expected += u64::from(self.model.change(owner, key, change));
        }
        let changed = self.tidings.change(owner, selection, change).await;
        let changed = changed.expect("it is changed");
        assert_eq!(changed.count, expected, "{filter:?}");
    }

    async fn list(&mut self, owner: u8, filter: EventFilter, sort: Sort, size: u64) {
        let owner = owner_of(owner, self.system);
        // The model does not know when an event was changed, so the list of the engine is filtered.
        let all = listed::all(&self.tidings, owner).await;
        let mut expected: Vec<_> = all
            .into_iter()
            .filter(|event| lets_through(&filter, event, self.system))
            .collect();
        sort_events(&mut expected, sort);
        let by_token = listed::by_token(&self.tidings, owner, &filter, sort, size).await;
        assert_eq!(by_token, expected, "{filter:?} {sort:?}");
        let request = PageRequest::default()
            .with_paging(Paging::Number(1))
            .with_size(size)
            .with_sort(sort);
        let page = self.tidings.list(owner, filter.clone(), request).await;
        let page = page.expect("the store can be read");
        assert_eq!(page.total_count, Some(expected.len() as u64), "{filter:?}");
        let size = usize::try_from(size).expect("pages are small");
        let second: Vec<_> = expected.into_iter().skip(size).take(size).collect();
        assert_eq!(page.events, second, "{filter:?} {sort:?}");
    }

    async fn restart(&mut self, dir: &TestDir, kept: Option<u8>) {
        self.readers.iter_mut().for_each(Reader::cut);
        if let Some(kept) = kept {
            self.publish_to_witness(kept).await;
            for owner in self.owners() {
                self.model.keep_newest(owner, kept.into());
            }
        }
        self.tidings.close().await;
        dir.between_engines().await;
        let mut config = dir.config_after(self.engines);
        self.engines += 1;
        config.retention.interval = RETENTION_INTERVAL;
        if let Some(kept) = kept {
            config.retention.owner_events = Some(kept.into());
            config.retention.system_events = kept.into();
        }
        let opened = Tidings::open(config).await;
        self.tidings = opened.expect("an engine opens where none is open");
        for owner in self.owners() {
            until_at(&self.tidings, owner, self.model.head(owner)).await;
        }
    }

    /// Publishes one event more than are kept to an owner without readers. Retention scans the few feeds of a
    /// history in one snapshot. Once it has deleted that event, it deletes no event that is published
    /// later.
    async fn publish_to_witness(&mut self, kept: u8) {
        let events = (0..=kept).map(|_| built(builder(Some(user(WITNESS)))));
        let receipts = self.tidings.publish_batch(events.collect()).await;
        self.model.accept(receipts.expect("the events are new"));
    }

    /// All owners that the model knows.
    fn owners(&self) -> impl Iterator<Item = OwnerId> + use<> {
        let system = self.system;
        (0..=USERS)
            .map(move |owner| owner_of(owner, system))
            .chain([user(WITNESS)])
    }

    async fn end(mut self) {
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

/// Waits until retention has brought the feed of `owner` to `head`.
async fn until_at(tidings: &Tidings, owner: OwnerId, head: Rev) {
    let is_system = owner.as_uuid() == tidings.system_id().as_uuid();
    let tidied = async {
        loop {
            let summary = tidings.summary(owner).await.expect("readable");
            let own = match is_system {
                true => summary.cursor.system,
                false => summary.cursor.own,
            };
            if own == head {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(STUCK, tidied)
        .await
        .expect("what is not to be kept goes");
}

/// The owner with this number: a user, or after them the system.
fn owner_of(number: u8, system: OwnerId) -> OwnerId {
    if number < USERS { user(number) } else { system }
}
