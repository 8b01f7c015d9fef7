//! The token of a client, and its sources.

use std::error::Error;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::HeaderValue;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};

use crate::error::{ClientError, ErrorSource};
use crate::fault::{MAX_TOKEN_BYTES, TokenFault};

/// How long a function can take to provide a token.
const PROVIDER_TIMEOUT: Duration = Duration::from_secs(30);

/// A source of tokens for the `Authorization: Bearer` header (RFC 6750 §2.1).
///
/// The client queries the source for each request and each connection of a stream, so that a new token
/// needs no restart. Tokens never appear in logs, not even through `Debug`.
///
/// ```no_run
/// use tidings_client::{Client, TokenSource};
///
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::builder("https://tidings.example.org".parse()?)
///     .with_token(TokenSource::file("/run/secrets/tidings-token"))
///     .build()?;
/// # let _ = client;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct TokenSource {
    kind: SourceKind,
}

#[derive(Clone)]
enum SourceKind {
    Fixed(Token),
    File(Arc<Path>),
    Provider(Arc<Provider>),
}

type Provider = dyn Fn() -> Pin<Box<dyn Future<Output = Result<SecretString, ErrorSource>> + Send>>
    + Send
    + Sync;

impl TokenSource {
    /// Always this token. White space around it is ignored.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoToken`](crate::ErrorKind::NoToken) if the text is not a token.
    pub fn fixed(token: impl Into<String>) -> Result<Self, ClientError> {
        let token = Token::new(&SecretString::from(token.into())).map_err(ClientError::no_token)?;
        Ok(Self {
            kind: SourceKind::Fixed(token),
        })
    }

    /// The content of a file, which is read each time a token is needed. White space around the token is
    /// ignored. To replace the token, rename a new file over the old one, so that the client never reads
    /// a partial file.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self {
            kind: SourceKind::File(path.into().into()),
        }
    }

    /// The result of `provider`. The client calls it for each request and each connection of a stream,
    /// possibly concurrently, and every few seconds while the token of a stream is about to expire. The
    /// function should therefore cache a token until shortly before it expires. It can take 30 seconds.
    ///
    /// Its error becomes the [`source`](Error::source) of the client's error, is shown to people, and must
    /// not contain a secret.
    pub fn from_fn<F, T, E, P>(provider: P) -> Self
    where
        P: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
        T: Into<String>,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let provider = move || {
            let token = provider();
            let token = async {
                let token = token.await.map_err(Into::into)?;
                Ok(SecretString::from(token.into()))
            };
            Box::pin(token) as Pin<Box<dyn Future<Output = _> + Send>>
        };
        Self {
            kind: SourceKind::Provider(Arc::new(provider)),
        }
    }

    /// The current token.
    pub(crate) async fn token(&self) -> Result<Token, ClientError> {
        match &self.kind {
            SourceKind::Fixed(token) => Ok(token.clone()),
            SourceKind::File(path) => {
                let path = path.clone();
                let read = tokio::task::spawn_blocking(move || read(&path));
                read.await.unwrap_or_else(|error| {
                    Err(ClientError::no_token(TokenFault::Silent).with_source(error))
                })
            }
            SourceKind::Provider(provider) => {
                match tokio::time::timeout(PROVIDER_TIMEOUT, provider()).await {
                    Ok(Ok(text)) => Token::new(&text).map_err(ClientError::no_token),
                    Ok(Err(error)) => {
                        Err(ClientError::no_token(TokenFault::Provider).with_source(error))
                    }
                    Err(elapsed) => {
                        Err(ClientError::no_token(TokenFault::Silent).with_source(elapsed))
                    }
                }
            }
        }
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            SourceKind::Fixed(token) => f.debug_tuple("Fixed").field(token).finish(),
            SourceKind::File(path) => f.debug_tuple("File").field(path).finish(),
            SourceKind::Provider(_) => f.write_str("Provider"),
        }
    }
}

fn read(path: &Path) -> Result<Token, ClientError> {
    let in_file = |fault: TokenFault| {
        ClientError::no_token(TokenFault::InFile {
            path: path.to_owned(),
            fault: Box::new(fault),
        })
    };
    match contents(path) {
        Ok(Some(text)) => Token::new(&text).map_err(in_file),
        Ok(None) => Err(in_file(TokenFault::TooLong)),
        Err(error) => {
            let path = path.to_owned();
            Err(ClientError::no_token(TokenFault::Unreadable { path }).with_source(error))
        }
    }
}

/// `None` if the file is longer than a token can be.
fn contents(path: &Path) -> io::Result<Option<SecretString>> {
    // The capacity is reserved once, because growing would leave copies of the token in memory. 64 more
    // bytes are room for white space.
    const LIMIT: usize = MAX_TOKEN_BYTES + 64;
    let mut bytes = Zeroizing::new(Vec::with_capacity(LIMIT + 1));
    open(path)?.take(LIMIT as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > LIMIT {
        return Ok(None);
    }
    // Invalid UTF-8 is rejected as a malformed token.
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned().into()))
}

