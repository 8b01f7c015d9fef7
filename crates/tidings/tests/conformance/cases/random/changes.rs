//! Marks and deletions, by ids and by filters.

use proptest::prelude::*;
use tidings::{Change, EventFilter, Selection, Status};
use tidings_event::Cursor;

use super::history::{History, owner_of};

pub(super) fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => Just(Change::Status(Status::Read)),
        2 => Just(Change::Status(Status::Unread)),
        1 => Just(Change::Delete),
    ]
}

impl History {
    pub(super) async fn change_ids(&mut self, owner: u8, events: &[usize], change: Change) {
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

    pub(super) async fn change_matching(
        &mut self,
        reader: usize,
        filter: EventFilter,
        change: Change,
    ) {
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
}
