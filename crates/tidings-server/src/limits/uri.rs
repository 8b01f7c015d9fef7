//! The length of an address.

use axum::http::Uri;

use crate::error::ApiError;

/// The longest path with its query: a hundred categories, actions and resources of usual length and the
/// longest text to search for take two thirds of it.
pub(crate) const MAX_URI_BYTES: usize = 16 * 1024;

/// Refuses an address that is longer than any that means something, before anything is read from it
/// (RFC 9110 §15.5.15).
pub(crate) fn check_uri(uri: &Uri) -> Result<(), ApiError> {
    let bytes = uri.path_and_query().map_or(0, |text| text.as_str().len());
    if bytes > MAX_URI_BYTES {
        let limit = MAX_URI_BYTES;
        return Err(ApiError::UriTooLong { bytes, limit });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_exact() {
        let uri = |bytes: usize| -> Uri { format!("/?{}", "x".repeat(bytes - 2)).parse().unwrap() };
        assert!(check_uri(&uri(MAX_URI_BYTES)).is_ok());
        assert!(matches!(
            check_uri(&uri(MAX_URI_BYTES + 1)),
            Err(ApiError::UriTooLong { bytes, limit }) if bytes == limit + 1
        ));
        let absolute = format!("http://localhost{}", uri(MAX_URI_BYTES));
        assert!(check_uri(&absolute.parse().unwrap()).is_ok());
    }
}
