//! A file that the server watches is replaced by a FIFO.

use std::path::Path;
use std::process::Stdio;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

use crate::server::{output_of, soon, terminate, tidings};

fn fifo_at(path: &Path) {
    let mode = Mode::RUSR | Mode::WUSR;
    mknodat(CWD, path, FileType::Fifo, mode, 0).expect("a FIFO can be made");
}

/// Replaces a file atomically with another file type.
fn replace(path: &Path, make: impl FnOnce(&Path)) {
    let new = path.with_extension("new");
    make(&new);
    std::fs::rename(&new, path).expect("it can be renamed");
}

/// A server's watched files in a directory.
struct Watching {
    directory: TempDir,
}

const FILES: [(&str, &str); 3] = [
    ("secret", "secret that signs tokens"),
    ("revoked", "list of revoked tokens"),
    ("cert.pem", "certificate"),
];

impl Watching {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let watching = Self { directory };
        let minted = generate_simple_self_signed(["127.0.0.1".to_owned()]);
        let CertifiedKey { cert, signing_key } = minted.expect("a certificate");
        for (name, text) in [
            ("secret", "0123456789abcdef0123456789abcdef".to_owned()),
            ("revoked", String::new()),
            ("cert.pem", cert.pem()),
            ("key.pem", signing_key.serialize_pem()),
        ] {
            std::fs::write(watching.path(name), text).expect("writable");
        }
        watching
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }

    fn serve(&self) -> Command {
        let mut command = tidings();
        command
            .current_dir(self.directory.path())
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir", "data"])
            .args(["--auth", "jwt", "--jwt-secret-file", "secret"])
            .args(["--revoked-tokens", "revoked"])
            .args(["--tls-cert", "cert.pem", "--tls-key", "key.pem"]);
        command
    }
}

/// The next log line that contains all of `parts`.
async fn line_with(log: &mut Lines<BufReader<ChildStderr>>, parts: &[&str]) -> String {
    let found = async {
        loop {
            let line = log.next_line().await.expect("the log is text");
            let line = line.unwrap_or_else(|| panic!("the log ends without {parts:?}"));
            if parts.iter().all(|part| line.contains(part)) {
                return line;
            }
        }
    };
    soon(&format!("a line with {parts:?}"), found).await
}

async fn started(mut command: Command) -> (Child, Lines<BufReader<ChildStderr>>) {
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut process = command.spawn().expect("the binary starts");
    let log = process.stderr.take().expect("standard error is piped");
    let mut log = BufReader::new(log).lines();
    line_with(&mut log, &["serving"]).await;
    (process, log)
}

#[tokio::test]
async fn reports_a_fifo_and_reads_the_next_regular_file() {
    for (name, what) in FILES {
        let watching = Watching::new();
        let (mut process, mut log) = started(watching.serve()).await;
        let path = watching.path(name);
        let good = std::fs::read(&path).expect("readable");
        replace(&path, fifo_at);
        let line = line_with(&mut log, &["ERROR", "not a regular file"]).await;
        assert!(line.contains(what), "{name}: {line}");
        // The server must still poll the file.
        replace(&path, |new| std::fs::write(new, &good).expect("writable"));
        line_with(&mut log, &["reloaded a changed file", what]).await;
        replace(&path, fifo_at);
        line_with(&mut log, &["ERROR", "not a regular file"]).await;
        terminate(process.id().expect("it has not ended"));
        let ended = soon("the server to end", process.wait()).await;
        assert!(ended.expect("a child").success(), "{name}");
    }
}

#[tokio::test]
async fn rejects_a_fifo_at_startup() {
    for (name, _) in FILES.into_iter().chain([("key.pem", "")]) {
        let watching = Watching::new();
        let path = watching.path(name);
        std::fs::remove_file(&path).expect("it is there");
        fifo_at(&path);
        let (status, _, err) = output_of(watching.serve()).await;
        assert_eq!(status.code(), Some(1), "{name}: {err}");
        assert!(err.contains("not a regular file"), "{name}: {err}");
        assert!(err.contains(name), "{name}: {err}");
    }
}
