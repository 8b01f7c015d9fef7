//! Tokens that are sent again and again: what was verified is not verified again, and still rejected when it
//! must be.

use super::issuer::Issuer;
use super::*;

const SECRET: &str = "a secret that has enough bytes for it";

async fn open_with(directory: &TempDir, leeway: Duration) -> Tokens {
    let config = TokenConfig {
        leeway,
        revocation_file: Some(file(directory, "revoked", "")),
        ..TokenConfig::new(KeySource::SecretFile(file(directory, "secret", SECRET)))
    };
    Tokens::open(config).await.unwrap()
}

#[tokio::test]
async fn remembers_accepted_tokens_only() {
    let directory = tempfile::tempdir().unwrap();
    let tokens = open_with(&directory, Duration::ZERO).await;
    let (issuer, forger) = (
        Issuer::secret(SECRET),
        Issuer::secret(SECRET.to_uppercase()),
    );
    let past = Timestamp::now().as_second() - 1;
    for number in 0..100 {
        let claims = with(claims(), "jti", number.to_string());
        let forged = tokens.verify(&forger.token(&claims)).await;
        assert_eq!(forged, Err(TokenError::BadSignature));
        let expired = issuer.token(&with(claims.clone(), "exp", past));
        assert_eq!(tokens.verify(&expired).await, Err(TokenError::Expired));
    }
    assert_eq!(tokens.remembered(), 0);
    let token = issuer.token(&claims());
    assert_eq!(tokens.recall(&token), None);
    let verified = tokens.verify(&token).await.unwrap();
    assert_eq!(tokens.recall(&token), Some(verified));
    assert_eq!(tokens.remembered(), 1);
    // A token that differs in its last letter only is another one.
    let mut other = token.clone();
    let last = other.pop().unwrap();
    other.push(if last == 'A' { 'Q' } else { 'A' });
    assert_eq!(tokens.recall(&other), None);
    assert!(tokens.verify(&other).await.is_err());
    assert_eq!(tokens.remembered(), 1);
}

#[tokio::test]
async fn rejects_a_remembered_token_that_is_revoked() {
    let directory = tempfile::tempdir().unwrap();
    let tokens = open_with(&directory, Duration::ZERO).await;
    let issuer = Issuer::secret(SECRET);
    let [called, listed] = ["called", "listed"].map(|id| issuer.token(&with(claims(), "jti", id)));
    for token in [&called, &listed] {
        tokens.verify(token).await.unwrap();
        assert!(tokens.recall(token).is_some());
    }
    tokens.revocations().revoke("called", None).await.unwrap();
    assert_eq!(tokens.recall(&called), None);
    assert_eq!(tokens.verify(&called).await, Err(TokenError::Revoked));
    assert!(tokens.recall(&listed).is_some());
    replace(&directory.path().join("revoked"), "listed\n");
    until(&tokens, &listed, Err(TokenError::Revoked)).await;
    assert_eq!(tokens.recall(&listed), None);
}

#[tokio::test]
async fn rejects_a_remembered_token_when_its_key_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let tokens = open_with(&directory, Duration::ZERO).await;
    let token = Issuer::secret(SECRET).token(&claims());
    tokens.verify(&token).await.unwrap();
    assert!(tokens.recall(&token).is_some());
    replace(
        &directory.path().join("secret"),
        "another secret that is long enough, too",
    );
    until(&tokens, &token, Err(TokenError::BadSignature)).await;
    assert_eq!(tokens.recall(&token), None);
}

#[tokio::test]
async fn rejects_a_remembered_token_that_expires() {
    let directory = tempfile::tempdir().unwrap();
    let tokens = open_with(&directory, Duration::ZERO).await;
    let soon = Timestamp::now().as_second() + 2;
    let token = Issuer::secret(SECRET).token(&with(claims(), "exp", soon));
    tokens.verify(&token).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    let expired = tokens.verify(&token).await;
    assert_eq!(expired.unwrap_err(), TokenError::Expired);
    assert_eq!(tokens.recall(&token), None);
}
