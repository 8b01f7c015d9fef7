//! An error with its sources, as one line for the log.

use std::error::Error;
use std::fmt::Write as _;

/// An error and all its sources.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        // Writing to a `String` cannot fail.
        let _ = write!(text, ": {inner}");
        source = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use tidings::StoreError;

    use super::*;

    #[test]
    fn names_every_source() {
        let error = StoreError::Full(std::io::Error::other("no space left").into());
        assert_eq!(chain(&error), format!("{error}: no space left"));
    }
}
