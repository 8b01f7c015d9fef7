//! The clients for other languages: their checks, and their tests, which run a real server.

use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::tally::{Runner, Tally};
use crate::{command, python, tools};

const GO: &str = "clients/go";
const PYTHON: &str = "clients/python";

/// Runs gofmt, `go vet`, and mypy in strict mode.
pub(crate) fn check() -> anyhow::Result<()> {
    tools::install()?;
    python::CLIENT.install()?;
    check_format()?;
    command::run(&mut go(&["vet", "./..."]))?;
    command::run(&mut python::CLIENT.module(&["mypy"], PYTHON))
}

fn check_format() -> anyhow::Result<()> {
    let mut gofmt = Command::new("gofmt");
    let output = gofmt
        .args(["-l", "."])
        .current_dir(command::root().join(GO))
        .output()
        .context("could not start gofmt")?;
    let unformatted = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success() && unformatted.is_empty(),
        "gofmt would change files in {GO}; run `gofmt -w .` there:\n{unformatted}{errors}"
    );
    Ok(())
}

/// Tests the client in Go.
pub(crate) fn test_go() -> anyhow::Result<Tally> {
    // The server can have changed, so results of earlier runs do not count.
    let mut test = go(&["test", "-v", "-count=1", "./..."]);
    Tally::of_all(test.env("TIDINGS_BINARY", command::binary()?), Runner::Go)
}

/// Tests the client in Python.
pub(crate) fn test_python() -> anyhow::Result<Tally> {
    let mut pytest = python::CLIENT.module(&["pytest"], PYTHON);
    let binary = command::binary()?;
    Tally::of_all(pytest.env("TIDINGS_BINARY", binary), Runner::Pytest)
}

/// The installed Go, which must not download another version or any module.
fn go(arguments: &[&str]) -> Command {
    let mut go = Command::new("go");
    go.args(arguments)
        .env("GOTOOLCHAIN", "local")
        .env("GOPROXY", "off")
        .current_dir(command::root().join(GO));
    go
}
