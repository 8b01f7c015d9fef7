//! Durations in flags.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::{Span, SpanRelativeTo};

/// A duration as people write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Age(pub(crate) Duration);

/// Why a text is not a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AgeError {
    /// It is not a duration above 0.
    NoTime,
    /// `6m` can mean minutes or months.
    MinutesOrMonths,
}

impl fmt::Display for AgeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoTime => "expected a duration above 0 in weeks, days, hours, minutes or seconds, such as `90d` or `12h 30min`",
            Self::MinutesOrMonths => "`m` is ambiguous: use `min` for minutes, and days instead of months",
        })
    }
}

impl std::error::Error for AgeError {}

impl FromStr for Age {
    type Err = AgeError;

    fn from_str(text: &str) -> Result<Self, AgeError> {
        let mut words = text.split(|char: char| !char.is_ascii_alphabetic());
        if words.any(|word| word == "m") {
            return Err(AgeError::MinutesOrMonths);
        }
        let span: Span = text.parse().map_err(|_| AgeError::NoTime)?;
        // Months and years have no fixed length, and are rejected.
        let days = SpanRelativeTo::days_are_24_hours();
        let duration = span.to_duration(days).map_err(|_| AgeError::NoTime)?;
        match Duration::try_from(duration) {
            Ok(duration) if !duration.is_zero() => Ok(Self(duration)),
            _ => Err(AgeError::NoTime),
        }
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DAY: u64 = 24 * 60 * 60;
        let seconds = self.0.as_secs();
        if self.0.subsec_nanos() == 0 && seconds >= DAY && seconds.is_multiple_of(DAY) {
            write!(f, "{}d", seconds / DAY)
        } else {
            write!(f, "{:?}", self.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displays_durations_as_flags_take_them() {
        for text in ["30d", "60s", "500ms"] {
            assert_eq!(text.parse::<Age>().unwrap().to_string(), text);
        }
    }
}
