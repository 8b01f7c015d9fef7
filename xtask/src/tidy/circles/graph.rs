//! Which modules of a level depend on each other, and in which circles.

use std::collections::{BTreeMap, BTreeSet};

use super::modules::{ModuleIndex, Modules};
use super::resolve::Resolver;

/// A place in which one module names another.
#[derive(Clone, Debug)]
pub(super) struct ImportSite {
    pub(super) module: ModuleIndex,
    pub(super) line: usize,
    pub(super) path: String,
}

/// The imports among the children of one module, each with the first site where it is found.
pub(super) type Level = BTreeMap<(ModuleIndex, ModuleIndex), ImportSite>;

/// The imports of a crate by the module in whose children they are: `crate::a::b` importing `crate::c::d`
/// is an import of `c` by `a` on the level of the crate root.
pub(super) fn levels(modules: &Modules) -> BTreeMap<ModuleIndex, Level> {
    let mut levels: BTreeMap<ModuleIndex, Level> = BTreeMap::new();
    for (module, source) in modules.0.iter().enumerate() {
        for reference in &source.content.references {
            for target in Resolver::reached(modules, module, &reference.path) {
                let Some((level, edge)) = siblings(modules, module, target) else {
                    continue;
                };
                let site = || ImportSite {
                    module,
                    line: reference.line,
                    path: reference.path.join("::"),
                };
                let level = levels.entry(level).or_default();
                level.entry(edge).or_insert_with(site);
            }
        }
    }
    levels
}

/// The two children of the closest common ancestor that contain `from` and `to`; none if one of them
/// contains the other.
fn siblings(
    modules: &Modules,
    from: ModuleIndex,
    to: ModuleIndex,
) -> Option<(ModuleIndex, (ModuleIndex, ModuleIndex))> {
    let (from, to) = (modules.ancestry(from), modules.ancestry(to));
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    Some((from[common - 1], (*from.get(common)?, *to.get(common)?)))
}

/// The groups of modules of which each imports every other, directly or through others of the group.
pub(super) fn circles(level: &Level) -> Vec<BTreeSet<ModuleIndex>> {
    let nodes: BTreeSet<ModuleIndex> = level.keys().flat_map(|(from, to)| [*from, *to]).collect();
    let reach: BTreeMap<ModuleIndex, BTreeSet<ModuleIndex>> = nodes
        .iter()
        .map(|node| (*node, reachable(level, *node)))
        .collect();
    let mut circles: Vec<BTreeSet<ModuleIndex>> = Vec::new();
    for node in &nodes {
        if !reach[node].contains(node) || circles.iter().any(|circle| circle.contains(node)) {
            continue;
        }
        let back = |other: &&ModuleIndex| reach[other].contains(node);
        circles.push(reach[node].iter().filter(back).copied().collect());
    }
    circles
}

/// The modules that `start` imports, directly or through others.
fn reachable(level: &Level, start: ModuleIndex) -> BTreeSet<ModuleIndex> {
    let mut reached = BTreeSet::new();
    let mut open = vec![start];
    while let Some(node) = open.pop() {
        let imports = level.keys().filter(|(from, _)| *from == node);
        for (_, to) in imports {
            if reached.insert(*to) {
                open.push(*to);
            }
        }
    }
    reached
}
