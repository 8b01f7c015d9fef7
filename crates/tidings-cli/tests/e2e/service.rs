//! The server under systemd, and with a configuration file.

use std::fs;
use std::path::Path;

use tokio::net::UnixDatagram;
use tokio::process::Command;

use crate::server::{LOCAL_USER, Server, event, output_of, soon, tidings};

/// The next message of the server to its service manager.
async fn message(socket: &UnixDatagram) -> String {
    let mut bytes = [0; 256];
    let length = soon("a message", socket.recv(&mut bytes)).await;
    let length = length.expect("the socket holds");
    String::from_utf8_lossy(&bytes[..length]).trim().to_owned()
}

#[tokio::test]
async fn tells_the_service_manager_what_it_does() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let path = directory.path().join("notify");
    let socket = UnixDatagram::bind(&path).expect("a socket can be made");
    let mut command = tidings();
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(directory.path().join("data"))
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "300000");
    let server = Server::from_command(command).await;
    assert_eq!(message(&socket).await, "READY=1");
    for _ in 0..3 {
        assert_eq!(message(&socket).await, "WATCHDOG=1");
    }
    server
        .must_publish(&event(LOCAL_USER, "while it runs"))
        .await;
    server.terminate();
    let stopping = async {
        loop {
            match message(&socket).await.as_str() {
                "STOPPING=1" => break,
                other => assert_eq!(other, "WATCHDOG=1"),
            }
        }
    };
    stopping.await;
    assert!(server.ended().await.success());
}

/// A command in a directory with a configuration file.
fn with_config(directory: &Path, text: &str) -> Command {
    let file = directory.join("tidings.toml");
    fs::write(&file, text).expect("writable");
    let mut command = tidings();
    command.current_dir(directory);
    command.args(["serve", "--config"]).arg(file);
    command
}

#[tokio::test]
async fn serves_with_the_settings_of_a_file() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let text =
        "listen = '127.0.0.1:0'\ndata-dir = 'store'\nlog-format = 'json'\nmax-url-bytes = 2_048\n";
    let log = directory.path().join("log");
    let mut command = with_config(directory.path(), text);
    command
        .args(["--log", "info"])
        .env("TIDINGS_LOG_FORMAT", "text")
        .stderr(fs::File::create(&log).expect("writable"));
    let server = Server::from_command(command).await;
    assert!(directory.path().join("store/tidings.db").exists());
    let long = format!("/api/system/events?search={}", "a".repeat(3_000));
    let (status, response) = server.get(&long).await;
    assert_eq!(status, 414, "{response}");
    server.terminate();
    assert!(server.ended().await.success());
    let log = fs::read_to_string(log).expect("the log is text");
    // The variable comes before the file.
    assert!(log.contains(" INFO ") && !log.contains('{'), "{log}");
}

#[tokio::test]
async fn checks_the_settings_without_a_server() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let check = async |text: &str| {
        let mut command = with_config(directory.path(), text);
        command.arg("--check");
        let (status, out, err) = output_of(command).await;
        (status.code(), out, err)
    };
    let (code, out, err) = check("data-dir = 'store'\nlisten = '127.0.0.1:7'").await;
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("listen on 127.0.0.1:7"), "{out}");
    assert!(!directory.path().join("store").exists());

    let (code, _, err) = check("publish-rte = 5\nlisten = 'nowhere'").await;
    assert_eq!(code, Some(2), "{err}");
    let lines = ["tidings.toml:1: publish-rte", "tidings.toml:2: listen"];
    assert!(lines.iter().all(|line| err.contains(line)), "{err}");

    // Settings that are right, and files that cannot be used.
    let text =
        "auth = 'jwt'\njwt-secret-file = 'secret'\ntls-cert = 'cert.pem'\ntls-key = 'key.pem'\n";
    let (code, _, err) = check(text).await;
    assert_eq!(code, Some(1), "{err}");
    for file in ["secret", "cert.pem"] {
        assert!(err.contains(file), "{file}: {err}");
    }
    let text = "store = 'postgres://nobody@127.0.0.1:1/none'\nstore-password-file = 'password'\n\
        bus = 'nats://127.0.0.1:1'\nbus-credentials-file = 'creds'\n";
    let (code, _, err) = check(text).await;
    assert_eq!(code, Some(1), "{err}");
    for file in ["password", "creds"] {
        assert!(err.contains(file), "{file}: {err}");
    }
}

