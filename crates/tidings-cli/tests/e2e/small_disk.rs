//! A small file system, which tests can fill.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::server::{Server, output_of};

/// A small file system that outlives its servers. It belongs to the mount namespace of a process that
/// only keeps the namespace alive, and is visible from outside through `/proc`.
pub(crate) struct Disk {
    holder: Child,
    mount_point: TempDir,
}

impl Disk {
    pub(crate) async fn of(size: &str) -> Self {
        let mount_point = TempDir::new().expect("a directory can be made");
        let mut command = Command::new("unshare");
        if rustix::process::geteuid().is_root() {
            command.arg("--mount");
        } else {
            command.args(["--mount", "--map-root-user"]);
        }
        let script = r#"mount -t tmpfs -o "size=$1" tmpfs "$2" && echo mounted && exec sleep 3600"#;
        command
            .args(["sh", "-c", script, "sh", size])
            .arg(mount_point.path())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut holder = command.spawn().expect("unshare starts");
        let output = holder.stdout.take().expect("standard output is piped");
        let mut line = String::new();
        let read = BufReader::new(output).read_line(&mut line).await;
        assert_eq!((read.ok(), line.as_str()), (Some(8), "mounted\n"));
        Self {
            holder,
            mount_point,
        }
    }

    fn pid(&self) -> String {
        self.holder
            .id()
            .expect("it has not been waited for")
            .to_string()
    }

    /// The path of the file system as its servers see it.
    pub(crate) fn path(&self) -> &Path {
        self.mount_point.path()
    }

    /// The path of a file as seen from outside.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        let mount_point = self.mount_point.path().display();
        PathBuf::from(format!("/proc/{}/root{mount_point}/{name}", self.pid()))
    }

    /// Starts a server with this file system as its data directory.
    pub(crate) async fn serve(&self, flags: &[&str], log: &Path) -> Server {
        let mut command = self.command();
        let log = OpenOptions::new().create(true).append(true).open(log);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(self.mount_point.path())
            .args(flags)
            .stderr(log.expect("the log can be written"));
        Server::from_command(command).await
    }

    /// A `tidings` command within the mount namespace.
    fn command(&self) -> Command {
        self.enter(env!("CARGO_BIN_EXE_tidings"))
    }

    /// A command that runs a program within the mount namespace.
    pub(crate) fn enter(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.pid(), "--mount"]);
        if !rustix::process::geteuid().is_root() {
            command.args(["--user", "--preserve-credentials"]);
        }
        command.arg(program);
        command
    }

    /// Runs doctor on the store without a server, and backs it up to another disk.
    pub(crate) async fn examine(&self, elsewhere: &Path) {
        let mut doctor = self.command();
        doctor
            .args(["doctor", "--data-dir"])
            .arg(self.mount_point.path());
        let (_, found, _) = output_of(doctor).await;
        assert!(found.contains("ok    database"), "{found}");
        assert!(found.contains("fail  space"), "{found}");
        let mut backup = self.command();
        backup
            .args(["backup", "--data-dir"])
            .arg(self.mount_point.path())
            .arg("--to")
            .arg(elsewhere.join("backup"));
        let (status, _, told) = output_of(backup).await;
        assert!(status.success(), "{told}");
    }

    /// Remounts the file system as read-only.
    pub(crate) async fn make_read_only(&self) {
        let mut mount = self.enter("mount");
        mount
            .args(["-o", "remount,ro"])
            .arg(self.mount_point.path());
        let (status, _, told) = output_of(mount).await;
        assert!(status.success(), "{told}");
    }

    /// Fills the remaining space to the last byte.
    pub(crate) fn fill(&self) {
        let ballast = self.file("ballast");
        let mut ballast = OpenOptions::new()
            .create(true)
            .append(true)
            .open(ballast)
            .expect("it can be opened");
        for size in [64 * 1024, 4096, 1] {
            loop {
                match ballast.write(&vec![1; size]) {
                    Ok(0) => break,
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => panic!("{error}"),
                }
            }
        }
    }
}
