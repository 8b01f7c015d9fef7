//! The length of an address.

use axum::http::Uri;

use super::LimitError;

/// Refuses an address whose path and query are longer than `limit`, which is longer than any that means
/// something, before anything is read from it (RFC 9110 §15.5.15).
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
    fn the_limit_is_exact() {
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
