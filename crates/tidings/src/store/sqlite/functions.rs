//! SQL functions that are written in Rust.

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;

use crate::search::contains_folded;

/// Registers `contains_folded(text, folded)`: whether a text contains a folded text.
pub(super) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("contains_folded", 2, flags, |context| {
        let text = context.get_raw(0).as_str()?;
        let needle = context.get_raw(1).as_str()?;
        Ok(contains_folded(text, needle))
    })
}
