//! `tidings token` and its tokens.

use std::collections::HashSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::Value;

use crate::server::{LOCAL_USER, Server, output_of, tidings};

const NIL: &str = "00000000-0000-0000-0000-000000000000";

/// Runs `tidings token`. Returns whether it succeeded, standard output and standard error.
async fn token(args: &[&str]) -> (bool, String, String) {
    let mut command = tidings();
    command.arg("token").args(args);
    let (status, out, err) = output_of(command).await;
    (status.success(), out, err)
}

/// Creates a new secret in `directory`.
async fn new_secret(directory: &Path) -> PathBuf {
    let path = directory.join("secret");
    let (made, out, err) = token(&["--new-secret", text(&path)]).await;
    assert!(made, "{err}");
    assert_eq!((out, err), (String::new(), String::new()));
    path
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

/// Verifies a token with the secret in a file, and returns its claims.
fn claims(token: &str, secret_file: &Path) -> Value {
    let secret = std::fs::read_to_string(secret_file).expect("it is there");
    let key = DecodingKey::from_secret(secret.trim_end().as_bytes());
    let mut validation = Validation::new(Algorithm::HS256);
    validation.required_spec_claims = HashSet::from(["exp".to_owned()]);
    validation.validate_aud = false;
    let read = jsonwebtoken::decode(token, &key, &validation);
    read.expect("it is signed with the secret").claims
}

#[tokio::test]
async fn new_secret_is_private_and_never_overwritten() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let path = new_secret(directory.path()).await;
    let mode = path.metadata().expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let secret = std::fs::read_to_string(&path).expect("it is text");
    assert_eq!(secret.len(), 44, "256 bits in base64url, and a line feed");

    let (made, _, err) = token(&["--new-secret", text(&path)]).await;
    assert!(!made && err.contains("give another name"), "{err}");
    assert!(!err.contains(secret.trim_end()), "{err}");
    let after = std::fs::read_to_string(&path).expect("it is text");
    assert_eq!(after, secret);
}

#[tokio::test]
async fn token_has_the_requested_claims_and_is_the_only_output() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let secret = new_secret(directory.path()).await;
    let required = ["--secret-file", text(&secret), "--owner", LOCAL_USER];
    let (made, out, err) = token(&required).await;
    assert!(made && err.is_empty(), "{err}");
    let plain = claims(out.trim_end(), &secret);
    assert_eq!(plain["sub"], LOCAL_USER);
    assert_eq!(plain["scope"], "events:read events:write");
    let lifetime = |claims: &Value| Some(claims["exp"].as_i64()? - claims["iat"].as_i64()?);
    assert_eq!(lifetime(&plain), Some(60 * 60));
    assert!(plain["iss"].is_null() && plain["aud"].is_null());

    let (_, other, _) = token(&required).await;
    let other = claims(other.trim_end(), &secret);
    assert_ne!(
        other["jti"], plain["jti"],
        "each token has its own id for revocation"
    );

    let more = [
        "--scope=events:admin",
        "--scope=events:publish",
        "--expires-in=2d",
        "--issuer=https://id.example",
        "--audience=tidings",
        "--id=t-1",
    ];
    let (_, out, _) = token(&[&required[..], &more].concat()).await;
    let full = claims(out.trim_end(), &secret);
    assert_eq!(full["scope"], "events:publish events:admin");
    assert_eq!(lifetime(&full), Some(2 * 24 * 60 * 60));
    assert_eq!(full["iss"], "https://id.example");
    assert_eq!(full["aud"], "tidings");
    assert_eq!(full["jti"], "t-1");
}

#[tokio::test]
async fn reports_invalid_arguments() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let secret = new_secret(directory.path()).await;
    let weak = directory.path().join("weak");
    std::fs::write(&weak, "password123").expect("writable");
    let secret_file = ["--secret-file", text(&secret)];
    let owner = ["--owner", LOCAL_USER];
    for (args, hints) in [
        (&[&owner[..]].concat(), &["--secret-file"][..]),
        (&[&secret_file[..]].concat(), &["--owner"]),
        (
            &[&owner[..], &["--secret-file", text(&weak)]].concat(),
            &["11 bytes", "32", "--new-secret"],
        ),
        (
            &[&owner[..], &["--secret-file", "/nowhere"]].concat(),
            &["/nowhere", "No such file"],
        ),
        (
            &[&owner[..], &secret_file, &["--scope", "everything"]].concat(),
            &["events:read", "events:admin"],
        ),
        (
            &[&owner[..], &secret_file, &["--id", "two words"]].concat(),
            &["256 bytes"],
        ),
        (
            &[&secret_file[..], &["--owner", NIL]].concat(),
            &["nil UUID", "of a user"],
        ),
        (
            &[&owner[..], &secret_file, &["--expires-in", "9000000d"]].concat(),
            &["--expires-in"],
        ),
        (
            &[&owner[..], &["--new-secret", "x"]].concat(),
            &["--new-secret"],
        ),
    ] {
        let (made, out, err) = token(args).await;
        assert!(!made && out.is_empty(), "{args:?}: {out}");
        for hint in hints {
            assert!(err.contains(hint), "{args:?}: {err}");
        }
        assert!(!err.contains("password123"), "{err}");
    }
}

#[tokio::test]
async fn works_without_system_certificates() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(directory.path()).await;
    let mut command = tidings();
    command
        .args(["summary", "--url", &server.url("")])
        .env("SSL_CERT_FILE", "/dev/null")
        .env("SSL_CERT_DIR", directory.path());
    let (status, _, err) = output_of(command).await;
    assert!(status.success(), "{err}");
}
