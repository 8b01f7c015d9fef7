//! The programs that tests need beside Rust.

use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};

use crate::command;

/// The oldest Node that runs the JavaScript tests.
const NODE: u32 = 20;

/// Each program, and Debian's package that brings it.
const PROGRAMS: &[(&str, &str)] = &[
    // Where the tests look for it.
    ("/usr/bin/chromium", "chromium"),
    ("curl", "curl"),
    ("faketime", "faketime"),
    ("node", "nodejs"),
    ("npm", "npm"),
];

/// Installs what is missing and says what there is, such as `curl 7.88.1, nodejs v20.20.2`.
pub(crate) fn install() -> anyhow::Result<String> {
    let packages: Vec<&str> = PROGRAMS
        .iter()
        .filter(|(program, _)| version(program).is_none())
        .map(|(_, package)| *package)
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
        .map(|(program, package)| match version(program) {
            Some(version) => Ok(format!("{package} {version}")),
            None => bail!("{program} does not run, although {package} is installed"),
        })
        .collect::<anyhow::Result<Vec<String>>>()?;
    check_node()?;
    Ok(versions.join(", "))
}

/// Works for root, on Debian and its likes.
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
    let found = version("node").context("node does not run")?;
    ensure!(
        major(&found).is_some_and(|major| major >= NODE),
        "the tests need node {NODE} or newer, and this is {found}; install a newer one"
    );
    Ok(())
}

/// The number before the first point of `v20.20.2`.
fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// What `program --version` says; `None` if it does not run.
fn version(program: &str) -> Option<String> {
    let output = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| number(&said).to_owned())
}

/// The number in `curl 7.88.1 (…)`: the first word with a digit in it, or all there is.
fn number(said: &str) -> &str {
    said.split_whitespace()
        .find(|word| word.contains(|letter: char| letter.is_ascii_digit()))
        .unwrap_or(said.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_version_is_found() {
        assert_eq!(
            number("curl 7.88.1 (x86_64-pc-linux-gnu) libcurl/7.88.1\n"),
            "7.88.1"
        );
        assert_eq!(number("v20.20.2\n"), "v20.20.2");
        assert_eq!(number("unknown\n"), "unknown");
    }

    #[test]
    fn the_major_version_of_node_is_read() {
        assert_eq!(major("v20.20.2"), Some(20));
        assert_eq!(major("20"), None);
    }
}
