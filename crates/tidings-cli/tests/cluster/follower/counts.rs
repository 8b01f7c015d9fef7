//! The counts in frames, compared with a recount of the events and with summaries.

use std::collections::VecDeque;

use tidings_event::{CountDelta, Cursor, InboxSummary, Severity, Status, Summary};

/// The cursors whose counts are remembered, to compare them with a summary that comes later.
const REMEMBERED: usize = 256;

/// How far the counts can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counting {
    /// Between `ready` and `live`, when counts are unknown.
    Off,
    /// The replay can have sent events in a state that is ahead of the counts, up to a cursor that is not known
    /// yet.
    Ahead,
    /// The same, up to this cursor.
    Until(Cursor),
    /// The counts equal a recount of the events after each frame.
    Exact,
}

/// The counts of a client. The recount survives its connections.
#[derive(Debug)]
pub(super) struct Counts {
    /// The counts of the events that came.
    recount: Summary,
    /// The counts that the server told.
    told: Option<Summary>,
    counting: Counting,
    /// The counts that were told at the last cursors.
    remembered: VecDeque<(Cursor, Summary)>,
    /// Counts of a cursor that is not reached yet.
    expected: Option<InboxSummary>,
}

impl Counts {
    pub(super) fn of_nothing() -> Self {
        Self {
            recount: Summary::default(),
            told: None,
            counting: Counting::Off,
            remembered: VecDeque::new(),
            expected: None,
        }
    }

    /// The counts that the server told, once the stream is live.
    pub(super) const fn told(&self) -> Option<&Summary> {
        self.told.as_ref()
    }

    /// Whether every event that a frame names must be known.
    pub(super) fn are_exact(&self) -> bool {
        self.counting == Counting::Exact
    }

    /// A new connection.
    pub(super) fn begin(&mut self) {
        self.replay();
        self.remembered.clear();
        self.expected = None;
    }

    /// A replay begins.
    pub(super) fn replay(&mut self) {
        self.told = None;
        self.counting = Counting::Off;
    }

    /// A replay has ended.
    pub(super) fn go_live(&mut self, summary: Summary) {
        self.told = Some(summary);
        self.counting = Counting::Ahead;
    }

    /// Whether a summary is wanted, so that the counts can be compared from its cursor on.
    pub(super) fn wants_summary(&self) -> bool {
        self.counting == Counting::Ahead
    }

    /// Takes the counts of some cursor, asked for after the last `live`. Whatever the replay sent ahead has happened
    /// by then.
    pub(super) fn take_summary(&mut self, summary: InboxSummary) -> Result<(), String> {
        self.counting = Counting::Until(summary.cursor);
        let mut told = self.remembered.iter();
        match told.find(|(cursor, _)| *cursor == summary.cursor) {
            Some((cursor, counts)) => must_be_equal(cursor, counts, &summary.counts)?,
            None => self.expected = Some(summary),
        }
        Ok(())
    }

    /// An event came.
    pub(super) fn add(&mut self, status: Status, severity: Severity) {
        self.recount.add(status, severity, 1);
        if let Some(told) = &mut self.told {
            told.add(status, severity, 1);
        }
    }

    /// The status and severity of an event that came have changed; `None` if it was deleted.
    pub(super) fn change(
        &mut self,
        before: (Status, Severity),
        after: Option<(Status, Severity)>,
    ) -> Result<(), String> {
        let mut delta = CountDelta::default();
        delta.add(before.0, before.1, -1);
        if let Some((status, severity)) = after {
            delta.add(status, severity, 1);
        }
        self.recount = changed(&self.recount, &delta)?;
        Ok(())
    }

    /// A frame tells how the counts change, exactly if the stream is live.
    pub(super) fn apply(&mut self, delta: Option<&CountDelta>) -> Result<(), String> {
        match (&self.told, delta) {
            (Some(told), Some(delta)) => self.told = Some(changed(told, delta)?),
            (None, None) => {}
            (told, delta) => return Err(format!("{delta:?} while the counts are {told:?}")),
        }
        Ok(())
    }

    /// Compares the counts at a cursor with a recount and with the summary.
    pub(super) fn compare(&mut self, cursor: Cursor) -> Result<(), String> {
        let Some(told) = &self.told else {
            return Ok(());
        };
        self.remembered.push_back((cursor, told.clone()));
        if self.remembered.len() > REMEMBERED {
            self.remembered.pop_front();
        }
        if let Some(expected) = self.expected.take_if(|summary| summary.cursor == cursor) {
            must_be_equal(&cursor, told, &expected.counts)?;
        }
        if let Counting::Until(end) = self.counting
            && cursor.own >= end.own
            && cursor.system >= end.system
        {
            self.counting = Counting::Exact;
        }
        if self.are_exact() && *told != self.recount {
            return Err(format!(
                "at {cursor} the frames count {told:?}, and the events are {:?}",
                self.recount
            ));
        }
        Ok(())
    }
}

fn must_be_equal(cursor: &Cursor, told: &Summary, asked: &Summary) -> Result<(), String> {
    match told == asked {
        true => Ok(()),
        false => Err(format!(
            "at {cursor} the frames count {told:?}, and the summary {asked:?}"
        )),
    }
}

fn changed(counts: &Summary, delta: &CountDelta) -> Result<Summary, String> {
    let changed = counts.changed_by(delta);
    changed.ok_or_else(|| format!("{counts:?} fall below zero by {delta:?}"))
}
