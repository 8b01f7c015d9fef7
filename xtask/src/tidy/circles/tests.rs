//! Circles in small source trees.

use std::fs;

use super::circles_of;

/// The reports of a crate with these files, the first of which is its root.
fn reports(files: &[(&str, &str)]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let circles = circles_of(&folder.path().join(files[0].0)).unwrap();
    let prefix = format!("{}/", folder.path().display());
    circles
        .into_iter()
        .map(|circle| circle.replace(&prefix, ""))
        .collect()
}

/// The reports of a crate with the modules `a` and `b` with these contents.
fn two(a: &str, b: &str) -> Vec<String> {
    reports(&[
        ("lib.rs", "mod a; mod b; pub use b::B;"),
        ("a.rs", a),
        ("b.rs", b),
    ])
}

#[test]
fn reports_each_edge_of_a_circle_with_its_line() {
    let found = two(
        "use std::fmt;\nuse crate::b::B;\npub struct A;\n",
        "pub struct B;\nfn f() -> crate::a::A { crate::a::A }\n",
    );
    assert_eq!(
        found,
        ["circle of imports in crate: a, b\n    \
          a -> b (a.rs:2: crate::b::B)\n    \
          b -> a (b.rs:2: crate::a::A)"]
    );
}

#[test]
fn accepts_imports_in_one_direction() {
    assert_eq!(two("use crate::b::B;", "pub struct B;"), [""; 0]);
    assert_eq!(
        two("use std::fmt; use crate::a::A; pub struct A;", ""),
        [""; 0]
    );
}

#[test]
fn finds_paths_however_they_are_written() {
    for import in [
        "use super::b::B;",
        "use super::{b::{self}};",
        "use crate::b as other;",
        "use crate::b::*;",
        "pub(crate) use crate::b::B;",
        // Through the re-export of the root.
        "use crate::B;",
        "use super::B;",
        "use super::*; fn f(_: B) {}",
        "fn f() { use crate::b::B; }",
        "fn f() -> impl Into<crate::b::B> { 1 }",
        "const C: [super::b::B; 0] = [];",
        "fn f() { println!(\"{}\", crate::b::C) }",
        "macro_rules! m { () => { $crate::b::C } }",
        "#[derive(Debug)] struct A { #[serde(with = \"crate::b\")] a: u8 }",
        "#[schema(value_type = crate::b::B)] struct A;",
        "mod inner { use super::super::b::B; }",
        "mod inner { use crate::b::B; }",
        "#[cfg(any(test, feature = \"x\"))] use crate::b::B;",
    ] {
        let found = two(import, "pub struct B; use crate::a;");
        assert_eq!(found.len(), 1, "{import}");
    }
}

#[test]
fn ignores_tests_and_documentation() {
    for text in [
        "#[cfg(test)] mod tests { use crate::b::B; }",
        "#[cfg(test)] mod tests;",
        "#[cfg(test)] use crate::b::B;",
        "#[cfg(all(test, unix))] use crate::b::B;",
        "struct A; impl A { #[cfg(test)] fn f(_: crate::b::B) {} }",
        "/// Like [`crate::b::B`].\nstruct A;",
        "// crate::b::B\nstruct A;",
    ] {
        assert_eq!(two(text, "pub struct B; use crate::a;"), [""; 0], "{text}");
    }
}

#[test]
fn reports_a_child_that_uses_a_value_of_a_parent_that_uses_it() {
    let found = |parent: &str, child: &str| {
        reports(&[("lib.rs", "mod a;"), ("a.rs", parent), ("a/b.rs", child)])
    };
    let parent = "mod b;\nuse b::B;\nconst LIMIT: u8 = 1;";
    assert_eq!(
        found(parent, "use super::LIMIT;\npub struct B;"),
        ["circle of imports between crate::a and its child b\n    \
          a/b.rs:1: super::LIMIT\n    \
          a.rs:2: b::B"]
    );
    let by_call = found(
        "mod b; fn f() { b::g() } fn h() {}",
        "pub fn g() { super::h() }",
    );
    assert_eq!(by_call.len(), 1, "{by_call:?}");
    for (parent, child) in [
        (
            "mod b; pub use b::B; const LIMIT: u8 = 1;",
            "use super::LIMIT; pub struct B;",
        ),
        ("mod b; use b::B; struct A;", "use super::A; pub struct B;"),
        (
            "mod b; use b::B; const LIMIT: u8 = 1;",
            "#[cfg(test)] use super::LIMIT; pub struct B;",
        ),
    ] {
        assert_eq!(found(parent, child), [""; 0], "{parent} {child}");
    }
}

#[test]
fn a_parent_and_a_child_that_uses_its_types_are_no_circle() {
    let found = reports(&[
        ("main.rs", "mod a; pub struct Root;"),
        ("a.rs", "mod b; use b::B; pub struct A;"),
        ("a/b.rs", "use super::A; use crate::Root; pub struct B;"),
    ]);
    assert_eq!(found, [""; 0]);
}

#[test]
fn finds_circles_below_the_root_and_through_several_modules() {
    let found = reports(&[
        ("lib.rs", "mod p;"),
        ("p/mod.rs", "mod a; mod b; mod c; mod d;"),
        ("p/a.rs", "use super::b;"),
        ("p/b.rs", "mod e;"),
        ("p/b/e.rs", "use crate::p::c::C;"),
        ("p/c.rs", "use super::a; use super::d; pub struct C;"),
        ("p/d.rs", ""),
    ]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("circle of imports in crate::p: a, b, c\n"));
    assert!(found[0].contains("b -> c (p/b/e.rs:1: crate::p::c::C)"));
    assert!(!found[0].contains("-> d"));
}

#[test]
fn follows_re_exports_to_the_module_that_declares_the_item() {
    let found = reports(&[
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "use crate::c::A;"),
        ("b.rs", "pub struct A; use crate::a;"),
        ("c.rs", "pub use crate::b::A;"),
    ]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("a -> b (a.rs:1: crate::c::A)"),
        "{found:?}"
    );
}

#[test]
fn takes_modules_of_one_name_as_one() {
    let found = reports(&[
        (
            "lib.rs",
            "#[cfg(unix)] mod a;\n#[cfg(not(unix))] #[path = \"other.rs\"] mod a;\nmod b;",
        ),
        ("a.rs", "pub struct A;"),
        ("other.rs", "use crate::b;"),
        ("b.rs", "use crate::a::A;"),
    ]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("a -> b (other.rs:1: crate::b)"),
        "{found:?}"
    );
}

#[test]
fn imports_that_lead_back_to_themselves_end() {
    let found = reports(&[
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "pub use crate::b::X; pub use super::b::*;"),
        ("b.rs", "pub use crate::a::X; pub use super::a::*;"),
    ]);
    assert_eq!(found.len(), 1, "{found:?}");
}
