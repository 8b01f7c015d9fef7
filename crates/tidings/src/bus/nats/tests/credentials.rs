//! Servers that ask for the signature of a user.

use std::error::Error as _;
use std::fs;
use std::path::{Path, PathBuf};

use async_nats::{ConnectErrorKind, ConnectOptions};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nkeys::KeyPair;
use serde_json::{Value, json};
use tempfile::TempDir;
use tidings_event::SystemId;

use super::{Bus as _, NatsBus, Server, connect, free_port, message};
use crate::bus::nats::credentials::options;
use crate::config::NatsConfig;

/// The files of one test.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

/// A server with a configuration, and its port.
fn server(files: &Files, configuration: &str) -> Server {
    let path = files.write("server.conf", configuration);
    Server::start_with(free_port(), &["-c", path.to_str().unwrap()])
}

async fn open(server: &Server, credentials: &Path) -> NatsBus {
    let config = NatsConfig::new([format!("nats://127.0.0.1:{}", server.port)])
        .with_credentials_file(credentials);
    NatsBus::open(&config, SystemId::mint()).await.unwrap()
}

/// Checks that a server takes messages from a node with these credentials, and not from others.
async fn checks(server: &Server, credentials: &Path, others: &Path) {
    let bus = open(server, credentials).await;
    connect(&bus).await;
    let hint = bytes::Bytes::from_static(b"hint");
    bus.send(hint.clone()).await.unwrap();
    assert_eq!(message(&bus).await, hint);

    let address = format!("nats://127.0.0.1:{}", server.port);
    let config = NatsConfig::new([address.as_str()]).with_credentials_file(others);
    let with_others = options(&config).await.unwrap();
    for options in [ConnectOptions::new(), with_others] {
        let rejected = options.connect(&address).await.unwrap_err();
        assert_eq!(rejected.kind(), ConnectErrorKind::AuthorizationViolation);
    }
}

/// A token by which one key vouches for another.
fn token(issuer: &KeyPair, subject: &KeyPair, name: &str, claims: &Value) -> String {
    let head = json!({"typ": "JWT", "alg": "ed25519-nkey"});
    let body = json!({
        "jti": name, "iat": 1_700_000_000, "iss": issuer.public_key(), "name": name,
        "sub": subject.public_key(), "nats": claims,
    });
    let parts = [head, body].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let signed = parts.join(".");
    let signature = issuer.sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// A file of credentials as the tools of NATS write it.
fn credentials(token: &str, user: &KeyPair) -> String {
    let seed = user.seed().unwrap();
    format!(
        "-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n\
         ************************* IMPORTANT *************************\n\n\
         -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    )
}

#[tokio::test]
async fn a_server_knows_the_nkey_of_a_user() {
    let files = Files::new();
    let [user, other] = [KeyPair::new_user(), KeyPair::new_user()];
    let server = server(
        &files,
        &format!(
            "authorization {{ users = [{{ nkey: {} }}] }}",
            user.public_key()
        ),
    );
    let [ours, others] = [(user, "ours"), (other, "others")]
        .map(|(user, name)| files.write(name, &format!("{}\n", user.seed().unwrap())));
    checks(&server, &ours, &others).await;
}

#[tokio::test]
async fn a_server_takes_the_token_of_an_account() {
    let files = Files::new();
    let (operator, account) = (KeyPair::new_operator(), KeyPair::new_account());
    let [user, other] = [KeyPair::new_user(), KeyPair::new_user()];
    let of_operator = token(
        &operator,
        &operator,
        "operator",
        &json!({"type": "operator", "version": 2}),
    );
    let limits = json!({
        "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true,
        "conn": -1, "leaf": -1,
    });
    let of_account = token(
        &operator,
        &account,
        "account",
        &json!({"type": "account", "version": 2, "limits": limits}),
    );
    let server = server(
        &files,
        &format!(
            "operator: {of_operator}\nresolver: MEMORY\nresolver_preload: {{ {}: {of_account} }}\n",
            account.public_key()
        ),
    );
    let claims = json!({"type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1, "pub": {}, "sub": {}});
    let of_user = token(&account, &user, "user", &claims);
    let ours = files.write("ours.creds", &credentials(&of_user, &user));
    // The token of another.
    let others = files.write("others.creds", &credentials(&of_user, &other));
    checks(&server, &ours, &others).await;
}

/// A server whose users change while a node is connected: the node reads its files again.
async fn checks_change(
    before: &str,
    after: &str,
    secrets: [&str; 2],
    of: impl FnOnce(NatsConfig, &Path) -> NatsConfig,
) {
    let files = Files::new();
    let secret = files.write("secret", secrets[0]);
    let running = server(&files, before);
    let address = format!("nats://127.0.0.1:{}", running.port);
    let config = of(NatsConfig::new([address]), &secret);
    let bus = NatsBus::open(&config, SystemId::mint()).await.unwrap();
    connect(&bus).await;

    let port = running.kill();
    files.write("secret", secrets[1]);
    let path = files.write("server.conf", after);
    let _running = Server::start_with(port, &["-c", path.to_str().unwrap()]);
    connect(&bus).await;
    let hint = bytes::Bytes::from_static(b"hint");
    bus.send(hint.clone()).await.unwrap();
    assert_eq!(message(&bus).await, hint);
}

#[tokio::test]
async fn a_new_password_is_used_without_a_restart() {
    let with = |password: &str| {
        format!("authorization {{ users = [{{ user: tidings, password: {password} }}] }}")
    };
    checks_change(
        &with("former"),
        &with("present"),
        ["former\n", "present\n"],
        |config, file| config.with_user("tidings").with_password_file(file),
    )
    .await;
}

#[tokio::test]
async fn a_new_token_is_used_without_a_restart() {
    let with = |token: &str| format!("authorization {{ token: {token} }}");
    checks_change(
        &with("former"),
        &with("present"),
        ["former", "present"],
        |config, file| config.with_password_file(file),
    )
    .await;
}

#[tokio::test]
async fn a_new_nkey_is_used_without_a_restart() {
    let pairs = [KeyPair::new_user(), KeyPair::new_user()];
    let [before, after] = [0, 1].map(|at| {
        let key: String = pairs[at].public_key();
        format!("authorization {{ users = [{{ nkey: {key} }}] }}")
    });
    let seeds = [0, 1].map(|at| pairs[at].seed().unwrap());
    checks_change(&before, &after, [&seeds[0], &seeds[1]], |config, file| {
        config.with_credentials_file(file)
    })
    .await;
}

#[tokio::test]
async fn a_file_without_credentials_is_rejected() {
    let files = Files::new();
    let seed = KeyPair::new_account().seed().unwrap();
    let bare = files.write("user", "-----BEGIN NATS USER JWT-----\ngeheim\n");
    let of_account = files.write("account", &seed);
    for (path, told) in [
        (&bare, "neither"),
        (&of_account, "neither"),
        (&PathBuf::from("/nonexistent"), "could not read"),
    ] {
        let config = NatsConfig::new(["nats://127.0.0.1"]).with_credentials_file(path);
        let error = NatsBus::open(&config, SystemId::mint()).await.unwrap_err();
        let text = format!("{error:?} {}", error.source().unwrap());
        assert!(text.contains(told), "{text}");
        assert!(!text.contains("geheim") && !text.contains(&seed), "{text}");
    }
}
