//! Builds an inbox from a stream, to compare it with the list.

use std::collections::BTreeMap;

use serde_json::Value;
use tidings_event::{
    CountDelta, Cursor, Event, EventId, InboxSummary, Status, StreamItem, Summary, Timestamp,
};

use crate::server::Server;
use crate::stream::{Frame, Stream};

/// A screen's events and counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inbox {
    pub(crate) events: BTreeMap<EventId, (Status, Timestamp)>,
    /// The counts, known from `live` until the next `ready`.
    pub(crate) counts: Option<Summary>,
    pub(crate) cursor: Option<Cursor>,
}

impl Inbox {
    /// Applies the next item of the stream.
    pub(crate) fn take(&mut self, item: &StreamItem) {
        self.cursor = Some(item.cursor());
        match item {
            StreamItem::Ready { .. } => self.counts = None,
            StreamItem::Live { summary, .. } => self.counts = Some(summary.clone()),
            StreamItem::Created { event, .. } => {
                let state = (event.status, event.updated_at);
                self.events.insert(event.id, state);
                if let Some(counts) = &mut self.counts {
                    counts.add(event.status, event.severity, 1);
                }
            }
            StreamItem::Status { change, .. } => {
                for id in &change.ids {
                    if let Some(state) = self.events.get_mut(id) {
                        *state = (change.status, change.updated_at);
                    }
                }
                self.count(change.counts.as_ref());
            }
            StreamItem::Deleted { deletion, .. } => {
                for id in &deletion.ids {
                    self.events.remove(id);
                }
                self.count(deletion.counts.as_ref());
            }
            StreamItem::Updated { change, .. } => {
                // Of an event of the user. One of the system would keep its status.
                if let Some(state) = self.events.get_mut(&change.event.id) {
                    *state = (change.event.status, change.event.updated_at);
                }
                self.count(change.counts.as_ref());
            }
            StreamItem::Reset { reason, .. } => panic!("reset: {reason}"),
            other => panic!("{other:?}"),
        }
    }

    /// Applies a change's counts. A change has counts exactly while they are known.
    fn count(&mut self, delta: Option<&CountDelta>) {
        match (&mut self.counts, delta) {
            (Some(counts), Some(delta)) => {
                let changed = counts.changed_by(delta);
                *counts = changed.expect("no count falls below 0");
            }
            (None, None) => {}
            (counts, delta) => panic!("counts {counts:?}, and a change of them {delta:?}"),
        }
    }

    /// Applies a raw frame.
    pub(crate) fn take_frame(&mut self, frame: &Frame) {
        let cursor = frame.id.parse().expect("a frame has its cursor");
        let item = StreamItem::read(&frame.name, cursor, &frame.data.to_string());
        self.take(&item.expect("it is readable").expect("its kind is known"));
    }

    /// Applies a line of `tail --json`.
    pub(crate) fn take_line(&mut self, line: &str) {
        let line: Value = serde_json::from_str(line).expect("a line is JSON");
        let fields = line.as_object().expect("a line is an object");
        let cursor = line["cursor"].as_str().and_then(|text| text.parse().ok());
        let (kind, data) = fields
            .iter()
            .find(|(name, _)| *name != "cursor")
            .expect("a line has its payload");
        let name = if kind == "event" { "" } else { kind };
        let item = StreamItem::read(name, cursor.expect("a cursor"), &data.to_string());
        self.take(&item.expect("it is readable").expect("its kind is known"));
    }

    /// Continues the stream from the cursor up to `live`.
    pub(crate) async fn catch_up(&mut self, server: &Server) {
        let from = self
            .cursor
            .map_or_else(|| "earliest".to_owned(), |cursor| cursor.to_string());
        let stream = Stream::connect(server.address, &from).await;
        let mut stream = stream.expect("the server accepts");
        loop {
            let frame = stream.must_next().await;
            self.take_frame(&frame);
            if frame.name == "live" {
                return;
            }
        }
    }

    /// Compares the events with the list, and the counts with a recount of the list.
    pub(crate) async fn must_agree_with(&self, server: &Server) {
        let mut listed = BTreeMap::new();
        let mut recount = Summary::default();
        for event in server.list_all().await {
            let event: Event = serde_json::from_value(event).expect("it is an event");
            recount.add(event.status, event.severity, 1);
            listed.insert(event.id, (event.status, event.updated_at));
        }
        assert!(self.events == listed, "the reader and the list differ");
        assert_eq!(self.counts.as_ref(), Some(&recount));
        let (_, summary) = server.get("/api/system/events/summary").await;
        let summary: InboxSummary = serde_json::from_value(summary).expect("a summary");
        assert_eq!(summary.counts, recount);
        assert_eq!(summary.total_count, listed.len() as u64);
    }
}
