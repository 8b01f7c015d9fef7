//! The packages that are published.

use anyhow::Context as _;
use cargo_metadata::MetadataCommand;

use crate::command;

/// The published libraries; `tidings-cli` is published too.
pub(crate) const LIBRARIES: [&str; 4] = [
    "tidings-event",
    "tidings",
    "tidings-server",
    "tidings-client",
];

/// Packages every crate that can be published, and builds each from its package, which finds files that the
/// package lacks.
pub(crate) fn check() -> anyhow::Result<()> {
    let metadata = MetadataCommand::new()
        .current_dir(command::root())
        .no_deps()
        .exec()
        .context("could not read the workspace's metadata")?;
    let mut cargo = command::cargo(&["package", "--workspace", "--allow-dirty"]);
    for package in metadata.workspace_packages() {
        // `publish = false` is an empty list of registries.
        if package.publish.as_ref().is_some_and(Vec::is_empty) {
            cargo.args(["--exclude", &package.name]);
        }
    }
    // One folder for all of them, so that each dependency is built once.
    let folder = metadata.target_directory.join("packages");
    command::run(cargo.arg("--target-dir").arg(folder))
}
