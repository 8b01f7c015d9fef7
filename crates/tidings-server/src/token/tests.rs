//! Tests with tokens that are signed here by hand, with another library than the one that verifies
//! them.

mod files;
mod forgery;
mod issuer;
mod properties;
mod remote;
mod repeated;

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Claims, KeySource, TokenConfig, TokenError, Tokens};

pub(super) const OWNER: &str = "7b1d2c3e-0000-4000-8000-000000000001";

/// Claims that are valid for an hour.
fn claims() -> Value {
    let now = Timestamp::now().as_second();
    json!({"sub": OWNER, "scope": "events:read", "exp": now + 3600, "jti": "token-1"})
}

fn with(mut claims: Value, name: &str, value: impl Into<Value>) -> Value {
    claims[name] = value.into();
    claims
}

fn file(directory: &TempDir, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
    let path = directory.path().join(name);
    replace(&path, contents);
    path
}

/// Replaces a file atomically.
fn replace(path: &Path, contents: impl AsRef<[u8]>) {
    let new = path.with_extension("new");
    std::fs::write(&new, contents).unwrap();
    std::fs::rename(&new, path).unwrap();
}

async fn open(keys: KeySource) -> Tokens {
    Tokens::open(TokenConfig::new(keys)).await.unwrap()
}

/// Waits until the verification of a token has this result, which a change of the keys or of the revoked
/// tokens brings about.
async fn until(tokens: &Tokens, token: &str, expected: Result<(), TokenError>) {
    const STUCK: Duration = Duration::from_secs(60);
    let [mut revoked, mut exchanged, _] = tokens.changed();
    let reached = async {
        while tokens.verify(token).await.map(|_| ()) != expected {
            tokio::select! {
                changed = revoked.changed() => changed.expect("the tokens are open"),
                changed = exchanged.changed() => changed.expect("the tokens are open"),
            }
        }
    };
    let reached = tokio::time::timeout(STUCK, reached).await;
    assert!(reached.is_ok(), "never {expected:?}");
}
