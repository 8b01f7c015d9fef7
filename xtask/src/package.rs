//! The packages that are published.

use std::fs;
use std::io::ErrorKind;

use anyhow::Context as _;
use cargo_metadata::{Metadata, MetadataCommand};

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
        .exec()
        .context("could not read the workspace's metadata")?;
    // One folder for all of them, so that each dependency is built once.
    let folder = metadata.target_directory.join("packages");
    remove_unpacked(&metadata)?;
    let mut clean = command::cargo(&["clean", "--quiet"]);
    let mut cargo = command::cargo(&["package", "--workspace", "--allow-dirty"]);
    for package in metadata.workspace_packages() {
        clean.args(["--package", &package.name]);
        // `publish = false` is an empty list of registries.
        if package.publish.as_ref().is_some_and(Vec::is_empty) {
            cargo.args(["--exclude", &package.name]);
        }
    }
    command::run(clean.arg("--target-dir").arg(&folder))?;
    command::run(cargo.arg("--target-dir").arg(folder))
}

/// Removes what an earlier check has unpacked. Cargo keeps it by the folder of the local registry that it makes of the
/// packages, and a package with the same version is neither unpacked nor built again, even if it has changed.
fn remove_unpacked(metadata: &Metadata) -> anyhow::Result<()> {
    let is_of_registry = |package: &&cargo_metadata::Package| package.source.is_some();
    let dependency = metadata.packages.iter().find(is_of_registry);
    // registry/src/INDEX/PACKAGE/Cargo.toml
    let sources = dependency.and_then(|package| package.manifest_path.ancestors().nth(3));
    let sources = sources.context("the workspace has no dependency")?;
    for index in fs::read_dir(sources).context("could not list the unpacked sources")? {
        let index = index?;
        // A local registry has no host in its name.
        if !index.file_name().to_string_lossy().starts_with('-') {
            continue;
        }
        for package in metadata.workspace_packages() {
            let unpacked = format!("{}-{}", package.name, package.version);
            match fs::remove_dir_all(index.path().join(unpacked)) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
                Ok(()) | Err(_) => {}
            }
        }
    }
    Ok(())
}
