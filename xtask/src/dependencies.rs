//! What the workspace is built of: under which licences, from where, and how often the same.

mod exceptions;

use anyhow::Context as _;
use cargo_metadata::semver::{Version, VersionReq};
use cargo_metadata::{MetadataCommand, Package};
use spdx::{Expression, ParseMode};

use crate::command;
use exceptions::{DUPLICATES, Duplicate, LICENCES};

/// Cargo's own registry: neither another one nor a repository, which may change under the same version.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Older manifests write `MIT/Apache-2.0` for `MIT OR Apache-2.0`.
const MODE: ParseMode = ParseMode {
    allow_slash_as_or_operator: true,
    ..ParseMode::STRICT
};

/// What is judged of a crate that is not ours.
#[derive(Clone, Debug)]
struct Crate {
    name: String,
    version: Version,
    licence: Option<String>,
    source: Option<String>,
}

impl From<&Package> for Crate {
    fn from(package: &Package) -> Self {
        Self {
            name: package.name.to_string(),
            version: package.version.clone(),
            licence: package.license.clone(),
            source: package.source.as_ref().map(ToString::to_string),
        }
    }
}

/// Judges every crate that any target on any platform is built of, as the lock file has them.
pub(crate) fn check(faults: &mut Vec<String>) -> anyhow::Result<()> {
    let metadata = MetadataCommand::new()
        .current_dir(command::root())
        .other_options(["--locked".to_owned()])
        .exec()
        .context("could not read what the workspace depends on")?;
    let ours = &metadata.workspace_members;
    let foreign = metadata.packages.iter();
    let foreign = foreign.filter(|package| !ours.contains(&package.id));
    let crates: Vec<Crate> = foreign.map(Crate::from).collect();
    for one in &crates {
        faults.extend(fault_of_licence(one));
        faults.extend(fault_of_source(one));
    }
    check_duplicates(&crates, DUPLICATES, faults);
    Ok(())
}

/// A licence is fine if the allowed ones satisfy it: one side of an OR, both of an AND.
fn fault_of_licence(one: &Crate) -> Option<String> {
    let Crate { name, version, .. } = one;
    let Some(licence) = &one.licence else {
        return Some(format!("{name} {version}: names no licence"));
    };
    let expression = match Expression::parse_mode(licence, MODE) {
        Ok(expression) => expression,
        Err(error) => {
            let fault = error.reason;
            return Some(format!("{name} {version}: its licence `{licence}` {fault}"));
        }
    };
    let is_fine = expression.evaluate(|needed| {
        let needed = needed.to_string();
        LICENCES.iter().any(|(allowed, _)| *allowed == needed)
    });
    (!is_fine).then(|| {
        format!("{name} {version}: `{licence}` is not among the licences of xtask/src/dependencies")
    })
}

fn fault_of_source(one: &Crate) -> Option<String> {
    let source = one.source.as_deref().unwrap_or("a path");
    let (name, version) = (&one.name, &one.version);
    (source != REGISTRY).then(|| format!("{name} {version}: is from {source}, not the registry"))
}

