//! The rules of the workspace that no compiler checks.

mod circles;
mod names;

use anyhow::{Context as _, bail};
use cargo_metadata::{DependencyKind, MetadataCommand, Package};

use crate::{command, example, javascript};

/// The crates of the project, and which of the others each can depend on.
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
    // The guide says that a program needs these two.
    ("kubernetes-ping", &["tidings", "tidings-server"]),
    ("tidings-bench", &["tidings-event", "tidings"]),
    ("xtask", &[]),
];

/// Names that the sources below a path must not contain, and why.
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

/// Pages that are read as a whole, and the most bytes of each.
const LONGEST_PAGES: &[(&str, usize)] = &[("ARCHITECTURE.md", 12_000)];

/// Reports every broken rule at once.
pub(crate) fn run() -> anyhow::Result<()> {
    let mut faults = Vec::new();
    for manifest in ["Cargo.toml", example::MANIFEST] {
        let metadata = MetadataCommand::new()
            .manifest_path(command::root().join(manifest))
            .no_deps()
            .exec()
            .with_context(|| format!("could not read the metadata of {manifest}"))?;
        for package in metadata.workspace_packages() {
            check_direction(package, &mut faults);
            check_lints(package, &mut faults)?;
            circles::check(package, &mut faults)?;
            names::check(package, &mut faults)?;
        }
    }
    for (path, name, reason) in MUST_NOT_NAME {
        check_names(path, name, reason, &mut faults)?;
    }
    check_lock(&mut faults)?;
    check_pages(&mut faults)?;
    if faults.is_empty() {
        return Ok(());
    }
    let noun = if faults.len() == 1 { "fault" } else { "faults" };
    bail!("tidy found {} {noun}:\n{}", faults.len(), faults.join("\n"))
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
    // A workspace of one package has lints of its own.
    let has_lints = ["[lints]\nworkspace = true", "[lints.rust]\n"];
    if !has_lints.iter().any(|lints| manifest.contains(lints)) {
        faults.push(format!(
            "{}: does not take the workspace's lints",
            package.name
        ));
    }
    Ok(())
}

/// Lock files must not name download addresses, so that each machine can use its own npm registry.
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

fn check_pages(faults: &mut Vec<String>) -> anyhow::Result<()> {
    for (name, most) in LONGEST_PAGES {
        let page = std::fs::read(command::root().join(name))
            .with_context(|| format!("could not read {name}"))?;
        if page.len() > *most {
            faults.push(format!(
                "{name}: {} bytes, at most {most}: move reasons to docs/decisions",
                page.len()
            ));
        }
    }
    Ok(())
}

/// Checks the module at `path`, a file without its extension, and all modules below it.
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
