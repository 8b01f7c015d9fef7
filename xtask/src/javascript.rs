//! The JavaScript and TypeScript projects: their packages, and their tests, which run a real server.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;

use crate::command;
use crate::tally::{Runner, Tally};

/// A folder with a `package.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Project {
    pub(crate) folder: &'static str,
}

/// Clients of the stream that other projects publish.
pub(crate) const CONFORMANCE: Project = Project {
    folder: "conformance-js",
};

/// The page and its components.
pub(crate) const UI: Project = Project { folder: "ui" };

/// Pages that use the npm package, which the tests copy and build.
pub(crate) const APPS: [Project; 3] = [
    Project {
        folder: "ui/apps/plain",
    },
    Project {
        folder: "ui/apps/react",
    },
    Project {
        folder: "ui/apps/vue",
    },
];

pub(crate) const PROJECTS: [Project; 5] = [CONFORMANCE, UI, APPS[0], APPS[1], APPS[2]];

/// The lock file: which packages are installed, with their checksums.
pub(crate) const LOCK: &str = "package-lock.json";

/// A copy of the lock beside what was installed by it; `npm ci` begins by removing both.
const INSTALLED: &str = "node_modules/.installed-lock.json";

impl Project {
    pub(crate) fn path(self) -> PathBuf {
        command::root().join(self.folder)
    }

    /// Installs the packages that the lock names, unless they are there.
    pub(crate) fn install(self) -> anyhow::Result<()> {
        let folder = self.path();
        let lock = folder.join(LOCK);
        let wanted =
            std::fs::read(&lock).with_context(|| format!("could not read {}", lock.display()))?;
        let installed = folder.join(INSTALLED);
        if std::fs::read(&installed).is_ok_and(|found| found == wanted) {
            return Ok(());
        }
        command::run(Command::new("npm").arg("ci").current_dir(&folder))?;
        std::fs::write(&installed, wanted)
            .with_context(|| format!("could not write {}", installed.display()))
    }

    /// A script of its `package.json`, or a program of its packages.
    pub(crate) fn npm(self, arguments: &[&str]) -> Command {
        let mut npm = Command::new("npm");
        npm.args(arguments)
            // Colours would hide the results.
            .env("NO_COLOR", "1")
            .env_remove("FORCE_COLOR")
            .current_dir(self.path());
        npm
    }

    /// Runs a script that tests the binary which `cargo test` has built.
    pub(crate) fn test(self, script: &str, runner: Runner) -> anyhow::Result<Tally> {
        let mut npm = self.npm(&["run", "--silent", script]);
        Tally::of_all(npm.env("TIDINGS_BINARY", command::binary()?), runner)
    }
}
