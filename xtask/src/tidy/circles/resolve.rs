//! Which modules a path leads to.

use std::collections::BTreeSet;

use super::modules::{Module, ModuleIndex, Modules, ROOT};

/// The meaning of a name in a module.
enum Meaning {
    Module(ModuleIndex),
    /// An item of the last module that was reached.
    Item,
    /// Nothing in this crate: another crate, a local variable, a generic parameter.
    Foreign,
}

/// Follows paths, through re-exports too.
pub(super) struct Resolver<'a> {
    modules: &'a Modules,
    /// Every module on the way, in which a part of the path was found.
    reached: BTreeSet<ModuleIndex>,
    /// The imports that are being followed; an import can lead back to itself.
    following: BTreeSet<(ModuleIndex, String)>,
    /// The item that the path leads to, and the module that declares it.
    declared: Option<(ModuleIndex, String)>,
}

impl<'a> Resolver<'a> {
    /// The modules that `path`, written in `module`, leads through: those it names, and those from which
    /// they re-export.
    pub(super) fn reached(
        modules: &'a Modules,
        module: ModuleIndex,
        path: &[String],
    ) -> BTreeSet<ModuleIndex> {
        Self::follows(modules, module, path).reached
    }

    /// The item that `path`, written in `module`, leads to, and the module that declares it.
    pub(super) fn declared(
        modules: &'a Modules,
        module: ModuleIndex,
        path: &[String],
    ) -> Option<(ModuleIndex, String)> {
        Self::follows(modules, module, path).declared
    }

    fn follows(modules: &'a Modules, module: ModuleIndex, path: &[String]) -> Self {
        let mut resolver = Self {
            modules,
            reached: BTreeSet::new(),
            following: BTreeSet::new(),
            declared: None,
        };
        resolver.follow(module, path);
        resolver
    }

    fn module(&self, index: ModuleIndex) -> &'a Module {
        &self.modules.0[index]
    }

    fn follow(&mut self, module: ModuleIndex, path: &[String]) -> Meaning {
        let mut current = module;
        for (position, segment) in path.iter().enumerate() {
            let next = match segment.as_str() {
                "crate" => Meaning::Module(ROOT),
                "self" => Meaning::Module(current),
                "super" => self
                    .module(current)
                    .parent
                    .map_or(Meaning::Foreign, Meaning::Module),
                name => self.look_up(current, name),
            };
            match next {
                Meaning::Module(found) => current = found,
                Meaning::Item => return Meaning::Item,
                // The first segment can be another crate; a later one is an item that a macro declares.
                Meaning::Foreign if position == 0 => return Meaning::Foreign,
                Meaning::Foreign => {
                    self.reached.insert(current);
                    return Meaning::Item;
                }
            }
        }
        self.reached.insert(current);
        Meaning::Module(current)
    }

    fn look_up(&mut self, index: ModuleIndex, name: &str) -> Meaning {
        let module = self.module(index);
        if let Some(child) = module.children.get(name) {
            return Meaning::Module(*child);
        }
        if module.content.items.contains(name) {
            self.reached.insert(index);
            self.declared = Some((index, name.to_owned()));
            return Meaning::Item;
        }
        if !self.following.insert((index, name.to_owned())) {
            return Meaning::Foreign;
        }
        let mut meaning = Meaning::Foreign;
        if let Some(path) = module.content.imports.get(name) {
            // A re-export of another crate's item is an item of the module that re-exports it.
            self.reached.insert(index);
            meaning = match self.follow(index, path) {
                Meaning::Foreign => Meaning::Item,
                found @ (Meaning::Module(_) | Meaning::Item) => found,
            };
        } else {
            for path in &module.content.globs {
                if let Meaning::Module(target) = self.follow(index, path) {
                    meaning = self.look_up(target, name);
                    if !matches!(meaning, Meaning::Foreign) {
                        break;
                    }
                }
            }
        }
        self.following.remove(&(index, name.to_owned()));
        meaning
    }
}
