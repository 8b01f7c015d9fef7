//! Ends all processes of a site, in whatever way the test ends.

use std::fmt::Display;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

/// Reads the pids of processes that begin and end. When its input ends, because the test has ended or was killed,
/// it kills those that are left with their children, and removes the directory unless it shall be kept.
const SCRIPT: &str = r#"
    pids= keep=
    while read -r sign pid; do
        case $sign in
            +) pids="$pids $pid" ;;
            -) rest=
               for one in $pids; do [ "$one" = "$pid" ] || rest="$rest $one"; done
               pids=$rest ;;
            keep) keep=1 ;;
        esac
    done
    for pid in $pids; do
        kill -STOP $pid 2>/dev/null
        for stat in /proc/[0-9]*/stat; do
            read -r child _ _ parent _ <"$stat" 2>/dev/null || continue
            [ "$parent" = "$pid" ] && kill -KILL "$child" 2>/dev/null
        done
        kill -KILL $pid 2>/dev/null
    done
    [ "$keep" ] || rm -rf "$1"
"#;

/// A shell that outlives the test.
#[derive(Debug)]
pub(crate) struct Warden {
    shell: Mutex<Child>,
    directory: PathBuf,
}

impl Warden {
    /// Watches over the processes in a directory.
    pub(crate) fn of(directory: &Path) -> Self {
        let shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "warden"])
            .arg(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // An interrupt of the terminal ends the test first.
            .process_group(0)
            .spawn()
            .expect("a shell runs");
        Self {
            shell: Mutex::new(shell),
            directory: directory.to_owned(),
        }
    }

    pub(super) fn has_begun(&self, pid: u32) {
        self.write(format_args!("+ {pid}"));
    }

    pub(super) fn has_ended(&self, pid: u32) {
        self.write(format_args!("- {pid}"));
    }

    /// Keeps the directory with the logs.
    pub(crate) fn keep(&self) -> &Path {
        self.write("keep");
        &self.directory
    }

    fn write(&self, line: impl Display) {
        let mut shell = self.shell.lock().expect("no panic");
        let input = shell.stdin.as_mut().expect("its input is piped");
        writeln!(input, "{line}").expect("the shell reads");
    }
}

impl Drop for Warden {
    fn drop(&mut self) {
        let shell = self.shell.get_mut().expect("no panic");
        drop(shell.stdin.take());
        let _ = shell.wait();
    }
}
