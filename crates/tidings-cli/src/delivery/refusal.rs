//! Which events of a batch a refusal is about.

use std::collections::BTreeMap;

use tidings_client::{ClientError, ErrorKind};
use tidings_event::{ErrorBody, ErrorCode};

use super::batch::{Batch, Refused};

/// A refused batch, taken apart.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Parts {
    /// What must not be sent again.
    pub(super) refused: Vec<Refused>,
    /// What may be stored without them, in order. In two batches: where each event is refused by
    /// itself, that costs two requests an event and not one for each event that is left.
    pub(super) rest: [Batch; 2],
}

/// What the server said, if it is about the events; otherwise every request would be refused alike,
/// and sending on is of no use.
pub(super) fn about_events(error: &ClientError) -> Option<&ErrorBody> {
    let ErrorKind::Refused { status, body } = error.kind() else {
        return None;
    };
    let about_events = match body.code {
        ErrorCode::InvalidEvent
        | ErrorCode::InvalidJson
        | ErrorCode::TooLarge
        | ErrorCode::EventConflict => true,
        // A newer server may have found something new to say about an event.
        ErrorCode::Unknown => matches!(status, 400 | 409 | 413 | 422),
        _ => false,
    };
    about_events.then_some(body)
}

/// Takes out the events that the refusal names. One event that is refused is refused whether it is
/// named or not.
pub(super) fn take_apart(mut batch: Batch, body: &ErrorBody) -> Parts {
    if let [line] = batch.lines[..] {
        let refused = vec![Refused {
            line,
            faults: faults_of_one(body),
        }];
        return Parts {
            refused,
            ..Parts::default()
        };
    }
    let named = faults_by_place(body);
    let refused = named
        .iter()
        .filter_map(|(place, faults)| {
            Some(Refused {
                line: *batch.lines.get(*place)?,
                faults: faults.clone(),
            })
        })
        .collect();
    batch.retain(|place| !named.contains_key(&place));
    let (first, second) = batch.halves();
    Parts {
        refused,
        rest: [first, second],
    }
}

/// The faults that name an event of the batch, by its place in it.
fn faults_by_place(body: &ErrorBody) -> BTreeMap<usize, Vec<String>> {
    let mut named: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let mut all_named = true;
    for (index, fault) in body.long_description.iter().enumerate() {
        match split_place(fault) {
            Some((place, fault)) => named
                .entry(place)
                .or_default()
                .push(with_remedy(fault, body, index)),
            None => all_named = false,
        }
    }
    if !all_named {
        // The server lists only so many faults. Those of the last event may not be all of it: it is
        // sent again, and then they are.
        named.pop_last();
    }
    named
}

fn faults_of_one(body: &ErrorBody) -> Vec<String> {
    let faults = body.long_description.iter().enumerate();
    let faults: Vec<_> = faults
        .map(|(index, fault)| {
            let fault = split_place(fault).map_or(fault.as_str(), |(_, fault)| fault);
            with_remedy(fault, body, index)
        })
        .collect();
    if faults.is_empty() {
        vec![body.error.clone()]
    } else {
        faults
    }
}

/// `[3].category is missing` is the fourth event and what is wrong with it.
fn split_place(fault: &str) -> Option<(usize, &str)> {
    let (place, fault) = fault.strip_prefix('[')?.split_once(']')?;
    let place = place.parse().ok()?;
    Some((place, fault.strip_prefix('.').unwrap_or(fault).trim_start()))
}

/// The remedy of a fault stands at the same place as the fault.
fn with_remedy(fault: &str, body: &ErrorBody, index: usize) -> String {
    let remedies = &body.suggested_remediation;
    match remedies.get(index) {
        Some(remedy) if remedies.len() == body.long_description.len() => {
            format!("{fault}: {remedy}")
        }
        _ => fault.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tidings_client::PastEvent;

    use super::*;

    fn batch(lines: std::ops::RangeInclusive<u64>) -> Batch {
        let mut batch = Batch::default();
        for line in lines {
            batch.push(line, PastEvent::default(), false);
        }
        batch
    }

    fn body(faults: &[&str], remedies: &[&str]) -> ErrorBody {
        serde_json::from_value(json!({
            "error": "refused", "code": "invalid_event", "severity": "ERROR",
            "longDescription": faults, "suggestedRemediation": remedies,
        }))
        .unwrap()
    }

    fn refused(line: u64, faults: &[&str]) -> Refused {
        Refused {
            line,
            faults: faults.iter().map(|fault| (*fault).to_owned()).collect(),
        }
    }

    #[test]
    fn the_named_events_are_refused_with_all_their_faults() {
        let body = body(
            &[
                "[1].category is missing",
                "[1].action is missing",
                "[3] has 200000 bytes of JSON",
            ],
            &["name it", "say it", "link to it"],
        );
        let parts = take_apart(batch(11..=15), &body);
        assert_eq!(
            parts.refused,
            [
                refused(
                    12,
                    &["category is missing: name it", "action is missing: say it"]
                ),
                refused(14, &["has 200000 bytes of JSON: link to it"]),
            ]
        );
        let rest = parts.rest.map(|batch| batch.lines);
        assert_eq!(rest, [vec![11, 13], vec![15]]);
    }

    #[test]
    fn an_event_whose_list_of_faults_is_cut_is_asked_about_again() {
        let body = body(
            &[
                "[0].action is missing",
                "[2].action is missing",
                "and 7 more",
            ],
            &[],
        );
        let parts = take_apart(batch(1..=3), &body);
        assert_eq!(parts.refused, [refused(1, &["action is missing"])]);
        assert_eq!(parts.rest.map(|batch| batch.lines), [vec![2], vec![3]]);
    }

    #[test]
    fn a_batch_refused_as_a_whole_is_halved() {
        for faults in [
            &[][..],
            &["the request has more than 10 bytes"],
            &["[9] is odd"],
        ] {
            let parts = take_apart(batch(1..=3), &body(faults, &[]));
            assert_eq!(parts.refused, []);
            assert_eq!(parts.rest.map(|batch| batch.lines), [vec![1, 2], vec![3]]);
        }
    }

    #[test]
    fn a_single_event_is_refused_whatever_is_named() {
        for (faults, expected) in [
            (&[][..], "refused"),
            (&["[0].id x is taken"], "id x is taken"),
            (&["the request is too large"], "the request is too large"),
        ] {
            let parts = take_apart(batch(7..=7), &body(faults, &[]));
            assert_eq!(parts.refused, [refused(7, &[expected])]);
            assert!(parts.rest.iter().all(|batch| batch.len() == 0));
        }
    }
}
