//! Converts a server's rejection to faults of lines.

use tidings_client::{ClientError, ErrorKind};
use tidings_event::{ErrorBody, ErrorCode};

use super::batch::{Batch, Rejected};

/// A batch that the server rejected as a whole because of its size.
#[derive(Debug, PartialEq)]
pub(super) enum Split {
    /// The only event of the batch is too large.
    Rejected(Rejected),
    /// Smaller batches can be accepted.
    Halves(Batch, Batch),
}

/// Decides how to split a batch whose request failed. `None` if every other request would fail for the
/// same reason.
pub(super) fn split(batch: Batch, error: &ClientError) -> Option<Split> {
    let body = error.rejection()?;
    if body.code != ErrorCode::TooLarge {
        return None;
    }
    if let [only] = &batch.entries[..] {
        return Some(Split::Rejected(Rejected {
            line: only.line,
            faults: faults(body),
        }));
    }
    let (first, second) = batch.halves();
    Some(Split::Halves(first, second))
}

/// The rejection of a single event. `None` if the error is not about the event, so that the server would
/// reject every event.
pub(super) fn of_event(line: u64, error: &ClientError) -> Option<Rejected> {
    let ErrorKind::Rejected { status, body } = error.kind() else {
        return None;
    };
    let is_about_the_event = match body.code {
        ErrorCode::InvalidEvent
        | ErrorCode::InvalidJson
        | ErrorCode::TooLarge
        | ErrorCode::EventConflict => true,
        // A newer server can send error codes that this version does not know.
        ErrorCode::Unknown => matches!(status, 400 | 409 | 413 | 422),
        _ => false,
    };
    is_about_the_event.then(|| Rejected {
        line,
        faults: faults(body),
    })
}

fn faults(body: &ErrorBody) -> Vec<String> {
    let faults = body.long_description.iter().enumerate();
    let faults: Vec<_> = faults
        .map(|(index, fault)| with_remedy(fault, body, index))
        .collect();
    if faults.is_empty() {
        vec![body.error.clone()]
    } else {
        faults
    }
}

/// Appends the remedy, which has the same index as its fault.
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

    use super::*;

    fn body(faults: &[&str], remedies: &[&str]) -> ErrorBody {
        serde_json::from_value(json!({
            "error": "rejected", "code": "invalid_event", "severity": "ERROR",
            "longDescription": faults, "suggestedRemediation": remedies,
        }))
        .unwrap()
    }

    #[test]
    fn appends_each_remedy_to_its_fault() {
        let two = body(&["category is missing", "action is missing"], &["a", "b"]);
        assert_eq!(
            faults(&two),
            ["category is missing: a", "action is missing: b"]
        );
        let one_remedy = body(&["category is missing", "action is missing"], &["a"]);
        assert_eq!(
            faults(&one_remedy),
            ["category is missing", "action is missing"]
        );
        assert_eq!(faults(&body(&[], &[])), ["rejected"]);
    }
}
