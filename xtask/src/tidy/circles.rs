//! No circles of imports: among the modules of a level, none imports itself through others. A module and
//! its children follow [a rule of their own](family).

mod family;
mod graph;
mod modules;
mod references;
mod resolve;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::path::Path;

use cargo_metadata::{Package, TargetKind};

use crate::command;
use graph::Level;
use modules::{ModuleIndex, Modules};

/// Reports the circles of a package's library and programs. Circles within tests are no harm.
pub(super) fn check(package: &Package, faults: &mut Vec<String>) -> anyhow::Result<()> {
    for target in &package.targets {
        let kinds = [TargetKind::Lib, TargetKind::Bin];
        if !target.kind.iter().any(|kind| kinds.contains(kind)) {
            continue;
        }
        let circles = circles_of(target.src_path.as_std_path())?;
        faults.extend(
            circles
                .into_iter()
                .map(|circle| format!("{}: {circle}", package.name)),
        );
    }
    Ok(())
}

/// A report of each group of modules that import each other, in the crate whose root is `file`.
fn circles_of(file: &Path) -> anyhow::Result<Vec<String>> {
    let modules = Modules::read(file)?;
    let mut found = Vec::new();
    for (parent, level) in graph::levels(&modules) {
        for circle in graph::circles(&level) {
            let level_name = modules.path(parent);
            let members: Vec<ModuleIndex> = circle.into_iter().collect();
            found.push(report(&modules, &level_name, &level, &members));
        }
    }
    found.extend(family::circles(&modules));
    Ok(found)
}

fn report(modules: &Modules, parent: &str, level: &Level, members: &[ModuleIndex]) -> String {
    let name = |index: ModuleIndex| modules.0[index].name.as_str();
    let names: Vec<&str> = members.iter().map(|member| name(*member)).collect();
    let mut report = format!("circle of imports in {parent}: {}", names.join(", "));
    for ((from, to), site) in level {
        if members.contains(from) && members.contains(to) {
            let file = &modules.0[site.module].file;
            let file = file.strip_prefix(command::root()).unwrap_or(file);
            // Writing to a `String` cannot fail.
            let _ = write!(
                report,
                "\n    {} -> {} ({}:{}: {})",
                name(*from),
                name(*to),
                file.display(),
                site.line,
                site.path
            );
        }
    }
    report
}
