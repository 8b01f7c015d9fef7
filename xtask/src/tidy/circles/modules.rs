//! The tree of modules of one crate, read from its sources.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use syn::{Attribute, Expr, ExprLit, Item, Lit, Meta};

use super::references::{Content, is_for_tests};

/// A module by its position in [`Modules`].
pub(super) type ModuleIndex = usize;

/// The crate root, the first module of every tree.
pub(super) const ROOT: ModuleIndex = 0;

/// All modules of a crate that are compiled outside its tests.
#[derive(Debug)]
pub(super) struct Modules(pub(super) Vec<Module>);

/// One module: what it declares and which paths it names.
#[derive(Debug)]
pub(super) struct Module {
    /// `crate`, or the name it is declared by.
    pub(super) name: String,
    pub(super) parent: Option<ModuleIndex>,
    /// The first module of this name, if another is compiled in its place without a feature.
    alternative_to: Option<ModuleIndex>,
    pub(super) file: PathBuf,
    pub(super) children: BTreeMap<String, ModuleIndex>,
    pub(super) content: Content,
}

impl Modules {
    /// Reads the crate whose root is `file`, such as `src/lib.rs`.
    pub(super) fn read(file: &Path) -> anyhow::Result<Self> {
        let mut modules = Self(Vec::new());
        let folder = file.parent().context("a source file is in a folder")?;
        modules.add_file("crate", None, file, folder)?;
        Ok(modules)
    }

    /// Adds the module of a file; the files of its children are in `folder`.
    fn add_file(
        &mut self,
        name: &str,
        parent: Option<ModuleIndex>,
        file: &Path,
        folder: &Path,
    ) -> anyhow::Result<ModuleIndex> {
        let text = fs::read_to_string(file)
            .with_context(|| format!("could not read {}", file.display()))?;
        let source = syn::parse_file(&text)
            .with_context(|| format!("could not parse {}", file.display()))?;
        self.add(name, parent, file, folder, &source.items)
    }

    fn add(
        &mut self,
        name: &str,
        parent: Option<ModuleIndex>,
        file: &Path,
        folder: &Path,
        items: &[Item],
    ) -> anyhow::Result<ModuleIndex> {
        let index = self.0.len();
        self.0.push(Module {
            name: name.to_owned(),
            parent,
            alternative_to: None,
            file: file.to_owned(),
            children: BTreeMap::new(),
            content: Content::default(),
        });
        for item in items {
            let Item::Mod(child) = item else {
                self.0[index].content.add(item);
                continue;
            };
            if is_for_tests(&child.attrs) {
                continue;
            }
            let name = child.ident.to_string();
            let own_folder = folder.join(&name);
            let added = match &child.content {
                Some((_, items)) => self.add(&name, Some(index), file, &own_folder, items)?,
                None => {
                    let file = match path_attribute(&child.attrs) {
                        // Relative to the file that declares the module.
                        Some(path) => file.with_file_name(path),
                        None => source_of(folder, &name)?,
                    };
                    self.add_file(&name, Some(index), &file, &own_folder)?
                }
            };
            let children = &mut self.0[index].children;
            match children.get(&name) {
                Some(first) => self.0[added].alternative_to = Some(*first),
                None => {
                    children.insert(name, added);
                }
            }
        }
        Ok(index)
    }

    /// The modules from the root to `module`, both included; the first of alternative ones.
    pub(super) fn ancestry(&self, module: ModuleIndex) -> Vec<ModuleIndex> {
        let mut ancestry = Vec::new();
        let mut next = Some(module);
        while let Some(module) = next {
            ancestry.push(self.0[module].alternative_to.unwrap_or(module));
            next = self.0[module].parent;
        }
        ancestry.reverse();
        ancestry
    }

    /// The path of a module, such as `crate::store::sqlite`.
    pub(super) fn path(&self, module: ModuleIndex) -> String {
        let names: Vec<&str> = self
            .ancestry(module)
            .into_iter()
            .map(|module| self.0[module].name.as_str())
            .collect();
        names.join("::")
    }
}

/// The file that `#[path = "…"]` names.
fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    attributes
        .iter()
        .find_map(|attribute| match &attribute.meta {
            Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
                Expr::Lit(ExprLit {
                    lit: Lit::Str(file),
                    ..
                }) => Some(file.value()),
                _ => None,
            },
            _ => None,
        })
}

fn source_of(folder: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let candidates = [
        folder.join(name).with_extension("rs"),
        folder.join(name).join("mod.rs"),
    ];
    match candidates.into_iter().find(|file| file.is_file()) {
        Some(file) => Ok(file),
        None => bail!("no source of the module {name} in {}", folder.display()),
    }
}
