//! The verification of tokens.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::Algorithm;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;

use super::claims::{Claims, Fingerprint};
use super::config::{KeySource, TokenConfig, TokenSetupError};
use super::current_keys::{CurrentKeys, Generation};
use super::error::{MAX_TOKEN_BYTES, TokenError};
use super::header::TokenHeader;
use super::keys::KeySet;
use super::owner::OwnerRule;
use super::raw_claims::RawClaims;
use super::remote_keys::{Pace, RemoteKeys};
use super::revocations::Revocations;
use super::rules::Rules;
use super::secret::Secret;
use super::token_file::{FileFault, TokenFile, open_file};
use super::verified_tokens::{TokenDigest, VerifiedTokens};
use super::{clock, jwks, secret};
use crate::vitals::{Part, Vitals};
use crate::watched_files::{Loaded, watch as watch_files};

/// Verifies tokens. Clones share everything; the background tasks that refresh keys and revocations end
/// with the last clone.
///
/// [`open`](Self::open) fails in a build without the feature `jwt`.
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
    verified: VerifiedTokens,
    /// Counts the jumps of the wall clock.
    jumps: watch::Sender<u64>,
    _watches: [AbortOnDropHandle<()>; 2],
    vitals: Vitals,
}

impl Tokens {
    /// Reads the keys and the revoked tokens, and watches them on the current Tokio runtime.
    ///
    /// Waits at most 10 seconds for keys of a URL. If the URL does not answer, this is logged, and no
    /// token is accepted until it does.
    ///
    /// # Errors
    ///
    /// [`TokenSetupError`], if the configuration is wrong or a file cannot be used.
    pub async fn open(config: TokenConfig) -> Result<Self, TokenSetupError> {
        Self::open_at(config, Pace::default()).await
    }

