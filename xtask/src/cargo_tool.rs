//! Cargo's subcommands from the registry, built once below the target directory.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::command;

/// A subcommand of Cargo, in a fixed version.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CargoTool {
    /// The package and the program, such as `cargo-deny`.
    name: &'static str,
    version: &'static str,
    /// The arguments that make it print its name and version.
    version_arguments: &'static [&'static str],
}

/// Judges licenses, sources and duplicate versions by `deny.toml`.
pub(crate) const CARGO_DENY: CargoTool = CargoTool {
    name: "cargo-deny",
    version: "0.20.2",
    version_arguments: &["--version"],
};

/// Checks with each feature by itself.
pub(crate) const CARGO_HACK: CargoTool = CargoTool {
    name: "cargo-hack",
    version: "0.6.46",
    version_arguments: &["hack", "--version"],
};

impl CargoTool {
    /// The program, which is installed first unless it is there in this version.
    pub(crate) fn command(self) -> anyhow::Result<Command> {
        let folder = command::target_directory()?.join("tools");
        let program = folder.join("bin").join(self.name);
        if !self.is_installed(&program) {
            self.install(&folder)?;
        }
        let mut command = Command::new(program);
        command.current_dir(command::root());
        // It starts the Cargo that runs this program.
        command.env("CARGO", env!("CARGO"));
        Ok(command)
    }

    fn is_installed(self, program: &PathBuf) -> bool {
        let output = Command::new(program)
            .args(self.version_arguments)
            .stdin(Stdio::null())
            .output();
        let expected = format!("{} {}", self.name, self.version);
        output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim() == expected)
    }

    /// Without optimization: it works for seconds, and an optimized build takes minutes more.
    fn install(self, folder: &Path) -> anyhow::Result<()> {
        let install = ["install", "--locked", "--debug", "--force", "--version"];
        let mut cargo = command::cargo(&install);
        cargo.args([self.version, self.name, "--root"]).arg(folder);
        command::run(&mut cargo)
    }
}
