//! Source code quoted in a document.

use anyhow::{Context as _, ensure};

use crate::root;

/// Checks that the file contains `quoted` in one piece, at any indentation.
pub(crate) fn check(file: &str, quoted: &str) -> anyhow::Result<()> {
    let source = std::fs::read_to_string(root().join(file))
        .with_context(|| format!("could not read {file}"))?;
    ensure!(is_in(quoted, &source), "{file} does not contain:\n{quoted}");
    Ok(())
}

fn is_in(quoted: &str, source: &str) -> bool {
    let source: Vec<&str> = source.lines().collect();
    let quoted: Vec<&str> = quoted.lines().collect();
    source.windows(quoted.len().max(1)).any(|place| {
        let indent = place[0].len() - place[0].trim_start().len();
        let indent = &place[0][..indent];
        place.iter().zip(&quoted).all(|(line, quoted)| {
            *line == *quoted
                || line
                    .strip_prefix(indent)
                    .is_some_and(|line| line == *quoted)
        })
    })
}

#[test]
fn accepts_an_excerpt_with_less_indentation() {
    let source = "fn a() {\n    b();\n\n    if c {\n        d();\n    }\n}\n";
    assert!(is_in("b();\n\nif c {\n    d();\n}\n", source));
    assert!(is_in("    b();\n", source));
    assert!(!is_in("b();\nif c {\n", source));
    assert!(!is_in("e();\n", source));
}
