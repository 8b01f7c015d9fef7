//! Who may use the server, and from which web pages.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::error::ErrorKind;
use clap::{ArgGroup, ValueEnum};
use tidings_server::{Identity, KeySource, Origin, TokenConfig, Tokens};
use url::Url;

use crate::age::Age;

/// How the server knows who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Auth {
    /// Without a login: whoever reaches this machine's port is the one local user
    Local,
    /// By signed tokens (JSON Web Tokens), as a bearer's header or in a session's cookie
    Jwt,
}

/// Who may use the server.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Identity", group = ArgGroup::new("keys"))]
pub(super) struct IdentityArgs {
    /// How the server knows who calls
    #[arg(
        long,
        value_name = "HOW",
        env = "TIDINGS_AUTH",
        default_value = "local"
    )]
    auth: Auth,

    /// The secret that signs tokens with HS256: at least 32 bytes. `tidings token --new-secret FILE` makes
    /// one
    #[arg(
        long,
        value_name = "FILE",
        env = "TIDINGS_JWT_SECRET_FILE",
        group = "keys"
    )]
    jwt_secret_file: Option<PathBuf>,

    /// The public keys that verify tokens signed with RS256, ES256 or `EdDSA`, as a JSON Web Key Set
    #[arg(long, value_name = "FILE", env = "TIDINGS_JWKS_FILE", group = "keys")]
    jwks_file: Option<PathBuf>,

    /// Where such a set is fetched from, again and again, and when a token names an unknown key
    #[arg(long, value_name = "URL", env = "TIDINGS_JWKS_URL", group = "keys")]
    jwks_url: Option<Url>,

    /// The only issuer (`iss`) whose tokens are accepted [default: any that the keys verify]
    #[arg(long, value_name = "TEXT", env = "TIDINGS_JWT_ISSUER")]
    jwt_issuer: Option<String>,

    /// A name of this server, one of which a token's `aud` must have; may be given several times. Without
    /// one, tokens that are for somebody are refused
    #[arg(
        long,
        value_name = "TEXT",
        env = "TIDINGS_JWT_AUDIENCE",
        value_delimiter = ','
    )]
    jwt_audience: Vec<String>,

    /// By how much the clocks of issuer and server may differ; at most 5min
    #[arg(
        long,
        value_name = "TIME",
        env = "TIDINGS_JWT_LEEWAY",
        default_value_t = Age(TokenConfig::DEFAULT_LEEWAY)
    )]
    jwt_leeway: Age,

    /// The claim that names the owner where `sub` is no UUID
    #[arg(long, value_name = "NAME", env = "TIDINGS_JWT_OWNER_CLAIM")]
    jwt_owner_claim: Option<String>,

    /// Make the owner's UUID of `iss` and `sub` where nothing else names one
    #[arg(long, env = "TIDINGS_JWT_OWNER_FROM_SUBJECT")]
    jwt_owner_from_subject: bool,

    /// The list of revoked tokens, one `jti` a line, to begin with an empty file; it is read again when it
    /// changes. Without one, what is revoked is forgotten when the server ends
    #[arg(long, value_name = "FILE", env = "TIDINGS_REVOKED_TOKENS")]
    revoked_tokens: Option<PathBuf>,

    /// The origin of a web page whose scripts may use this server, such as `https://app.example.org`; may be
    /// given several times
    #[arg(
        long,
        value_name = "ORIGIN",
        env = "TIDINGS_ALLOW_ORIGIN",
        value_delimiter = ','
    )]
    allow_origin: Vec<Origin>,
}

const NO_KEYS: &str = "\
--auth jwt needs keys that verify tokens: give --jwt-secret-file, --jwks-file or --jwks-url.
For a development server:
  tidings token --new-secret secret
  tidings serve --auth jwt --jwt-secret-file secret
  tidings token --secret-file secret --owner 7b1d2c3e-0000-4000-8000-000000000001
";

impl IdentityArgs {
    /// Whether callers have to say who they are.
    pub(super) fn has_login(&self) -> bool {
        self.auth == Auth::Jwt
    }

    /// The pages that may use the server beside its own.
    pub(super) fn allowed_origins(&self) -> Vec<Origin> {
        self.allow_origin.clone()
    }

    /// How tokens are verified; `None` without a login.
    ///
    /// # Errors
    ///
    /// A usage error for flags that do not go together.
    pub(super) fn token_config(&self) -> Result<Option<TokenConfig>, clap::Error> {
        let secret = self.jwt_secret_file.clone().map(KeySource::SecretFile);
        let file = self.jwks_file.clone().map(KeySource::JwksFile);
        let url = self.jwks_url.clone().map(KeySource::JwksUrl);
        let keys = secret.or(file).or(url);
        match (self.auth, keys) {
            (Auth::Local, None) if !self.allow_origin.is_empty() => Err(clap::Error::raw(
                ErrorKind::ArgumentConflict,
                "without a login every page that is allowed could do everything: add --auth jwt to \
                 --allow-origin\n",
            )),
            (Auth::Local, None) => Ok(None),
            (Auth::Local, Some(_)) => Err(clap::Error::raw(
                ErrorKind::ArgumentConflict,
                "keys for tokens are of no use without a login: add --auth jwt\n",
            )),
            (Auth::Jwt, None) => Err(clap::Error::raw(
                ErrorKind::MissingRequiredArgument,
                NO_KEYS,
            )),
            (Auth::Jwt, Some(keys)) => Ok(Some(TokenConfig {
                issuer: self.jwt_issuer.clone(),
                audience: self.jwt_audience.clone(),
                leeway: self.jwt_leeway.0,
                owner_claim: self.jwt_owner_claim.clone(),
                owner_from_subject: self.jwt_owner_from_subject,
                revocation_file: self.revoked_tokens.clone(),
                ..TokenConfig::new(keys)
            })),
        }
    }
}

/// Gets the keys.
pub(super) async fn open(config: Option<TokenConfig>) -> anyhow::Result<Identity> {
    let Some(config) = config else {
        return Ok(Identity::Local);
    };
    let tokens = Tokens::open(config).await;
    let tokens = tokens.context("could not set up the verification of tokens")?;
    Ok(Identity::Tokens(tokens))
}
