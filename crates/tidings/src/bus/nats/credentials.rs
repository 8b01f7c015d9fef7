//! The key by which a node proves to a NATS server which user it is.

use std::io;
use std::path::{Path, PathBuf};

use async_nats::ConnectOptions;
use nkeys::{KeyPair, KeyPairType};

/// The line above the token in a file of credentials, as the tools of NATS write it.
const TOKEN: &str = "BEGIN NATS USER JWT";

/// Why a file cannot be used.
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

/// Adds the credentials or the nkey of a file to the options of a connection.
pub(super) async fn add(
    options: ConnectOptions,
    path: &Path,
) -> Result<ConnectOptions, CredentialsError> {
    let text = tokio::fs::read_to_string(path)
        .await
        .map_err(|source| CredentialsError::Read {
            path: path.to_owned(),
            source,
        })?;
    let unusable = || CredentialsError::Content(path.to_owned());
    if text.contains(TOKEN) {
        // Its error could repeat what is in the file.
        return options.credentials(&text).map_err(|_| unusable());
    }
    let seed = text.trim();
    match KeyPair::from_seed(seed) {
        Ok(pair) if pair.key_pair_type() == KeyPairType::User => Ok(options.nkey(seed.to_owned())),
        Ok(_) | Err(_) => Err(unusable()),
    }
}