/// Of each crate the newest version, and others only with a reason. A reason without such a version is a
/// fault too, so that the list shrinks when it can.
fn check_duplicates(crates: &[Crate], known: &[Duplicate], faults: &mut Vec<String>) {
    let mut used = vec![false; known.len()];
    for one in crates {
        let newer = |other: &Crate| other.name == one.name && other.version > one.version;
        let newest = crates.iter().filter(|other| newer(other));
        let Some(newest) = newest.map(|other| &other.version).max() else {
            continue;
        };
        let fits = |duplicate: &Duplicate| {
            let versions = VersionReq::parse(duplicate.version);
            duplicate.name == one.name && versions.is_ok_and(|all| all.matches(&one.version))
        };
        match known.iter().position(fits) {
            Some(place) => used[place] = true,
            None => faults.push(format!(
                "{} {}: is there as {newest} too; use one, or say why not in xtask/src/dependencies",
                one.name, one.version
            )),
        }
    }
    for (duplicate, _) in known.iter().zip(used).filter(|(_, used)| !used) {
        let Duplicate { name, version, why } = duplicate;
        faults.push(format!(
            "{name} {version}: is no duplicate any more ({why}); remove it from xtask/src/dependencies"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_crate(name: &str, version: &str) -> Crate {
        Crate {
            name: name.to_owned(),
            version: version.parse().unwrap(),
            licence: Some("MIT".to_owned()),
            source: Some(REGISTRY.to_owned()),
        }
    }

    #[test]
    fn a_licence_is_fine_if_the_allowed_ones_satisfy_it() {
        let fault = |licence: Option<&str>| {
            fault_of_licence(&Crate {
                licence: licence.map(str::to_owned),
                ..a_crate("a", "1.0.0")
            })
        };
        for fine in [
            "MIT",
            "MIT/Apache-2.0",
            "MIT OR GPL-3.0-only",
            "(MIT OR GPL-3.0-only) AND ISC",
            "Apache-2.0 WITH LLVM-exception",
        ] {
            assert_eq!(fault(Some(fine)), None, "{fine}");
        }
        for (bad, hint) in [
            (None, "names no licence"),
            (Some("GPL-3.0-only"), "`GPL-3.0-only`"),
            (Some("MIT AND GPL-3.0-only"), "not among"),
            (Some("MIT WITH GCC-exception-3.1"), "not among"),
            (Some("Apache 2"), "`Apache 2`"),
            (Some("LicenseRef-mine"), "not among"),
            (Some(""), "a 1.0.0"),
        ] {
            let fault = fault(bad).unwrap();
            assert!(fault.contains(hint), "{bad:?}: {fault}");
        }
    }

    #[test]
    fn a_crate_is_from_the_registry() {
        let from = |source: Option<&str>| {
            fault_of_source(&Crate {
                source: source.map(str::to_owned),
                ..a_crate("a", "1.0.0")
            })
        };
        assert_eq!(from(Some(REGISTRY)), None);
        for elsewhere in [
            None,
            Some("git+https://github.com/a/a#1234"),
            Some("registry+https://crates.example/index"),
            Some("sparse+https://crates.example/"),
        ] {
            assert!(from(elsewhere).is_some(), "{elsewhere:?}");
        }
    }

    #[test]
    fn an_older_version_beside_a_newer_one_needs_a_reason() {
        let crates = [
            a_crate("a", "0.1.9"),
            a_crate("a", "0.2.0"),
            a_crate("a", "1.0.0"),
            a_crate("b", "1.0.0"),
        ];
        let known = |name, version| Duplicate {
            name,
            version,
            why: "",
        };
        let faults = |known: &[Duplicate]| {
            let mut faults = Vec::new();
            check_duplicates(&crates, known, &mut faults);
            faults
        };
        assert_eq!(faults(&[known("a", "0.1"), known("a", "0.2")]), [""; 0]);
        let one = faults(&[known("a", "0.1")]);
        assert_eq!(one.len(), 1);
        assert!(
            one[0].starts_with("a 0.2.0: is there as 1.0.0 too"),
            "{}",
            one[0]
        );
        // Neither the newest one nor one that is alone is a duplicate.
        let unused = faults(&[known("a", "<1"), known("a", "1"), known("b", "1")]);
        assert_eq!(unused.len(), 2, "{unused:?}");
    }

    #[test]
    fn every_exception_has_a_reason() {
        for Duplicate { name, version, why } in DUPLICATES {
            assert!(VersionReq::parse(version).is_ok(), "{name} {version}");
            assert!(why.len() > 20, "{name}: {why}");
        }
        for (licence, why) in LICENCES {
            let parsed = Expression::parse_mode(licence, ParseMode::STRICT);
            assert_eq!(parsed.unwrap().to_string(), *licence);
            assert!(!why.is_empty(), "{licence}");
        }
    }
}
