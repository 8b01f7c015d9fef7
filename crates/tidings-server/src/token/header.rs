//! The part of a token that is read before its signature is verified: as little as finding the key needs.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use super::error::{MAX_TOKEN_BYTES, TokenError};

/// The key that a token names. Nothing here can be trusted yet.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TokenHeader {
    pub(super) algorithm: Algorithm,
    pub(super) key_id: Option<String>,
}

/// The JOSE header (RFC 7515 §4). A repeated name is an error, as §4 demands.
#[derive(Deserialize)]
struct HeaderFields {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    #[serde(default, deserialize_with = "is_there")]
    crit: bool,
}

impl TokenHeader {
    /// Reads the first of the three parts.
    ///
    /// # Errors
    ///
    /// [`TokenError::Malformed`] and [`TokenError::UnsupportedAlgorithm`].
    pub(super) fn read(token: &str) -> Result<Self, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::Malformed);
        }
        let mut parts = token.split('.');
        let (Some(header), Some(_), Some(_), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(TokenError::Malformed);
        };
        let json = URL_SAFE_NO_PAD.decode(header);
        let json = json.map_err(|_| TokenError::Malformed)?;
        let fields: HeaderFields =
            serde_json::from_slice(&json).map_err(|_| TokenError::Malformed)?;
        if fields.crit || !fields.typ.is_none_or(|typ| is_jwt(&typ)) {
            return Err(TokenError::Malformed);
        }
        Ok(Self {
            algorithm: algorithm(&fields.alg).ok_or(TokenError::UnsupportedAlgorithm)?,
            key_id: fields.kid,
        })
    }
}

/// The algorithms that are implemented. The keys decide which of them are accepted.
fn algorithm(name: &str) -> Option<Algorithm> {
    match name {
        "HS256" => Some(Algorithm::HS256),
        "RS256" => Some(Algorithm::RS256),
        "ES256" => Some(Algorithm::ES256),
        "EdDSA" => Some(Algorithm::EdDSA),
        _ => None,
    }
}

/// Whether a `typ` names a JWT (RFC 7519 §5.1) or an access token that is one (RFC 9068 §2.1). The
/// media type's `application/` may be left out (RFC 7515 §4.1.9).
fn is_jwt(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    let name = typ.strip_prefix("application/").unwrap_or(&typ);
    matches!(name, "jwt" | "at+jwt")
}

/// The header must be absent, whatever its value; `null` counts too.
fn is_there<'de, D: Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(value).map(|_| true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str) -> Result<TokenHeader, TokenError> {
        TokenHeader::read(&format!("{}.e30.AA", URL_SAFE_NO_PAD.encode(header)))
    }

    #[test]
    fn reads_algorithm_and_key() {
        let header = read(r#"{"typ":"JWT","alg":"ES256","kid":"7","jku":"https://evil.example"}"#);
        let expected = TokenHeader {
            algorithm: Algorithm::ES256,
            key_id: Some("7".to_owned()),
        };
        assert_eq!(header, Ok(expected));
        assert_eq!(read(r#"{"alg":"HS256"}"#).unwrap().key_id, None);
    }

    #[test]
    fn rejects_other_algorithms_and_none() {
        for alg in [
            "none", "None", "nOnE", "", "HS384", "PS256", "hs256", "RS256 ",
        ] {
            let header = read(&format!(r#"{{"alg":"{alg}"}}"#));
            assert_eq!(header, Err(TokenError::UnsupportedAlgorithm), "{alg:?}");
        }
    }

    #[test]
    fn rejects_other_types() {
        for (typ, read_as_jwt) in [
            ("JWT", true),
            ("jwt", true),
            ("at+jwt", true),
            ("application/at+jwt", true),
            ("dpop+jwt", false),
            ("secevent+jwt", false),
            ("JOSE", false),
            ("", false),
        ] {
            let header = read(&format!(r#"{{"alg":"HS256","typ":"{typ}"}}"#));
            assert_eq!(header.is_ok(), read_as_jwt, "{typ:?}");
        }
    }

    #[test]
    fn rejects_a_malformed_header() {
        for header in [
            "",
            "{}",
            "[]",
            "null",
            r#"{"alg":null}"#,
            r#"{"alg":["HS256"]}"#,
            r#"{"alg":"none","alg":"HS256"}"#,
            r#"{"alg":"HS256","alg":"HS256"}"#,
            r#"{"alg":"HS256","kid":7}"#,
            r#"{"alg":"HS256","crit":["exp"]}"#,
            r#"{"alg":"HS256","crit":[]}"#,
            r#"{"alg":"HS256","crit":null}"#,
            r#"{"alg":"HS256","crit":["b64"],"b64":false}"#,
            r#"{"alg":"HS256"} x"#,
        ] {
            assert_eq!(read(header), Err(TokenError::Malformed), "{header}");
        }
    }

    #[test]
    fn rejects_tokens_without_three_parts_or_too_long() {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256"}"#);
        let long = "A".repeat(MAX_TOKEN_BYTES - header.len() - 2);
        assert!(TokenHeader::read(&format!("{header}.{long}.")).is_ok());
        for token in [
            header.clone(),
            format!("{header}.e30"),
            format!("{header}.e30.AA.AA"),
            format!("{header}.k.iv.text.tag"),
            format!("{header}=.e30.AA"),
            format!(" {header}.e30.AA"),
            format!("{header}.{long}A."),
        ] {
            assert_eq!(TokenHeader::read(&token), Err(TokenError::Malformed));
        }
    }
}
