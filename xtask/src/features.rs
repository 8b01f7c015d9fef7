//! The features of the published libraries: each builds by itself, and without them a host builds little.

use std::collections::BTreeSet;

use anyhow::{Context as _, ensure};

use crate::cargo_tool::CARGO_HACK;
use crate::{command, package};

/// The server that a program mounts without any feature builds at most two thirds of the crates that all
/// features need.
const MOST_CRATES: (usize, usize) = (2, 3);

/// Lints each published library with none of its features, with each, and with all, and counts the crates.
pub(crate) fn check() -> anyhow::Result<()> {
    check_crates()?;
    let mut hack = CARGO_HACK.command()?;
    hack.args(["hack", "clippy", "--each-feature", "--locked"]);
    for library in package::LIBRARIES {
        hack.args(["--package", library]);
    }
    command::run(hack.args(["--", "--deny=warnings"]))
}

fn check_crates() -> anyhow::Result<()> {
    let bare = crates("--no-default-features")?;
    let whole = crates("--all-features")?;
    println!("tidings-server builds {bare} crates without features, {whole} with all");
    let (part, of) = MOST_CRATES;
    ensure!(
        bare * of <= whole * part,
        "without features, tidings-server builds {bare} of {whole} crates, more than {part} of {of}: make a \
         dependency optional"
    );
    Ok(())
}

/// The number of crates that the server builds for a program, itself included.
fn crates(features: &str) -> anyhow::Result<usize> {
    let mut tree = command::cargo(&["tree", "--locked", "--edges", "normal", "--prefix", "none"]);
    tree.args(["--format", "{p}", "--package", "tidings-server", features]);
    let output = tree.output().context("could not run cargo tree")?;
    ensure!(
        output.status.success(),
        "cargo tree ended with {}",
        output.status
    );
    let listed = String::from_utf8(output.stdout).context("cargo tree wrote no text")?;
    // A crate that was listed before has a mark behind its name.
    let names = listed.lines().map(|line| line.trim_end_matches(" (*)"));
    Ok(names.collect::<BTreeSet<_>>().len())
}
