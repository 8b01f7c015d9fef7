//! A secret for the server, and tokens signed with it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use tempfile::TempDir;
use uuid::Uuid;

/// Signs tokens with `tidings token`.
#[derive(Debug)]
pub(super) struct Tokens {
    tidings: PathBuf,
    directory: TempDir,
}

impl Tokens {
    /// Creates a new secret.
    pub(super) fn new(tidings: &Path) -> anyhow::Result<Self> {
        let directory = TempDir::new().context("could not create a directory for the secret")?;
        let tokens = Self {
            tidings: tidings.to_owned(),
            directory,
        };
        tokens.run(&["--new-secret".as_ref(), tokens.secret_file().as_os_str()])?;
        Ok(tokens)
    }

    pub(super) fn secret_file(&self) -> PathBuf {
        self.directory.path().join("secret")
    }

    /// Signs a token for `owner` that is valid for 1 hour.
    pub(super) fn sign(&self, owner: Uuid, scopes: &str) -> anyhow::Result<String> {
        let (owner, secret) = (owner.to_string(), self.secret_file());
        self.run(&[
            "--secret-file".as_ref(),
            secret.as_os_str(),
            "--owner".as_ref(),
            owner.as_ref(),
            "--scope".as_ref(),
            scopes.as_ref(),
        ])
    }

    fn run(&self, args: &[&std::ffi::OsStr]) -> anyhow::Result<String> {
        let mut command = Command::new(&self.tidings);
        let made = command.arg("token").args(args).output()?;
        let errors = String::from_utf8_lossy(&made.stderr);
        ensure!(made.status.success(), "`tidings token` failed: {errors}");
        let token = String::from_utf8(made.stdout).context("the token is not UTF-8")?;
        Ok(token.trim_end().to_owned())
    }
}
