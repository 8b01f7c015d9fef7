//! Tokens: who may do what, as signed JSON Web Tokens (RFC 7519) say it.
//!
//! This knows nothing of HTTP. It follows the best practices of RFC 8725: what a key is used for is
//! decided by the key, every token must expire, and what is not understood is refused.

mod claims;
mod clock;
mod config;
mod current_keys;
mod error;
mod file;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod header;
mod jwks;
mod keys;
mod mint;
mod owner;
mod remote_keys;
mod revocation_list;
mod revocations;
mod scopes;
mod secret;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::Algorithm;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;

pub(crate) use claims::Claims;
pub use config::{KeySource, TokenConfig, TokenSetupError};
pub(crate) use error::TokenError;
pub use file::FileFault;
pub use jwks::JwksFault;
pub use mint::{MintError, MintRequest, mint};
pub use remote_keys::KeyUrlFault;
pub use revocation_list::ListFault;
pub use revocations::{Revocations, RevokeError};
pub use scopes::{ScopeError, Scopes};
pub use secret::{Secret, ShortSecret};

use claims::Rules;
use current_keys::CurrentKeys;
use file::WatchedFile;
use header::TokenHeader;
pub(crate) use keys::Fingerprint;
use keys::KeySet;
use owner::OwnerRule;
use remote_keys::{Pace, RemoteKeys};

/// Verifies tokens. Clones share everything; the background tasks that look after keys and revocations
/// end with the last of them.
#[derive(Clone)]
pub struct Tokens {
    inner: Arc<Inner>,
}

struct Inner {
    algorithms: &'static [Algorithm],
    keys: Arc<CurrentKeys>,
    remote: Option<RemoteKeys>,
    rules: Rules,
    revocations: Revocations,
    /// Counts the jumps of the wall clock.
    jumps: watch::Sender<u64>,
    _watches: [AbortOnDropHandle<()>; 2],
}

impl Tokens {
    /// Reads the keys and the revoked tokens, and begins to watch them on the current Tokio runtime.
    ///
    /// Keys of a URL are waited for, for 10 seconds at most. Without an answer it goes on all the same,
    /// says so in the log, and accepts no token until there is one.
    ///
    /// # Errors
    ///
    /// What is wrong with the configuration or with a file.
    pub async fn open(config: TokenConfig) -> Result<Self, TokenSetupError> {
        Self::open_at(config, Pace::default()).await
    }

