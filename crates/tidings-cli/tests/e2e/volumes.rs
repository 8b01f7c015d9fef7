//! Data directories on volumes: owned by another user, shared by a group, with files of an earlier
//! user, on a read-only file system, or with a planted link. These tests change users, so they need
//! root, as in CI.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::process::geteuid;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::server::{LOCAL_USER, Server, event, output_of, tidings};

/// A user and its groups, by ids without an account.
#[derive(Clone, Copy)]
struct User {
    user: u32,
    group: u32,
    other_group: u32,
}

/// A process in Kubernetes with `fsGroup: 2000`.
const KUBERNETES: User = User {
    user: 1_000,
    group: 1_000,
    other_group: 2_000,
};

/// A process in `OpenShift`: any user, in group 0.
const OPENSHIFT: User = User {
    user: 1_000_650_000,
    group: 0,
    other_group: 0,
};

/// A volume, the binary and a log, accessible to users other than root.
struct Volume {
    place: TempDir,
    data: PathBuf,
}

impl Volume {
    fn new(owner: u32, group: u32, mode: u32) -> Self {
        assert!(
            geteuid().is_root(),
            "run this as root: the test starts servers as other users"
        );
        let place = tempfile::tempdir().expect("a directory can be made");
        fs::set_permissions(place.path(), Permissions::from_mode(0o755)).expect("it is ours");
        let binary = place.path().join("tidings");
        fs::copy(env!("CARGO_BIN_EXE_tidings"), binary).expect("there is room");
        let data = place.path().join("data");
        fs::create_dir(&data).expect("writable");
        chown(&data, Some(owner), Some(group)).expect("root may");
        fs::set_permissions(&data, Permissions::from_mode(mode)).expect("root may");
        Self { place, data }
    }

    fn log(&self) -> PathBuf {
        self.place.path().join("log")
    }

    /// Runs the binary as another user.
    fn tidings(&self, user: User) -> Command {
        let mut command = Command::new("setpriv");
        command
            .arg(format!("--reuid={}", user.user))
            .arg(format!("--regid={}", user.group))
            .arg(format!("--groups={}", user.other_group))
            .arg(self.place.path().join("tidings"))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    fn serve_command(&self, user: User, data: &Path) -> Command {
        let mut command = self.tidings(user);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data);
        command
    }

    /// Starts a server as this user. Returns it with its log up to that point.
    async fn serve(&self, user: User, data: &Path) -> (Server, String) {
        let mut command = self.serve_command(user, data);
        command.stderr(File::create(self.log()).expect("writable"));
        let server = Server::from_command(command).await;
        (server, fs::read_to_string(self.log()).expect("readable"))
    }

    /// Runs `tidings doctor` as this user. Returns each check with its verdict and remedy.
    async fn examined(&self, user: User) -> Vec<(String, String, String)> {
        let mut command = self.tidings(user);
        command
            .args(["doctor", "--json", "--data-dir"])
            .arg(&self.data);
        let (_, out, err) = output_of(command).await;
        assert_eq!(err, "");
        let lines = out.lines().map(|line| {
            let check: Value = serde_json::from_str(line).expect("a line is JSON");
            let text = |name: &str| check[name].as_str().unwrap_or_default().to_owned();
            (text("check"), text("verdict"), text("remedy"))
        });
        lines.collect()
    }
}

fn warnings(log: &str) -> usize {
    log.lines()
        .filter(|line| line.contains("can reach the data directory"))
        .count()
}

#[tokio::test]
async fn serves_from_a_volume_shared_by_a_group() {
    for (first, owner, group, mode) in [
        (KUBERNETES, 0, 2_000, 0o2775),
        (KUBERNETES, 0, 2_000, 0o2777),
        (KUBERNETES, 0, 2_000, 0o2770),
        (OPENSHIFT, 0, 0, 0o770),
    ] {
        let volume = Volume::new(owner, group, mode);
        let name = format!("{owner}:{group} {mode:o}");
        // `mkfs` creates this directory.
        fs::create_dir(volume.data.join("lost+found")).expect("writable");
        let (server, log) = volume.serve(first, &volume.data).await;
        assert_eq!(warnings(&log), 1, "{name}: {log}");
        server.must_publish(&event(LOCAL_USER, "kept")).await;
        let checks = volume.examined(first).await;
        for (check, verdict, remedy) in &checks {
            assert_ne!(verdict, "fail", "{name}: {checks:?}");
            assert!(!remedy.contains("user 0"), "{name}: {check}: {remedy}");
        }
        // A crash leaves the log and the lock for the next user of the group.
        server.kill().await;
        let next = User {
            user: first.user + 1,
            ..first
        };
        let (server, _) = volume.serve(next, &volume.data).await;
        assert_eq!(server.list_all().await.len(), 1, "{name}");
        server.must_publish(&event(LOCAL_USER, "kept, too")).await;
        for file in ["tidings.db", "lock"] {
            let file = fs::metadata(volume.data.join(file)).expect("it is there");
            assert_eq!(file.mode() & 0o777, 0o660, "{name}");
        }
        server.kill().await;
        let (server, _) = volume.serve(first, &volume.data).await;
        assert_eq!(server.list_all().await.len(), 2, "{name}");
    }
}

