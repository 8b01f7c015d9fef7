//! Servers whose database and bus are protected: TLS, passwords, and several hosts.

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use reqwest::StatusCode;
use rustix::process::geteuid;
use serde_json::Value;
use tempfile::TempDir;

use crate::doctor::examine;
use crate::postgres_database::Database;
use crate::postgres_database::programs::Programs;
use crate::server::{LOCAL_USER, Server, event, output_of, soon, tidings};

const PASSWORD: &str = "geheim";

/// A certificate for `localhost`, which is its own authority, and its key.
fn certify(directory: &Path) -> (PathBuf, PathBuf) {
    let minted = generate_simple_self_signed(["localhost".to_owned()]).expect("a valid name");
    let CertifiedKey { cert, signing_key } = minted;
    let (certificate, key) = (directory.join("cert.pem"), directory.join("key.pem"));
    fs::write(&certificate, cert.pem()).expect("writable");
    fs::write(&key, signing_key.serialize_pem()).expect("writable");
    fs::set_permissions(&key, Permissions::from_mode(0o600)).expect("it is ours");
    (certificate, key)
}

/// A server of PostgreSQL that accepts the user `tidings` only with TLS and a password, and its standby.
struct Cluster {
    programs: Programs,
    place: TempDir,
    /// Of the server that accepts writes, and of its standby.
    ports: [u16; 2],
}

