//! The token that a client shows, and where it comes from.

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

use crate::error::ClientError;
use crate::fault::{MAX_TOKEN_BYTES, TokenFault};

/// How long a function can take to provide a token.
const PROVIDER_TIMEOUT: Duration = Duration::from_secs(30);

/// Where a client takes the token from that it shows with each request
/// (`Authorization: Bearer`, RFC 6750 §2.1).
///
/// It is asked anew for each request and each connection of a stream, so that a fresh token needs no
/// restart. Tokens are never shown, not by `Debug` either.
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
    place: Place,
}

#[derive(Clone)]
enum Place {
    Fixed(Token),
    File(Arc<Path>),
    Asked(Arc<Ask>),
}

type Ask =
    dyn Fn() -> Pin<Box<dyn Future<Output = Result<SecretString, Source>> + Send>> + Send + Sync;

type Source = Box<dyn Error + Send + Sync>;

impl TokenSource {
    /// Always this token. White space around it does not count.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoToken`](crate::ErrorKind::NoToken) when the text is no token.
    pub fn fixed(token: impl Into<SecretString>) -> Result<Self, ClientError> {
        let token = Token::new(&token.into()).map_err(ClientError::no_token)?;
        Ok(Self {
            place: Place::Fixed(token),
        })
    }

    /// What is in a file, which is read each time a token is needed. White space around the token
    /// does not count. Whoever replaces the file should do it by renaming another over it, so that it
    /// is never seen half written.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self {
            place: Place::File(path.into().into()),
        }
    }

    /// What `ask` answers. It is called for each request and each connection of a stream, also several
    /// times at once, and every few seconds while a stream's token is about to end: it should keep a
    /// token until that is nearly over. It may take 30 seconds.
    ///
    /// What it fails with is shown to people as the [`source`](Error::source) of the error, and must
    /// hold no secret.
    pub fn from_fn<F, T, E, A>(ask: A) -> Self
    where
        A: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
        T: Into<SecretString>,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let ask = move || {
            let answer = ask();
            let answer = async { answer.await.map(Into::into).map_err(Into::into) };
            Box::pin(answer) as Pin<Box<dyn Future<Output = _> + Send>>
        };
        Self {
            place: Place::Asked(Arc::new(ask)),
        }
    }

    /// The token as of now.
    pub(crate) async fn token(&self) -> Result<Token, ClientError> {
        match &self.place {
            Place::Fixed(token) => Ok(token.clone()),
            Place::File(path) => {
                let path = path.clone();
                let read = tokio::task::spawn_blocking(move || read(&path));
                read.await.unwrap_or_else(|error| {
                    Err(ClientError::no_token(TokenFault::Silent).with_source(error))
                })
            }
            Place::Asked(ask) => match tokio::time::timeout(PROVIDER_TIMEOUT, ask()).await {
                Ok(Ok(text)) => Token::new(&text).map_err(ClientError::no_token),
                Ok(Err(error)) => Err(ClientError::no_token(TokenFault::Asked).with_source(error)),
                Err(elapsed) => Err(ClientError::no_token(TokenFault::Silent).with_source(elapsed)),
            },
        }
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Fixed(token) => f.debug_tuple("Fixed").field(token).finish(),
            Place::File(path) => f.debug_tuple("File").field(path).finish(),
            Place::Asked(_) => f.write_str("Asked"),
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

/// `None` if there is more than a token can have.
fn contents(path: &Path) -> io::Result<Option<SecretString>> {
    // With room for all, so that growing leaves no copies behind; and for the white space of an editor.
    const LIMIT: usize = MAX_TOKEN_BYTES + 64;
    let mut bytes = Zeroizing::new(Vec::with_capacity(LIMIT + 1));
    File::open(path)?
        .take(LIMIT as u64 + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() > LIMIT {
        return Ok(None);
    }
    // What is no text is no token either, and is refused as such.
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned().into()))
}

/// A token, as it is shown to a server.
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

    /// The value of `Authorization`, marked so that nothing shows it and HTTP/2 does not keep it in
    /// its table of headers.
    pub(crate) fn header(&self) -> HeaderValue {
        let text = Zeroizing::new(format!("Bearer {}", self.0.expose_secret()));
        let mut value = HeaderValue::from_str(&text).expect("a token has only visible ASCII");
        value.set_sensitive(true);
        value
    }
}

impl PartialEq for Token {
    /// Both are our own, so that nobody learns from the time this takes.
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
    fn only_what_is_written_as_a_token_is_one() {
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
    async fn a_file_is_read_again() {
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
                .contains("/token holds no token: it is not"),
            "{error}"
        );
        std::fs::write(&path, "a".repeat(2 * MAX_TOKEN_BYTES)).unwrap();
        let error = source.token().await.unwrap_err();
        assert!(error.to_string().contains("16384 bytes"), "{error}");
    }

    #[tokio::test]
    async fn who_fails_to_answer_is_the_source_of_the_error() {
        let source = TokenSource::from_fn(async || Err::<String, _>("the vault is closed"));
        let error = source.token().await.unwrap_err();
        assert_eq!(fault(&error), &TokenFault::Asked);
        assert_eq!(error.source().unwrap().to_string(), "the vault is closed");
        assert!(error.is_temporary());
    }

    #[tokio::test]
    async fn a_token_is_not_shown() {
        let asked = TokenSource::from_fn(async || Ok::<_, io::Error>("secret"));
        let token = asked.token().await.unwrap();
        let fixed = TokenSource::fixed("secret").unwrap();
        let shown = format!("{asked:?} {token:?} {:?} {fixed:?}", token.header());
        assert!(!shown.contains("secret"), "{shown}");
    }
}
