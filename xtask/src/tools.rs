//! The programs that tests need beside Rust.

use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};

use crate::command;

/// The oldest Node that runs the JavaScript tests.
const NODE: u32 = 20;

/// Each program, and Debian's package that brings it.
const PROGRAMS: &[(&str, &str)] = &[
    // Where the tests look for it.
    ("/usr/bin/chromium", "chromium"),
    ("curl", "curl"),
    ("node", "nodejs"),
    ("npm", "npm"),
];

/// Installs what is missing and says what there is, one line a program.
pub(crate) fn install() -> anyhow::Result<Vec<String>> {
    let packages: Vec<&str> = PROGRAMS
        .iter()
        .filter(|(program, _)| version(program).is_none())
        .map(|(_, package)| *package)
        .collect();
    if !packages.is_empty() {
        install_packages(&packages).with_context(|| {
            format!(
                "the tests need what Debian's packages {} bring; install it and try again",
                packages.join(", ")
            )
        })?;
    }
    let versions = PROGRAMS
        .iter()
        .map(|(program, _)| match version(program) {
            Some(version) => Ok(format!("{program}: {version}")),
            None => anyhow::bail!("{program} does not run, although it was installed"),
        })
        .collect::<anyhow::Result<Vec<String>>>()?;
    check_node()?;
    Ok(versions)
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

/// The first line of `program --version`; `None` if it does not run.
fn version(program: &str) -> Option<String> {
    let output = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let line = String::from_utf8(output.stdout).ok()?;
    let line = line.lines().next()?.trim().to_owned();
    output.status.success().then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_of_node_is_read() {
        assert_eq!(major("v20.20.2"), Some(20));
        assert_eq!(major("20"), None);
    }
}
