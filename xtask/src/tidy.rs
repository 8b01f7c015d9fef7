//! The rules of the workspace that no compiler checks.

use anyhow::{Context as _, bail};
use cargo_metadata::{DependencyKind, MetadataCommand, Package};

use crate::{command, dependencies, javascript};

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
    // The guide promises that these two are enough.
    ("kubernetes-ping", &["tidings", "tidings-server"]),
    ("tidings-bench", &["tidings-event", "tidings"]),
    ("xtask", &[]),
];

/// What must not be named in the sources below a path, and why.
const MUST_NOT_NAME: &[(&str, &str, &str)] = &[
    (
        "crates/tidings/src/store",
        "crate::hub",
        "the store knows nothing of subscribers",
    ),
    (
        "crates/tidings/src/hub",
        "crate::store",
        "the hub knows nothing of the store",
    ),
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
    for (path, name, reason) in MUST_NOT_NAME {
        check_names(path, name, reason, &mut faults)?;
    }
    check_lock(&mut faults)?;
    dependencies::check(&mut faults)?;
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

/// Where packages are fetched from is for each machine to say.
fn check_lock(faults: &mut Vec<String>) -> anyhow::Result<()> {
    for project in javascript::PROJECTS {
        let path = project.path().join(javascript::LOCK);
        let lock = std::fs::read_to_string(&path)
            .with_context(|| format!("could not read {}", path.display()))?;
        if lock.contains("\"resolved\"") {
            faults.push(format!(
                "{}: names addresses to download from",
                path.display()
            ));
        }
    }
    Ok(())
}

/// Checks the module at `path`, without its extension, and all below it.
fn check_names(
    path: &str,
    name: &str,
    reason: &str,
    faults: &mut Vec<String>,
) -> anyhow::Result<()> {
    let mut folders = vec![command::root().join(path)];
    let mut files = vec![command::root().join(path).with_extension("rs")];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder)
            .with_context(|| format!("could not read {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    for file in files {
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("could not read {}", file.display()))?;
        if text.contains(name) {
            faults.push(format!("{} names {name}: {reason}", file.display()));
        }
    }
    Ok(())
}
