//! The newest events of a feed, which are in no list yet. The feed's row holds them, so that a publish
//! request writes one place of its owner and not one in each list.

mod encoding;

use rusqlite::Row;
use tidings_event::{Action, Category, EventId, EventType, Rev};
use uuid::Uuid;

use super::blob::{BlobReader, unreadable};
use super::lists::Listed;
use crate::store::kind::Kind;
use encoding::{Encoding, HAS_NEW_CONTENT, IS_CHANGED, IS_UPDATED, VERSION};

/// The newest events of a feed, in the order of their revs.
#[derive(Clone, Debug, Default)]
pub(super) struct Newest {
    events: Vec<NewestEvent>,
    /// The types of these events, each once. Those of events that are gone can be among them.
    types: Vec<EventType>,
    /// The first of these events as the feed's row has them.
    encoding: Encoding,
}

/// One of them.
#[derive(Clone, Copy, Debug)]
struct NewestEvent {
    listed: Listed,
    /// The index of its type.
    of_type: usize,
}

/// The least bytes of a type and of an event.
const TYPE_BYTES: usize = 4;
const EVENT_BYTES: usize = 21;

impl Newest {
    pub(super) const fn len(&self) -> usize {
        self.events.len()
    }

    /// About how many bytes of memory they take.
    pub(super) fn memory(&self) -> usize {
        let names = self.types.iter();
        let names =
            names.map(|of_type| of_type.category.as_str().len() + of_type.action.as_str().len());
        self.events.capacity() * size_of::<NewestEvent>()
            + self.types.capacity() * size_of::<EventType>()
            + names.sum::<usize>()
            + self.encoding.memory()
    }

    /// The events in the order of their revs.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Listed> {
        self.events.iter().map(|event| &event.listed)
    }

    /// The events with their types.
    pub(super) fn with_types(&self) -> impl Iterator<Item = (&Listed, &EventType)> {
        self.events
            .iter()
            .map(|event| (&event.listed, &self.types[event.of_type]))
    }

    /// Those that were created after a rev and up to another.
    pub(super) fn between(&self, after: Rev, up_to: Rev) -> impl Iterator<Item = &Listed> {
        let first = self.index_after(after);
        let events = self.events[first..].iter().map(|event| &event.listed);
        events.take_while(move |event| event.created_rev <= up_to)
    }

    /// The index of the first event after a rev.
    fn index_after(&self, rev: Rev) -> usize {
        self.events
            .partition_point(|event| event.listed.created_rev <= rev)
    }

    /// Appends an event, whose rev is higher than all.
    pub(super) fn push(&mut self, listed: Listed, category: &Category, action: &Action) {
        debug_assert!(
            self.iter()
                .next_back()
                .is_none_or(|last| last.created_rev < listed.created_rev)
        );
        // A feed has few types, so their names are copied rarely.
        let is_same = |known: &EventType| known.category == *category && known.action == *action;
        let of_type = self.types.iter().rposition(is_same).unwrap_or_else(|| {
            self.types.push(EventType {
                category: category.clone(),
                action: action.clone(),
            });
            self.types.len() - 1
        });
        self.events.push(NewestEvent { listed, of_type });
    }

    /// Takes the last event back.
    pub(super) fn pop(&mut self) -> Option<Listed> {
        let event = self.events.pop()?;
        self.encoding.changed(self.events.len());
        Some(event.listed)
    }

    /// The event that was created at a rev.
    pub(super) fn at_mut(&mut self, rev: Rev) -> Option<&mut Listed> {
        let index = self.index_of(rev)?;
        self.encoding.changed(index);
        Some(&mut self.events[index].listed)
    }

    /// Removes the event that was created at a rev.
    pub(super) fn remove(&mut self, rev: Rev) -> Option<Listed> {
        let index = self.index_of(rev)?;
        self.encoding.changed(index);
        Some(self.events.remove(index).listed)
    }

    fn index_of(&self, rev: Rev) -> Option<usize> {
        self.events
            .binary_search_by_key(&rev, |event| event.listed.created_rev)
            .ok()
    }

    /// As the column `feed.newest` has them. No events are an empty blob.
    pub(super) fn encoded(&mut self) -> &[u8] {
        self.encoding.of(&mut self.events, &mut self.types)
    }

    /// Reads the column `index` of a feed that is going to change: what is there is kept for the next blob.
    pub(super) fn read_to_change(row: &Row<'_>, index: usize) -> rusqlite::Result<Self> {
        let blob = row.get_ref(index)?.as_blob()?;
        let (mut newest, count_at) =
            Self::parse(blob).ok_or_else(|| unreadable("newest", index, blob))?;
        if let Some(count_at) = count_at {
            newest.encoding =
                Encoding::read(blob, count_at, newest.events.len(), newest.types.len());
        }
        Ok(newest)
    }

    /// Reads the column `index`.
    pub(super) fn read(row: &Row<'_>, index: usize) -> rusqlite::Result<Self> {
        Self::from_blob(row.get_ref(index)?.as_blob()?, index)
    }

    /// Reads the blob of the column `index`.
    pub(super) fn from_blob(blob: &[u8], index: usize) -> rusqlite::Result<Self> {
        let (newest, _) = Self::parse(blob).ok_or_else(|| unreadable("newest", index, blob))?;
        Ok(newest)
    }

    /// Reads a blob, and says at which index it has the number of events, if that is one byte.
    fn parse(blob: &[u8]) -> Option<(Self, Option<usize>)> {
        let mut newest = Self::default();
        if blob.is_empty() {
            return Some((newest, None));
        }
        let mut reader = BlobReader::new(blob);
        if reader.byte()? != VERSION {
            return None;
        }
        let types = reader.count(TYPE_BYTES)?;
        newest.types.reserve(types);
        for _ in 0..types {
            newest.types.push(EventType {
                category: name(&mut reader)?,
                action: name(&mut reader)?,
            });
        }
        let count_at = reader.position();
        let events = reader.count(EVENT_BYTES)?;
        let is_byte = reader.position() == count_at + 1;
        newest.events.reserve(events + 1);
        let (mut rev, mut key, mut created_at) = (0_u64, 0_i64, 0_i64);
        for _ in 0..events {
            let flags = reader.byte()?;
            let kind = Kind::from_number(flags & !(IS_CHANGED | IS_UPDATED | HAS_NEW_CONTENT))?;
            let step = reader.number()?;
            rev = rev.checked_add(step).filter(|_| step > 0)?;
            key = key.wrapping_add(reader.signed()?);
            created_at = created_at.wrapping_add(reader.signed()?);
            let of_type = usize::try_from(reader.number()?).ok()?;
            if of_type >= types {
                return None;
            }
            let id = Uuid::from_slice(reader.bytes(16)?).ok()?;
            let changed_rev = match flags & IS_CHANGED {
                0 => None,
                _ => Some(Rev::new(rev.wrapping_add(reader.number()?))),
            };
            let updated_at = match flags & IS_UPDATED {
                0 => created_at,
                _ => created_at.wrapping_add(reader.signed()?),
            };
            let content_rev = match flags & HAS_NEW_CONTENT {
                0 => None,
                _ => Some(Rev::new(rev.wrapping_add(reader.number()?))),
            };
            let listed = Listed {
                key,
                id: EventId::from_uuid(id),
                created_rev: Rev::new(rev),
                changed_rev,
                content_rev,
                kind,
                created_at,
                updated_at,
            };
            newest.events.push(NewestEvent { listed, of_type });
        }
        reader
            .is_at_end()
            .then_some((newest, is_byte.then_some(count_at)))
    }
}

