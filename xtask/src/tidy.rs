//! The rules of the workspace that no compiler checks.

use anyhow::{Context as _, bail};
use cargo_metadata::{DependencyKind, MetadataCommand, Package};

use crate::command;

/// Which of our crates each of them may depend on: imports point one way.
const MAY_DEPEND_ON: &[(&str, &[&str])] = &[
    ("tidings-event", &[]),
    ("tidings", &["tidings-event"]),
    ("tidings-server", &["tidings-event", "tidings"]),
    ("tidings-client", &["tidings-event"]),
    (
        "tidings-cli",
        &[
            "tidings-event",
            "tidings",
            "tidings-server",
            "tidings-client",
        ],
    ),
    ("xtask", &[]),
];

/// Reports every broken rule at once.
pub(crate) fn run() -> anyhow::Result<()> {
    let metadata = MetadataCommand::new()
        .current_dir(command::root())
        .no_deps()
        .exec()
        .context("could not read the workspace's metadata")?;
    let mut faults = Vec::new();
    for package in metadata.workspace_packages() {
        check_direction(package, &mut faults);
        check_lints(package, &mut faults)?;
    }
    if faults.is_empty() {
        return Ok(());
    }
    bail!("tidy found {} faults:\n{}", faults.len(), faults.join("\n"))
}

fn check_direction(package: &Package, faults: &mut Vec<String>) {
    let Some((_, allowed)) = MAY_DEPEND_ON
        .iter()
        .find(|(name, _)| *name == package.name.as_str())
    else {
        faults.push(format!(
            "{}: not in the table of xtask/src/tidy.rs",
            package.name
        ));
        return;
    };
    for dependency in &package.dependencies {
        let ours = MAY_DEPEND_ON
            .iter()
            .any(|(name, _)| *name == dependency.name);
        // Tests may use a crate that depends on the one they test.
        let for_tests = dependency.kind == DependencyKind::Development;
        if ours && !for_tests && !allowed.contains(&dependency.name.as_str()) {
            faults.push(format!(
                "{} must not depend on {}",
                package.name, dependency.name
            ));
        }
    }
}

fn check_lints(package: &Package, faults: &mut Vec<String>) -> anyhow::Result<()> {
    let manifest = std::fs::read_to_string(&package.manifest_path)
        .with_context(|| format!("could not read {}", package.manifest_path))?;
    if !manifest.contains("[lints]\nworkspace = true") {
        faults.push(format!(
            "{}: does not take the workspace's lints",
            package.name
        ));
    }
    Ok(())
}
