//! The updates of an event. Each has a number, which is its `sequence` and ends its description.

use tidings_event::{Severity, Status};

use super::{Action, Deed, Feed, Key, Outcome, Record, Scope, Sent};
use crate::caller::User;
use crate::findings::Moment;

/// Separates a description from the number of the update that it has.
const SEPARATOR: char = '|';

/// The updates of one event, whose numbers are 1, 2, 3 and so on in the order in which they begin.
#[derive(Clone, Debug, Default)]
pub(crate) struct Updates {
    /// The severity of each update that was sent.
    severities: Vec<Severity>,
    /// The highest number that a node has reported as stored.
    pub(crate) acknowledged: u64,
}

/// An update as it is sent.
#[derive(Clone, Debug)]
pub(crate) struct NumberedUpdate {
    pub(crate) key: Key,
    pub(crate) number: u64,
    pub(crate) severity: Severity,
    pub(crate) description: String,
    pub(crate) renotify: bool,
    /// The action that marks the event as unread if the update is applied.
    mark: Option<Mark>,
}

#[derive(Clone, Copy, Debug)]
struct Mark {
    action: usize,
    /// Whether it marks the event whichever update comes before it.
    is_certain: bool,
}

impl Updates {
    /// The number of the last update that was sent; 0 before the first.
    pub(crate) fn sent(&self) -> u64 {
        self.severities.len() as u64
    }
}

impl Sent {
    /// The severities that the event had or can have had: as it was published, and after each update.
    fn severities(&self) -> impl Iterator<Item = Severity> {
        std::iter::once(self.severity).chain(self.updates.severities.iter().copied())
    }

    /// The severity after an update that was sent; `None` if none has this number.
    pub(super) fn severity_after(&self, update: u64) -> Option<Severity> {
        self.severities().nth(usize::try_from(update).ok()?)
    }

    pub(crate) fn can_have(&self, severity: Severity) -> bool {
        self.severities().any(|one| one == severity)
    }

    pub(crate) fn always_has(&self, severity: Severity) -> bool {
        self.severities().all(|one| one == severity)
    }
}

impl Record {
    /// Records an update of a stored event, with another severity if one is given.
    pub(crate) fn update(
        &mut self,
        key: Key,
        severity: Option<Severity>,
        renotify: bool,
        begun: Moment,
    ) -> NumberedUpdate {
        let sent = self.sent.get_mut(&key).expect("it was recorded");
        let (_, content) = sent.stored.expect("a stored event is chosen");
        let last = sent.updates.sent();
        let severity = severity.or(sent.severity_after(last));
        let severity = severity.expect("the last update was sent");
        // The update takes effect after one of these, or not at all.
        let before = sent.updates.acknowledged..=last;
        let mut before = before.filter_map(|number| sent.severity_after(number));
        // Severities are sorted by their urgency, the most urgent first.
        let can_mark = renotify || before.clone().any(|before| severity < before);
        let is_certain = renotify || before.all(|before| severity < before);
        let number = last + 1;
        let description = format!("{}{SEPARATOR}{number}", sent.contents[content]);
        sent.updates.severities.push(severity);
        *self.updated.entry(key.feed).or_default() += 1;
        let mark = match key.feed {
            Feed::User(user) if can_mark => Some(Mark {
                action: self.act(Action {
                    user,
                    deed: Deed::Mark(Status::Unread),
                    scope: Scope::Keys(vec![key]),
                    begun,
                    covers: begun,
                    outcome: Outcome::Unknown,
                }),
                is_certain,
            }),
            Feed::User(_) | Feed::System => None,
        };
        NumberedUpdate {
            key,
            number,
            severity,
            description,
            renotify,
            mark,
        }
    }

