//! Circles between a module and its children.
//!
//! A child can use the types that its parent's file declares, or add to them with `impl`: it is a part of the
//! parent, and sees its private items. A function, constant or macro that both need is in a child of its
//! own: a file that is used by a child, for anything but its types, uses nothing of that child.

use std::collections::BTreeMap;

use super::modules::{ModuleIndex, Modules, ROOT};
use super::references::Reference;
use super::resolve::Resolver;
use crate::command;

/// A report of each child that uses a value of its parent's file, which uses the child.
pub(super) fn circles(modules: &Modules) -> Vec<String> {
    // By parent and child.
    let mut up: BTreeMap<(ModuleIndex, ModuleIndex), (ModuleIndex, &Reference)> = BTreeMap::new();
    let mut down: BTreeMap<(ModuleIndex, ModuleIndex), &Reference> = BTreeMap::new();
    for (module, source) in modules.0.iter().enumerate() {
        for reference in &source.content.references {
            let declared = Resolver::declared(modules, module, &reference.path);
            let Some((target, name)) = declared else {
                continue;
            };
            if let Some(child) = child_of(modules, target, module)
                && modules.0[target].content.values.contains(&name)
            {
                up.entry((target, child)).or_insert((module, reference));
            }
            if let Some(child) = child_of(modules, module, target)
                && !reference.is_re_export
            {
                down.entry((module, child)).or_insert(reference);
            }
        }
    }
    let both = up.iter().filter_map(|(family, from_child)| {
        let from_parent = down.get(family)?;
        // The root's file has the functions that start a program.
        (family.0 != ROOT).then(|| report(modules, *family, *from_child, from_parent))
    });
    both.collect()
}

/// The child of `ancestor` that contains `module`, if it is not the ancestor itself.
fn child_of(modules: &Modules, ancestor: ModuleIndex, module: ModuleIndex) -> Option<ModuleIndex> {
    let (ancestor, module) = (modules.ancestry(ancestor), modules.ancestry(module));
    let rest = module.strip_prefix(&ancestor[..])?;
    rest.first().copied()
}

fn report(
    modules: &Modules,
    (parent, child): (ModuleIndex, ModuleIndex),
    (module, used): (ModuleIndex, &Reference),
    uses: &Reference,
) -> String {
    let site = |module: ModuleIndex, reference: &Reference| {
        let file = &modules.0[module].file;
        let file = file.strip_prefix(command::root()).unwrap_or(file);
        let (file, line) = (file.display(), reference.line);
        format!("{file}:{line}: {}", reference.path.join("::"))
    };
    format!(
        "circle of imports between {} and its child {}\n    {}\n    {}",
        modules.path(parent),
        modules.0[child].name,
        site(module, used),
        site(parent, uses)
    )
}
