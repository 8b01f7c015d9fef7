//! The limit of a URL's length.

use axum::http::Uri;

use super::LimitError;

/// Rejects a path with a query of more than `limit` bytes before it is parsed (RFC 9110 §15.5.15). The
/// limit is above the length of every meaningful query.
pub(crate) fn check_uri(uri: &Uri, limit: usize) -> Result<(), LimitError> {
    let bytes = uri.path_and_query().map_or(0, |text| text.as_str().len());
    if bytes > limit {
        return Err(LimitError::Uri { bytes, limit });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_one_byte_more_than_the_limit() {
        const LIMIT: usize = 16 * 1024;
        let uri = |bytes: usize| -> Uri { format!("/?{}", "x".repeat(bytes - 2)).parse().unwrap() };
        assert!(check_uri(&uri(LIMIT), LIMIT).is_ok());
        assert!(matches!(
            check_uri(&uri(LIMIT + 1), LIMIT),
            Err(LimitError::Uri { bytes, limit: LIMIT }) if bytes == LIMIT + 1
        ));
        let absolute = format!("http://localhost{}", uri(LIMIT));
        assert!(check_uri(&absolute.parse().unwrap(), LIMIT).is_ok());
    }
}
