//! The configuration by which tokens are verified.

use std::error::Error;
#[cfg(feature = "jwt")]
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::time::Duration;

#[cfg(feature = "jwt")]
use url::Host;
use url::Url;

/// The longest leeway. A revoked token is remembered for as long after its expiry.
pub(super) const MAX_LEEWAY: Duration = Duration::from_secs(5 * 60);

/// The keys and rules that verify tokens. Needs the feature `jwt`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TokenConfig {
    /// The source of the keys.
    pub keys: KeySource,
    /// The accepted `iss`, compared byte by byte (RFC 7519 §4.1.1). `None` accepts any, since the key
    /// identifies the signer.
    pub issuer: Option<String>,
    /// The accepted values of `aud` (RFC 7519 §4.1.3). If empty, tokens with an `aud` are rejected, since
    /// they are for another service.
    pub audience: Vec<String>,
    /// The accepted difference between the clocks of issuer and server; at most 5 minutes.
    pub leeway: Duration,
    /// The claim that names the owner if `sub` is not a UUID.
    pub owner_claim: Option<String>,
    /// Derives the owner from `iss` and `sub` (a UUID of version 5) if nothing else names one.
    pub owner_from_subject: bool,
    /// A list of revoked tokens; see [`Revocations`](super::Revocations). The file must exist.
    pub revocation_file: Option<PathBuf>,
}

/// The source of keys. New keys are used without a restart. If the source cannot be read, the previous
/// keys stay in use.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum KeySource {
    /// A file with a secret of at least 32 bytes, for HS256 only.
    SecretFile(PathBuf),
    /// A file with a JSON Web Key Set (RFC 7517) of public keys, for RS256, ES256 and `EdDSA`.
    JwksFile(PathBuf),
    /// An `https` URL of such a set, or an `http` URL of a loopback address. Redirects are not followed
    /// and proxies not used. Needs the feature `jwks-url`.
    JwksUrl(Url),
}

impl TokenConfig {
    /// More than the difference between clocks that NTP sets.
    pub const DEFAULT_LEEWAY: Duration = Duration::from_secs(30);

    /// The longest leeway.
    pub const MAX_LEEWAY: Duration = MAX_LEEWAY;

    /// Accepts tokens that these keys verify, of any issuer, without an audience, whose `sub` is a UUID.
    pub const fn new(keys: KeySource) -> Self {
        Self {
            keys,
            issuer: None,
            audience: Vec::new(),
            leeway: Self::DEFAULT_LEEWAY,
            owner_claim: None,
            owner_from_subject: false,
            revocation_file: None,
        }
    }

    /// Checks everything that needs no file.
    #[cfg(feature = "jwt")]
    pub(super) fn check(&self) -> Result<(), TokenSetupError> {
        if self.leeway > MAX_LEEWAY {
            return Err(TokenSetupError::Leeway { given: self.leeway });
        }
        for (what, text) in [
            ("issuer", self.issuer.as_ref()),
            (
                "audience",
                self.audience.iter().find(|name| name.is_empty()),
            ),
            ("owner claim", self.owner_claim.as_ref()),
        ] {
            if text.is_some_and(String::is_empty) {
                return Err(TokenSetupError::Empty { what });
            }
        }
        if self.owner_from_subject && self.issuer.is_none() {
            return Err(TokenSetupError::AnyIssuer);
        }
        match &self.owner_claim {
            Some(name) if KNOWN_CLAIMS.contains(&&**name) => {
                return Err(TokenSetupError::OwnerClaim { name: name.clone() });
            }
            _ => {}
        }
        match &self.keys {
            KeySource::JwksUrl(url) => Ok(check_url(url)?),
            KeySource::SecretFile(_) | KeySource::JwksFile(_) => Ok(()),
        }
    }
}

/// The claims that have a meaning already.
#[cfg(feature = "jwt")]
const KNOWN_CLAIMS: [&str; 8] = ["iss", "sub", "aud", "exp", "nbf", "jti", "scope", "scp"];

