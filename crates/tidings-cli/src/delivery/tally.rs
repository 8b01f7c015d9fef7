//! The results of the lines of an input.

use tidings_event::Warning;

use super::batch::Rejected;

/// The most rejected lines that are listed. A user fixes the first ones and tries again.
const MAX_LISTED: usize = 20;

/// The counts, and the first rejected lines with all their faults.
#[derive(Debug, Default)]
pub(super) struct Tally {
    stored: u64,
    repeated: u64,
    /// More stored events can be repeats, stored by a failed attempt or long ago.
    more_may_be_repeated: bool,
    /// Events that were stored before and then deleted.
    deleted: u64,
    rejected: u64,
    listed: Vec<Rejected>,
    /// Events that were stored after a repair.
    repaired: u64,
    /// The warnings of the first repaired events.
    warnings: Vec<String>,
}

/// Whether a stored event had been stored before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// No.
    New,
    /// Yes.
    Repeated,
    /// Yes, possibly by a failed attempt of this command.
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

    /// Counts a deleted event, which stays deleted when it is sent again.
    pub(super) const fn count_deleted(&mut self) {
        self.deleted += 1;
    }

    pub(super) fn count_rejected(&mut self, rejected: Vec<Rejected>) {
        self.rejected += rejected.len() as u64;
        let room = MAX_LISTED.saturating_sub(self.listed.len());
        self.listed.extend(rejected.into_iter().take(room));
    }

    /// Counts a stored event if it was repaired.
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

    pub(super) const fn has_rejected(&self) -> bool {
        self.rejected > 0
    }

    /// The counts in one line.
    pub(super) fn counts(&self) -> String {
        let mut text = format!("{} stored", self.stored - self.repeated);
        if self.repeated > 0 {
            let at_least = if self.more_may_be_repeated {
                "at least "
            } else {
                ""
            };
            text += &format!(", {at_least}{} already present", self.repeated);
        }
        if self.deleted > 0 {
            text += &format!(", {} deleted earlier and not restored", self.deleted);
        }
        if self.repaired > 0 {
            text += &format!(", {} repaired", self.repaired);
        }
        text + &format!(", {} rejected", self.rejected)
    }

    /// The warnings of the first lines that were repaired.
    pub(super) fn warnings(&self) -> impl Iterator<Item = &String> {
        self.warnings.iter()
    }

    /// One line for each fault of the rejected lines, in the order of the input.
    pub(super) fn rejections(&self) -> Vec<String> {
        let mut listed: Vec<_> = self.listed.iter().collect();
        // Lines that are not JSON are counted before the batch around them is sent.
        listed.sort_by_key(|rejected| rejected.line);
        let mut texts: Vec<_> = listed
            .into_iter()
            .flat_map(|Rejected { line, faults }| {
                faults
                    .iter()
                    .map(move |fault| format!("line {line}: {fault}"))
            })
            .collect();
        let unlisted = self.rejected - self.listed.len() as u64;
        if unlisted > 0 {
            texts.push(format!("and {unlisted} more"));
        }
        texts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejected(line: u64, faults: usize) -> Rejected {
        Rejected {
            line,
            faults: (0..faults).map(|fault| format!("fault {fault}")).collect(),
        }
    }

    #[test]
    fn counts_claim_no_more_than_is_known() {
        let mut tally = Tally::default();
        assert_eq!(tally.counts(), "0 stored, 0 rejected");
        let count = |tally: &mut Tally, events, outcome| {
            (0..events).for_each(|_| tally.count_stored(outcome));
        };
        count(&mut tally, 500, Outcome::New);
        assert_eq!(tally.counts(), "500 stored, 0 rejected");
        count(&mut tally, 20, Outcome::Repeated);
        assert_eq!(tally.counts(), "500 stored, 20 already present, 0 rejected");
        count(&mut tally, 3, Outcome::Unknown);
        assert_eq!(
            tally.counts(),
            "503 stored, at least 20 already present, 0 rejected"
        );
        let mut tally = Tally::default();
        for counts in [
            "0 stored, 1 deleted earlier and not restored, 0 rejected",
            "0 stored, 2 deleted earlier and not restored, 0 rejected",
        ] {
            tally.count_deleted();
            assert_eq!(tally.counts(), counts);
        }
    }

    #[test]
    fn lists_the_first_rejected_lines_in_order_with_every_fault() {
        let mut tally = Tally::default();
        assert!(!tally.has_rejected());
        tally.count_rejected(vec![rejected(9, 1), rejected(4, 2)]);
        assert_eq!(
            tally.rejections(),
            ["line 4: fault 0", "line 4: fault 1", "line 9: fault 0"]
        );
        tally.count_rejected((10..=100).map(|line| rejected(line, 1)).collect());
        assert!(tally.has_rejected());
        let rejections = tally.rejections();
        assert_eq!(rejections.len(), MAX_LISTED + 2);
        assert_eq!(rejections.last().unwrap(), "and 73 more");
        assert_eq!(tally.counts(), "0 stored, 93 rejected");
    }
}
