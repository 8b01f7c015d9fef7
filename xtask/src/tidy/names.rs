//! One word per concept: a type that other files of a crate can name shares its name with no other type of the crate.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use cargo_metadata::Package;
use syn::{Attribute, Ident, Item, Meta, Visibility};

/// Each subcommand has arguments of this name.
const OF_EACH_COMMAND: &str = "Args";

/// Implementations of the same parts for several backends, by their folders.
const BACKENDS: [&str; 2] = ["/store/sqlite", "/store/postgres"];

/// The files of types that take the place of others in a build without a feature begin with this.
const STAND_INS: [&str; 2] = ["no_", "uncounted_"];

/// Reports the types of a package with the same name.
pub(super) fn check(package: &Package, faults: &mut Vec<String>) -> anyhow::Result<()> {
    let root = package
        .manifest_path
        .parent()
        .context("a manifest is in a folder")?;
    let mut types = BTreeMap::new();
    add_folder(root.join("src").as_std_path(), &mut types)?;
    for (name, files) in &types {
        if is_ambiguous(files) {
            let files = files.join("\n    ");
            faults.push(format!(
                "{}: several types are named {name}:\n    {files}",
                package.name
            ));
        }
    }
    Ok(())
}

/// Whether more than one of the types with a name can be meant in one place.
fn is_ambiguous(files: &[String]) -> bool {
    let mut of_backends = 0;
    for backend in BACKENDS {
        match files.iter().filter(|file| file.contains(backend)).count() {
            count @ (0 | 1) => of_backends += count,
            _ => return true,
        }
    }
    files.len() > of_backends.max(1)
}

fn add_folder(folder: &Path, types: &mut BTreeMap<String, Vec<String>>) -> anyhow::Result<()> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("could not read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let name = path
            .file_stem()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if name == "tests" || STAND_INS.iter().any(|sign| name.starts_with(sign)) {
            continue;
        }
        if path.is_dir() {
            add_folder(&path, types)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path)
                .with_context(|| format!("could not read {}", path.display()))?;
            let source = syn::parse_file(&text)
                .with_context(|| format!("could not parse {}", path.display()))?;
            for name in source.items.iter().filter_map(visible_type) {
                let files = types.entry(name.to_string()).or_default();
                files.push(path.display().to_string());
            }
        }
    }
    Ok(())
}

/// The name of a type that other files can name, unless the type stands in for another one.
fn visible_type(item: &Item) -> Option<&Ident> {
    let (name, visibility, attributes) = match item {
        Item::Enum(item) => (&item.ident, &item.vis, &item.attrs),
        Item::Struct(item) => (&item.ident, &item.vis, &item.attrs),
        Item::Trait(item) => (&item.ident, &item.vis, &item.attrs),
        Item::Type(item) => (&item.ident, &item.vis, &item.attrs),
        Item::Union(item) => (&item.ident, &item.vis, &item.attrs),
        _ => return None,
    };
    let is_counted = !matches!(visibility, Visibility::Inherited)
        && name != OF_EACH_COMMAND
        && !attributes.iter().any(is_without_feature);
    is_counted.then_some(name)
}

/// Whether an attribute is `#[cfg(not(feature = …))]`.
fn is_without_feature(attribute: &Attribute) -> bool {
    matches!(&attribute.meta, Meta::List(list)
        if list.path.is_ident("cfg") && list.tokens.to_string().starts_with("not"))
}

#[cfg(test)]
mod tests {
    use super::is_ambiguous;

    #[test]
    fn accepts_one_type_of_a_name_in_each_backend() {
        let pool = |folder: &str| format!("src/store/{folder}/pool.rs");
        let files = |names: &[&str]| names.iter().map(|name| pool(name)).collect::<Vec<_>>();
        assert!(!is_ambiguous(&files(&["sqlite"])));
        assert!(!is_ambiguous(&files(&["sqlite", "postgres"])));
        assert!(is_ambiguous(&files(&["sqlite", "sqlite/audit"])));
        assert!(is_ambiguous(&files(&["sqlite", "postgres", "memory"])));
        assert!(is_ambiguous(&["src/a.rs".into(), "src/b.rs".into()]));
    }
}
