//! The token that a command sends, and the certificates that it trusts.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Context as _;
use tidings_client::{Client, ErrorKind, TokenSource};
use url::Url;

/// The token itself. It has no flag, since `ps` would show it.
const TOKEN_VARIABLE: &str = "TIDINGS_TOKEN";

/// Credentials and trusted certificates of every command that calls a server.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct AccessArgs {
    /// File with the bearer token, reread when it changes. Alternatively, set `TIDINGS_TOKEN` to the token
    /// itself
    #[arg(long, value_name = "FILE", env = "TIDINGS_TOKEN_FILE")]
    token_file: Option<PathBuf>,
    /// PEM file with certificate authorities to trust, in addition to the system's
    #[arg(long, value_name = "FILE", env = "TIDINGS_CA_CERT")]
    ca_cert: Option<PathBuf>,
}

impl AccessArgs {
    /// A client of the server at `url`; it sends nothing yet.
    pub(crate) fn client(&self, url: &Url) -> anyhow::Result<Client> {
        self.client_with(url, std::env::var_os(TOKEN_VARIABLE))
    }

    fn client_with(&self, url: &Url, token: Option<OsString>) -> anyhow::Result<Client> {
        let mut builder = Client::builder(url.clone());
        if let Some(source) = self.token_source(token)? {
            builder = builder.with_token(source);
        }
        if let Some(path) = &self.ca_cert {
            let pem = std::fs::read(path).with_context(|| {
                let path = path.display();
                format!("could not read {path} of --ca-cert (or TIDINGS_CA_CERT)")
            })?;
            builder = builder.with_ca_certificates(pem);
        }
        builder.build().map_err(|error| {
            let flag = match error.kind() {
                ErrorKind::Trust(_) => Some("--ca-cert (or TIDINGS_CA_CERT) is invalid"),
                ErrorKind::InvalidUrl(_) | ErrorKind::PlainHttp { .. } => {
                    Some("--url (or TIDINGS_URL) is invalid")
                }
                // Of no flag; the enum is non-exhaustive.
                _ => None,
            };
            let error = anyhow::Error::new(error);
            match flag {
                Some(flag) => error.context(flag),
                None => error,
            }
        })
    }

    /// The file takes precedence, since it can be renewed.
    fn token_source(&self, token: Option<OsString>) -> anyhow::Result<Option<TokenSource>> {
        if let Some(path) = &self.token_file {
            return Ok(Some(TokenSource::file(path)));
        }
        // An empty variable counts as unset, as for every flag.
        let Some(token) = token.filter(|token| !token.is_empty()) else {
            return Ok(None);
        };
        // A value that is not UTF-8 is rejected below like any other malformed token, without being shown.
        let token = token.to_string_lossy().into_owned();
        let source = TokenSource::fixed(token);
        source
            .map(Some)
            .with_context(|| format!("{TOKEN_VARIABLE} is invalid"))
    }

    /// How to give a running command another token.
    pub(crate) fn renewal(&self) -> String {
        match &self.token_file {
            Some(path) => format!(
                "put a new token into {}; a running command picks it up",
                path.display()
            ),
            None => format!(
                "start again with a new token in {TOKEN_VARIABLE}, or with --token-file and a file that is \
                 renewed"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(access: &AccessArgs, url: &str, token: Option<&str>) -> String {
        let url = url.parse().unwrap();
        let client = access.client_with(&url, token.map(Into::into));
        format!("{:#}", client.unwrap_err())
    }

    #[test]
    fn reports_invalid_values_without_the_token() {
        let none = AccessArgs::default();
        let error_of = |url, token| error(&none, url, Some(token));
        let unreadable = error_of("https://h", "two secrets");
        assert!(
            unreadable.starts_with("TIDINGS_TOKEN is invalid"),
            "{unreadable}"
        );
        assert!(!unreadable.contains("secrets"), "{unreadable}");
        let plain = error_of("http://example.org", "secret");
        assert!(
            plain.contains("TIDINGS_URL") && plain.contains("https"),
            "{plain}"
        );
        assert!(!plain.contains("secret"), "{plain}");
    }

    #[test]
    fn ignores_an_empty_variable_and_prefers_the_file() {
        let url: Url = "http://127.0.0.1:1".parse().unwrap();
        let access = AccessArgs::default();
        assert!(access.token_source(Some("".into())).unwrap().is_none());
        assert!(access.client_with(&url, None).is_ok());
        let access = AccessArgs {
            token_file: Some("/run/token".into()),
            ca_cert: None,
        };
        let source = access.token_source(Some("not a token".into())).unwrap();
        assert_eq!(format!("{source:?}"), "Some(File(\"/run/token\"))");
        assert!(access.renewal().contains("/run/token"));
    }

    #[test]
    fn rejects_a_file_without_certificates() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ca.pem");
        let access = AccessArgs {
            token_file: None,
            ca_cert: Some(path.clone()),
        };
        let missing = error(&access, "https://h", None);
        assert!(
            missing.contains("ca.pem") && missing.contains("--ca-cert"),
            "{missing}"
        );
        std::fs::write(&path, "nothing").unwrap();
        let empty = error(&access, "https://h", None);
        assert!(
            empty.contains("--ca-cert") && empty.contains("PEM"),
            "{empty}"
        );
    }
}
