//! The one envelope of every error answer.

use std::fmt;

use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize, Serializer};

/// What went wrong, as a stable word for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorCode {
    /// The body is not JSON, or a field has the wrong JSON type.
    InvalidJson,
    /// The event breaks a rule.
    InvalidEvent,
    /// A query parameter is unknown or malformed.
    InvalidQuery,
    /// It is not clear which events are to be changed, or to what.
    InvalidChange,
    /// The log has no such level.
    InvalidConfig,
    /// It is not clear which token is to be revoked.
    InvalidRevocation,
    /// The body could not be read to its end.
    BodyUnreadable,
    /// The body, the event or the batch is too large.
    TooLarge,
    /// The address is longer than any that means something.
    UriTooLong,
    /// The body is not declared as `application/json`.
    UnsupportedMediaType,
    /// The owner has an event with the same id and other content.
    EventConflict,
    /// The events of the owner take as many bytes as they may.
    QuotaExceeded,
    /// The caller has no event with this id.
    EventNotFound,
    /// No such path.
    RouteNotFound,
    /// The path does not take this method.
    MethodNotAllowed,
    /// The request names a host that is not this machine.
    ForeignHost,
    /// The request comes from a web page of another origin.
    ForeignOrigin,
    /// The caller has published, or asked for, more than it may in so short a time.
    RateLimited,
    /// As many streams are open as the user, or the address, may have.
    TooManyStreams,
    /// The request shows no token.
    TokenMissing,
    /// The token is no good, whatever the time.
    TokenInvalid,
    /// The token was good until it expired.
    TokenExpired,
    /// The token was good until it was revoked.
    TokenRevoked,
    /// The token does not allow this.
    InsufficientScope,
    /// The query takes longer than queries may take.
    QueryTooSlow,
    /// The server has not got the keys that verify tokens.
    KeysUnavailable,
    /// The disk is full.
    StorageFull,
    /// The store does not answer or refuses to write.
    StorageUnavailable,
    /// Too many large requests arrive at the same time.
    Overloaded,
    /// The server is about to end.
    ShuttingDown,
    /// A fault of the server.
    Internal,
    /// A code that a newer server knows and this version does not. No server sends it.
    #[serde(other)]
    Unknown,
}

impl ErrorCode {
    /// Every code that a server of this version sends.
    pub const ALL: [Self; 31] = [
        Self::InvalidJson,
        Self::InvalidEvent,
        Self::InvalidQuery,
        Self::InvalidChange,
        Self::InvalidConfig,
        Self::InvalidRevocation,
        Self::BodyUnreadable,
        Self::TooLarge,
        Self::UriTooLong,
        Self::UnsupportedMediaType,
        Self::EventConflict,
        Self::QuotaExceeded,
        Self::EventNotFound,
        Self::RouteNotFound,
        Self::MethodNotAllowed,
        Self::ForeignHost,
        Self::ForeignOrigin,
        Self::RateLimited,
        Self::TooManyStreams,
        Self::TokenMissing,
        Self::TokenInvalid,
        Self::TokenExpired,
        Self::TokenRevoked,
        Self::InsufficientScope,
        Self::QueryTooSlow,
        Self::KeysUnavailable,
        Self::StorageFull,
        Self::StorageUnavailable,
        Self::Overloaded,
        Self::ShuttingDown,
        Self::Internal,
    ];
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// How grave an error is for the operator of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum ErrorSeverity {
    /// The request was refused.
    Error,
    /// The server could not do what it should.
    Critical,
}

/// The body of every error answer.
///
/// The detail fields are written in camelCase and again in `snake_case`, since older clients read
/// only the latter. They are arrays always, never `null`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody {
    /// What went wrong, in one sentence.
    pub error: String,
    /// The same for programs.
    pub code: ErrorCode,
    /// How grave it is.
    pub severity: ErrorSeverity,
    /// What is likely behind it.
    #[serde(default)]
    pub probable_cause: Vec<String>,
    /// What the caller can do.
    #[serde(default)]
    pub suggested_remediation: Vec<String>,
    /// The details, one entry a fault.
    #[serde(default)]
    pub long_description: Vec<String>,
}

impl Serialize for ErrorBody {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut body = serializer.serialize_struct("ErrorBody", 9)?;
        body.serialize_field("error", &self.error)?;
        body.serialize_field("code", &self.code)?;
        body.serialize_field("severity", &self.severity)?;
        body.serialize_field("probableCause", &self.probable_cause)?;
        body.serialize_field("suggestedRemediation", &self.suggested_remediation)?;
        body.serialize_field("longDescription", &self.long_description)?;
        body.serialize_field("probable_cause", &self.probable_cause)?;
        body.serialize_field("suggested_remediation", &self.suggested_remediation)?;
        body.serialize_field("long_description", &self.long_description)?;
        body.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_envelope_has_both_spellings_and_reads_back() {
        let body = ErrorBody {
            error: "no such event".into(),
            code: ErrorCode::EventNotFound,
            severity: ErrorSeverity::Error,
            probable_cause: vec![],
            suggested_remediation: vec!["list the events".into()],
            long_description: vec![],
        };
        let json = serde_json::to_value(&body).unwrap();
        assert_eq!(json["code"], "event_not_found");
        assert_eq!(json["severity"], "ERROR");
        assert_eq!(json["suggestedRemediation"], json["suggested_remediation"]);
        assert!(json["probable_cause"].is_array());
        assert_eq!(serde_json::from_value::<ErrorBody>(json).unwrap(), body);
        assert_eq!(ErrorCode::EventNotFound.to_string(), "event_not_found");
        let newer: ErrorCode = serde_json::from_str("\"of_a_newer_server\"").unwrap();
        assert_eq!(newer, ErrorCode::Unknown);
    }
}
