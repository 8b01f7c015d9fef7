//! One error of each code, for the documentation: its status and its words are the real ones.

use tidings::StoreError;
use tidings_event::{ErrorCode, EventId, Violations};
use uuid::Uuid;

use super::ApiError;
use crate::admission::ConnectionLimits;
use crate::body::UnsupportedMedia;
use crate::limits::{CallerLimits, Excess, Reach};
use crate::token::{Scopes, TokenError};

/// An error that is answered with `code`.
pub(crate) fn sample(code: ErrorCode) -> ApiError {
    match code {
        ErrorCode::InvalidJson => ApiError::InvalidJson(fault(
            "body",
            "cannot be read: EOF while parsing an object (line 1, column 1)",
            "send the JSON whole, in the form that the documentation shows",
        )),
        ErrorCode::InvalidEvent => ApiError::InvalidEvent(fault(
            "actedUpon",
            "is missing",
            "give the UUID of the resource the event is about",
        )),
        ErrorCode::InvalidQuery => ApiError::InvalidQuery(fault(
            "severity",
            "(`info`) `info` is not a severity",
            "write `informational`",
        )),
        ErrorCode::InvalidChange => ApiError::InvalidChange(fault(
            "upTo",
            "is missing",
            "give the `cursor` of the list, or of the last frame, that the user had on screen",
        )),
        ErrorCode::InvalidConfig => ApiError::InvalidConfig(fault(
            "eventLogLevel",
            "(`\"loud\"`) is not a log level",
            "write one of panic, fatal, error, warning, info, debug, trace",
        )),
        ErrorCode::InvalidRevocation => {
            ApiError::InvalidRevocation(fault("id", "is missing", "give the `jti` of the token"))
        }
        ErrorCode::BodyUnreadable => ApiError::BodyUnreadable("cut off".into()),
        ErrorCode::TooLarge => ApiError::BodyTooLarge {
            limit: 4 * 1024 * 1024,
        },
        ErrorCode::UriTooLong => ApiError::UriTooLong {
            bytes: 20_000,
            limit: ConnectionLimits::DEFAULT_URI_BYTES,
        },
        ErrorCode::UnsupportedMediaType => UnsupportedMedia::NotJson { given: None }.into(),
        ErrorCode::EventConflict => ApiError::Conflict {
            index: None,
            id: EventId::from_uuid(Uuid::from_u128(0x0193_f0a0_0000_7000_8000_0000_0000_0001)),
        },
        ErrorCode::QuotaExceeded => ApiError::QuotaExceeded {
            index: None,
            bytes: 1_200,
            used: tidings::Config::DEFAULT_OWNER_BYTES - 700,
            limit: tidings::Config::DEFAULT_OWNER_BYTES,
        },
        ErrorCode::EventNotFound => ApiError::EventNotFound,
        ErrorCode::RouteNotFound => ApiError::RouteNotFound,
        ErrorCode::MethodNotAllowed => ApiError::MethodNotAllowed,
        ErrorCode::ForeignHost => ApiError::ForeignHost {
            host: "example.org".to_owned(),
        },
        ErrorCode::ForeignOrigin => ApiError::ForeignOrigin {
            origin: "https://example.org".to_owned(),
        },
        ErrorCode::RateLimited => ApiError::Excess(Excess::Publishes {
            reach: Reach::Everyone,
            rate: CallerLimits::DEFAULT_PUBLISH_RATE,
            seconds: 1,
        }),
        ErrorCode::TooManyStreams => ApiError::Excess(Excess::StreamsOfOwner {
            most: CallerLimits::DEFAULT_STREAMS_PER_OWNER,
        }),
        ErrorCode::QueryTooSlow => StoreError::TookTooLong {
            limit: std::time::Duration::from_secs(10),
        }
        .into(),
        ErrorCode::StorageFull => StoreError::Full("no space".into()).into(),
        ErrorCode::StorageUnavailable => ApiError::StoreTimeout,
        ErrorCode::Overloaded => ApiError::Overloaded,
        ErrorCode::ShuttingDown => ApiError::ShuttingDown,
        ErrorCode::TokenMissing => ApiError::NoToken,
        ErrorCode::TokenInvalid => ApiError::Token(TokenError::BadSignature),
        ErrorCode::TokenExpired => ApiError::Token(TokenError::Expired),
        ErrorCode::TokenRevoked => ApiError::Token(TokenError::Revoked),
        ErrorCode::InsufficientScope => ApiError::MissingScope {
            any_of: &[Scopes::WRITE],
        },
        ErrorCode::KeysUnavailable => ApiError::Token(TokenError::KeysUnavailable),
        _ => ApiError::Panicked(String::new()),
    }
}

fn fault(field: &str, fault: &str, remedy: &str) -> Violations {
    let mut violations = Violations::default();
    violations.add(field, fault, remedy);
    violations
}

#[cfg(test)]
mod tests {
    use super::super::envelope;
    use super::*;

    #[test]
    fn every_code_has_an_error_that_is_answered_with_it() {
        for code in ErrorCode::ALL {
            assert_eq!(envelope::of(&sample(code)).1.code, code);
        }
    }
}
