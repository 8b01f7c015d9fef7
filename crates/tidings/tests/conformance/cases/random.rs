//! Random histories: publishes, repeats, conflicts, readers that come and go, restarts.

use proptest::prelude::*;
use proptest::test_runner::{Config as Runs, TestRunner};
use tidings::{Event, EventFilter, PageRequest, PublishError, Tidings};
use tidings_event::{OwnerId, Severity};

use super::{builder, built};
use crate::model::{Model, user};
use crate::place::Place;
use crate::reader::Reader;

/// The users of a history; one more owner is the system.
const USERS: u8 = 3;

/// The readers of a history: two of each user.
const READERS: usize = 2 * USERS as usize;

/// How many histories are tried. Each opens stores on disk.
const HISTORIES: u32 = 48;

#[derive(Clone, Debug)]
enum Step {
    /// A request of these events.
    Publish(Vec<Sent>),
    /// A reader comes back where it was, even if it was there.
    ComeBack { reader: usize },
    /// A reader takes this many items, or what there is.
    Read { reader: usize, items: usize },
    /// A reader breaks off.
    Cut { reader: usize },
    /// The engine is closed and opened again.
    Restart,
}

#[derive(Clone, Debug)]
enum Sent {
    New {
        owner: u8,
        severity: Severity,
    },
    /// One of the events that are stored, chosen by a number.
    Repeat {
        of: usize,
    },
    /// The id of one of the events that are stored, with other content.
    Conflict {
        with: usize,
    },
}

fn sent() -> impl Strategy<Value = Sent> {
    let severity = prop::sample::select(&Severity::ALL[..])
        .prop_filter("error events need a cause", |severity| {
            *severity != Severity::Error
        });
    prop_oneof![
        8 => (0..=USERS, severity).prop_map(|(owner, severity)| Sent::New { owner, severity }),
        1 => any::<usize>().prop_map(|of| Sent::Repeat { of }),
        1 => any::<usize>().prop_map(|with| Sent::Conflict { with }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => prop::collection::vec(sent(), 1..6).prop_map(Step::Publish),
        3 => (0..READERS).prop_map(|reader| Step::ComeBack { reader }),
        6 => (0..READERS, 1..8_usize).prop_map(|(reader, items)| Step::Read { reader, items }),
        1 => (0..READERS).prop_map(|reader| Step::Cut { reader }),
        1 => Just(Step::Restart),
    ]
}

/// Whatever happens, every reader sees its two feeds once each and in order, the counts and lists
/// agree with what was acknowledged, and nothing of a refused request is there.
pub(crate) fn histories_agree_with_the_model(place: fn() -> Place) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime starts");
    let mut runner = TestRunner::new(Runs {
        cases: HISTORIES,
        failure_persistence: None,
        ..Runs::default()
    });
    runner
        .run(&prop::collection::vec(step(), 1..60), |history| {
            runtime.block_on(play(&place(), history));
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
}

async fn play(place: &Place, history: Vec<Step>) {
    let mut tidings = place.open().await;
    let mut model = Model::default();
    let mut readers: Vec<_> = (0..READERS)
        .map(|number| Reader::new(reader_user(number), &tidings))
        .collect();
    for step in history {
        match step {
            Step::Publish(sent) => publish(&tidings, &mut model, sent).await,
            Step::ComeBack { reader } => readers[reader].come_back(&tidings).await,
            Step::Read { reader, items } => read(&mut readers[reader], items, &model).await,
            Step::Cut { reader } => readers[reader].cut(),
            Step::Restart => {
                readers.iter_mut().for_each(Reader::cut);
                tidings.close().await;
                tidings = place.open().await;
            }
        }
    }
    for reader in &mut readers {
        if !reader.is_there() {
            reader.come_back(&tidings).await;
        }
        read(reader, usize::MAX, &model).await;
        assert!(reader.has_seen_all(&model));
    }
    check_lists(&tidings, &model).await;
    tidings.close().await;
}

fn reader_user(number: usize) -> OwnerId {
    user(u8::try_from(number / 2).expect("there are few readers"))
}

async fn read(reader: &mut Reader, items: usize, model: &Model) {
    for _ in 0..items {
        if !reader.is_there() || reader.has_seen_all(model) {
            break;
        }
        reader.checked_step(model).await;
    }
}

async fn publish(tidings: &Tidings, model: &mut Model, sent: Vec<Sent>) {
    let mut conflict = None;
    let mut events: Vec<Event> = Vec::new();
    for (index, sent) in sent.into_iter().enumerate() {
        let stored = model.events().count();
        match sent {
            Sent::Repeat { of } if stored > 0 => events.push(nth(model, of % stored)),
            Sent::Conflict { with } if stored > 0 => {
                let mut event = nth(model, with % stored);
                event.description.push_str(", but different");
                conflict = conflict.or(Some((index, event.id)));
                events.push(event);
            }
            Sent::New { owner, severity } => {
                let owner = (owner < USERS).then(|| user(owner));
                events.push(built(builder(owner).with_severity(severity)));
            }
            // Nothing is stored yet.
            Sent::Repeat { .. } | Sent::Conflict { .. } => events.push(built(builder(None))),
        }
    }
    match (tidings.publish_batch(events).await, conflict) {
        (Ok(receipts), None) => model.accept(receipts),
        (Err(PublishError::Conflict { index, id }), Some(expected)) => {
            assert_eq!((index, id), expected);
        }
        (other, expected) => panic!("expected conflict {expected:?}, got {other:?}"),
    }
}

/// The n-th of the events that are stored, in the order of their ids.
fn nth(model: &Model, number: usize) -> Event {
    let mut events: Vec<_> = model.events().collect();
    events.sort_by_key(|event| event.id);
    events[number].clone()
}

async fn check_lists(tidings: &Tidings, model: &Model) {
    let system = OwnerId::from(*tidings.system_id().as_uuid());
    for number in 0..USERS {
        let owner = user(number);
        let page = tidings
            .list(
                owner,
                EventFilter::default(),
                PageRequest {
                    size: 1000,
                    ..PageRequest::default()
                },
            )
            .await
            .expect("the store can be read");
        assert_eq!(
            page.events.iter().collect::<Vec<_>>(),
            model.list(owner, system)
        );
        assert_eq!(page.total_count, page.events.len() as u64);
        assert_eq!(page.cursor.own, model.head(owner));
        assert_eq!(page.cursor.system, model.head(system));
        for event in model.events() {
            let seen = tidings
                .get(owner, event.id)
                .await
                .expect("the store can be read");
            let may_see = event.owner == Some(owner) || event.owner == Some(system);
            assert_eq!(seen.as_ref(), may_see.then_some(event));
        }
    }
}
