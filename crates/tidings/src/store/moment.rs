//! Moments as stores keep them.

use tidings_event::Timestamp;

/// A moment as stores keep it: nanoseconds since 1970. The rules keep an event's in range; one that a filter
/// names is cut to the range, which changes nothing about what it lets through.
pub(super) fn nanoseconds(moment: Timestamp) -> i64 {
    let nanoseconds = moment.as_nanosecond();
    i64::try_from(nanoseconds).unwrap_or(if nanoseconds < 0 { i64::MIN } else { i64::MAX })
}

/// The moment that a store keeps as this number.
pub(super) fn moment(nanoseconds: i64) -> Timestamp {
    Timestamp::from_nanosecond(nanoseconds.into())
        .expect("64 bits of nanoseconds are within the calendar")
}
