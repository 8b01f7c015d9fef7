//! Decides updates.

use tidings_event::{OwnerId, Rev};

use super::state::{EventSource, EventState, RecentUpdate, SearchBlock, State, UpdatedContent};
use crate::search::GramFilter;
use crate::store::decide::update::{BeforeUpdate, Stays};
use crate::store::kind::Kind;
use crate::store::{ContentUpdate, UpdateOutcome, Updated};

impl State<'_> {
    /// Applies an update.
    pub(super) fn update(&mut self, update: &ContentUpdate) -> UpdateOutcome {
        let key = (update.owner, update.id);
        let Some(mut event) = self.events.get(&key).cloned() else {
            return UpdateOutcome::NotFound;
        };
        let Some(mut content) = self.content_of(update.owner, &event) else {
            return UpdateOutcome::NotFound;
        };
        if self.is_superseded(update, &event) {
            return UpdateOutcome::Superseded;
        }
        let system = OwnerId::from(self.identity.system);
        let kept = |later| UpdateOutcome::Kept {
            owner: update.owner,
            rev: content.rev.unwrap_or(event.created_rev),
            json: content.before.json(),
            later,
        };
        let after = match content.before.after(update, system) {
            Ok(after) => after,
            Err(Stays::Same) => return kept(None),
            Err(Stays::Later(number)) => return kept(Some(number)),
            Err(Stays::Rejected(outcome)) => return *outcome,
        };
        let bytes = event.bytes - content.text_bytes() + update.text_bytes();
        let quota = update.quota.filter(|_| update.owner != system);
        let feed = self.feed(update.owner);
        let others = feed.bytes.saturating_sub(event.bytes);
        if bytes > event.bytes && quota.is_some_and(|quota| others + bytes > quota) {
            let used = feed.bytes;
            return UpdateOutcome::OverQuota { bytes, used };
        }
        feed.bytes = others + bytes;
        feed.counts.subtract(Kind::of(event.severity, event.status));
        feed.counts.add(Kind::of(update.severity, after.status));
        let rev = feed.advance();
        self.updates.push(RecentUpdate {
            owner: update.owner,
            rev,
            id: update.id,
            severity_before: event.severity,
            status_before: event.status,
            status_after: after.status,
            at: update.at,
        });
        event.shared = self.change_content(event.shared, update.shared);
        content.take(update, rev, after.sequence);
        event.bytes = bytes;
        event.severity = update.severity;
        event.status = after.status;
        event.updated_at = after.updated_at;
        content.before.event.severity = event.severity;
        content.before.event.status = event.status;
        content.before.event.updated_at = event.updated_at;
        event.is_updated = true;
        event.content = Some(Box::new(content));
        self.events.insert(key, event);
        UpdateOutcome::Updated(Updated {
            owner: update.owner,
            rev,
            id: update.id,
            json: after.json,
            counts: after.counts,
        })
    }
}

impl State<'_> {
    /// The content that an update of `owner` replaces; `None` if it was not looked up.
    fn content_of(&self, owner: OwnerId, state: &EventState<'_>) -> Option<UpdatedContent> {
        if let Some(content) = &state.content {
            return Some((**content).clone());
        }
        let EventSource::Group(submission) = state.origin else {
            return None;
        };
        let mut event = submission.event.clone();
        event.owner = Some(owner);
        event.severity = state.severity;
        let mut metadata = submission.metadata.clone();
        let shared = state.shared.and_then(|key| self.texts.get(&key));
        if let Some(text) = shared {
            event.description.clone_from(&text.description);
            metadata = text.metadata.as_deref().map(Box::from);
        }
        Some(UpdatedContent {
            before: BeforeUpdate {
                event,
                metadata,
                sequence: None,
            },
            rev: None,
            block: None,
            is_new: false,
        })
    }
}

impl UpdatedContent {
    fn text_bytes(&self) -> u64 {
        let metadata = self.before.metadata.as_ref().map_or(0, |text| text.len());
        (self.before.event.description.len() + metadata) as u64
    }

    /// Takes the content of an update.
    fn take(&mut self, update: &ContentUpdate, rev: Rev, sequence: Option<u64>) {
        if *self.before.event.description != *update.description
            && let Some(SearchBlock {
                grams, is_changed, ..
            }) = &mut self.block
        {
            let filter = GramFilter::from_bytes(grams).with_text(&update.description);
            let with_text = filter.to_bytes();
            *is_changed |= with_text != *grams;
            *grams = with_text;
        }
        self.before.event.description = update.description.to_string();
        self.before.metadata = update.metadata.as_deref().map(Box::from);
        self.before.sequence = sequence;
        self.rev = Some(rev);
        self.is_new = true;
    }
}
