//! The tests in JavaScript, which follow a real server.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use cargo_metadata::MetadataCommand;

use crate::command;
use crate::tally::{Runner, Tally};

/// Where they are.
pub(crate) const FOLDER: &str = "conformance-js";

/// What is installed and with which contents.
pub(crate) const LOCK: &str = "package-lock.json";

/// A copy of the lock beside what was installed by it; `npm ci` begins by removing both.
const INSTALLED: &str = "node_modules/.installed-lock.json";

/// Installs the packages that the lock names, unless they are there.
pub(crate) fn install() -> anyhow::Result<()> {
    let folder = folder();
    let lock = folder.join(LOCK);
    let wanted =
        std::fs::read(&lock).with_context(|| format!("could not read {}", lock.display()))?;
    let installed = folder.join(INSTALLED);
    if std::fs::read(&installed).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    command::run(Command::new("npm").arg("ci").current_dir(&folder))?;
    std::fs::write(&installed, wanted)
        .with_context(|| format!("could not write {}", installed.display()))
}

/// Runs them against the binary that `cargo test` has built.
pub(crate) fn test() -> anyhow::Result<Tally> {
    let binary = binary()?;
    let (tally, status) = Tally::of(
        Command::new("node")
            .args(["--test", "--test-reporter=spec"])
            // Colours would hide the results.
            .env("NO_COLOR", "1")
            .env_remove("FORCE_COLOR")
            .env("TIDINGS_BINARY", binary)
            .current_dir(folder()),
        Runner::Node,
    )?;
    if status.success() {
        ensure!(tally.passed > 0, "node ran no test");
        return Ok(tally);
    }
    // Whatever the lines say, something failed.
    Ok(Tally {
        failed: tally.failed.max(1),
        ..tally
    })
}

fn folder() -> PathBuf {
    command::root().join(FOLDER)
}

fn binary() -> anyhow::Result<PathBuf> {
    let metadata = MetadataCommand::new()
        .current_dir(command::root())
        .no_deps()
        .exec()
        .context("could not read the workspace's metadata")?;
    let binary = Path::new(metadata.target_directory.as_str()).join("debug/tidings");
    ensure!(
        binary.is_file(),
        "cargo test has not built {}",
        binary.display()
    );
    Ok(binary)
}