    /// Records that a node has reported the update `stored` in response to this one. `is_first` says that no earlier
    /// attempt of this one can have taken effect.
    pub(crate) fn is_updated(
        &mut self,
        update: &NumberedUpdate,
        stored: u64,
        is_first: bool,
        now: Moment,
    ) {
        let sent = self.sent.get_mut(&update.key).expect("it was recorded");
        sent.updates.acknowledged = sent.updates.acknowledged.max(stored);
        let Some(mark) = update.mark else {
            return;
        };
        let outcome = &mut self.actions[mark.action].outcome;
        if stored != update.number {
            // It is outdated, and has no effect now.
            if is_first {
                *outcome = Outcome::Refused;
            }
        } else if mark.is_certain {
            *outcome = Outcome::Done(now);
        }
    }

    /// How many updates of events of a feed have begun.
    pub(crate) fn updates_of(&self, feed: Feed) -> u64 {
        self.updated.get(&feed).copied().unwrap_or_default()
    }

    /// Whether a user has asked to delete an event.
    pub(crate) fn can_be_deleted(&self, user: User, key: Key) -> bool {
        self.actions_on(user, key)
            .any(|action| action.deed == Deed::Delete)
    }
}

/// The description as it was published, and the number of the last update; 0 without an update.
pub(super) fn read(description: &str) -> Result<(&str, u64), String> {
    match description.rsplit_once(SEPARATOR) {
        None => Ok((description, 0)),
        Some((published, number)) => match number.parse() {
            Ok(number @ 1..) => Ok((published, number)),
            Ok(0) | Err(_) => Err(format!("{description:?} ends with no number of an update")),
        },
    }
}

#[cfg(test)]
mod tests {
    use tidings_event::Severity;
    use uuid::Uuid;

    use super::super::{Feed, Key, Outcome, Record};
    use crate::findings::Findings;

    const KEY: Key = Key {
        feed: Feed::User(0),
        id: Uuid::nil(),
    };

    /// A record with a stored event that is a warning.
    fn stored(findings: &Findings) -> Record {
        let mut record = Record::default();
        let events = vec![(KEY, Severity::Warning, vec!["text".to_owned()])];
        let publication = record.publish(events, findings.now());
        assert_eq!(record.is_stored(publication, 0, findings.now()), None);
        record
    }

    #[test]
    fn accepts_only_texts_that_were_sent() {
        let findings = Findings::new();
        let mut record = stored(&findings);
        record.update(KEY, Some(Severity::Error), false, findings.now());
        let seen = |severity, text: &str| record.check_seen(KEY, severity, text).ok();
        assert_eq!(seen(Severity::Warning, "text"), Some(0));
        assert_eq!(seen(Severity::Error, "text|1"), Some(1));
        for (severity, text) in [
            (Severity::Warning, "text|1"),
            (Severity::Error, "text"),
            (Severity::Error, "text|2"),
            (Severity::Error, "other|1"),
            (Severity::Error, "text|0"),
            (Severity::Error, "text|"),
        ] {
            assert_eq!(seen(severity, text), None, "{severity} {text}");
        }
    }

    #[test]
    fn an_update_marks_as_unread_if_it_is_more_urgent_than_any_before() {
        let findings = Findings::new();
        let mut record = stored(&findings);
        let mut outcome = |severity, acknowledges| {
            let before = record.actions.len();
            let update = record.update(KEY, Some(severity), false, findings.now());
            if acknowledges {
                record.is_updated(&update, update.number, true, findings.now());
            }
            let action = record.actions.get(before);
            action.map(|action| matches!(action.outcome, Outcome::Done(_)))
        };
        assert_eq!(outcome(Severity::Warning, true), None);
        assert_eq!(outcome(Severity::Error, true), Some(true));
        assert_eq!(outcome(Severity::Debug, false), None);
        // The update to debug may have taken effect, or not.
        assert_eq!(outcome(Severity::Error, true), Some(false));
        assert_eq!(outcome(Severity::Debug, false), None);
        assert_eq!(outcome(Severity::Alert, true), Some(true));
    }
}
