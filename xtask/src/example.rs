//! `examples/kubernetes-ping`, a workspace of its own: its dependencies are many, and nothing else needs them.

use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};

use crate::command;

/// Its manifest, from the root.
pub(crate) const MANIFEST: &str = "examples/kubernetes-ping/Cargo.toml";

/// Cargo for the example, which builds beside the workspace, so that they share what they have in common.
pub(crate) fn cargo(subcommand: &str) -> anyhow::Result<Command> {
    let mut cargo = command::cargo(&[subcommand, "--locked", "--manifest-path", MANIFEST]);
    cargo.arg("--target-dir").arg(command::target_directory()?);
    Ok(cargo)
}

/// Adds the workspace's new dependencies to the example's lock file, or checks that none is missing.
pub(crate) fn lock(check: bool) -> anyhow::Result<()> {
    // `cargo metadata` completes a lock file, and changes no version in it.
    let mut metadata = command::cargo(&["metadata", "--format-version", "1", "--quiet"]);
    metadata.args(["--manifest-path", MANIFEST]);
    if check {
        metadata.arg("--locked");
    }
    let status = metadata.stdout(Stdio::null()).status();
    let status = status.context("could not run cargo metadata")?;
    ensure!(
        status.success(),
        "examples/kubernetes-ping/Cargo.lock is not up to date; run `cargo xtask codegen` and commit it"
    );
    Ok(())
}
