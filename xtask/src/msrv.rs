//! The oldest supported Rust: `rust-version` of the workspace.

use std::process::Command;

use anyhow::{Context as _, ensure};
use cargo_metadata::MetadataCommand;
use cargo_metadata::semver::Version;

use crate::cargo_tool::CARGO_HACK;
use crate::command;

/// How the oldest supported version is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plan {
    /// This toolchain is of that version, so every other step tests it.
    ByEveryStep,
    /// This toolchain is newer; cargo-hack has rustup fetch the oldest one.
    WithOldest,
}

/// Checks all crates with the oldest Rust that `rust-version` promises.
pub(crate) fn check() -> anyhow::Result<()> {
    let oldest = rust_version()?;
    let toolchain = toolchain()?;
    match plan(&oldest, &toolchain)? {
        Plan::ByEveryStep => {
            println!("rust-version {oldest} is this toolchain, which every step uses");
            Ok(())
        }
        Plan::WithOldest => {
            let mut hack = CARGO_HACK.command()?;
            hack.args(["hack", "check", "--rust-version", "--workspace"]);
            command::run(hack.args(["--all-features", "--locked"]))
        }
    }
}

fn plan(oldest: &Version, toolchain: &Version) -> anyhow::Result<Plan> {
    let release = |version: &Version| (version.major, version.minor);
    ensure!(
        release(toolchain) >= release(oldest),
        "this toolchain is {toolchain}, older than rust-version {oldest}"
    );
    Ok(if release(toolchain) == release(oldest) {
        Plan::ByEveryStep
    } else {
        Plan::WithOldest
    })
}

/// The version that all crates of the workspace name.
fn rust_version() -> anyhow::Result<Version> {
    let metadata = MetadataCommand::new()
        .current_dir(command::root())
        .no_deps()
        .exec()
        .context("could not read the workspace's metadata")?;
    let mut versions = Vec::new();
    for package in metadata.workspace_packages() {
        let version = package.rust_version.clone();
        versions.push(version.with_context(|| format!("{}: no rust-version", package.name))?);
    }
    versions.dedup();
    ensure!(
        versions.len() == 1,
        "crates differ in rust-version: {versions:?}"
    );
    versions.pop().context("the workspace has no crates")
}

/// The version of the compiler that Cargo uses.
fn toolchain() -> anyhow::Result<Version> {
    let output = Command::new("rustc")
        .arg("--version")
        .current_dir(command::root())
        .output()
        .context("could not start rustc")?;
    let text = String::from_utf8(output.stdout).context("rustc does not print UTF-8")?;
    let version = text.split_whitespace().nth(1);
    let version = version.with_context(|| format!("no version in `{}`", text.trim()))?;
    Version::parse(version).with_context(|| format!("{version} is no version"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn every_step_tests_the_oldest_rust_if_the_toolchain_is_of_that_release() {
        let oldest = version("1.95.0");
        for (toolchain, expected) in [
            ("1.95.0", Plan::ByEveryStep),
            ("1.95.2", Plan::ByEveryStep),
            ("1.96.0", Plan::WithOldest),
            ("2.0.0", Plan::WithOldest),
        ] {
            let found = plan(&oldest, &version(toolchain)).unwrap();
            assert_eq!(found, expected, "{toolchain}");
        }
    }

    #[test]
    fn rejects_a_toolchain_that_is_too_old() {
        let error = plan(&version("1.95.0"), &version("1.94.1")).unwrap_err();
        assert!(error.to_string().contains("1.94.1"), "{error}");
    }
}
