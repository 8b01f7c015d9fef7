//! Runs the commands in the README and in `docs/`, compares their output with the one shown, and
//! checks the links of all pages.
//!
//! The info string of a fenced block says how it is used:
//!
//! | info | |
//! |---|---|
//! | `sh` | runs and must succeed |
//! | `sh,fails` | runs and must fail |
//! | `sh,postgres` | like `sh`, but never as root, since PostgreSQL refuses that |
//! | `sh,serve` | starts the server that later commands use, and stops the previous one |
//! | `sh,background` | runs until the document ends, like `tail` |
//! | `sh,unrun` | needs something that a test does not have; only its syntax is checked |
//! | `json,response`, `text,output` | the output of the previous command |
//! | `text,background` | the lines that the command in the background must have printed by now |
//! | `go FILE`, `java FILE`, `js FILE`, `py FILE`, `rs FILE`, `tsx FILE`, `vue FILE` | an excerpt that the file must contain; other tests run the file |
//! | `rust`, `rust,no_run` | compiled by `cargo test --doc` in the crate that includes the document |
//! | `json` | must be JSON |
//! | `text`, `toml`, `ini`, `nginx`, `haproxy`, `caddyfile`, `js`, `html`, `yaml` | shown only; `conformance-js` runs those of proxies |
//!
//! Each document runs in its own empty directory. `cargo run --release --` and `tidings` run the
//! binary under test, and `127.0.0.1:9081` is the address of the server that was started. If a
//! document starts no server before its first command, the test starts one.

mod block;
mod excerpt;
mod links;
mod process;
mod session;
mod shape;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::block::Block;
use crate::session::Session;

fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package
        .ancestors()
        .nth(2)
        .expect("the package is two levels below the root")
}

/// The root's README, those of the crates, and the files in `docs`.
fn documents() -> anyhow::Result<Vec<PathBuf>> {
    let mut documents = vec![root().join("README.md")];
    for entry in fs::read_dir(root().join("crates"))? {
        let readme = entry?.path().join("README.md");
        if readme.is_file() {
            documents.push(readme);
        }
    }
    for entry in fs::read_dir(root().join("docs"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "md") {
            documents.push(path);
        }
    }
    documents.sort();
    Ok(documents)
}

async fn check(document: &Path) -> anyhow::Result<()> {
    let text = fs::read_to_string(document)?;
    let mut session = Session::start()?;
    for block in Block::all_of(&text) {
        let run = session.run(&block).await;
        run.with_context(|| format!("{}, line {}", document.display(), block.line))?;
    }
    session.end().await
}

#[tokio::test]
async fn commands_in_the_documents_work_as_shown() {
    let mut faults = Vec::new();
    for document in documents().expect("the documents can be listed") {
        if let Err(error) = check(&document).await {
            faults.push(format!("{error:?}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

#[test]
fn links_between_pages_work() {
    let broken = links::broken_links(root()).expect("the pages can be read");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// rustdoc hides lines that begin with `# `. The pages of a registry and of a forge show them.
#[test]
fn examples_in_rust_have_no_hidden_lines() {
    for document in documents().expect("the documents can be listed") {
        let text = fs::read_to_string(&document).expect("readable");
        for block in Block::all_of(&text) {
            let hidden = block.text.lines().find(|line| {
                block.info.starts_with("rust") && (line.starts_with("# ") || *line == "#")
            });
            assert_eq!(hidden, None, "{}:{}", document.display(), block.line);
        }
    }
}

#[test]
fn the_guide_and_the_crate_list_every_example() {
    let guide = fs::read_to_string(root().join("docs/sending-events.md")).expect("readable");
    for name in ["tidings", "tidings-server", "tidings-client"] {
        let package = root().join("crates").join(name);
        let readme = fs::read_to_string(package.join("README.md")).expect("readable");
        let files = fs::read_dir(package.join("examples")).expect("the crate has examples");
        for file in files {
            let file = file.expect("readable").file_name();
            let link = format!("(examples/{})", file.to_string_lossy());
            assert!(readme.contains(&link), "README.md of {name} lacks {link}");
            let link = format!("(../crates/{name}/examples/{})", file.to_string_lossy());
            assert!(guide.contains(&link), "the guide lacks {link}");
        }
    }
}

#[test]
fn pages_and_ci_name_the_oldest_supported_rust() {
    let version = env!("CARGO_PKG_RUST_VERSION");
    for (file, expected) in [
        ("README.md", format!("Rust {version} or newer")),
        ("CONTRIBUTING.md", format!("Rust {version} or newer")),
        ("docs/sending-events.md", format!("Rust {version} or newer")),
        (
            ".github/workflows/ci.yml",
            format!("container: rust:{version}-"),
        ),
    ] {
        let text = fs::read_to_string(root().join(file)).expect(file);
        assert!(
            text.contains(&expected),
            "{file} does not contain `{expected}`"
        );
    }
}
