//! A server of PostgreSQL that ends with the process of its test, in whatever way that ends.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::programs::Programs;

/// Runs a server until its input ends.
const SCRIPT: &str = r#"
    programs=$1 directory=$2 port=$3 log=$4 end=$5 remains=$6
    shift 6
    cd "$directory"
    "$programs/postgres" -k "$directory" -h 127.0.0.1 -p "$port" -c fsync=off "$@" \
        2>>"$log" >/dev/null </dev/null &
    server=$!
    until "$programs/pg_isready" -q -h 127.0.0.1 -p "$port"; do
        kill -0 $server || exit 1
        sleep 0.05
    done
    echo ready
    while read -r _; do :; done
    kill -s "$end" $server 2>/dev/null
    wait $server
    [ "$remains" = true ] || rm -rf "$directory"
"#;

/// How a server is run and ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run<'a> {
    /// Its files, as `Programs::init` makes them.
    pub(crate) data: &'a Path,
    /// The directory of its socket and of its log, which is named like the data.
    pub(crate) directory: &'a Path,
    /// Whether the directory remains after the end.
    pub(crate) remains: bool,
    pub(crate) port: u16,
    /// Settings as `name=value`.
    pub(crate) settings: &'a [&'a str],
    /// The signal that ends it.
    pub(crate) end: &'a str,
}

/// A shell that keeps a server: it ends the server when its input ends. Dropping this waits for the end.
#[derive(Debug)]
pub(crate) struct Keeper(Child);

impl Run<'_> {
    /// Starts the server as the user that runs the programs, and waits until it accepts connections.
    pub(crate) fn start(&self, programs: &Programs) -> Keeper {
        self.start_by(
            programs.command_of(Path::new("sh"), self.directory),
            programs,
        )
    }

    /// Starts the server by a command that runs a shell.
    pub(crate) fn start_by(&self, mut shell: Command, programs: &Programs) -> Keeper {
        let log = self.data.with_extension("log");
        shell
            .args(["-c", SCRIPT, "sh"])
            .args([programs.directory.as_path(), self.directory])
            .arg(self.port.to_string())
            .arg(&log)
            .args([self.end, &self.remains.to_string()])
            .arg("-D")
            .arg(self.data)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // An interrupt of the terminal ends this process first.
            .process_group(0);
        for setting in self.settings {
            shell.args(["-c", setting]);
        }
        let mut keeper = shell.spawn().expect("a shell runs");
        let output = keeper.stdout.take().expect("its output is piped");
        let mut line = String::new();
        BufReader::new(output)
            .read_line(&mut line)
            .expect("the output of the shell");
        let text = fs::read_to_string(log).unwrap_or_default();
        assert_eq!(line, "ready\n", "the server does not start: {text}");
        Keeper(keeper)
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// A port that nothing listens on.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port()
}