    async fn open_at(config: TokenConfig, pace: Pace) -> Result<Self, TokenSetupError> {
        config.check()?;
        let keys = CurrentKeys::none();
        let (mut files, mut remote) = (Vec::new(), None);
        match &config.keys {
            KeySource::SecretFile(path) => files.push(watch_secret(path, &keys)?),
            KeySource::JwksFile(path) => files.push(watch_jwks(path, &keys)?),
            KeySource::JwksUrl(url) => {
                let started = RemoteKeys::start(url.clone(), pace, Arc::clone(&keys)).await;
                let started = started.map_err(|error| TokenSetupError::Tls(error.into()))?;
                remote = Some(started);
            }
        }
        let revocations = Revocations::new(config.revocation_file.clone());
        if let Some(path) = &config.revocation_file {
            let file = revocations.open_file(path);
            files.push(file.map_err(in_file("list of revoked tokens", path))?);
        }
        let watch = file::watch(files).instrument(tracing::info_span!("token_files"));
        let jumps = watch::Sender::new(0);
        let clock = clock::watch(jumps.clone()).instrument(tracing::info_span!("clock"));
        let inner = Inner {
            algorithms: algorithms(&config.keys),
            keys,
            remote,
            rules: rules(config),
            revocations,
            jumps,
            _watches: [
                AbortOnDropHandle::new(tokio::spawn(watch)),
                AbortOnDropHandle::new(tokio::spawn(clock)),
            ],
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// What a token says, if it is good. Waits only when it names a key that is not known and keys are
    /// fetched from a URL. May be dropped at any time.
    ///
    /// # Errors
    ///
    /// [`TokenError`], which is the same for all tokens that are wrong in the same way and repeats
    /// nothing of them.
    pub(crate) async fn verify(&self, token: &str) -> Result<Claims, TokenError> {
        let header = TokenHeader::read(token)?;
        if !self.inner.algorithms.contains(&header.algorithm) {
            return Err(TokenError::UnsupportedAlgorithm);
        }
        let mut verified = self.verify_signature(token, &header);
        let is_unknown = matches!(
            verified,
            Err(TokenError::UnknownKey | TokenError::KeysUnavailable)
        );
        if let Some(remote) = self.inner.remote.as_ref().filter(|_| is_unknown) {
            remote.refresh().await;
            verified = self.verify_signature(token, &header);
        }
        let (claims, key) = verified?;
        let claims = self
            .inner
            .rules
            .judge(token, claims, key, Timestamp::now())?;
        if self.inner.revocations.is_revoked(&claims.id) {
            return Err(TokenError::Revoked);
        }
        Ok(claims)
    }

    /// The issuer whose subjects become owners, if that is how owners are made.
    pub(crate) fn issuer_of_owners(&self) -> Option<&str> {
        let rules = &self.inner.rules;
        let issuer = rules.issuer.as_deref();
        issuer.filter(|_| rules.owner.from_subject)
    }

    fn verify_signature(
        &self,
        token: &str,
        header: &TokenHeader,
    ) -> Result<(claims::RawClaims, Fingerprint), TokenError> {
        let keys = self.inner.keys.load();
        let keys = keys.as_deref().ok_or(TokenError::KeysUnavailable)?;
        let key = keys.key_of(header)?;
        Ok((key.verify(token)?, key.fingerprint()))
    }

    /// Whether what was let in by these claims would be let in again, its expiry aside.
    pub(crate) fn still_accepts(&self, claims: &Claims) -> bool {
        self.inner.keys.contains(claims.key) && !self.inner.revocations.is_revoked(&claims.id)
    }

    /// Tells when what was let in may no longer be: when tokens were revoked, when keys were exchanged,
    /// and when the wall clock jumped.
    pub(crate) fn changed(&self) -> [watch::Receiver<u64>; 3] {
        let inner = &self.inner;
        [
            inner.revocations.changed(),
            inner.keys.changed(),
            inner.jumps.subscribe(),
        ]
    }

    /// The tokens that are refused although they have not expired.
    pub fn revocations(&self) -> &Revocations {
        &self.inner.revocations
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("rules", &self.inner.rules)
            .finish_non_exhaustive()
    }
}

/// What the keys can be for: a secret never verifies what public keys do, nor the other way round.
const fn algorithms(keys: &KeySource) -> &'static [Algorithm] {
    match keys {
        KeySource::SecretFile(_) => &[Algorithm::HS256],
        KeySource::JwksFile(_) | KeySource::JwksUrl(_) => {
            &[Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA]
        }
    }
}

fn rules(config: TokenConfig) -> Rules {
    Rules {
        issuer: config.issuer,
        audience: config.audience,
        leeway: SignedDuration::try_from(config.leeway).unwrap_or(SignedDuration::ZERO),
        owner: OwnerRule {
            claim: config.owner_claim.map(String::into_boxed_str),
            from_subject: config.owner_from_subject,
        },
    }
}

fn watch_secret(path: &Path, keys: &Arc<CurrentKeys>) -> Result<WatchedFile, TokenSetupError> {
    const WHAT: &str = "secret that signs tokens";
    let (keys, own_path) = (Arc::clone(keys), path.to_owned());
    let file = WatchedFile::open(
        path,
        WHAT,
        secret::MAX_SECRET_BYTES,
        move |mut contents, metadata| {
            let secret = Secret::new(std::mem::take(&mut *contents))?;
            secret::warn_if_open(&own_path, metadata);
            keys.store(KeySet::of_secret(&secret));
            Ok(())
        },
    );
    file.map_err(in_file(WHAT, path))
}

fn watch_jwks(path: &Path, keys: &Arc<CurrentKeys>) -> Result<WatchedFile, TokenSetupError> {
    const WHAT: &str = "set of keys that verify tokens";
    let keys = Arc::clone(keys);
    let file = WatchedFile::open(path, WHAT, jwks::MAX_JWKS_BYTES, move |contents, _| {
        keys.store(jwks::read(&contents)?);
        Ok(())
    });
    file.map_err(in_file(WHAT, path))
}

fn in_file(what: &'static str, path: &Path) -> impl FnOnce(FileFault) -> TokenSetupError {
    let path = path.to_owned();
    move |source| TokenSetupError::File { what, path, source }
}
