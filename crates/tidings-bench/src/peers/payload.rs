//! The events that other servers send.

/// An event of this many bytes. It starts with `{`, by which its line is counted.
pub(super) fn payload(bytes: usize) -> String {
    const FRAME: &str = "{\"description\":\"\"}";
    let filling = "x".repeat(bytes.saturating_sub(FRAME.len()));
    format!("{{\"description\":\"{filling}\"}}")
}
