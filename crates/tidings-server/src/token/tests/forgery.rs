//! Tokens that are not signed with a key of the server and its algorithm are rejected.

use serde_json::{Value, json};
use tempfile::TempDir;

use super::super::{MintRequest, Scopes, Secret, mint};
use super::issuer::{Issuer, RSA, encoded, jwks};
use super::*;

const SECRET: &str = "a secret of more than 32 letters.";

async fn by_secret(directory: &TempDir) -> (Tokens, Issuer) {
    let path = file(directory, "secret", format!("{SECRET}\n"));
    (
        open(KeySource::SecretFile(path)).await,
        Issuer::secret(SECRET),
    )
}

async fn by_keys(directory: &TempDir, issuers: &[&Issuer]) -> Tokens {
    open(KeySource::JwksFile(file(directory, "jwks", jwks(issuers)))).await
}

async fn rejected(tokens: &Tokens, token: &str) -> TokenError {
    tokens.verify(token).await.expect_err(token)
}

#[tokio::test]
async fn accepts_tokens_of_all_four_algorithms() {
    let directory = tempfile::tempdir().unwrap();
    let (tokens, secret) = by_secret(&directory).await;
    let good = tokens.verify(&secret.token(&claims())).await.unwrap();
    assert_eq!(good.owner.to_string(), OWNER);
    assert_eq!(good.scopes, Scopes::READ);
    assert_eq!(&*good.id, "token-1");

    let (ec, ed) = (Issuer::ec(Some("ec")), Issuer::ed(None));
    let tokens = by_keys(&directory, &[&RSA, &ec, &ed]).await;
    for issuer in [&*RSA, &ec, &ed] {
        let good = tokens.verify(&issuer.token(&claims())).await;
        assert!(good.is_ok(), "{}: {good:?}", issuer.header());
    }
}

#[tokio::test]
async fn accepts_a_minted_token() {
    let directory = tempfile::tempdir().unwrap();
    let (tokens, _) = by_secret(&directory).await;
    let now = Timestamp::now();
    let request = MintRequest {
        owner: OWNER.parse().unwrap(),
        scopes: Scopes::READ | Scopes::ADMIN,
        issued: now,
        expires: now + jiff::SignedDuration::from_mins(1),
        issuer: Some("me".to_owned()),
        audience: None,
        system: None,
        id: Some("m-1".to_owned()),
    };
    let secret = Secret::new(SECRET.into()).unwrap();
    let good = tokens
        .verify(&mint(&secret, &request).unwrap())
        .await
        .unwrap();
    assert_eq!(good.owner, request.owner);
    assert_eq!(good.scopes, request.scopes);
    assert_eq!(Some(&*good.id), request.id.as_deref());
    let lifetime = good.expires.as_second() - now.as_second();
    assert_eq!(lifetime, 60 + 30, "a minute and the leeway");
}

#[tokio::test]
async fn rejects_a_public_key_used_as_a_secret() {
    let directory = tempfile::tempdir().unwrap();
    let tokens = by_keys(&directory, &[&RSA]).await;
    let jwk = RSA.jwk();
    let modulus = jwk["n"].as_str().unwrap();
    for guess in [
        jwk.to_string(),
        modulus.to_owned(),
        jwks(&[&RSA]),
        String::new(),
    ] {
        let forger = Issuer::secret(guess);
        for header in [
            json!({"alg": "HS256"}),
            json!({"alg": "HS256", "kid": "rsa"}),
        ] {
            let token = forger.token_with(&header, &claims());
            assert_eq!(
                rejected(&tokens, &token).await,
                TokenError::UnsupportedAlgorithm
            );
        }
        // With the algorithm of the key the signature is wrong.
        let token = forger.token_with(&RSA.header(), &claims());
        assert_eq!(rejected(&tokens, &token).await, TokenError::BadSignature);
    }
}

#[tokio::test]
async fn ignores_secrets_in_a_key_set_and_public_keys_with_a_secret() {
    let directory = tempfile::tempdir().unwrap();
    let secret = Issuer::secret(SECRET);
    let tokens = by_keys(&directory, &[&secret, &RSA]).await;
    let token = secret.token(&claims());
    assert_eq!(
        rejected(&tokens, &token).await,
        TokenError::UnsupportedAlgorithm
    );
    let (tokens, _) = by_secret(&directory).await;
    let token = RSA.token(&claims());
    assert_eq!(
        rejected(&tokens, &token).await,
        TokenError::UnsupportedAlgorithm
    );
}

#[tokio::test]
async fn rejects_an_unsigned_token() {
    let directory = tempfile::tempdir().unwrap();
    let (by_secret, secret) = by_secret(&directory).await;
    let by_keys = by_keys(&directory, &[&RSA]).await;
    for tokens in [&by_secret, &by_keys] {
        for alg in ["none", "None", "NONE"] {
            let unsigned = format!(
                "{}.{}",
                encoded(json!({ "alg": alg }).to_string()),
                encoded(claims().to_string())
            );
            for token in [
                format!("{unsigned}."),
                format!("{unsigned}.{}", encoded("x")),
            ] {
                assert_eq!(
                    rejected(tokens, &token).await,
                    TokenError::UnsupportedAlgorithm
                );
            }
        }
    }
    let token = secret.token(&claims());
    let (message, _) = token.rsplit_once('.').unwrap();
    assert_eq!(
        rejected(&by_secret, &format!("{message}.")).await,
        TokenError::BadSignature
    );
    assert_eq!(rejected(&by_secret, message).await, TokenError::Malformed);
}

