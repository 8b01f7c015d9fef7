//! Test invariants on untrusted input, as functions that panic when one is broken.
//!
//! Each function takes the bytes that a client can send to one parser. A fuzzer calls them (see `fuzz/`
//! at the root of the repository), and so does every test run, with the fuzzer's corpus and variations
//! of it. The feature `fuzzing` compiles this module; releases do not contain it.

mod changes;
mod cursors;
mod events;
mod lists;
mod rejections;
#[cfg(test)]
mod tests;
mod tokens;
mod updates;

pub use crate::identity::fuzzing::caller;
pub use changes::change;
pub use cursors::{cursor, last_event_id};
pub use events::{batch, event};
pub use lists::list_query;
pub use tokens::{claims, key_set, revocation_list, token};
pub use updates::update;

/// Checks the invariants of one parser.
pub type Target = fn(&[u8]);

/// Every target with its name.
pub const TARGETS: [(&str, Target); 12] = [
    ("batch", batch),
    ("caller", caller),
    ("change", change),
    ("claims", claims),
    ("cursor", cursor),
    ("event", event),
    ("key_set", key_set),
    ("last_event_id", last_event_id),
    ("list_query", list_query),
    ("revocation_list", revocation_list),
    ("token", token),
    ("update", update),
];