impl Cluster {
    fn start() -> Self {
        let programs = Programs::installed()
            .expect("PostgreSQL is installed, or TIDINGS_TEST_POSTGRES is set");
        let place = tempfile::tempdir().expect("a directory can be made");
        programs.give(place.path());
        let (_, key) = certify(place.path());
        if geteuid().is_root() {
            let owner = fs::metadata(place.path()).expect("it exists");
            let owner = std::os::unix::fs::MetadataExt::uid(&owner);
            chown(&key, Some(owner), Some(owner)).expect("root may");
        }
        let cluster = Self {
            programs,
            place,
            ports: [free_port(), free_port()],
        };
        cluster.programs.init(&cluster.path("primary"));
        let rules = "hostssl all tidings 127.0.0.1/32 scram-sha-256\n\
                     host all postgres 127.0.0.1/32 trust\n\
                     host replication postgres 127.0.0.1/32 trust\n";
        fs::write(cluster.path("primary/pg_hba.conf"), rules).expect("writable");
        cluster.begin("primary", cluster.ports[0]);
        let role = format!("CREATE ROLE tidings LOGIN PASSWORD '{PASSWORD}'");
        let port = cluster.ports[0].to_string();
        let address = ["-h", "127.0.0.1", "-U", "postgres", "-p", &port];
        let statements = ["-c", &role, "-c", "CREATE DATABASE inbox OWNER tidings"];
        cluster.run("psql", &[&address[..], &statements[..]].concat());
        let standby = cluster.path("standby");
        let copy = ["--checkpoint=fast", "--no-sync", "-R", "-D"];
        let to = [standby.to_str().expect("a plain path")];
        cluster.run(
            "pg_basebackup",
            &[&address[..], &copy[..], &to[..]].concat(),
        );
        cluster.begin("standby", cluster.ports[1]);
        cluster
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn certificate(&self) -> String {
        self.path("cert.pem").display().to_string()
    }

    /// An address with options.
    fn url(&self, host: &str, options: &str) -> String {
        format!(
            "postgres://tidings@{host}:{}/inbox?{options}",
            self.ports[0]
        )
    }

    fn begin(&self, name: &str, port: u16) {
        let options = format!(
            "-h 127.0.0.1 -p {port} -k {place} -c ssl=on -c ssl_cert_file={place}/cert.pem \
             -c ssl_key_file={place}/key.pem -c shared_buffers=16MB -c fsync=off",
            place = self.place.path().display()
        );
        let log = self.path(&format!("{name}.log"));
        let log = log.to_str().expect("a plain path");
        self.run(
            "pg_ctl",
            &["-D", name, "-l", log, "-o", &options, "-w", "start"],
        );
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = self.programs.command(program, self.place.path());
        let status = command.args(arguments).stdout(Stdio::null()).status();
        assert!(
            status.expect("it runs").success(),
            "{program} {arguments:?}"
        );
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for name in ["standby", "primary"] {
            let mut command = self.programs.command("pg_ctl", self.place.path());
            let stop = command.args(["-D", name, "-m", "immediate", "-w", "stop"]);
            // It may not run.
            let _ = stop.stdout(Stdio::null()).stderr(Stdio::null()).status();
        }
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it is bound").port()
}

/// The doctor's report on a database, as one text.
async fn diagnosis(flags: &[&str]) -> (bool, String) {
    let (code, checks) = examine(flags).await;
    (code == Some(0), format!("{checks:?}"))
}

#[tokio::test]
async fn the_database_is_reached_with_tls_and_a_password_only() {
    let cluster = Cluster::start();
    let password = cluster.path("password");
    fs::write(&password, format!("{PASSWORD}\n")).expect("writable");
    let password = password.to_str().expect("a plain path");
    let trusted = format!("sslmode=verify-full&sslrootcert={}", cluster.certificate());
    let url = cluster.url("localhost", &trusted);

    let mut command = tidings();
    command.args(["serve", "--listen", "127.0.0.1:0", "--store", &url]);
    command.args(["--store-password-file", password]);
    let server = Server::from_command(command).await;
    server.must_publish(&event(LOCAL_USER, "over TLS")).await;
    let flags = ["--store", &url, "--store-password-file", password];
    let (is_well, text) = diagnosis(&flags).await;
    assert!(is_well && text.contains("1 server uses it"), "{text}");
    assert!(text.contains("this user cannot see them"), "{text}");

    let strangers = tempfile::tempdir().expect("a directory can be made");
    let (stranger, _) = certify(strangers.path());
    let foreign = format!("sslmode=verify-full&sslrootcert={}", stranger.display());
    for (rejected, reason) in [
        // The certificate is for another name, of an unknown authority, of none that the system knows.
        (cluster.url("127.0.0.1", &trusted), "ertificate"),
        (cluster.url("localhost", &foreign), "ertificate"),
        (cluster.url("localhost", "sslmode=require"), "ertificate"),
        (cluster.url("localhost", "sslmode=disable"), "pg_hba.conf"),
    ] {
        let flags = ["--store", &rejected, "--store-password-file", password];
        let (is_well, text) = diagnosis(&flags).await;
        assert!(!is_well && text.contains(reason), "{rejected}: {text}");
    }

    for (password, is_right) in [(PASSWORD, true), ("falsch", false)] {
        let url = url.replace("tidings@", &format!("tidings:{password}@"));
        let mut command = tidings();
        command.arg("doctor").env("TIDINGS_STORE", url);
        let (status, out, err) = output_of(command).await;
        assert_eq!(status.success(), is_right, "{out}{err}");
        assert!(
            !out.contains(password) && !err.contains(password),
            "{out}{err}"
        );
    }

    // A host that is off, and a standby, before the server that accepts writes.
    for first in [1, cluster.ports[1]] {
        let hosts = format!("localhost:{first},localhost");
        for attributes in ["", "&target_session_attrs=read-write"] {
            let url = cluster.url(&hosts, &format!("{trusted}{attributes}"));
            let mut command = tidings();
            command.args(["serve", "--listen", "127.0.0.1:0", "--store", &url]);
            command.args(["--store-password-file", password]);
            let server = Server::from_command(command).await;
            server.must_publish(&event(LOCAL_USER, "elsewhere")).await;
        }
    }
}

/// A server of NATS that wants TLS and more.
struct Nats {
    process: Child,
    log: BufReader<ChildStderr>,
    port: String,
}

impl Nats {
    fn start(directory: &Path, authorization: &str) -> Self {
        let (certificate, key) = certify(directory);
        let settings = format!(
            "listen: \"127.0.0.1:-1\"\ntls {{ cert_file: \"{}\", key_file: \"{}\" }}\n\
             authorization {{ {authorization} }}\n",
            certificate.display(),
            key.display()
        );
        let file = directory.join("nats.conf");
        fs::write(&file, settings).expect("writable");
        let mut process = Command::new("nats-server")
            .arg("-c")
            .arg(file)
            .stderr(Stdio::piped())
            .spawn()
            .expect("nats-server is installed");
        let log = BufReader::new(process.stderr.take().expect("it is piped"));
        let mut server = Self {
            process,
            log,
            port: String::new(),
        };
        let line = server.line_with("Listening for client connections on ");
        server.port = line.rsplit(':').next().expect("a port").to_owned();
        server
    }

    /// Waits for a line of its log.
    fn line_with(&mut self, text: &str) -> String {
        let mut lines = self.log.by_ref().lines().map_while(Result::ok);
        let found = lines.find(|line| line.contains(text));
        found.unwrap_or_else(|| panic!("it ended without {text:?}"))
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn readiness(server: &Server) -> Value {
    let (status, response) = server.get("/readyz").await;
    assert_eq!(
        status,
        StatusCode::OK,
        "a lost bus takes no server out of service"
    );
    response["status"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bus_is_reached_with_tls_and_a_password_only() {
    let authorization = format!("user: tidings, password: {PASSWORD}");
    the_bus_is_reached_only_as(&authorization, "tidings@").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bus_is_reached_with_tls_and_a_token_only() {
    let authorization = format!("token: {PASSWORD}");
    the_bus_is_reached_only_as(&authorization, "").await;
}

/// Tries a bus with the right password or token, with a wrong one, and without its certificate authority.
async fn the_bus_is_reached_only_as(authorization: &str, user: &str) {
    let database = Database::create();
    let place = tempfile::tempdir().expect("a directory can be made");
    let mut nats = Nats::start(place.path(), authorization);
    let [right, wrong] = [("right", PASSWORD), ("wrong", "falsch")].map(|(name, password)| {
        let file = place.path().join(name);
        fs::write(&file, password).expect("writable");
        file
    });
    let bus = format!("tls://{user}localhost:{}", nats.port);
    let start = |password: &Path, authority: Option<PathBuf>| {
        let mut command = tidings();
        command
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--store",
                &database.url(),
            ])
            .args(["--bus", &bus, "--bus-password-file"])
            .arg(password);
        if let Some(authority) = authority {
            command.arg("--bus-ca-cert").arg(authority);
        }
        Server::from_command(command)
    };
    let authority = Some(place.path().join("cert.pem"));
    let server = start(&right, authority.clone()).await;
    let ready = async { while readiness(&server).await != "ready" {} };
    soon("a bus", ready).await;

    let rejected = start(&wrong, authority).await;
    nats.line_with("authentication error");
    assert_eq!(readiness(&rejected).await, "degraded");
    drop(rejected);
    let rejected = start(&right, None).await;
    nats.line_with("TLS handshake error");
    assert_eq!(readiness(&rejected).await, "degraded");
}
