//! The programs of PostgreSQL on this machine.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// PostgreSQL refuses to run as root; then its server runs as the user `nobody`.
const NOBODY: u32 = 65_534;

/// The programs of the newest version, run by a user that is not root.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    pub(crate) directory: PathBuf,
    is_root: bool,
}

impl Programs {
    /// Those of the newest PostgreSQL of this machine, if there is one.
    pub(crate) fn installed() -> Option<Self> {
        let version = |path: &PathBuf| {
            let name = path.file_name()?.to_str()?;
            name.parse::<u32>().ok()
        };
        let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
        let newest = versions
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.join("bin/postgres").exists())
            .max_by_key(version)?;
        Some(Self {
            directory: newest.join("bin"),
            is_root: fs::metadata("/proc/self").expect("its user").uid() == 0,
        })
    }

    /// Gives a directory to the user that runs the programs.
    pub(crate) fn give(&self, directory: &Path) {
        if self.is_root {
            chown(directory, Some(NOBODY), Some(NOBODY)).expect("root can give it away");
        }
    }

    /// A command that runs one of the programs, in `directory`.
    pub(crate) fn command(&self, program: &str, directory: &Path) -> Command {
        self.command_of(&self.directory.join(program), directory)
    }

    /// A command that runs any program, as the same user.
    pub(crate) fn command_of(&self, program: &Path, directory: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(directory);
        if self.is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    /// Makes the files of a server without a password.
    pub(crate) fn init(&self, data: &Path) {
        let directory = data.parent().expect("it is in a directory");
        let made = self
            .command("initdb", directory)
            .args(["--no-sync", "--auth=trust", "--username=postgres"])
            .args(["--encoding=UTF8", "--locale=C", "-D"])
            .arg(data)
            .output()
            .expect("initdb runs");
        assert!(made.status.success(), "{made:?}");
    }
}
