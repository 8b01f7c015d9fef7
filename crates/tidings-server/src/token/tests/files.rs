//! Keys and revocations in files: reloading, and errors at the start.

use tempfile::TempDir;

use super::issuer::{Issuer, jwks};
use super::*;

const ONE: &str = "the first secret, which is exchanged";
const TWO: &str = "the second secret, which replaces it";

#[tokio::test]
async fn replaces_the_secret_without_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let path = file(&directory, "secret", ONE);
    let tokens = open(KeySource::SecretFile(path.clone())).await;
    let [old, new] = [ONE, TWO].map(|secret| Issuer::secret(secret).token(&claims()));
    assert!(tokens.verify(&old).await.is_ok());
    assert_eq!(tokens.verify(&new).await, Err(TokenError::BadSignature));
    replace(&path, TWO);
    until(&tokens, &new, Ok(())).await;
    assert_eq!(tokens.verify(&old).await, Err(TokenError::BadSignature));
    // The file is overwritten in place, and broken for a moment.
    std::fs::write(&path, "short").unwrap();
    std::fs::write(&path, ONE).unwrap();
    until(&tokens, &old, Ok(())).await;
}

#[tokio::test]
async fn keeps_the_previous_keys_if_the_new_set_is_broken() {
    let directory = tempfile::tempdir().unwrap();
    let [one, two, three] = ["1", "2", "3"].map(|id| Issuer::ed(Some(id)));
    let [first, second, third] = [&one, &two, &three].map(|issuer| issuer.token(&claims()));
    let path = file(&directory, "jwks", jwks(&[&one]));
    let revoked = file(&directory, "revoked", "");
    let config = TokenConfig {
        revocation_file: Some(revoked.clone()),
        ..TokenConfig::new(KeySource::JwksFile(path.clone()))
    };
    let tokens = Tokens::open(config).await.unwrap();
    assert_eq!(tokens.verify(&second).await, Err(TokenError::UnknownKey));
    // While the set contains both keys, tokens of both are valid.
    replace(&path, jwks(&[&one, &two]));
    until(&tokens, &second, Ok(())).await;
    assert!(tokens.verify(&first).await.is_ok());
    // The revocation file is read after the key file, so its notification shows that the key file was
    // read.
    let mut changed = tokens.revocations().changed();
    for (number, broken) in ["{", r#"{"keys":[]}"#, ""].into_iter().enumerate() {
        replace(&path, broken);
        replace(&revoked, number.to_string());
        changed.changed().await.unwrap();
        assert!(tokens.verify(&first).await.is_ok());
    }
    replace(&path, jwks(&[&three]));
    until(&tokens, &third, Ok(())).await;
    assert_eq!(tokens.verify(&first).await, Err(TokenError::UnknownKey));
}

#[tokio::test]
async fn revokes_tokens_by_a_line_and_by_a_call() {
    let directory = tempfile::tempdir().unwrap();
    let revoked = file(&directory, "revoked", "");
    let config = TokenConfig {
        revocation_file: Some(revoked.clone()),
        ..TokenConfig::new(KeySource::SecretFile(file(&directory, "secret", ONE)))
    };
    let tokens = Tokens::open(config.clone()).await.unwrap();
    let issuer = Issuer::secret(ONE);
    let token = |id: &str| issuer.token(&with(claims(), "jti", id));
    let mut changed = tokens.revocations().changed();
    let good = tokens.verify(&token("a")).await.unwrap();

    std::fs::write(&revoked, "# lost\na\n").unwrap();
    let told = tokio::time::timeout(Duration::from_secs(60), changed.changed()).await;
    assert!(told.is_ok(), "the revocation is not reported");
    assert_eq!(tokens.verify(&token("a")).await, Err(TokenError::Revoked));

    let called = tokens.revocations().revoke("b", Some(good.expires)).await;
    called.unwrap();
    assert_eq!(tokens.verify(&token("b")).await, Err(TokenError::Revoked));
    assert!(tokens.verify(&token("c")).await.is_ok());
    assert!(
        tokens
            .verify(&issuer.token(&with(claims(), "jti", json!(null))))
            .await
            .is_ok()
    );

    // Removing the line ends its revocation, but not that of the call.
    // Only new lines are reported, so another one shows that the list was read.
    replace(&revoked, "e\n");
    until(&tokens, &token("e"), Err(TokenError::Revoked)).await;
    assert!(tokens.verify(&token("a")).await.is_ok());
    assert_eq!(tokens.verify(&token("b")).await, Err(TokenError::Revoked));

    tokens
        .revocations()
        .revoke("d", Some(good.expires))
        .await
        .unwrap();
    let again = Tokens::open(config).await.unwrap();
    assert_eq!(again.verify(&token("d")).await, Err(TokenError::Revoked));
}

/// The error of opening with a file of these contents, with its whole chain of causes.
async fn fault(keys: impl FnOnce(PathBuf) -> KeySource, contents: &[u8]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let keys = keys(file(&directory, "file", contents));
    let error = Tokens::open(TokenConfig::new(keys)).await.unwrap_err();
    let text = crate::error_chain::chain(&error);
    assert!(
        text.contains(&*directory.path().to_string_lossy()),
        "{text}"
    );
    text
}

#[tokio::test]
async fn names_an_unusable_file_and_the_reason() {
    let short = fault(KeySource::SecretFile, b"password123").await;
    assert!(
        short.contains("11 bytes") && short.contains("--new-secret"),
        "{short}"
    );
    assert!(!short.contains("password123"), "{short}");
    let large = fault(KeySource::SecretFile, &[b'x'; 70_000]).await;
    assert!(large.contains("larger than 65536"), "{large}");
    let none = fault(KeySource::JwksFile, br#"{"keys":[{"kty":"oct","k":"AA"}]}"#).await;
    assert!(none.contains("none of its 1 keys"), "{none}");
    let missing = |path: PathBuf| KeySource::SecretFile(path.with_extension("missing"));
    let missing = fault(missing, b"").await;
    assert!(missing.contains("No such file"), "{missing}");
}

#[tokio::test]
async fn names_the_bad_line_of_a_revocation_list() {
    let directory = tempfile::tempdir().unwrap();
    let open = |directory: &TempDir, name: &str| {
        Tokens::open(TokenConfig {
            revocation_file: Some(directory.path().join(name)),
            ..TokenConfig::new(KeySource::SecretFile(file(directory, "secret", ONE)))
        })
    };
    file(&directory, "revoked", "a\nb someday\n");
    let error = open(&directory, "revoked").await.unwrap_err();
    let text = crate::error_chain::chain(&error);
    assert!(
        text.contains("revoked") && text.contains("line 2"),
        "{text}"
    );
    let error = open(&directory, "missing/revoked").await.unwrap_err();
    assert!(
        crate::error_chain::chain(&error).contains("No such file"),
        "{error}"
    );
}
