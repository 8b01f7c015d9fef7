//! Recognizes commits in what a node sends to PostgreSQL.

/// How the simple query `COMMIT` ends.
const COMMIT: &[u8] = b"COMMIT\0";

/// What only the statement contains that commits new events.
const NEW_EVENTS: &[u8] = b"WITH feeds AS MATERIALIZED";

/// Watches one connection.
#[derive(Debug, Default)]
pub(crate) struct CommitsOnTheWire {
    /// How a message begins that executes the statement for new events: without the name of a portal, and with the name
    /// that the statement got when it was prepared.
    execution: Option<Vec<u8>>,
}

impl CommitsOnTheWire {
    /// Whether these bytes have a commit, or the beginning of one.
    pub(crate) fn are_in(&mut self, bytes: &[u8]) -> bool {
        if let Some(statement) = place(bytes, NEW_EVENTS) {
            let name = bytes[..statement - 1].rsplit(|byte| !byte.is_ascii_alphanumeric());
            let name = name.into_iter().next().unwrap_or_default();
            self.execution = Some([b"\0", name, b"\0"].concat());
        }
        let executes = |execution: &Vec<u8>| {
            place(bytes, execution).is_some_and(|place| ends_with_bind(&bytes[..place]))
        };
        place(bytes, COMMIT).is_some() || self.execution.as_ref().is_some_and(executes)
    }
}

/// Whether the bytes end with the type and the length of a message that binds parameters.
fn ends_with_bind(bytes: &[u8]) -> bool {
    bytes.iter().nth_back(4) == Some(&b'B')
}

fn place(bytes: &[u8], part: &[u8]) -> Option<usize> {
    let mut windows = bytes.windows(part.len());
    windows.position(|window| window == part)
}
