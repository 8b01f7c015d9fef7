//! Lists events as a page, parsed or as JSON.

use bytes::Bytes;
use tidings_event::{
    CursorTag, Event, EventFilter, EventPage, EventRef, OwnerId, PageRequest, Paging,
    SeverityCount, Status,
};

use crate::engine::Tidings;
use crate::start::cursor_at;
use crate::store::{ListPage, StoreError, Unread};

/// A page with its events as JSON. The engine does not parse the metadata, which would take many times the
/// memory of its text.
#[derive(Debug)]
#[non_exhaustive]
pub struct EncodedPage {
    /// The events in the requested order, in pieces to be concatenated. Each event is a comma followed by its
    /// JSON. A piece has about 64 KiB, plus at most one event.
    pub events: Vec<Vec<u8>>,
    /// The remaining events, for [`Engine::list_rest`](crate::wire::Engine::list_rest). Present if the page exceeds the maximum bytes of one
    /// read.
    pub rest: Option<PageRest>,
    /// The page without its events.
    pub page: EventPage,
}

/// The events of a page that are not read yet. A later read returns each of them once, in its state at that
/// time, and skips the ones that have been deleted.
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
    /// Lists a page of the events that `owner` sees, with exact counts. A subscription from the page's cursor
    /// misses no later change.
    ///
    /// Check a page token with [`PageToken::check`](tidings_event::PageToken::check) first: a token of a
    /// list with another filter or order selects an arbitrary position. If the page can end early
    /// ([`PageRequest::may_end_early`]), it ends at about [`Config::page_bytes`](crate::Config::page_bytes)
    /// of JSON.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
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
            let (events, left) = self.list_rest(more, self.shared.page_bytes).await?;
            parse_into(&mut page.events, events)?;
            rest = left;
        }
        Ok(page)
    }

    pub(crate) async fn list_encoded(
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
        let mut empty = EventPage::new(cursor_at(&snapshot, tag), shared.identity.system);
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

    pub(crate) async fn list_rest(
        &self,
        rest: PageRest,
        bytes: usize,
    ) -> Result<(Vec<Vec<u8>>, Option<PageRest>), StoreError> {
        let PageRest { owner, unread } = rest;
        self.shared.activity.note(owner);
        let (events, unread) = self.shared.store.list_rest(owner, unread, bytes).await?;
        Ok((events.into_pieces(), PageRest::of(owner, unread)))
    }

    /// Gets one event that `owner` sees. `None` if the event is unknown or belongs to another user.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub async fn get(
        &self,
        owner: OwnerId,
        event: impl Into<EventRef>,
    ) -> Result<Option<Event>, StoreError> {
        let json = self.get_encoded(owner, event).await?;
        let event = json.map(|json| serde_json::from_slice(&json));
        event.transpose().map_err(unreadable)
    }

    pub(crate) async fn get_encoded(
        &self,
        owner: OwnerId,
        event: impl Into<EventRef>,
    ) -> Result<Option<Bytes>, StoreError> {
        self.shared.activity.note(owner);
        let target = event.into().into();
        self.shared.store.event(owner, target).await
    }
}

fn parse_into(events: &mut Vec<Event>, pieces: Vec<Vec<u8>>) -> Result<(), StoreError> {
    for mut piece in pieces {
        // Replaces the comma before the first event.
        if let Some(first) = piece.first_mut() {
            *first = b'[';
            piece.push(b']');
            events.append(&mut serde_json::from_slice(&piece).map_err(unreadable)?);
        }
    }
    Ok(())
}

/// Stored JSON that is not an event: the database is corrupt.
fn unreadable(error: serde_json::Error) -> StoreError {
    StoreError::Corrupt(error.into())
}
