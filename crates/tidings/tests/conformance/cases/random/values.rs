//! The few values of which random events consist, so that they often share them.

use std::time::Duration;

use proptest::prelude::*;
use tidings_event::{Severity, Timestamp};

pub(super) const CATEGORIES: [&str; 2] = ["deployment", "connection"];

pub(super) const ACTIONS: [&str; 3] = ["apply", "register", "ping"];

pub(super) const TEXTS: [&str; 5] = [
    "Could NOT deploy",
    "Straße gesperrt",
    "ΟΔΟΣ 100%",
    "50_000 rows",
    "",
];

pub(super) fn severity() -> impl Strategy<Value = Severity> {
    prop::sample::select(&Severity::ALL[..]).prop_filter("error events need a cause", |severity| {
        *severity != Severity::Error
    })
}

pub(super) fn at(seconds: u64) -> Timestamp {
    Timestamp::UNIX_EPOCH + Duration::from_secs(1_000_000_000 + seconds)
}
