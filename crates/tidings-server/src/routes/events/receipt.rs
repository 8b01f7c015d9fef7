//! The event in the response to a publisher, with the repairs of what was sent.

use bytes::Bytes;
use tidings::Receipt;

/// The event as it is stored, with the repairs.
pub(super) fn with_warnings(receipt: &Receipt) -> Bytes {
    if receipt.warnings.is_empty() {
        return receipt.json().clone();
    }
    let mut json = Vec::new();
    put_with_warnings(&mut json, receipt);
    json.into()
}

/// Encodes the warnings only, which most events do not have.
pub(super) fn put_with_warnings(json: &mut Vec<u8>, receipt: &Receipt) {
    match receipt.json().strip_suffix(b"}") {
        Some(open) if !receipt.warnings.is_empty() => {
            json.extend_from_slice(open);
            json.extend_from_slice(b",\"warnings\":");
            put_json(json, &receipt.warnings);
            json.push(b'}');
        }
        _ => json.extend_from_slice(receipt.json()),
    }
}

pub(super) fn put_json(json: &mut Vec<u8>, value: &impl serde::Serialize) {
    serde_json::to_writer(json, value).expect("responses have only text keys");
}
