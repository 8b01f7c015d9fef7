//! Runs programs, and fails with their command line.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use cargo_metadata::MetadataCommand;

/// Cargo, with the workspace's root as its working directory.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.args(arguments).current_dir(root());
    command
}

/// The workspace's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies in the workspace")
}

/// The folder that Cargo builds in.
pub(crate) fn target_directory() -> anyhow::Result<PathBuf> {
    let metadata = MetadataCommand::new()
        .current_dir(root())
        .no_deps()
        .exec()
        .context("could not read the workspace's metadata")?;
    Ok(metadata.target_directory.into_std_path_buf())
}

/// The binary that `cargo test` has built.
pub(crate) fn binary() -> anyhow::Result<PathBuf> {
    let binary = target_directory()?.join("debug/tidings");
    ensure!(
        binary.is_file(),
        "cargo test has not built {}",
        binary.display()
    );
    Ok(binary)
}

/// Prints the command line of `command` and runs it to its end.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let line = format!("{command:?}");
    println!("$ {line}");
    let status = command
        .status()
        .with_context(|| format!("could not start {line}"))?;
    ensure!(status.success(), "{line} ended with {status}");
    Ok(())
}