    pub(super) async fn open_at(config: TokenConfig, pace: Pace) -> Result<Self, TokenSetupError> {
        config.check()?;
        let (keys, vitals) = (CurrentKeys::none(), Vitals::default());
        let (mut files, mut remote) = (Vec::new(), None);
        match &config.keys {
            KeySource::SecretFile(path) => files.push(watch_secret(path, &keys)?),
            KeySource::JwksFile(path) => files.push(watch_jwks(path, &keys)?),
            KeySource::JwksUrl(url) => {
                let started =
                    RemoteKeys::start(url.clone(), pace, Arc::clone(&keys), &vitals).await?;
                remote = Some(started);
            }
        }
        let revocations = Revocations::new(config.revocation_file.clone());
        if let Some(path) = &config.revocation_file {
            let file = revocations.open_file(path);
            files.push(file.map_err(in_file("list of revoked tokens", path))?);
        }
        let jumps = watch::Sender::new(0);
        let clock = vitals.watch(Part::Clock, clock::watch(jumps.clone()));
        let clock = clock.instrument(tracing::info_span!("clock"));
        let inner = Inner {
            algorithms: algorithms(&config.keys),
            keys,
            remote,
            rules: rules(config),
            revocations,
            verified: VerifiedTokens::default(),
            jumps,
            _watches: [
                watch_files(files, &vitals),
                AbortOnDropHandle::new(tokio::spawn(clock)),
            ],
            vitals,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Whether the tasks behind the tokens still run.
    pub(crate) fn vitals(&self) -> &Vitals {
        &self.inner.vitals
    }

    /// The claims of a token that was verified before and is still valid. `None` means that it must be
    /// verified.
    pub(crate) fn recall(&self, token: &str) -> Option<Arc<Claims>> {
        if token.len() > MAX_TOKEN_BYTES {
            return None;
        }
        let (digest, keys) = (TokenDigest::of(token), self.inner.keys.generation()?);
        let claims = self.inner.verified.get(digest, keys, Timestamp::now())?;
        let revocations = &self.inner.revocations;
        let is_accepted = revocations.are_known() && !revocations.is_revoked(&claims.id);
        is_accepted.then_some(claims)
    }

    /// The number of tokens that are remembered.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.inner.verified.len()
    }

    /// The claims of a valid token, which is remembered for [`recall`](Self::recall). Waits only if the
    /// token names an unknown key and keys are fetched from a URL, or if the server has just started and does not
    /// know the revoked tokens of its store yet.
    ///
    /// Cancel-safe.
    ///
    /// # Errors
    ///
    /// [`TokenError`], which repeats nothing of the token.
    pub(crate) async fn verify(&self, token: &str) -> Result<Arc<Claims>, TokenError> {
        let (claims, keys, now) = self.judge(token).await?;
        let (inner, claims) = (&*self.inner, Arc::new(claims));
        if !inner.revocations.become_known().await {
            return Err(TokenError::RevocationsUnavailable);
        }
        if inner.revocations.is_revoked(&claims.id) {
            return Err(TokenError::Revoked);
        }
        let (digest, remembered) = (TokenDigest::of(token), Arc::clone(&claims));
        inner.verified.insert(digest, remembered, keys, now);
        Ok(claims)
    }

    /// Same as [`Self::verify`], for a token that can have been revoked. It is not remembered.
    ///
    /// # Errors
    ///
    /// As for [`Self::verify`].
    pub(crate) async fn identify(&self, token: &str) -> Result<Claims, TokenError> {
        let (claims, _, _) = self.judge(token).await?;
        Ok(claims)
    }

    /// The claims of a token, with the keys and the time by which it was judged.
    async fn judge(&self, token: &str) -> Result<(Claims, Generation, Timestamp), TokenError> {
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
        let (claims, key, keys) = verified?;
        let now = Timestamp::now();
        let claims = self.inner.rules.judge(token, claims, key, now)?;
        Ok((claims, keys, now))
    }

    /// The issuer whose subjects become owners, if owners are made of subjects.
    pub(crate) fn issuer_of_owners(&self) -> Option<&str> {
        let rules = &self.inner.rules;
        let issuer = rules.issuer.as_deref();
        issuer.filter(|_| rules.owner.from_subject)
    }

    fn verify_signature(
        &self,
        token: &str,
        header: &TokenHeader,
    ) -> Result<(RawClaims, Fingerprint, Generation), TokenError> {
        let keys = self.inner.keys.load();
        let (keys, generation) = keys.as_deref().ok_or(TokenError::KeysUnavailable)?;
        let key = keys.key_of(header)?;
        Ok((key.verify(token)?, key.fingerprint(), *generation))
    }

    /// Whether a token with these claims would be accepted again, its expiry aside.
    pub(crate) fn still_accepts(&self, claims: &Claims) -> bool {
        self.inner.keys.contains(claims.key) && !self.inner.revocations.is_revoked(&claims.id)
    }

    /// Notifies when accepted claims must be checked again: tokens were revoked, keys were replaced by others, or
    /// the wall clock jumped.
    pub(crate) fn changed(&self) -> [watch::Receiver<u64>; 3] {
        let inner = &self.inner;
        [
            inner.revocations.changed(),
            inner.keys.changed(),
            inner.jumps.subscribe(),
        ]
    }

    /// The revoked tokens.
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

/// The algorithms of a source. A secret never verifies the algorithms of public keys, nor the reverse.
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

fn watch_secret(path: &Path, keys: &Arc<CurrentKeys>) -> Result<TokenFile, TokenSetupError> {
    const WHAT: &str = "secret that signs tokens";
    let (keys, own_path) = (Arc::clone(keys), path.to_owned());
    let take = move |mut loaded: Loaded| {
        let secret = Secret::new(std::mem::take(&mut *loaded.contents))?;
        secret::warn_if_open(&own_path, &loaded.metadata);
        keys.store(KeySet::of_secret(&secret));
        Ok(())
    };
    open_file(path, WHAT, secret::MAX_SECRET_BYTES, take).map_err(in_file(WHAT, path))
}

fn watch_jwks(path: &Path, keys: &Arc<CurrentKeys>) -> Result<TokenFile, TokenSetupError> {
    const WHAT: &str = "set of keys that verify tokens";
    let keys = Arc::clone(keys);
    let take = move |loaded: Loaded| {
        keys.store(jwks::read(&loaded.contents)?);
        Ok(())
    };
    open_file(path, WHAT, jwks::MAX_JWKS_BYTES, take).map_err(in_file(WHAT, path))
}

fn in_file(what: &'static str, path: &Path) -> impl FnOnce(FileFault) -> TokenSetupError {
    let path = path.to_owned();
    move |FileFault(source)| TokenSetupError::File { what, path, source }
}