/// Reads a category or an action.
fn name<T: std::str::FromStr>(reader: &mut BlobReader<'_>) -> Option<T> {
    let bytes = reader.count(1)?;
    std::str::from_utf8(reader.bytes(bytes)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An encoding of all at once.
    fn blob_of(newest: &Newest) -> Vec<u8> {
        let (mut events, mut types) = (newest.events.clone(), newest.types.clone());
        Encoding::default().of(&mut events, &mut types).to_vec()
    }

    fn read_to_change(blob: &[u8]) -> Newest {
        let database = rusqlite::Connection::open_in_memory().unwrap();
        let read = |row: &Row<'_>| Newest::read_to_change(row, 0);
        database.query_row("SELECT ?1", [blob], read).unwrap()
    }

    const NAMES: [&str; 3] = ["deployment", "connection", "a"];

    fn of_type(number: usize) -> EventType {
        EventType {
            category: NAMES[number % 3].parse().unwrap(),
            action: NAMES[number / 3].parse().unwrap(),
        }
    }

    fn event() -> impl Strategy<Value = (Listed, usize)> {
        let fields = (any::<i64>(), any::<u128>(), any::<i64>(), any::<i64>());
        let revs = (any::<Option<u32>>(), any::<Option<u32>>());
        let more = (0..16_u8, 0..9_usize, revs, any::<bool>());
        (fields, more).prop_map(
            |(
                (key, id, created_at, updated_at),
                (kind, of_type, (changed, content), is_updated),
            )| {
                let listed = Listed {
                    key,
                    id: EventId::from_uuid(Uuid::from_u128(id)),
                    created_rev: Rev::ZERO,
                    changed_rev: changed.map(|rev| Rev::new(rev.into())),
                    content_rev: content.map(|rev| Rev::new(rev.into())),
                    kind: Kind::from_number(kind).unwrap(),
                    created_at,
                    updated_at: if is_updated { updated_at } else { created_at },
                };
                (listed, of_type)
            },
        )
    }

    /// A step of the newest events of a feed.
    #[derive(Clone, Debug)]
    enum Step {
        Push((Listed, usize)),
        Pop,
        Remove(prop::sample::Index),
        Change(prop::sample::Index),
        Write,
        Read,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            8 => event().prop_map(Step::Push),
            1 => Just(Step::Pop),
            1 => any::<prop::sample::Index>().prop_map(Step::Remove),
            1 => any::<prop::sample::Index>().prop_map(Step::Change),
            4 => Just(Step::Write),
            1 => Just(Step::Read),
        ]
    }

    fn newest() -> impl Strategy<Value = Newest> {
        prop::collection::vec((event(), 1..1_000_000_u64), 0..80).prop_map(|events| {
            let (mut newest, mut rev) = (Newest::default(), 0);
            for ((mut listed, number), step) in events {
                rev += step;
                listed.created_rev = Rev::new(rev);
                let EventType { category, action } = of_type(number);
                newest.push(listed, &category, &action);
            }
            newest
        })
    }

    fn same(one: &Newest, other: &Newest) -> bool {
        one.with_types().eq(other.with_types())
    }

    proptest! {
        #[test]
        fn events_come_back(newest in newest(), gone in any::<prop::sample::Index>()) {
            let blob = blob_of(&newest);
            let read = Newest::from_blob(&blob, 0).unwrap();
            prop_assert!(same(&read, &newest));
            for end in 1..blob.len() {
                prop_assert!(Newest::from_blob(&blob[..end], 0).is_err());
            }
            prop_assert!(Newest::from_blob(&[&blob[..], &[0]].concat(), 0).is_err());
            if newest.len() > 0 {
                let mut fewer = newest.clone();
                let rev = newest.events[gone.index(newest.len())].listed.created_rev;
                let removed = fewer.remove(rev);
                prop_assert_eq!(removed.map(|event| event.created_rev), Some(rev));
                let read = Newest::from_blob(fewer.encoded(), 0).unwrap();
                prop_assert!(same(&read, &fewer));
                prop_assert_eq!(read.len(), newest.len() - 1);
                // No type without an event comes back.
                let has_event = |number| read.events.iter().any(|event| event.of_type == number);
                let all_have_events = (0..read.types.len()).all(has_event);
                prop_assert!(all_have_events);
            }
        }

        /// The second write of the row equals the first, whatever happens between them.
        #[test]
        fn an_encoding_follows_each_change(steps in prop::collection::vec(step(), 1..200)) {
            let mut newest = Newest::default();
            for step in steps {
                match step {
                    Step::Push((mut listed, number)) => {
                        let last = newest.iter().next_back().map_or(0, |last| last.created_rev.get());
                        listed.created_rev = Rev::new(last + 1);
                        let EventType { category, action } = of_type(number);
                        newest.push(listed, &category, &action);
                    }
                    Step::Pop => drop(newest.pop()),
                    Step::Remove(at) if newest.len() > 0 => {
                        let rev = newest.events[at.index(newest.len())].listed.created_rev;
                        newest.remove(rev);
                    }
                    Step::Change(at) if newest.len() > 0 => {
                        let rev = newest.events[at.index(newest.len())].listed.created_rev;
                        let listed = newest.at_mut(rev).unwrap();
                        listed.changed_rev = Some(Rev::new(listed.changed_rev.map_or(rev, |_| rev).get() + 1_000));
                        listed.updated_at = listed.updated_at.wrapping_add(1);
                    }
                    Step::Remove(_) | Step::Change(_) => {}
                    Step::Write => {
                        let expected = blob_of(&newest);
                        prop_assert_eq!(newest.encoded(), &expected[..]);
                        let read = Newest::from_blob(&expected, 0).unwrap();
                        prop_assert!(same(&read, &newest));
                    }
                    Step::Read => newest = read_to_change(newest.encoded()),
                }
            }
        }

        #[test]
        fn any_bytes_are_read_or_rejected(blob: Vec<u8>) {
            let _ = Newest::from_blob(&blob, 0);
        }

        #[test]
        fn a_changed_byte_is_read_or_rejected(
            newest in newest(),
            place in any::<prop::sample::Index>(),
            byte: u8,
        ) {
            let mut blob = blob_of(&newest);
            if !blob.is_empty() {
                let place = place.index(blob.len());
                blob[place] = byte;
                if let Ok(read) = Newest::from_blob(&blob, 0) {
                    prop_assert!(read.iter().is_sorted_by(|one, next| one.created_rev < next.created_rev));
                    prop_assert_eq!(read.with_types().count(), read.len());
                }
            }
        }
    }

    #[test]
    fn an_event_takes_about_thirty_bytes() {
        let mut newest = Newest::default();
        let EventType { category, action } = of_type(0);
        for number in 1..=64_u32 {
            let at = 1_790_000_000_000_000_000 + i64::from(number) * 1_000_000_000;
            newest.push(
                Listed {
                    key: i64::from(number) * 100_000,
                    id: EventId::mint(),
                    created_rev: Rev::new(number.into()),
                    changed_rev: None,
                    content_rev: None,
                    kind: Kind::from_number(12).unwrap(),
                    created_at: at,
                    updated_at: at,
                },
                &category,
                &action,
            );
        }
        let bytes = newest.encoded().len();
        assert!((64 * 26..64 * 32).contains(&bytes), "{bytes}");
    }
}
