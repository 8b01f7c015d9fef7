//! Runs a program and fails with its command line.

use std::process::Command;

use anyhow::{Context as _, ensure};

/// Cargo, with the workspace's root as its working directory.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.args(arguments).current_dir(root());
    command
}

/// The workspace's root.
pub(crate) fn root() -> &'static std::path::Path {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies in the workspace")
}

/// Runs `command` to its end and prints its command line first.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let line = format!("{command:?}");
    println!("$ {line}");
    let status = command
        .status()
        .with_context(|| format!("could not start {line}"))?;
    ensure!(status.success(), "{line} ended with {status}");
    Ok(())
}
