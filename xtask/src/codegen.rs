//! Files that are written by programs and kept in the repository.

use std::fmt::Write as _;

use anyhow::{Context as _, bail, ensure};

use crate::{command, plot, ui};

/// Whether to write the files or to compare them.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Write nothing; fail if a file is not what would be written.
    #[arg(long)]
    pub(crate) check: bool,
}

const CONFIGURATION: &str = "docs/configuration.md";

const OPENAPI: &str = "docs/openapi.json";

/// The page with measurements, and the picture of its first table.
const MEASUREMENTS: &str = "docs/performance.md";
const PLOT: &str = "docs/pictures/throughput.svg";

const INTRODUCTION: &str = "\
# Configuration

Every flag of the command `tidings`, as `--help` says it; written by `cargo xtask codegen`.
A flag wins over its environment variable, and that over the default.
";

/// Writes every file, or compares every one.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    keep(CONFIGURATION, &configuration()?, args.check)?;
    keep(OPENAPI, &openapi()?, args.check)?;
    keep(PLOT, &throughput()?, args.check)?;
    ui::generate(args.check)
}

fn keep(file: &str, written: &str, check: bool) -> anyhow::Result<()> {
    let path = command::root().join(file);
    if !check {
        return std::fs::write(&path, written).with_context(|| format!("could not write {file}"));
    }
    let found = std::fs::read_to_string(&path).with_context(|| format!("could not read {file}"))?;
    if found != written {
        bail!("{file} is not up to date; run `cargo xtask codegen` and commit it");
    }
    Ok(())
}

/// What the server says about its API.
fn openapi() -> anyhow::Result<String> {
    let mut example = command::cargo(&["run", "--quiet", "--locked"]);
    example.args(["--package", "tidings-server", "--example", "openapi"]);
    let output = example.output().context("could not run the example")?;
    ensure!(
        output.status.success(),
        "the example `openapi` ended with {}",
        output.status
    );
    String::from_utf8(output.stdout).context("the document is not UTF-8")
}

fn throughput() -> anyhow::Result<String> {
    let page = std::fs::read_to_string(command::root().join(MEASUREMENTS))
        .with_context(|| format!("could not read {MEASUREMENTS}"))?;
    plot::draw(&page)
}

fn configuration() -> anyhow::Result<String> {
    let overview = help(&[])?;
    let mut text = INTRODUCTION.to_owned();
    section(&mut text, "tidings", &overview);
    for name in subcommands(&overview) {
        section(&mut text, &format!("tidings {name}"), &help(&[name])?);
    }
    Ok(text)
}

fn section(text: &mut String, title: &str, help: &str) {
    let lines: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
    // Writing to a `String` cannot fail.
    let _ = write!(
        text,
        "\n## `{title}`\n\n```text\n{}\n```\n",
        lines.join("\n")
    );
}

/// What the command says about itself, without what this environment would add.
fn help(subcommand: &[&str]) -> anyhow::Result<String> {
    let mut tidings = command::cargo(&["run", "--quiet", "--locked", "--package", "tidings-cli"]);
    tidings.arg("--").args(subcommand).arg("--help");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TIDINGS_") {
            tidings.env_remove(name);
        }
    }
    let output = tidings.output().context("could not run tidings")?;
    ensure!(
        output.status.success(),
        "`tidings --help` ended with {}",
        output.status
    );
    String::from_utf8(output.stdout).context("the help is not UTF-8")
}

/// The names under `Commands:`.
fn subcommands(overview: &str) -> Vec<&str> {
    overview
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subcommands_are_found_in_the_help() {
        let help = "About\n\nUsage: x <COMMAND>\n\nCommands:\n  serve    Run\n  publish  Send\n           more\n  help     Print\n\nOptions:\n  -h\n";
        assert_eq!(subcommands(help), ["serve", "publish"]);
    }
}
