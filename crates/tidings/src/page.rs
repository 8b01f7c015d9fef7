//! A page of a list as JSON, for programs that hand it on.

use bytes::Bytes;
use tidings_event::{
    CursorTag, Event, EventFilter, EventId, EventPage, OwnerId, PageRequest, Paging, SeverityCount,
    Status,
};

use crate::engine::Tidings;
use crate::start::cursor_at;
use crate::store::{ListPage, StoreError, Unread};

/// A page with its events as JSON. Metadata is never parsed, which would take many times the memory of
/// its text.
#[derive(Debug)]
pub struct EncodedPage {
    /// The events in the order that was asked for, in pieces that belong one after the other: of each
    /// event a comma, then its JSON. A piece has about 64 KiB, or one event more.
    pub events: Vec<Vec<u8>>,
    /// The events that follow them, if they have more bytes than are read at once: for
    /// [`Tidings::list_rest`].
    pub rest: Option<PageRest>,
    /// The page without its events.
    pub page: EventPage,
}

/// The events of a page that were not read yet. They are read as they are by then: each once, those
/// that were deleted meanwhile not at all.
#[derive(Debug)]
pub struct PageRest {
    owner: OwnerId,
    unread: Unread,
}

impl PageRest {
    fn of(owner: OwnerId, unread: Unread) -> Option<Self> {
        let Unread(left) = &unread;
        (!left.is_empty()).then_some(Self { owner, unread })
    }
}

impl Tidings {
    /// A page of what `owner` sees, with exact counts and the cursor from which a subscription misses
    /// nothing. A page token must be one of a list with this filter and order, as
    /// [`PageToken::check`](tidings_event::PageToken::check) tells; of another it means another place.
    ///
    /// A page that may end early ([`PageRequest::may_end_early`]) does so at about
    /// [`Config::page_bytes`](crate::Config::page_bytes) of JSON.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn list(
        &self,
        owner: OwnerId,
        filter: EventFilter,
        page: PageRequest,
    ) -> Result<EventPage, StoreError> {
        let EncodedPage {
            events,
            mut rest,
            mut page,
        } = self.list_encoded(owner, filter, page).await?;
        parse_into(&mut page.events, events)?;
        while let Some(more) = rest {
            let (events, left) = self.list_rest(more, self.page_bytes()).await?;
            parse_into(&mut page.events, events)?;
            rest = left;
        }
        Ok(page)
    }

    /// As [`Self::list`], with the events as JSON, of which at most about [`Self::page_bytes`] are read
    /// at once.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn list_encoded(
        &self,
        owner: OwnerId,
        filter: EventFilter,
        page: PageRequest,
    ) -> Result<EncodedPage, StoreError> {
        self.shared.activity.note(owner);
        let size = page.size.clamp(1, PageRequest::MAX_SIZE);
        let page = page.with_size(size);
        let filter = filter.without_empty_search();
        let counted = filter.status.unwrap_or(Status::Unread);
        let shared = &self.shared;
        let list = shared.store.list(owner, filter, page, shared.page_bytes);
        let ListPage {
            events,
            unread,
            next,
            total,
            snapshot,
        } = list.await?;
        let tag = CursorTag::derive(shared.identity.epoch, owner);
        let count_by_severity_level = snapshot
            .summary
            .of(counted)
            .iter()
            .map(|(severity, count)| SeverityCount {
                severity: *severity,
                count: *count,
            })
            .collect();
        let mut empty = EventPage::new(cursor_at(&snapshot, tag));
        empty.page = match page.paging {
            Paging::Number(number) => number,
            Paging::First | Paging::After(_) => 0,
        };
        empty.page_size = size;
        empty.count_by_severity_level = count_by_severity_level;
        empty.total_count = total;
        empty.read_count = snapshot.summary.total(Status::Read);
        empty.next = next;
        Ok(EncodedPage {
            events: events.into_pieces(),
            rest: PageRest::of(owner, unread),
            page: empty,
        })
    }

    /// The next events of a page, about `bytes` of them but at least one, in pieces like those of
    /// [`EncodedPage::events`]; and those that follow them.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn list_rest(
        &self,
        rest: PageRest,
        bytes: usize,
    ) -> Result<(Vec<Vec<u8>>, Option<PageRest>), StoreError> {
        let PageRest { owner, unread } = rest;
        self.shared.activity.note(owner);
        let (events, unread) = self.shared.store.list_rest(owner, unread, bytes).await?;
        Ok((events.into_pieces(), PageRest::of(owner, unread)))
    }

    /// One event that `owner` sees: `None` for an unknown one and for another user's alike.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn get(&self, owner: OwnerId, id: EventId) -> Result<Option<Event>, StoreError> {
        let json = self.get_encoded(owner, id).await?;
        let event = json.map(|json| serde_json::from_slice(&json));
        event.transpose().map_err(unreadable)
    }

    /// As [`Self::get`], as JSON.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn get_encoded(
        &self,
        owner: OwnerId,
        id: EventId,
    ) -> Result<Option<Bytes>, StoreError> {
        self.shared.activity.note(owner);
        self.shared.store.event(owner, id).await
    }
}

fn parse_into(events: &mut Vec<Event>, pieces: Vec<Vec<u8>>) -> Result<(), StoreError> {
    for mut piece in pieces {
        // The comma before its first event.
        if let Some(first) = piece.first_mut() {
            *first = b'[';
            piece.push(b']');
            events.append(&mut serde_json::from_slice(&piece).map_err(unreadable)?);
        }
    }
    Ok(())
}

/// What the store holds is not what the engine has written.
fn unreadable(error: serde_json::Error) -> StoreError {
    StoreError::Corrupt(error.into())
}
