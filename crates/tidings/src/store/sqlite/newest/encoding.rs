//! How the row of a feed has its newest events, kept from one commit to the next: an event is encoded once, not
//! again with each event that follows it.

use tidings_event::EventType;

use super::NewestEvent;
use crate::store::sqlite::blob::{put_number, put_signed};

/// The first byte of a blob.
pub(super) const VERSION: u8 = 1;

/// The flags in the byte of an event's kind.
pub(super) const HAS_NEW_CONTENT: u8 = 1 << 5;
pub(super) const IS_CHANGED: u8 = 1 << 6;
pub(super) const IS_UPDATED: u8 = 1 << 7;

/// About how many bytes an event takes.
const ABOUT_EVENT: usize = 32;

/// The number of events has one byte as long as it is below this.
const ONE_BYTE: usize = 1 << 7;

/// The encoding of the first of a feed's newest events.
#[derive(Clone, Debug, Default)]
pub(super) struct Encoding {
    blob: Vec<u8>,
    /// How many events are in it. With none, the next call encodes all.
    events: usize,
    /// How many types are in it. Their numbers are their indexes.
    types: usize,
    /// The index of the byte with the number of events.
    count_at: usize,
}

impl Encoding {
    /// The encoding of a row, to continue from there.
    ///
    /// `count_at` is the index of the byte with the number of events, if it is one byte.
    pub(super) fn read(blob: &[u8], count_at: usize, events: usize, types: usize) -> Self {
        Self {
            blob: blob.to_vec(),
            events,
            types,
            count_at,
        }
    }

    /// How many bytes of memory it takes.
    pub(super) fn memory(&self) -> usize {
        self.blob.capacity()
    }

    /// Notes that the event with an index is changed or gone.
    pub(super) fn changed(&mut self, index: usize) {
        if index < self.events {
            self.events = 0;
        }
    }

    /// The encoding of all these events, of which the first have not changed since the last call. Types that no
    /// event has are removed.
    pub(super) fn of(&mut self, events: &mut [NewestEvent], types: &mut Vec<EventType>) -> &[u8] {
        let is_grown = self.events > 0
            && events.len() < ONE_BYTE
            && events[self.events..]
                .iter()
                .all(|event| event.of_type < self.types);
        if !is_grown {
            self.begin(events, types);
        }
        self.append(events);
        &self.blob
    }

    /// Writes all that comes before the events.
    fn begin(&mut self, events: &mut [NewestEvent], types: &mut Vec<EventType>) {
        self.events = 0;
        self.blob.clear();
        if events.is_empty() {
            types.clear();
            return;
        }
        number_types(events, types);
        self.types = types.len();
        self.blob.reserve((events.len() + 1) * ABOUT_EVENT);
        self.blob.push(VERSION);
        put_number(&mut self.blob, types.len() as u64);
        for of_type in types {
            for name in [of_type.category.as_str(), of_type.action.as_str()] {
                put_number(&mut self.blob, name.len() as u64);
                self.blob.extend_from_slice(name.as_bytes());
            }
        }
        self.count_at = self.blob.len();
        put_number(&mut self.blob, events.len() as u64);
    }

    /// Writes the events that are not there yet, and how many there are now.
    fn append(&mut self, events: &[NewestEvent]) {
        let (mut rev, mut key, mut created_at) = match self.events.checked_sub(1) {
            Some(last) => {
                let last = &events[last].listed;
                (last.created_rev.get(), last.key, last.created_at)
            }
            None => (0, 0, 0),
        };
        for event in &events[self.events..] {
            let of_type = event.of_type as u64;
            let event = &event.listed;
            let is_updated = event.updated_at != event.created_at;
            let mut flags = event.kind.number();
            if event.changed_rev.is_some() {
                flags |= IS_CHANGED;
            }
            if is_updated {
                flags |= IS_UPDATED;
            }
            if event.content_rev.is_some() {
                flags |= HAS_NEW_CONTENT;
            }
            let blob = &mut self.blob;
            blob.push(flags);
            put_number(blob, event.created_rev.get() - rev);
            put_signed(blob, event.key.wrapping_sub(key));
            put_signed(blob, event.created_at.wrapping_sub(created_at));
            put_number(blob, of_type);
            blob.extend_from_slice(event.id.as_uuid().as_bytes());
            rev = event.created_rev.get();
            (key, created_at) = (event.key, event.created_at);
            if let Some(changed) = event.changed_rev {
                put_number(blob, changed.get().wrapping_sub(rev));
            }
            if is_updated {
                put_signed(blob, event.updated_at.wrapping_sub(created_at));
            }
            if let Some(content) = event.content_rev {
                put_number(blob, content.get().wrapping_sub(rev));
            }
        }
        self.events = events.len();
        if let Ok(count) = u8::try_from(self.events)
            && self.events < ONE_BYTE
            && self.events > 0
        {
            self.blob[self.count_at] = count;
        }
    }
}

/// Orders types by the first event of each, and removes those that no event has.
fn number_types(events: &mut [NewestEvent], types: &mut Vec<EventType>) {
    let mut before: Vec<_> = types.drain(..).map(Some).collect();
    let mut numbers = vec![None; before.len()];
    for event in events {
        let number = &mut numbers[event.of_type];
        if let Some(of_type) = before[event.of_type].take() {
            *number = Some(types.len());
            types.push(of_type);
        }
        event.of_type = number.expect("a type is taken only to be numbered");
    }
}
