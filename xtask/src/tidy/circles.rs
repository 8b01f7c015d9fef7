//! No circles of imports: among the modules of a level, none imports itself through others.

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

/// The circles that still exist: the crate, and the module among whose children the circle is. An excuse
/// without a circle is a fault, so that the list shrinks.
const EXCUSED: &[(&str, &str)] = &[("kubernetes-ping", "crate")];

/// Reports the circles of a package's library and programs. Circles within tests are no harm.
pub(super) fn check(package: &Package, faults: &mut Vec<String>) -> anyhow::Result<()> {
    let mut circular_levels = Vec::new();
    for target in &package.targets {
        let kinds = [TargetKind::Lib, TargetKind::Bin];
        if !target.kind.iter().any(|kind| kinds.contains(kind)) {
            continue;
        }
        for circle in circles_of(target.src_path.as_std_path())? {
            let excused = EXCUSED.contains(&(package.name.as_str(), circle.level.as_str()));
            if !excused {
                faults.push(format!("{}: {}", package.name, circle.report));
            }
            circular_levels.push(circle.level);
        }
    }
    for (name, level) in EXCUSED {
        if *name == package.name.as_str() && !circular_levels.iter().any(|found| found == level) {
            faults.push(format!(
                "{name}: no circle of imports in {level} any more; remove the excuse from \
                 xtask/src/tidy/circles.rs"
            ));
        }
    }
    Ok(())
}

/// A group of modules that import each other.
struct Circle {
    /// The module of which they are children.
    level: String,
    report: String,
}

/// The circles of the crate whose root is `file`.
fn circles_of(file: &Path) -> anyhow::Result<Vec<Circle>> {
    let modules = Modules::read(file)?;
    let mut found = Vec::new();
    for (parent, level) in graph::levels(&modules) {
        for circle in graph::circles(&level) {
            let level_name = modules.path(parent);
            let members: Vec<ModuleIndex> = circle.into_iter().collect();
            found.push(Circle {
                report: report(&modules, &level_name, &level, &members),
                level: level_name,
            });
        }
    }
    Ok(found)
}

fn report(modules: &Modules, parent: &str, level: &Level, members: &[ModuleIndex]) -> String {
    let name = |index: ModuleIndex| modules.0[index].name.as_str();
    let names: Vec<&str> = members.iter().map(|member| name(*member)).collect();
    let mut report = format!("circle of imports in {parent}: {}", names.join(", "));
    for ((from, to), place) in level {
        if members.contains(from) && members.contains(to) {
            let file = &modules.0[place.module].file;
            let file = file.strip_prefix(command::root()).unwrap_or(file);
            // Writing to a `String` cannot fail.
            let _ = write!(
                report,
                "\n    {} -> {} ({}:{}: {})",
                name(*from),
                name(*to),
                file.display(),
                place.line,
                place.path
            );
        }
    }
    report
}
