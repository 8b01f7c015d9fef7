//! A description of the machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use tidings_event::Timestamp;

use crate::Bench;

/// The head of the report.
pub(crate) fn describe(bench: &Bench) -> anyhow::Result<String> {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let model = value_of(&cpu, "model name");
    let cores = cpu
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    let scratch = fs::canonicalize(&bench.scratch)
        .with_context(|| format!("{} cannot be used", bench.scratch.display()))?;
    let size = if bench.quick { ", with `--quick`" } else { "" };
    Ok(format!(
        "- machine: {model}, {cores} cores, Linux {}\n\
         - data directories: {}, {}\n\
         - {}\n\
         - {:.0}, commit {}{size}\n",
        kernel.trim(),
        scratch.display(),
        filesystem(&scratch),
        bench.cores.describe(),
        Timestamp::now(),
        commit(),
    ))
}

fn value_of(text: &str, name: &str) -> String {
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.split_once(':'))
        .map_or("unknown", |(_, value)| value.trim())
        .to_owned()
}

/// The file system of `path`: that of the deepest mount above it.
fn filesystem(path: &Path) -> String {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let mut found: Option<(PathBuf, &str)> = None;
    for mount in mounts.lines() {
        let mut fields = mount.split_whitespace().skip(1);
        let (Some(place), Some(kind)) = (fields.next(), fields.next()) else {
            continue;
        };
        let place = PathBuf::from(place);
        let deeper = found.as_ref().is_none_or(|(known, _)| place >= *known);
        if path.starts_with(&place) && deeper {
            found = Some((place, kind));
        }
    }
    match found {
        Some((_, "tmpfs")) => "tmpfs: commits cost nothing there, choose another".to_owned(),
        Some((_, kind)) => kind.to_owned(),
        None => "an unknown filesystem".to_owned(),
    }
}

fn commit() -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    };
    let Some(commit) = git(&["rev-parse", "--short", "HEAD"]) else {
        return "unknown".to_owned();
    };
    match git(&["status", "--porcelain", "--untracked-files=no"]) {
        Some(changes) if changes.is_empty() => commit,
        _ => format!("{commit} with uncommitted changes"),
    }
}
