//! The subject of a server's rejection.

use tidings_client::{ClientError, ErrorKind};
use tidings_event::ErrorCode;

/// Whether another token, or one at all, would help.
pub(crate) fn is_of_token(error: &ClientError) -> bool {
    let code = error.rejection().map(|body| body.code);
    matches!(error.kind(), ErrorKind::NoToken(_))
        || matches!(
            code,
            Some(
                ErrorCode::TokenMissing
                    | ErrorCode::TokenInvalid
                    | ErrorCode::TokenExpired
                    | ErrorCode::TokenRevoked
                    | ErrorCode::InsufficientScope
            )
        )
}
