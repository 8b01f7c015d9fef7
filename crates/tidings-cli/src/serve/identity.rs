//! Authentication, and the origins of web pages that can use the server.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::error::ErrorKind;
use clap::{ArgGroup, ValueEnum};
use tidings_server::{Identity, KeySource, Origin, TokenConfig, Tokens};
use url::Url;

use crate::age::Age;

/// How the server authenticates callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Auth {
    /// No authentication: every caller on this machine is the one local user
    Local,
    /// Signed tokens (JSON Web Tokens) in an `Authorization: Bearer` header or a session cookie
    Jwt,
}

/// The flags below the heading `Authentication`.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Authentication", group = ArgGroup::new("keys"))]
pub(super) struct IdentityArgs {
    /// How to authenticate callers
    #[arg(
        long,
        value_name = "MODE",
        env = "TIDINGS_AUTH",
        default_value = "local"
    )]
    auth: Auth,

    /// File with the secret that verifies HS256 tokens, at least 32 bytes; `tidings token --new-secret FILE`
    /// creates one
    #[arg(
        long,
        value_name = "FILE",
        env = "TIDINGS_JWT_SECRET_FILE",
        group = "keys"
    )]
    jwt_secret_file: Option<PathBuf>,

    /// File with a JSON Web Key Set, whose public keys verify RS256, ES256 or `EdDSA` tokens
    #[arg(long, value_name = "FILE", env = "TIDINGS_JWKS_FILE", group = "keys")]
    jwks_file: Option<PathBuf>,

    /// URL of a JSON Web Key Set; fetched regularly, and when a token names an unknown key
    #[arg(long, value_name = "URL", env = "TIDINGS_JWKS_URL", group = "keys")]
    jwks_url: Option<Url>,

    /// Accepted `iss` value [default: any issuer whose tokens the keys verify]
    #[arg(long, value_name = "TEXT", env = "TIDINGS_JWT_ISSUER")]
    jwt_issuer: Option<String>,

    /// Accepted `aud` value (repeatable). If unset, tokens that carry an `aud` are rejected
    #[arg(
        long,
        value_name = "TEXT",
        env = "TIDINGS_JWT_AUDIENCE",
        value_delimiter = ','
    )]
    jwt_audience: Vec<String>,

    /// Tolerated difference between the issuer's and the server's clock, at most 5min
    #[arg(
        long,
        value_name = "TIME",
        env = "TIDINGS_JWT_LEEWAY",
        default_value_t = Age(TokenConfig::DEFAULT_LEEWAY)
    )]
    jwt_leeway: Age,

    /// Claim that holds the owner's UUID if `sub` is not a UUID
    #[arg(long, value_name = "NAME", env = "TIDINGS_JWT_OWNER_CLAIM")]
    jwt_owner_claim: Option<String>,

    /// Derive the owner's UUID from `iss` and `sub` if no claim holds one
    #[arg(long, env = "TIDINGS_JWT_OWNER_FROM_SUBJECT")]
    jwt_owner_from_subject: bool,

    /// File that lists revoked tokens, one `jti` per line; it must exist, and is reread when it changes. If
    /// unset, a restart forgets revocations
    #[arg(long, value_name = "FILE", env = "TIDINGS_REVOKED_TOKENS")]
    revoked_tokens: Option<PathBuf>,

    /// Origin of a web page that can use this server, such as `https://app.example.org` (repeatable)
    #[arg(
        long,
        value_name = "ORIGIN",
        env = "TIDINGS_ALLOW_ORIGIN",
        value_delimiter = ','
    )]
    allow_origin: Vec<Origin>,
}

const NO_KEYS: &str = "\
--auth jwt needs keys to verify tokens: add --jwt-secret-file, --jwks-file or --jwks-url.
For a development server:
  tidings token --new-secret secret
  tidings serve --auth jwt --jwt-secret-file secret
  tidings token --secret-file secret --owner 7b1d2c3e-0000-4000-8000-000000000001
";

impl IdentityArgs {
    /// Whether callers must authenticate.
    pub(super) fn has_login(&self) -> bool {
        self.auth == Auth::Jwt
    }

    /// The origins that can use the server, beside its own.
    pub(super) fn allowed_origins(&self) -> Vec<Origin> {
        self.allow_origin.clone()
    }

    /// How to verify tokens; `None` without authentication.
    ///
    /// # Errors
    ///
    /// A usage error for flags that contradict each other.
    pub(super) fn token_config(&self) -> Result<Option<TokenConfig>, clap::Error> {
        let secret = self.jwt_secret_file.clone().map(KeySource::SecretFile);
        let file = self.jwks_file.clone().map(KeySource::JwksFile);
        let url = self.jwks_url.clone().map(KeySource::JwksUrl);
        let keys = secret.or(file).or(url);
        match (self.auth, keys) {
            (Auth::Local, None) if !self.allow_origin.is_empty() => Err(clap::Error::raw(
                ErrorKind::ArgumentConflict,
                "--allow-origin needs --auth jwt: without authentication, pages of that origin could do \
                 everything\n",
            )),
            (Auth::Local, None) => Ok(None),
            (Auth::Local, Some(_)) => Err(clap::Error::raw(
                ErrorKind::ArgumentConflict,
                "--auth local does not use keys: add --auth jwt, or leave out the keys\n",
            )),
            (Auth::Jwt, None) => Err(clap::Error::raw(
                ErrorKind::MissingRequiredArgument,
                NO_KEYS,
            )),
            (Auth::Jwt, Some(keys)) => {
                let mut config = TokenConfig::new(keys);
                config.issuer.clone_from(&self.jwt_issuer);
                config.audience.clone_from(&self.jwt_audience);
                config.leeway = self.jwt_leeway.0;
                config.owner_claim.clone_from(&self.jwt_owner_claim);
                config.owner_from_subject = self.jwt_owner_from_subject;
                config.revocation_file.clone_from(&self.revoked_tokens);
                Ok(Some(config))
            }
        }
    }
}

/// Loads the keys.
pub(super) async fn open(config: Option<TokenConfig>) -> anyhow::Result<Identity> {
    let Some(config) = config else {
        return Ok(Identity::Local);
    };
    let tokens = Tokens::open(config).await;
    let tokens = tokens.context("could not set up the verification of tokens")?;
    Ok(Identity::Tokens(tokens))
}
