//! How tokens are verified.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::claims::KNOWN_CLAIMS;
use super::file::FileFault;
use super::remote_keys::{self, KeyUrlFault};

/// The longest leeway; also for how long after its expiry a revoked token is still remembered.
pub(super) const MAX_LEEWAY: Duration = Duration::from_secs(5 * 60);

/// How tokens are verified.
#[derive(Clone, Debug)]
pub struct TokenConfig {
    /// Where the keys are.
    pub keys: KeySource,
    /// The only `iss` that is accepted, compared byte by byte (RFC 7519 §4.1.1). None accepts any,
    /// since the key says who signed.
    pub issuer: Option<String>,
    /// The names of this server, one of which has to be in `aud` (RFC 7519 §4.1.3). With none, tokens
    /// that name an audience are refused, since it is not this server.
    pub audience: Vec<String>,
    /// By how much the clocks of issuer and server may differ; at most 5 minutes.
    pub leeway: Duration,
    /// The claim that names the owner, where `sub` is no UUID.
    pub owner_claim: Option<String>,
    /// Make the owner of `iss` and `sub` (a UUID of version 5) where nothing else names one.
    pub owner_from_subject: bool,
    /// A list of revoked tokens; see [`Revocations`](super::Revocations). Made when it is missing.
    pub revocation_file: Option<PathBuf>,
}

/// Where keys are. Whichever it is, new ones are taken without a restart, and what cannot be read leaves
/// those from before.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// A file with a secret of at least 32 bytes, for HS256 and nothing else.
    SecretFile(PathBuf),
    /// A file with a JSON Web Key Set (RFC 7517) of public keys, for RS256, ES256 and `EdDSA`.
    JwksFile(PathBuf),
    /// An `https` URL of such a set, or an `http` one of a loopback address. Redirects are not followed,
    /// proxies not used.
    JwksUrl(Url),
}

impl TokenConfig {
    /// What clocks that are set by NTP never differ by, and nobody notices.
    pub const DEFAULT_LEEWAY: Duration = Duration::from_secs(30);

    /// The most that clocks may differ by.
    pub const MAX_LEEWAY: Duration = MAX_LEEWAY;

    /// Tokens that these keys verify, of any issuer, without an audience, whose `sub` is a UUID.
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

    /// Finds what can be found wrong without looking at files.
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
            KeySource::JwksUrl(url) => Ok(remote_keys::check_url(url)?),
            KeySource::SecretFile(_) | KeySource::JwksFile(_) => Ok(()),
        }
    }
}

/// Why tokens cannot be verified.
#[derive(Debug, thiserror::Error)]
pub enum TokenSetupError {
    /// A file cannot be used.
    #[error("the {what} {} cannot be used", path.display())]
    File {
        /// What it is.
        what: &'static str,
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        source: FileFault,
    },
    /// The leeway is so long that expiry means nothing.
    #[error("a leeway of {given:?} is longer than {MAX_LEEWAY:?}: set the clocks right instead")]
    Leeway {
        /// What was asked for.
        given: Duration,
    },
    /// A text that no token can match.
    #[error("an empty {what} matches no token: leave it out, or give one")]
    Empty {
        /// What it is.
        what: &'static str,
    },
    /// Owners would be made of the subjects of any issuer that a key is shared with.
    #[error("owners are made of issuer and subject only where one issuer is trusted: name it")]
    AnyIssuer,
    /// The claim for the owner is one with another meaning.
    #[error(
        "the claim `{name}` cannot name the owner, since it means something else: give another"
    )]
    OwnerClaim {
        /// Its name.
        name: String,
    },
    /// Keys are not fetched from such a URL.
    #[error("the URL of the keys {0}")]
    Url(#[from] KeyUrlFault),
    /// There is no TLS to fetch keys by.
    #[error("there is no TLS to fetch the keys by; are the certificates of the system installed?")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_work_is_refused_with_a_remedy() {
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
}
