//! Generates the UI's API types, the UI bundle that the server embeds, so that building the server does not need Node,
//! and what the npm package says of itself.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, bail};

use crate::command;
use crate::javascript::UI;

/// The types, generated from docs/openapi.json.
const TYPES: &str = "ui/src/api/schema.ts";

/// The UI bundle.
const BUILT: &str = "crates/tidings-server/ui";

/// The folder of the npm package, and its files that are generated.
const PACKAGE: &str = "ui/package";
const MANIFEST: &str = "custom-elements.json";
const PACKAGE_JSON: &str = "package.json";

/// Writes the types, the bundle and the files of the npm package. With `check`, compares them with the committed files
/// instead.
pub(crate) fn generate(check: bool) -> anyhow::Result<()> {
    UI.install()?;
    let scratch = tempfile::tempdir().context("could not make a temporary directory")?;
    let types = scratch.path().join("schema.ts");
    command::run(&mut UI.npm(&["run", "--silent", "types", "--", "--output", utf8(&types)?]))?;
    keep(&types, &command::root().join(TYPES), TYPES, check)?;
    describe_package(scratch.path(), check)?;
    let built = scratch.path().join("built");
    command::run(&mut UI.npm(&["run", "--silent", "build", "--", "--outDir", utf8(&built)?]))?;
    let committed = command::root().join(BUILT);
    if check {
        if files_in(&built)? != files_in(&committed)? {
            bail!("{BUILT} is out of date; run `cargo xtask codegen` and commit it");
        }
        return Ok(());
    }
    if committed.exists() {
        std::fs::remove_dir_all(&committed).with_context(|| format!("could not empty {BUILT}"))?;
    }
    for (name, content) in files_in(&built)? {
        let path = committed.join(name);
        let folder = path.parent().context("a file is in a folder")?;
        std::fs::create_dir_all(folder)?;
        std::fs::write(&path, content)
            .with_context(|| format!("could not write {}", path.display()))?;
    }
    Ok(())
}

/// Writes the manifest of the elements and the version of the npm package, which is that of the workspace.
fn describe_package(scratch: &Path, check: bool) -> anyhow::Result<()> {
    // The analyzer accepts relative folders only.
    let folder = format!("{PACKAGE}/.generated-manifest");
    let made = command::root().join(&folder);
    command::run(&mut UI.npm(&[
        "run",
        "--silent",
        "manifest",
        "--",
        "--outdir",
        "package/.generated-manifest",
    ]))?;
    let package = command::root().join(PACKAGE);
    let result = keep(
        &made.join(MANIFEST),
        &package.join(MANIFEST),
        &format!("{PACKAGE}/{MANIFEST}"),
        check,
    );
    std::fs::remove_dir_all(&made).with_context(|| format!("could not remove {folder}"))?;
    result?;
    let name = format!("{PACKAGE}/{PACKAGE_JSON}");
    let found = std::fs::read_to_string(package.join(PACKAGE_JSON))
        .with_context(|| format!("could not read {name}"))?;
    let written = scratch.join(PACKAGE_JSON);
    std::fs::write(&written, with_version(&found, env!("CARGO_PKG_VERSION"))?)
        .with_context(|| format!("could not write {}", written.display()))?;
    keep(&written, &package.join(PACKAGE_JSON), &name, check)
}

/// A `package.json` with another version.
fn with_version(text: &str, version: &str) -> anyhow::Result<String> {
    let key = "\n  \"version\": \"";
    let start = text.find(key).context("the package has no version")? + key.len();
    let length = text[start..]
        .find('"')
        .context("the version of the package has no end")?;
    Ok(format!(
        "{}{version}{}",
        &text[..start],
        &text[start + length..]
    ))
}

/// Checks types and lints.
pub(crate) fn check() -> anyhow::Result<()> {
    UI.install()?;
    command::run(&mut UI.npm(&["run", "--silent", "check"]))
}

fn keep(made: &Path, kept: &Path, name: &str, check: bool) -> anyhow::Result<()> {
    let made = std::fs::read(made).with_context(|| format!("{name} was not made"))?;
    if !check {
        return std::fs::write(kept, made).with_context(|| format!("could not write {name}"));
    }
    if std::fs::read(kept).with_context(|| format!("could not read {name}"))? != made {
        bail!("{name} is not up to date; run `cargo xtask codegen` and commit it");
    }
    Ok(())
}

/// Reads every file below a folder, by its relative path.
fn files_in(folder: &Path) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let entries = std::fs::read_dir(&next)
            .with_context(|| format!("could not read {}", next.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = utf8(path.strip_prefix(folder)?)?.to_owned();
                files.insert(name, std::fs::read(&path)?);
            }
        }
    }
    Ok(files)
}

fn utf8(path: &Path) -> anyhow::Result<&str> {
    path.to_str()
        .with_context(|| format!("{} is not UTF-8", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_package_gets_the_version_of_the_workspace() {
        let text = "{\n  \"name\": \"a\",\n  \"version\": \"0.1.0\",\n  \"b\": {\n    \"version\": \"2\"\n  }\n}\n";
        let expected = text.replace("0.1.0", "1.12.3-rc.1");
        assert_eq!(with_version(text, "1.12.3-rc.1").unwrap(), expected);
        assert!(with_version("{}", "1.0.0").is_err());
    }
}
