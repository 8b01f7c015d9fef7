//! Installs the programs that tests need besides Rust.

use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};

use crate::command;

/// The oldest Node version that can run the JavaScript tests.
const NODE: u32 = 20;

/// A program and the Debian package that contains it.
#[derive(Clone, Copy, Debug)]
struct Program {
    name: &'static str,
    package: &'static str,
    /// The argument that prints the version.
    asks: &'static [&'static str],
}

const PROGRAMS: &[Program] = &[
    // The path that the tests use.
    program("/usr/bin/chromium", "chromium", &["--version"]),
    program("caddy", "caddy", &["version"]),
    program("curl", "curl", &["--version"]),
    program("faketime", "faketime", &["--version"]),
    program("haproxy", "haproxy", &["-v"]),
    // Builds and tests the client in Go.
    program("go", "golang-go", &["version"]),
    // Runs a client generator, and compiles what it generates with the two libraries.
    program("javac", "default-jdk-headless", &["--version"]),
    library(
        "libjackson2-databind-java",
        &["--show", VERSION_FORMAT, "libjackson2-databind-java"],
    ),
    library(
        "libjakarta-annotation-api-java",
        &["--show", VERSION_FORMAT, "libjakarta-annotation-api-java"],
    ),
    // Networks of their own for nodes, in which packets are lost.
    program("ip", "iproute2", &["-Version"]),
    program("nats-server", "nats-server", &["--version"]),
    program("nft", "nftables", &["--version"]),
    program("nginx", "nginx", &["-v"]),
    NODE_PROGRAM,
    program("npm", "npm", &["--version"]),
    program("openssl", "openssl", &["version"]),
    // Checks the metrics with `promtool`.
    program("promtool", "prometheus", &["--version"]),
    // Debian puts its programs beside `PATH`, since several versions can be there.
    program("/bin/sh", "postgresql", &["-c", POSTGRES_VERSION]),
    program("python3", "python3", &["--version"]),
    // Python needs it to create virtual environments.
    program("python3", "python3-venv", &["-m", "ensurepip", "--version"]),
    // Judges the unit of the service.
    program("systemd-analyze", "systemd", &["--version"]),
    // Traces system calls, to show that commits are synced.
    program("strace", "strace", &["--version"]),
];

const POSTGRES_VERSION: &str =
    "exec $(ls /usr/lib/postgresql/*/bin/postgres | tail -n 1) --version";

const NODE_PROGRAM: Program = program("node", "nodejs", &["--version"]);

const fn program(
    name: &'static str,
    package: &'static str,
    asks: &'static [&'static str],
) -> Program {
    Program {
        name,
        package,
        asks,
    }
}

const VERSION_FORMAT: &str = "--showformat=${Version}";

/// A package without a program.
const fn library(package: &'static str, asks: &'static [&'static str]) -> Program {
    program("dpkg-query", package, asks)
}

/// Installs missing programs and returns the versions, such as `curl 7.88.1, nodejs v20.20.2`.
pub(crate) fn install() -> anyhow::Result<String> {
    let packages: Vec<&str> = PROGRAMS
        .iter()
        .filter(|program| version(program).is_none())
        .map(|program| program.package)
        .collect();
    if !packages.is_empty() {
        install_packages(&packages).with_context(|| {
            format!(
                "what the tests need is missing: {} (names of Debian's packages); install it and \
                 try again",
                packages.join(", ")
            )
        })?;
    }
    let versions = PROGRAMS
        .iter()
        .map(|program| match version(program) {
            Some(version) => Ok(format!("{} {version}", program.package)),
            None => {
                let Program { name, package, .. } = program;
                bail!("{name} does not run, although {package} is installed")
            }
        })
        .collect::<anyhow::Result<Vec<String>>>()?;
    check_node()?;
    Ok(versions.join(", "))
}

/// Needs root and a Debian-based system.
fn install_packages(packages: &[&str]) -> anyhow::Result<()> {
    command::run(apt_get().arg("update"))?;
    command::run(
        apt_get()
            .args(["install", "--yes", "--no-install-recommends"])
            .args(packages),
    )
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null());
    command
}

fn check_node() -> anyhow::Result<()> {
    let found = version(&NODE_PROGRAM).context("node does not run")?;
    ensure!(
        major(&found).is_some_and(|major| major >= NODE),
        "the tests need node {NODE} or newer, and this is {found}; install a newer one"
    );
    Ok(())
}

/// The major version, such as 20 in `v20.20.2`.
fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// The version that a program prints. `None` if it does not run.
fn version(program: &Program) -> Option<String> {
    let output = Command::new(program.name)
        .args(program.asks)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    // Some programs print it on standard error.
    let said = if output.stdout.is_empty() {
        output.stderr
    } else {
        output.stdout
    };
    let said = String::from_utf8(said).ok()?;
    output.status.success().then(|| number(&said).to_owned())
}

/// The version in `curl 7.88.1 (…)` or `nginx/1.22.1`: the part after the last slash of the first word
/// with a digit, or the whole text.
fn number(said: &str) -> &str {
    let word = said
        .split_whitespace()
        .find(|word| word.contains(|letter: char| letter.is_ascii_digit()))
        .unwrap_or(said.trim());
    word.rsplit('/').next().unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_version_in_the_output() {
        assert_eq!(
            number("curl 7.88.1 (x86_64-pc-linux-gnu) libcurl/7.88.1\n"),
            "7.88.1"
        );
        assert_eq!(number("v20.20.2\n"), "v20.20.2");
        assert_eq!(number("nginx version: nginx/1.22.1\n"), "1.22.1");
        assert_eq!(number("unknown\n"), "unknown");
    }

    #[test]
    fn parses_the_major_version() {
        assert_eq!(major("v20.20.2"), Some(20));
        assert_eq!(major("20"), None);
    }
}