#[tokio::test]
async fn rejects_tokens_of_other_keys() {
    let directory = tempfile::tempdir().unwrap();
    let (tokens, _) = by_secret(&directory).await;
    for other in [format!("{SECRET}\n"), SECRET.to_uppercase(), String::new()] {
        let token = Issuer::secret(other).token(&claims());
        assert_eq!(rejected(&tokens, &token).await, TokenError::BadSignature);
    }
    let (ec, ed) = (Issuer::ec(Some("a")), Issuer::ed(Some("b")));
    let tokens = by_keys(&directory, &[&ec, &ed]).await;
    for forger in [Issuer::ec(Some("a")), Issuer::ed(Some("b"))] {
        let token = forger.token(&claims());
        assert_eq!(rejected(&tokens, &token).await, TokenError::BadSignature);
        // The token contains the forger's own key (CVE-2018-0114).
        let mut header = forger.header();
        header["jwk"] = forger.jwk();
        let token = forger.token_with(&header, &claims());
        assert_eq!(rejected(&tokens, &token).await, TokenError::BadSignature);
    }
    for kid in ["c", "", "../../../dev/null", "a' OR 1=1"] {
        let header = with(ec.header(), "kid", kid);
        let token = ec.token_with(&header, &claims());
        assert_eq!(rejected(&tokens, &token).await, TokenError::UnknownKey);
    }
    let token = ec.token_with(&with(ec.header(), "kid", "b"), &claims());
    assert_eq!(
        rejected(&tokens, &token).await,
        TokenError::UnsupportedAlgorithm
    );
}

#[tokio::test]
async fn rejects_malformed_signatures() {
    let directory = tempfile::tempdir().unwrap();
    let ec = Issuer::ec(None);
    let tokens = by_keys(&directory, &[&ec]).await;
    let token = ec.token(&claims());
    let (message, signature) = token.rsplit_once('.').unwrap();
    let real = ec.sign(message.as_bytes());
    let mut longer = real.clone();
    longer.push(0);
    // A faulty verifier accepted all zeros as a signature of any message (CVE-2022-21449).
    for forged in [
        vec![0; 64],
        vec![],
        vec![0xff; 64],
        longer,
        real[..63].to_vec(),
    ] {
        let token = format!("{message}.{}", encoded(forged));
        assert_eq!(rejected(&tokens, &token).await, TokenError::BadSignature);
    }
    for padded in [
        format!("{token}="),
        format!("{token}\n"),
        token.replace(signature, "+/"),
    ] {
        assert_eq!(rejected(&tokens, &padded).await, TokenError::Malformed);
    }
}

#[tokio::test]
async fn rejects_changed_claims() {
    let directory = tempfile::tempdir().unwrap();
    let (tokens, secret) = by_secret(&directory).await;
    let token = secret.token(&claims());
    let mut parts: Vec<&str> = token.split('.').collect();
    let more = with(claims(), "scope", "events:admin").to_string();
    let more = encoded(more);
    parts[1] = &more;
    assert_eq!(
        rejected(&tokens, &parts.join(".")).await,
        TokenError::BadSignature
    );
}

#[tokio::test]
async fn an_error_repeats_nothing_of_the_token() {
    let directory = tempfile::tempdir().unwrap();
    let config = TokenConfig {
        issuer: Some("https://id.example".to_owned()),
        owner_claim: Some("tenant".to_owned()),
        ..TokenConfig::new(KeySource::SecretFile(file(&directory, "secret", SECRET)))
    };
    let tokens = Tokens::open(config).await.unwrap();
    let secret = Issuer::secret(SECRET);
    let marked = |name: &str, value: Value| {
        secret.token(&with(
            with(claims(), "iss", "https://id.example"),
            name,
            value,
        ))
    };
    for token in [
        marked("sub", json!("xyzzy")),
        marked("iss", json!("xyzzy")),
        marked("aud", json!("xyzzy")),
        marked("scope", json!({"xyzzy": 1})),
        marked("exp", json!("xyzzy")),
        secret.token_of(r#"{"alg":"xyzzy"}"#, "{}"),
        secret.token_of(r#"{"alg":"HS256","typ":"xyzzy"}"#, "{}"),
        secret.token_of(r#"{"alg":"HS256"}"#, "xyzzy"),
        secret.token_of(r#"{"alg":"HS256"}"#, &"[".repeat(6000)),
        secret.token_of(
            &format!(r#"{{"alg":"HS256","xyzzy":{}"#, "[".repeat(6000)),
            "{}",
        ),
        "xyzzy".to_owned(),
    ] {
        let error = rejected(&tokens, &token).await;
        for shown in [
            error.to_string(),
            format!("{error:?}"),
            format!("{tokens:?}"),
        ] {
            assert!(
                !shown.contains("xyzzy") && !shown.contains(SECRET),
                "{shown}"
            );
        }
    }
}
