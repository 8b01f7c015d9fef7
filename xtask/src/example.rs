//! `examples/kubernetes-ping`, a workspace of its own: its dependencies are many, and nothing else needs them.

use std::process::Command;

use crate::command;

/// Its manifest, from the root.
pub(crate) const MANIFEST: &str = "examples/kubernetes-ping/Cargo.toml";

/// Cargo for the example, which builds beside the workspace, so that they share what they have in common.
pub(crate) fn cargo(subcommand: &str) -> anyhow::Result<Command> {
    let mut cargo = command::cargo(&[subcommand, "--locked", "--manifest-path", MANIFEST]);
    cargo.arg("--target-dir").arg(command::target_directory()?);
    Ok(cargo)
}
