//! A secret for the server, and tokens signed with it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use tempfile::TempDir;
use uuid::Uuid;

/// Signs tokens with `tidings token`.
#[derive(Debug)]
pub(crate) struct Tokens {
    tidings: PathBuf,
    secret_file: String,
    _directory: TempDir,
}

impl Tokens {
    /// Creates a new secret.
    pub(crate) fn new(tidings: &Path) -> anyhow::Result<Self> {
        let directory = TempDir::new().context("could not create a directory for the secret")?;
        let secret_file = directory.path().join("secret");
        let tokens = Self {
            tidings: tidings.to_owned(),
            secret_file: secret_file
                .into_os_string()
                .into_string()
                .ok()
                .context("the path of the secret is not UTF-8")?,
            _directory: directory,
        };
        tokens.run(&["--new-secret", &tokens.secret_file])?;
        Ok(tokens)
    }

    /// The flags with which `tidings serve` accepts these tokens.
    pub(crate) fn flags(&self) -> [&str; 4] {
        ["--auth", "jwt", "--jwt-secret-file", &self.secret_file]
    }

    /// Signs a token for `owner` that is valid for 1 hour.
    pub(crate) fn sign(&self, owner: Uuid, scopes: &str) -> anyhow::Result<String> {
        let (owner, secret) = (owner.to_string(), &self.secret_file);
        self.run(&[
            "--secret-file",
            secret,
            "--owner",
            &owner,
            "--scope",
            scopes,
        ])
    }

    fn run(&self, args: &[&str]) -> anyhow::Result<String> {
        let mut command = Command::new(&self.tidings);
        let made = command.arg("token").args(args).output()?;
        let errors = String::from_utf8_lossy(&made.stderr);
        ensure!(made.status.success(), "`tidings token` failed: {errors}");
        let token = String::from_utf8(made.stdout).context("the token is not UTF-8")?;
        Ok(token.trim_end().to_owned())
    }
}
