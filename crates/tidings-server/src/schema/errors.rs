//! One error of each code for the documentation, with its real status and text.

use tidings::StoreError;
use tidings_event::{ErrorCode, EventId, SystemId, Violations};
use uuid::Uuid;

use crate::error::{ApiError, RouteError};
use crate::identity::{CredentialError, ForeignRequest};
use crate::limits::{CallerLimits, LimitError, Reach};
use crate::publication::{PublishRejection, UpdateRejection};
use crate::request::body::{BodyError, Content, UnsupportedMedia};
use crate::request::change::ChangeRejection;
use crate::request::json::InvalidJson;
use crate::request::log_level::LogLevelRejection;
use crate::request::query::InvalidQuery;
use crate::request::revocation::RevocationRejection;
use crate::store_failure::StoreFailure;
use crate::token::{Scopes, TokenError};

/// An error whose response has this code.
pub(crate) fn sample(code: ErrorCode) -> ApiError {
    let mut samples = samples().into_iter();
    let sample = samples.find(|sample| sample.problem().into_body().code == code);
    sample.expect("every code has a sample")
}

/// An error of each code.
fn samples() -> [ApiError; ErrorCode::ALL.len()] {
    [
        InvalidJson(fault(
            "body",
            "cannot be read: EOF while parsing an object (line 1, column 1)",
            "send the JSON whole, in the form that the documentation shows",
        ))
        .into(),
        PublishRejection::Invalid(fault(
            "actedUpon",
            "is missing",
            "give the UUID of the resource the event is about",
        ))
        .into(),
        InvalidQuery(fault(
            "severity",
            "(`loud`) is not a severity",
            "write one of alert, critical, debug, emergency, error, informational, success, warning",
        ))
        .into(),
        ChangeRejection::Selection(fault(
            "upTo",
            "is missing",
            "give the `cursor` of the list, or of the last frame, that the user had on screen",
        ))
        .into(),
        LogLevelRejection::Invalid(fault(
            "eventLogLevel",
            "(`\"loud\"`) is not a log level",
            "write one of panic, fatal, error, warning, info, debug, trace",
        ))
        .into(),
            RevocationRejection::Invalid(fault("id", "is missing", "give the `jti` of the token"))
                .into(),
        BodyError::Unreadable("cut off".into()).into(),
        BodyError::TooLarge {
            limit: 4 * 1024 * 1024,
            content: Content::Events,
        }
        .into(),
        LimitError::Uri {
            bytes: 20_000,
            limit: 16 * 1024,
        }
        .into(),
            BodyError::Unsupported(UnsupportedMedia::NotJson { given: None }).into(),
        PublishRejection::Conflict {
            index: None,
            id: EventId::from_uuid(Uuid::from_u128(0x0193_f0a0_0000_7000_8000_0000_0000_0001)),
        }
        .into(),
        PublishRejection::QuotaExceeded {
            index: None,
            bytes: 1_200,
            used: tidings::Config::DEFAULT_OWNER_BYTES - 700,
            limit: tidings::Config::DEFAULT_OWNER_BYTES,
        }
        .into(),
        UpdateRejection::ForeignSystem {
            system: SystemId::from_uuid(Uuid::from_u128(0x7b1d_2c3e_0000_4000_8000_0000_0000_00aa)),
        }
        .into(),
        RouteError::EventNotFound.into(),
        RouteError::NotFound.into(),
        RouteError::MethodNotAllowed.into(),
        ForeignRequest::Host {
            host: "example.org".to_owned(),
        }
        .into(),
        ForeignRequest::Origin {
            origin: "https://example.org".to_owned(),
        }
        .into(),
        LimitError::Publishes {
            reach: Reach::Everyone,
            rate: CallerLimits::DEFAULT_PUBLISH_RATE,
            seconds: 1,
        }
        .into(),
        LimitError::StreamsOfOwner {
            limit: CallerLimits::DEFAULT_STREAMS_PER_OWNER,
        }
        .into(),
        StoreError::TookTooLong {
            limit: std::time::Duration::from_secs(10),
        }
        .into(),
        StoreError::Full("no space".into()).into(),
        StoreFailure::Timeout.into(),
        BodyError::Overloaded.into(),
        StoreFailure::ShuttingDown.into(),
        CredentialError::Missing.into(),
        token(TokenError::BadSignature),
        token(TokenError::Expired),
        token(TokenError::Revoked),
        CredentialError::MissingScope {
            any_of: &[Scopes::WRITE],
        }
        .into(),
        token(TokenError::KeysUnavailable),
        RouteError::Panicked(String::new()).into(),
    ]
}

fn token(error: TokenError) -> ApiError {
    CredentialError::from(error).into()
}

fn fault(field: &str, fault: &str, remedy: &str) -> Violations {
    let mut violations = Violations::default();
    violations.add(field, fault, remedy);
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_an_error() {
        for code in ErrorCode::ALL {
            assert_eq!(sample(code).problem().into_body().code, code);
        }
    }
}