#[tokio::test]
async fn creates_a_directory_for_the_group_of_a_shared_volume() {
    let volume = Volume::new(0, 0, 0o770);
    let data = volume.data.join("tidings/data");
    let (server, _) = volume.serve(OPENSHIFT, &data).await;
    server.must_publish(&event(LOCAL_USER, "kept")).await;
    server.kill().await;
    let next = User {
        user: 1_000_660_000,
        ..OPENSHIFT
    };
    let (server, _) = volume.serve(next, &data).await;
    assert_eq!(server.list_all().await.len(), 1);
    server.kill().await;
    // The first user again: a later start must not remove the group's access.
    let (server, _) = volume.serve(OPENSHIFT, &data).await;
    assert_eq!(server.list_all().await.len(), 1);
}

#[tokio::test]
async fn keeps_files_private_in_a_world_writable_directory() {
    let volume = Volume::new(0, 0, 0o777);
    let (server, log) = volume.serve(KUBERNETES, &volume.data).await;
    assert_eq!(warnings(&log), 1, "{log}");
    server.must_publish(&event(LOCAL_USER, "kept")).await;
    for file in ["tidings.db", "tidings.db-wal", "lock"] {
        let file = fs::metadata(volume.data.join(file)).expect("it is there");
        assert_eq!(file.mode() & 0o777, 0o600);
    }
    server.kill().await;
    // Another user gets an error that names the owner of the files.
    let other = User {
        user: 1_001,
        group: 1_001,
        other_group: 1_001,
    };
    let (status, _, err) = output_of(volume.serve_command(other, &volume.data)).await;
    assert!(!status.success());
    assert!(err.contains("belongs to user 1000"), "{err}");
    assert!(err.contains("runs as user 1001"), "{err}");
}

#[tokio::test]
async fn makes_its_own_directory_private_without_a_warning() {
    let volume = Volume::new(1_000, 1_000, 0o755);
    let (_server, log) = volume.serve(KUBERNETES, &volume.data).await;
    assert_eq!(log, "");
    let mode = fs::metadata(&volume.data).expect("it is there").mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[tokio::test]
async fn rejects_a_directory_without_write_permission_with_a_remedy() {
    let volume = Volume::new(0, 0, 0o755);
    let (status, _, err) = output_of(volume.serve_command(KUBERNETES, &volume.data)).await;
    assert!(!status.success());
    assert!(
        err.contains("belongs to user 0 and group 0 with mode 755"),
        "{err}"
    );
    assert!(err.contains("fsGroup"), "{err}");
    let checks = volume.examined(KUBERNETES).await;
    let access = checks.iter().find(|(check, ..)| check == "access");
    let (_, verdict, remedy) = access.expect("the check is made");
    assert_eq!(verdict, "fail");
    assert!(remedy.contains("fsGroup"), "{remedy}");
}

#[tokio::test]
async fn server_can_use_a_backup_restored_by_root() {
    let source = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(source.path()).await;
    server.must_publish(&event(LOCAL_USER, "kept")).await;
    let backup = source.path().join("backup");
    let mut command = tidings();
    command.args(["backup", "--data-dir"]).arg(source.path());
    command.arg("--to").arg(&backup);
    let (status, _, err) = output_of(command).await;
    assert!(status.success(), "{err}");
    for (owner, group, mode) in [
        (1_000, 1_000, 0o700),
        (1_000, 2_000, 0o2770),
        (0, 2_000, 0o2775),
    ] {
        let volume = Volume::new(owner, group, mode);
        let mut command = tidings();
        command.arg("restore").arg("--from").arg(&backup);
        command.arg("--data-dir").arg(&volume.data);
        let (status, _, err) = output_of(command).await;
        assert!(status.success(), "{err}");
        let (server, _) = volume.serve(KUBERNETES, &volume.data).await;
        assert_eq!(server.list_all().await.len(), 1, "{owner}:{group} {mode:o}");
    }
}

#[tokio::test]
async fn needs_only_its_directory_to_be_writable() {
    let place = tempfile::tempdir().expect("a directory can be made");
    let data = place.path().join("data");
    fs::create_dir(&data).expect("writable");
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "sh", "-c"])
        .arg(
            "mount -t tmpfs tmpfs \"$1\" && mount -o remount,bind,ro / && \
             ! touch /read-only 2>/dev/null && cd / && \
             exec \"$2\" serve --listen 127.0.0.1:0 --data-dir \"$1\"",
        )
        .args([
            Path::new("sh"),
            &data,
            Path::new(env!("CARGO_BIN_EXE_tidings")),
        ]);
    let server = Server::from_command(command).await;
    server.must_publish(&event(LOCAL_USER, "kept")).await;
    assert_eq!(server.list_all().await.len(), 1);
}

#[tokio::test]
async fn rejects_a_planted_link_and_leaves_its_target_unchanged() {
    let place = tempfile::tempdir().expect("a directory can be made");
    let precious = place.path().join("precious");
    for name in ["lock", "tidings.db", "tidings.db-wal", "tidings.db-shm"] {
        for hard in [false, true] {
            // SQLite checks the content of a database, and operators hard-link snapshots.
            if hard && name != "lock" {
                continue;
            }
            let data = tempfile::tempdir().expect("a directory can be made");
            fs::write(&precious, "precious").expect("writable");
            let link = data.path().join(name);
            if hard {
                fs::hard_link(&precious, &link).expect("writable");
            } else {
                symlink(&precious, &link).expect("writable");
            }
            let mut command = tidings();
            command
                .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
                .arg(data.path());
            let (status, _, err) = output_of(command).await;
            assert!(!status.success(), "{name}");
            assert!(
                err.contains("not a file that Tidings made"),
                "{name}: {err}"
            );
            let left = fs::read_to_string(&precious).expect("readable");
            assert_eq!(left, "precious", "{name}");
        }
    }
}