#[tokio::test]
async fn health_tells_by_its_exit_code() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(directory.path()).await;
    let ask = async |url: &str, more: &[&str]| {
        let mut command = tidings();
        command.args(["health", "--url", url]).args(more);
        let (status, out, _) = output_of(command).await;
        (status.code(), out)
    };
    let url = server.url("/");
    let version = env!("CARGO_PKG_VERSION");
    let alive = ask(&url, &[]).await;
    assert_eq!(alive, (Some(0), format!("alive, version {version}\n")));
    let ready = ask(&url, &["--ready"]).await;
    assert_eq!(ready, (Some(0), format!("ready, version {version}\n")));
    // No server listens on port 1.
    assert_eq!(ask("http://127.0.0.1:1", &[]).await.0, Some(1));
}

#[tokio::test]
async fn the_unit_is_valid_and_hardened() {
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/systemd/tidings.service");
    let text = fs::read_to_string(&unit).expect("the repository has it");
    // The program is where the package puts it, which is not here.
    let here = text.replace("/usr/bin/tidings", env!("CARGO_BIN_EXE_tidings"));
    let here = here.replace("User=tidings\nGroup=tidings", "User=daemon\nGroup=daemon");
    let here = here.replace("Documentation=man:tidings(1)\n", "");
    let directory = tempfile::tempdir().expect("a directory can be made");
    let file = directory.path().join("tidings.service");
    fs::write(&file, here).expect("writable");
    let mut verify = Command::new("systemd-analyze");
    verify.arg("verify").arg(&file).kill_on_drop(true);
    let (status, out, err) = output_of(verify).await;
    let told = format!("{out}{err}");
    let of_ours = told.lines().filter(|line| line.contains("tidings.service"));
    assert_eq!(of_ours.collect::<Vec<_>>(), [""; 0], "{status}: {told}");

    let mut security = Command::new("systemd-analyze");
    security.args(["security", "--offline=true", "--threshold=20"]);
    security.arg(&file).kill_on_drop(true);
    let (status, out, err) = output_of(security).await;
    assert!(status.success(), "the exposure is above 2.0: {out}{err}");
}

/// The root file system of the image, read-only, with the program as its user.
#[tokio::test]
async fn the_image_runs_without_a_shell_on_a_root_that_it_cannot_write() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let root = directory.path().join("root");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/container/rootfs.sh");
    let mut assemble = Command::new(script);
    assemble.arg(env!("CARGO_BIN_EXE_tidings")).arg(&root);
    assemble.kill_on_drop(true);
    let (status, out, err) = output_of(assemble).await;
    assert!(status.success(), "{out}{err}");
    assert!(!root.join("bin/sh").exists() && !root.join("usr/bin/sh").exists());

    let is_root = rustix::process::geteuid().is_root();
    let enter = |mounts: &str| {
        let user = if is_root {
            "--userspec=10001:10001"
        } else {
            ""
        };
        let script = format!("{mounts} exec chroot {user} \"$1\" \"${{@:2}}\"");
        let mut command = Command::new("unshare");
        command.arg(if is_root {
            "--mount"
        } else {
            "--map-root-user"
        });
        command
            .arg("--mount")
            .args(["bash", "-ec", &script, "bash"]);
        command.arg(&root).arg("/usr/bin/tidings");
        command
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command.kill_on_drop(true);
        command
    };
    let owner = if is_root { "uid=10001,gid=10001," } else { "" };
    let mounts = format!(
        "mount --bind \"$1\" \"$1\"; mount -o remount,ro,bind \"$1\"; \
         mount -t tmpfs -o {owner}mode=0700 tmpfs \"$1/var/lib/tidings\";"
    );
    let mut serve = enter(&mounts);
    serve
        .arg("serve")
        .env("TIDINGS_LISTEN", "127.0.0.1:0")
        .env("TIDINGS_DATA_DIR", "/var/lib/tidings");
    let server = Server::from_command(serve).await;
    server
        .must_publish(&event(LOCAL_USER, "from the image"))
        .await;
    let mut health = enter("");
    health.args(["health", "--ready", "--url", &server.url("/")]);
    let (status, out, err) = output_of(health).await;
    assert!(status.success(), "{out}{err}");
    server.terminate();
    assert!(server.ended().await.success());
}
