//! How a node proves to a NATS server which user it is, by files that are read for each connection.

use std::io;
use std::path::{Path, PathBuf};

use async_nats::{Auth, AuthError, ConnectOptions};
use nkeys::{KeyPair, KeyPairType};

use crate::config::NatsConfig;

/// The line above the token in a file of credentials, as the tools of NATS write it.
const TOKEN: &str = "BEGIN NATS USER JWT";

/// The line above the seed in such a file.
const SEED: &str = "BEGIN USER NKEY SEED";

/// Why a file cannot be used. No text of it is repeated.
#[derive(Debug, thiserror::Error)]
pub(super) enum CredentialsError {
    /// It cannot be read.
    #[error("could not read {}", .path.display())]
    Read { path: PathBuf, source: io::Error },
    /// It has something else.
    #[error(
        "{} has neither the credentials of a NATS user (a JWT and its seed) nor the seed of a user's nkey", .0.display()
    )]
    Content(PathBuf),
}

/// Options by which the client reads the files of `config` for each connection, so that a new password or token is
/// used without a restart. Files that cannot be used now are an error.
pub(super) async fn options(config: &NatsConfig) -> Result<ConnectOptions, CredentialsError> {
    if config.credentials_file.is_none() && config.password_file.is_none() {
        return Ok(ConnectOptions::new());
    }
    read(config, &[]).await?;
    let config = config.clone();
    Ok(ConnectOptions::with_auth_callback(move |nonce| {
        let config = config.clone();
        async move { read(&config, &nonce).await.map_err(AuthError::new) }
    }))
}

/// The proof for a server that has sent `nonce`.
async fn read(config: &NatsConfig, nonce: &[u8]) -> Result<Auth, CredentialsError> {
    let mut auth = Auth::new();
    if let Some(path) = &config.credentials_file {
        let text = text_of(path).await?;
        let unusable = || CredentialsError::Content(path.clone());
        let seed = if text.contains(TOKEN) {
            auth.jwt = Some(below(&text, TOKEN).ok_or_else(unusable)?.to_owned());
            below(&text, SEED).ok_or_else(unusable)?
        } else {
            text.trim()
        };
        // Its error could repeat what is in the file.
        let pair = KeyPair::from_seed(seed).map_err(|_| unusable())?;
        if pair.key_pair_type() != KeyPairType::User {
            return Err(unusable());
        }
        auth.signature = Some(pair.sign(nonce).map_err(|_| unusable())?);
        auth.nkey = Some(pair.public_key());
    } else if let Some(path) = &config.password_file {
        let text = text_of(path).await?;
        let password = text.trim_end_matches(['\r', '\n']).to_owned();
        match &config.user {
            Some(user) => (auth.username, auth.password) = (Some(user.clone()), Some(password)),
            None => auth.token = Some(password),
        }
    }
    Ok(auth)
}

async fn text_of(path: &Path) -> Result<String, CredentialsError> {
    let read = tokio::fs::read_to_string(path).await;
    read.map_err(|source| CredentialsError::Read {
        path: path.to_owned(),
        source,
    })
}

/// The line below the one with `title`.
fn below<'a>(text: &'a str, title: &str) -> Option<&'a str> {
    let mut lines = text.lines();
    lines.find(|line| line.contains(title))?;
    lines.next().map(str::trim).filter(|line| !line.is_empty())
}
