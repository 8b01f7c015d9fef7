//! What CI runs, the same on every machine.

use crate::{codegen, command, test, tidy, tools, ui};

/// Checks, from the quickest to the slowest, then all tests.
pub(crate) fn run() -> anyhow::Result<()> {
    command::run(&mut command::cargo(&["fmt", "--all", "--check"]))?;
    tidy::run()?;
    command::run(&mut command::cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--locked",
        "--",
        "--deny=warnings",
    ]))?;
    command::run(
        command::cargo(&["doc", "--workspace", "--no-deps", "--locked"])
            .env("RUSTDOCFLAGS", "--deny=warnings"),
    )?;
    tools::install()?;
    codegen::run(&codegen::Args { check: true })?;
    ui::check()?;
    test::run(&test::Args::default())
}