/// Opens a regular file. Opening a FIFO would wait until another process writes to it.
fn open(path: &Path) -> io::Result<File> {
    if std::fs::metadata(path)?.is_file() {
        File::open(path)
    } else {
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "not a regular file",
        ))
    }
}

/// A well-formed token.
#[derive(Clone, Debug)]
pub(crate) struct Token(SecretString);

impl Token {
    fn new(text: &SecretString) -> Result<Self, TokenFault> {
        let token = text.expose_secret().trim();
        if token.is_empty() {
            return Err(TokenFault::Empty);
        }
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenFault::TooLong);
        }
        let is_letter = |letter: u8| letter.is_ascii_alphanumeric() || b"-._~+/".contains(&letter);
        let letters = token.trim_end_matches('=');
        if letters.is_empty() || !letters.bytes().all(is_letter) {
            return Err(TokenFault::Malformed);
        }
        Ok(Self(token.into()))
    }

    /// The value of the `Authorization` header, marked as sensitive: `Debug` hides it and HTTP/2 does not
    /// keep it in its header table.
    pub(crate) fn header(&self) -> HeaderValue {
        let text = Zeroizing::new(format!("Bearer {}", self.0.expose_secret()));
        let mut value = HeaderValue::from_str(&text).expect("a token has only visible ASCII");
        value.set_sensitive(true);
        value
    }
}

impl PartialEq for Token {
    /// Not in constant time: both tokens belong to this client, so that timing reveals nothing to others.
    fn eq(&self, other: &Self) -> bool {
        self.0.expose_secret() == other.0.expose_secret()
    }
}

#[cfg(test)]
mod tests {
    use crate::error::ErrorKind;

    use super::*;

    fn fault(error: &ClientError) -> &TokenFault {
        match error.kind() {
            ErrorKind::NoToken(fault) => fault,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn accepts_only_well_formed_tokens() {
        for text in [
            "a",
            " eyJ.abc-_.x\n",
            "Zm9v+/~==",
            &"a".repeat(MAX_TOKEN_BYTES),
        ] {
            assert!(TokenSource::fixed(text).is_ok(), "{text}");
        }
        for (text, expected) in [
            ("", TokenFault::Empty),
            (" \r\n", TokenFault::Empty),
            ("Bearer secret", TokenFault::Malformed),
            ("secret\r\nx-evil: 1", TokenFault::Malformed),
            ("sécret", TokenFault::Malformed),
            ("sec=ret", TokenFault::Malformed),
            ("==", TokenFault::Malformed),
            (&"a".repeat(MAX_TOKEN_BYTES + 1), TokenFault::TooLong),
        ] {
            let error = TokenSource::fixed(text).unwrap_err();
            assert_eq!(fault(&error), &expected, "{text}");
            assert!(!format!("{error} {error:?}").contains("cret"), "{error:?}");
        }
    }

    #[tokio::test]
    async fn reads_the_file_for_every_token() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        let source = TokenSource::file(&path);
        let missing = source.token().await.unwrap_err();
        assert_eq!(
            fault(&missing),
            &TokenFault::Unreadable { path: path.clone() }
        );
        for text in ["first\n", "other"] {
            std::fs::write(&path, text).unwrap();
            let header = source.token().await.unwrap().header();
            assert_eq!(
                header.as_bytes(),
                format!("Bearer {}", text.trim()).as_bytes()
            );
            assert!(header.is_sensitive());
        }
        std::fs::write(&path, b"two secrets\xff").unwrap();
        let error = source.token().await.unwrap_err();
        assert!(
            error
                .to_string()
                .contains("/token contains no token: it has characters"),
            "{error}"
        );
        std::fs::write(&path, "a".repeat(2 * MAX_TOKEN_BYTES)).unwrap();
        let error = source.token().await.unwrap_err();
        assert!(error.to_string().contains("16384 bytes"), "{error}");
    }

    #[tokio::test]
    async fn keeps_the_error_of_the_provider_as_source() {
        let source = TokenSource::from_fn(async || Err::<String, _>("the vault is closed"));
        let error = source.token().await.unwrap_err();
        assert_eq!(fault(&error), &TokenFault::Provider);
        assert_eq!(error.source().unwrap().to_string(), "the vault is closed");
        assert!(error.is_temporary());
    }

    #[tokio::test]
    async fn hides_tokens_in_debug_output() {
        let provided = TokenSource::from_fn(async || Ok::<_, io::Error>("secret"));
        let token = provided.token().await.unwrap();
        let fixed = TokenSource::fixed("secret").unwrap();
        let shown = format!("{provided:?} {token:?} {:?} {fixed:?}", token.header());
        assert!(!shown.contains("secret"), "{shown}");
    }
}
