//! The commands of one document, run in order.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};
use rustix::process::geteuid;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::timeout;

use crate::block::Block;
use crate::process::{Process, STUCK};
use crate::{excerpt, shape};

/// The server's default address, which the documents use.
const DEFAULT_ADDRESS: &str = "127.0.0.1:9081";

/// The user and group of commands that refuse to run as root.
const NOBODY: u32 = 65_534;

const TIDINGS: &str = env!("CARGO_BIN_EXE_tidings");

/// Silent, without a proxy, and with failure on an error status.
const CURL_CONFIG: &str = "silent\nshow-error\nnoproxy = *\nfail-with-body\n";

/// The directory and processes of one document.
pub(crate) struct Session {
    directory: TempDir,
    server: Option<Server>,
    background: Vec<Process>,
    last: Option<Printed>,
}

struct Server {
    process: Process,
    address: String,
}

/// The output of a command that has ended.
struct Printed {
    output: String,
    errors: String,
}

impl Session {
    /// Creates the directory with the programs that the document's commands call.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let programs = directory.path().join("bin");
        fs::create_dir(&programs)?;
        symlink(TIDINGS, programs.join("tidings"))?;
        let cargo = programs.join("cargo");
        let run = "run --release --";
        let text = format!(
            "#!/bin/sh\n[ \"$1 $2 $3\" = '{run}' ] || {{ echo \"cargo $*: only $0 {run}\" >&2; exit 1; }}\n\
             shift 3\nexec '{TIDINGS}' \"$@\"\n"
        );
        fs::write(&cargo, text)?;
        fs::set_permissions(&cargo, fs::Permissions::from_mode(0o700))?;
        let home = directory.path().join("home");
        fs::create_dir(&home)?;
        fs::write(home.join(".curlrc"), CURL_CONFIG)?;
        fs::create_dir(directory.path().join("work"))?;
        Ok(Self {
            directory,
            server: None,
            background: Vec::new(),
            last: None,
        })
    }

    /// Runs or checks the block as its info string says.
    pub(crate) async fn run(&mut self, block: &Block) -> anyhow::Result<()> {
        let text = &block.text;
        match block.info.as_str() {
            "sh" => self.run_to_its_end(text, true).await,
            "sh,fails" => self.run_to_its_end(text, false).await,
            "sh,postgres" => self.run_as_nobody(text).await,
            "sh,serve" => self.serve(text).await,
            "sh,background" => self.begin(text).await,
            "sh,unrun" => self.check_syntax(text).await,
            "json,response" => shape::check_json(text, &self.last()?.output),
            "text,output" => {
                let Printed { output, errors } = self.last()?;
                shape::check_text(text, &format!("{output}{errors}"))
            }
            "text,background" => {
                let process = self
                    .background
                    .last()
                    .context("no command runs in the background")?;
                let has_lines = |lines: &[String]| shape::has_lines(text, lines).then_some(());
                process.wait_for("such lines", has_lines).await
            }
            "json" => match serde_json::from_str::<Value>(text) {
                Ok(_) => Ok(()),
                Err(error) => Err(error.into()),
            },
            "rust" | "rust,no_run" | "text" | "toml" | "ini" | "nginx" | "haproxy"
            | "caddyfile" | "js" | "html" | "yaml" => Ok(()),
            info => match info.split_once(' ') {
                Some(("go" | "java" | "js" | "py" | "rs" | "tsx" | "vue", file)) => {
                    excerpt::check(file, text)
                }
                _ => bail!("unknown info string `{info}`; tests/docs/main.rs lists them"),
            },
        }
    }

    /// Stops all processes. The server must exit with status 0.
    pub(crate) async fn end(mut self) -> anyhow::Result<()> {
        for process in self.background.drain(..) {
            process.terminate().await?;
        }
        self.stop_server().await
    }

    fn last(&self) -> anyhow::Result<&Printed> {
        self.last
            .as_ref()
            .context("no command ran before this block")
    }

    async fn run_to_its_end(&mut self, script: &str, succeeds: bool) -> anyhow::Result<()> {
        self.need_server().await?;
        let command = self.shell("-euc", &self.with_address(script));
        self.finish(command, succeeds).await
    }

    /// Runs a script that can write below `databases`, as a user that is not root.
    async fn run_as_nobody(&mut self, script: &str) -> anyhow::Result<()> {
        let databases = self.path("work/databases");
        let mut command = self.shell("-euc", script);
        command.env("HOME", &databases);
        let is_root = geteuid().is_root();
        if !databases.exists() {
            fs::create_dir(&databases)?;
            if is_root {
                chown(&databases, Some(NOBODY), Some(NOBODY))?;
                fs::set_permissions(self.directory.path(), fs::Permissions::from_mode(0o711))?;
            }
        }
        if is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        self.finish(command, true).await
    }

    async fn finish(&mut self, mut command: Command, succeeds: bool) -> anyhow::Result<()> {
        let ended = timeout(STUCK, command.output()).await;
        let ended = ended.context("the command did not end")??;
        let output = String::from_utf8(ended.stdout)?;
        let errors = String::from_utf8(ended.stderr)?;
        let status = ended.status;
        ensure!(status.success() == succeeds, "{status}:\n{output}{errors}");
        self.last = Some(Printed { output, errors });
        Ok(())
    }

    async fn begin(&mut self, script: &str) -> anyhow::Result<()> {
        self.need_server().await?;
        // Without a shell around it, so that the command itself receives the signals.
        let command = self.shell("-c", &format!("exec env {}", self.with_address(script)));
        let process = Process::start(command)?;
        process
            .wait_for("line", |lines| lines.first().map(drop))
            .await?;
        self.background.push(process);
        Ok(())
    }

    async fn serve(&mut self, script: &str) -> anyhow::Result<()> {
        self.stop_server().await?;
        let script = script.replace(DEFAULT_ADDRESS, "127.0.0.1:0");
        let process = Process::start(self.shell("-c", &format!("exec env {script}")))?;
        let listening = |lines: &[String]| {
            let mut lines = lines.iter();
            let address = lines.find_map(|line| line.strip_prefix("listening on http://"));
            address.map(str::to_owned)
        };
        let address = process.wait_for("`listening on`", listening).await?;
        self.server = Some(Server { process, address });
        Ok(())
    }

    async fn need_server(&mut self) -> anyhow::Result<()> {
        match self.server {
            Some(_) => Ok(()),
            None => self.serve("tidings serve").await,
        }
    }

    async fn stop_server(&mut self) -> anyhow::Result<()> {
        if let Some(server) = self.server.take() {
            let status = server.process.terminate().await?;
            ensure!(status.success(), "the server exited with {status}");
        }
        Ok(())
    }

    async fn check_syntax(&self, script: &str) -> anyhow::Result<()> {
        let ended = self.shell("-nc", script).output().await?;
        ensure!(
            ended.status.success(),
            "{}",
            String::from_utf8(ended.stderr)?
        );
        Ok(())
    }

    fn with_address(&self, script: &str) -> String {
        match &self.server {
            Some(server) => script.replace(DEFAULT_ADDRESS, &server.address),
            None => script.to_owned(),
        }
    }

    /// A shell in the document's directory whose environment has only the path of the system's programs.
    fn shell(&self, flags: &str, script: &str) -> Command {
        let mut command = Command::new("sh");
        let programs = std::env::var_os("PATH").unwrap_or_default();
        let ours = [self.path("bin")];
        let path = std::env::join_paths(ours.into_iter().chain(std::env::split_paths(&programs)));
        command
            .args([flags, script])
            .current_dir(self.path("work"))
            .env_clear()
            .env("PATH", path.expect("what came out of PATH goes in again"))
            .env("HOME", self.path("home"))
            .env("TIDINGS_LISTEN", "127.0.0.1:0")
            .kill_on_drop(true);
        if let Some(server) = &self.server {
            command.env("TIDINGS_URL", format!("http://{}", server.address));
        }
        command
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}
