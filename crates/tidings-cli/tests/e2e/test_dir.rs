//! The working directory of a test with token authentication.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::process::Command;

use crate::server::{output_of, tidings};

/// A directory with a secret, for a server's data and log.
pub(crate) struct TestDir {
    pub(crate) directory: TempDir,
    pub(crate) secret: PathBuf,
}

impl TestDir {
    pub(crate) async fn new() -> Self {
        let directory = TempDir::new().expect("a directory can be made");
        let secret = directory.path().join("secret");
        let mut command = tidings();
        command.args(["token", "--new-secret"]).arg(&secret);
        let (status, _, err) = output_of(command).await;
        assert!(status.success(), "{err}");
        Self { directory, secret }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A command that starts a server with token authentication by the secret.
    pub(crate) fn serve(&self, flags: &[&str]) -> Command {
        let mut command = tidings();
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(self.path("data"))
            .args(["--auth", "jwt", "--jwt-secret-file"])
            .arg(&self.secret)
            .args(flags);
        command
    }

    /// Creates a token for `owner` with `tidings token`.
    pub(crate) async fn token(&self, owner: &str, flags: &[&str]) -> String {
        token(&self.secret, owner, flags).await
    }
}

async fn token(secret: &Path, owner: &str, flags: &[&str]) -> String {
    let mut command = tidings();
    command.args(["token", "--owner", owner, "--secret-file"]);
    command.arg(secret).args(flags);
    let (status, out, err) = output_of(command).await;
    assert!(status.success(), "{err}");
    out.trim_end().to_owned()
}
