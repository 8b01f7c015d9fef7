//! The body of every error response.

use std::fmt;

use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize, Serializer};

/// The kind of an error, as a stable word for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorCode {
    /// The body is not JSON, or a field has the wrong JSON type.
    InvalidJson,
    /// The event violates a rule.
    InvalidEvent,
    /// A query parameter is unknown or malformed.
    InvalidQuery,
    /// The selection of events or the new status is missing or ambiguous.
    InvalidChange,
    /// The log level is unknown.
    InvalidConfig,
    /// The token to revoke is missing or ambiguous.
    InvalidRevocation,
    /// The body ended early or could not be read.
    BodyUnreadable,
    /// The body, the event or the batch is too large.
    TooLarge,
    /// The URI is too long.
    UriTooLong,
    /// The `Content-Type` of the body is not `application/json`.
    UnsupportedMediaType,
    /// The owner has an event with the same id and other content.
    EventConflict,
    /// The owner's events have reached their storage quota.
    QuotaExceeded,
    /// The event was published by another system than the caller's.
    ForeignSystem,
    /// The caller has no event with this id.
    EventNotFound,
    /// The path does not exist.
    RouteNotFound,
    /// The path does not accept this method.
    MethodNotAllowed,
    /// The `Host` of the request is not this machine.
    ForeignHost,
    /// A web page of another origin sent the request.
    ForeignOrigin,
    /// The caller exceeded its rate limit.
    RateLimited,
    /// The user or the address has the maximum number of open streams.
    TooManyStreams,
    /// The request has no token.
    TokenMissing,
    /// The token is invalid.
    TokenInvalid,
    /// The token has expired.
    TokenExpired,
    /// The token was revoked.
    TokenRevoked,
    /// The token lacks the scope for this request.
    InsufficientScope,
    /// The query exceeded its time limit.
    QueryTooSlow,
    /// The server does not have the keys to verify tokens.
    KeysUnavailable,
    /// The disk is full.
    StorageFull,
    /// The store does not respond or cannot write.
    StorageUnavailable,
    /// Too many large requests are in progress.
    Overloaded,
    /// The server is shutting down.
    ShuttingDown,
    /// The server has a fault.
    Internal,
    /// A code that only a newer version knows. No server sends it.
    #[serde(other)]
    Unknown,
}

impl ErrorCode {
    /// Every code that this version sends.
    pub const ALL: [Self; 32] = [
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
        Self::ForeignSystem,
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

/// The severity of an error for the operator of the server.
// The wire contract defines exactly these words, so the enum is exhaustive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum ErrorSeverity {
    /// The request was rejected.
    Error,
    /// The server failed.
    Critical,
}

/// The body of every error response.
///
/// The server writes the detail fields in camelCase and again in `snake_case`, because older clients
/// read only the latter. They are always arrays, never `null`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody {
    /// The error in one sentence.
    pub error: String,
    /// The kind of error, for programs.
    pub code: ErrorCode,
    /// The severity of the error.
    pub severity: ErrorSeverity,
    /// Probable causes.
    #[serde(default)]
    pub probable_cause: Vec<String>,
    /// Remedies for the caller.
    #[serde(default)]
    pub suggested_remediation: Vec<String>,
    /// Details, one entry per fault.
    #[serde(default)]
    pub long_description: Vec<String>,
}

impl ErrorBody {
    /// An error without causes, remedies and details.
    pub fn new(code: ErrorCode, severity: ErrorSeverity, error: impl Into<String>) -> Self {
        Self {
            error: error.into(),
            code,
            severity,
            probable_cause: Vec::new(),
            suggested_remediation: Vec::new(),
            long_description: Vec::new(),
        }
    }
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
    fn writes_both_spellings_and_parses_its_own_json() {
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