/// Why tokens cannot be verified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenSetupError {
    /// The configuration asks for a part that is not built in.
    #[error(
        "cannot verify tokens: this program was built without the feature `{feature}` of tidings-server"
    )]
    WithoutFeature {
        /// The Cargo feature that provides it.
        feature: &'static str,
    },
    /// A file cannot be used.
    #[error("the {what} {} cannot be used", path.display())]
    File {
        /// The kind of the file.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The fault.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The leeway is too long.
    #[error("a leeway of {given:?} is longer than {MAX_LEEWAY:?}: set the clocks right instead")]
    Leeway {
        /// The configured leeway.
        given: Duration,
    },
    /// A value that no token can match.
    #[error("an empty {what} matches no token: leave it out, or give one")]
    Empty {
        /// The kind of the value.
        what: &'static str,
    },
    /// Owners would be made of the subjects of any issuer that shares a key.
    #[error("owners are made of issuer and subject only if one issuer is trusted: name it")]
    AnyIssuer,
    /// The claim for the owner has another meaning.
    #[error(
        "the claim `{name}` cannot name the owner, since it means something else: give another"
    )]
    OwnerClaim {
        /// The name of the claim.
        name: String,
    },
    /// Keys cannot be fetched safely from the URL.
    #[error("the URL of the keys {0}")]
    Url(#[from] KeyUrlFault),
    /// TLS cannot be set up to fetch keys.
    #[error(
        "could not set up TLS to fetch the keys; are the certificates of the system installed?"
    )]
    Tls(#[source] Box<dyn Error + Send + Sync>),
}

/// Why keys cannot be fetched safely from a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyUrlFault {
    /// Others on the network could replace keys that are fetched from this URL.
    #[error("must begin with https://, or with http:// and a loopback address")]
    Unprotected,
    /// The credentials in the URL would appear in logs.
    #[error("must not carry a user name or a password")]
    Credentials,
}

/// Checks that keys can be fetched safely from a URL.
///
/// # Errors
///
/// [`KeyUrlFault`].
#[cfg(feature = "jwt")]
fn check_url(url: &Url) -> Result<(), KeyUrlFault> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err(KeyUrlFault::Credentials);
    }
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(url) => Ok(()),
        _ => Err(KeyUrlFault::Unprotected),
    }
}

#[cfg(feature = "jwt")]
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => Ipv4Addr::is_loopback(&address),
        Some(Host::Ipv6(address)) => Ipv6Addr::is_loopback(&address),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
#[cfg(feature = "jwt")]
mod tests {
    use super::*;

    #[test]
    fn rejects_a_configuration_that_cannot_work() {
        let good = TokenConfig::new(KeySource::SecretFile("secret".into()));
        assert!(good.check().is_ok());
        let owner_claim = |name: &str| TokenConfig {
            owner_claim: Some(name.to_owned()),
            ..good.clone()
        };
        assert!(owner_claim("https://x.example/owner").check().is_ok());
        for (config, hint) in [
            (owner_claim("sub"), "give another"),
            (owner_claim(""), "owner claim"),
            (
                TokenConfig {
                    leeway: Duration::from_secs(301),
                    ..good.clone()
                },
                "300s",
            ),
            (
                TokenConfig {
                    issuer: Some(String::new()),
                    ..good.clone()
                },
                "issuer",
            ),
            (
                TokenConfig {
                    audience: vec!["a".to_owned(), String::new()],
                    ..good.clone()
                },
                "audience",
            ),
            (
                TokenConfig::new(KeySource::JwksUrl("http://id.example/".parse().unwrap())),
                "https://",
            ),
        ] {
            let error = config.check().unwrap_err().to_string();
            assert!(error.contains(hint), "{error}");
        }
    }

    #[test]
    fn accepts_only_urls_that_nobody_can_tamper_with() {
        for (url, fault) in [
            ("https://id.example/jwks", None),
            ("http://127.0.0.1:8080/jwks", None),
            ("http://127.9.9.9/jwks", None),
            ("http://[::1]/jwks", None),
            ("http://LOCALHOST/jwks", None),
            ("http://id.example/jwks", Some(KeyUrlFault::Unprotected)),
            (
                "http://localhost.example/jwks",
                Some(KeyUrlFault::Unprotected),
            ),
            ("http://10.0.0.1/jwks", Some(KeyUrlFault::Unprotected)),
            ("http://0.0.0.0/jwks", Some(KeyUrlFault::Unprotected)),
            ("file:///etc/jwks", Some(KeyUrlFault::Unprotected)),
            ("ftp://127.0.0.1/jwks", Some(KeyUrlFault::Unprotected)),
            (
                "https://user@id.example/jwks",
                Some(KeyUrlFault::Credentials),
            ),
            (
                "https://:pass@id.example/jwks",
                Some(KeyUrlFault::Credentials),
            ),
        ] {
            let checked = check_url(&url.parse().unwrap());
            assert_eq!(checked.err(), fault, "{url}");
        }
    }
}
