//! Installs the Python packages that tests use. Each requirements file has its own environment, so that
//! incompatible packages stay apart.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;

use crate::command;

/// The folder of the requirements files and of the programs that use them.
const FOLDER: &str = "conformance-py";

/// An environment, named after its requirements file. The file pins every package, including indirect
/// dependencies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Environment {
    name: &'static str,
}

/// What `clients/python` needs, and its tests.
pub(crate) const CLIENT: Environment = Environment { name: "tidings" };

/// The packages of the client, of the stream reader tests and of the client generators. `sseclient` has its own
/// environment, since `sseclient-py` has a module of the same name.
pub(crate) const ENVIRONMENTS: [Environment; 6] = [
    CLIENT,
    Environment { name: "readers" },
    Environment { name: "sseclient" },
    Environment {
        name: "openapi-python-client",
    },
    Environment {
        name: "openapi-generator",
    },
    Environment {
        name: "schemathesis",
    },
];

/// A copy of the requirements, written into the environment after installing them.
const INSTALLED: &str = "installed.txt";

impl Environment {
    /// The path of the environment. Its interpreter is `bin/python`.
    fn path(self) -> PathBuf {
        command::root().join(FOLDER).join(".venv").join(self.name)
    }

    /// Runs a module of Python in a folder.
    pub(crate) fn module(self, module: &[&str], folder: &str) -> Command {
        let mut python = Command::new(self.path().join("bin/python"));
        python
            .arg("-m")
            .args(module)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("NO_COLOR", "1")
            .current_dir(command::root().join(folder));
        python
    }

    /// Installs the packages unless the environment already has them.
    pub(crate) fn install(self) -> anyhow::Result<()> {
        let requirements = command::root().join(FOLDER).join(self.name);
        let requirements = requirements.with_extension("txt");
        let wanted = std::fs::read(&requirements)
            .with_context(|| format!("could not read {}", requirements.display()))?;
        let environment = self.path();
        let installed = environment.join(INSTALLED);
        if std::fs::read(&installed).is_ok_and(|found| found == wanted) {
            return Ok(());
        }
        let mut make = Command::new("python3");
        command::run(make.args(["-m", "venv", "--clear"]).arg(&environment))?;
        let mut pip = Command::new(environment.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--no-deps"])
            .args(["--disable-pip-version-check", "--requirement"])
            .arg(&requirements);
        command::run(&mut pip)?;
        std::fs::write(&installed, wanted)
            .with_context(|| format!("could not write {}", installed.display()))
    }
}
