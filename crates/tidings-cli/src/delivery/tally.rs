//! What became of the lines of an input.

use tidings_event::Warning;

use super::batch::Refused;

/// The most refused lines that are listed: a person mends the first ones and tries again.
const MAX_LISTED: usize = 20;

/// The counts, and the first of the refused lines with all their faults.
#[derive(Debug, Default)]
pub(super) struct Tally {
    stored: u64,
    repeated: u64,
    /// More of the stored ones may be repeats: a failed request may have stored them, or one long ago.
    more_may_be_repeated: bool,
    /// Were stored before, and deleted since.
    deleted: u64,
    refused: u64,
    listed: Vec<Refused>,
    /// Were stored after a repair.
    repaired: u64,
    /// The warnings of the first of them.
    warnings: Vec<String>,
}

/// What the server said about an event it has stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It had not been stored before.
    New,
    /// It had been.
    Repeated,
    /// It had been, perhaps by a request of ours that seemed to fail.
    Unknown,
}

impl Tally {
    pub(super) const fn count_stored(&mut self, outcome: Outcome) {
        self.stored += 1;
        match outcome {
            Outcome::New => {}
            Outcome::Repeated => self.repeated += 1,
            Outcome::Unknown => self.more_may_be_repeated = true,
        }
    }

    /// Counts an event that is deleted, and does not return by being sent again.
    pub(super) const fn count_deleted(&mut self) {
        self.deleted += 1;
    }

    pub(super) fn count_refused(&mut self, refused: Vec<Refused>) {
        self.refused += refused.len() as u64;
        let room = MAX_LISTED.saturating_sub(self.listed.len());
        self.listed.extend(refused.into_iter().take(room));
    }

    /// Counts a stored event if anything was repaired in it.
    pub(super) fn count_warnings<'a>(
        &mut self,
        line: u64,
        warnings: impl Iterator<Item = &'a Warning>,
    ) {
        let mut warnings = warnings.peekable();
        if warnings.peek().is_none() {
            return;
        }
        self.repaired += 1;
        let room = MAX_LISTED.saturating_sub(self.warnings.len());
        let texts = warnings.map(|warning| format!("line {line}: warning: {warning}"));
        self.warnings.extend(texts.take(room));
    }

    pub(super) const fn has_refused(&self) -> bool {
        self.refused > 0
    }

    /// The counts in one line.
    pub(super) fn counts(&self) -> String {
        let mut text = format!("{} stored", self.stored);
        if self.repeated > 0 {
            let at_least = if self.more_may_be_repeated {
                "at least "
            } else {
                ""
            };
            text += &format!(" ({at_least}{} of them before)", self.repeated);
        }
        match self.deleted {
            0 => {}
            1 => text += ", 1 was deleted since and stays deleted",
            more => text += &format!(", {more} were deleted since and stay deleted"),
        }
        if self.repaired > 0 {
            text += &format!(", {} repaired", self.repaired);
        }
        text + &format!(", {} refused", self.refused)
    }

    /// The warnings of the first lines that were repaired.
    pub(super) fn warnings(&self) -> impl Iterator<Item = &String> {
        self.warnings.iter()
    }

    /// The refused lines, a fault a line, in the order of the input.
    pub(super) fn refusals(&self) -> Vec<String> {
        let mut listed: Vec<_> = self.listed.iter().collect();
        // A line that is not JSON is known before the batch around it is sent.
        listed.sort_by_key(|refused| refused.line);
        let mut texts: Vec<_> = listed
            .into_iter()
            .flat_map(|Refused { line, faults }| {
                faults
                    .iter()
                    .map(move |fault| format!("line {line}: {fault}"))
            })
            .collect();
        let unlisted = self.refused - self.listed.len() as u64;
        if unlisted > 0 {
            texts.push(format!("and {unlisted} more"));
        }
        texts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(line: u64, faults: usize) -> Refused {
        Refused {
            line,
            faults: (0..faults).map(|fault| format!("fault {fault}")).collect(),
        }
    }

    #[test]
    fn counts_claim_no_more_than_is_known() {
        let mut tally = Tally::default();
        assert_eq!(tally.counts(), "0 stored, 0 refused");
        let count = |tally: &mut Tally, events, outcome| {
            (0..events).for_each(|_| tally.count_stored(outcome));
        };
        count(&mut tally, 500, Outcome::New);
        assert_eq!(tally.counts(), "500 stored, 0 refused");
        count(&mut tally, 20, Outcome::Repeated);
        assert_eq!(tally.counts(), "520 stored (20 of them before), 0 refused");
        count(&mut tally, 3, Outcome::Unknown);
        assert_eq!(
            tally.counts(),
            "523 stored (at least 20 of them before), 0 refused"
        );
        let mut tally = Tally::default();
        for counts in [
            "0 stored, 1 was deleted since and stays deleted, 0 refused",
            "0 stored, 2 were deleted since and stay deleted, 0 refused",
        ] {
            tally.count_deleted();
            assert_eq!(tally.counts(), counts);
        }
    }

    #[test]
    fn refused_lines_are_listed_in_order_with_every_fault_and_an_end() {
        let mut tally = Tally::default();
        assert!(!tally.has_refused());
        tally.count_refused(vec![refused(9, 1), refused(4, 2)]);
        assert_eq!(
            tally.refusals(),
            ["line 4: fault 0", "line 4: fault 1", "line 9: fault 0"]
        );
        tally.count_refused((10..=100).map(|line| refused(line, 1)).collect());
        assert!(tally.has_refused());
        let refusals = tally.refusals();
        assert_eq!(refusals.len(), MAX_LISTED + 2);
        assert_eq!(refusals.last().unwrap(), "and 73 more");
        assert_eq!(tally.counts(), "0 stored, 93 refused");
    }
}
