//! What is different on a terminal: colour, a progress bar, and a table that fits.

use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::process::Stdio;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use serde_json::Value;
use tokio::process::Command;

use crate::server::{LOCAL_USER, Server, event, soon, tidings};

/// A terminal of 80 columns that keeps what is written to it.
struct Terminal {
    screen: File,
    program_side: File,
}

impl Terminal {
    fn open() -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&master)
            .and_then(|()| unlockpt(&master))
            .expect("it is ours");
        let name = ptsname(&master, Vec::new()).expect("it has a name");
        let program_side = OpenOptions::new()
            .read(true)
            .write(true)
            .open(name.to_str().expect("a plain path"))
            .expect("it opens");
        let size = Winsize {
            ws_row: 24,
            ws_col: 80,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&program_side, size).expect("it takes its size");
        Self {
            screen: master.into(),
            program_side,
        }
    }

    fn side(&self) -> Stdio {
        self.program_side.try_clone().expect("a duplicate").into()
    }

    /// All that `command`, which writes here, has written when it ends.
    async fn output_of(self, mut command: Command) -> String {
        let mut process = command.spawn().expect("the binary starts");
        // What the command holds of it, too, so that reading ends with the process.
        drop((command, self.program_side));
        let mut screen = self.screen;
        let read = tokio::task::spawn_blocking(move || {
            let mut text = Vec::new();
            // It ends with an error when the last program has closed its side.
            let _ = screen.read_to_end(&mut text);
            String::from_utf8(text).expect("the output is text")
        });
        let text = soon("the end of the output", read)
            .await
            .expect("it is read");
        let status = soon("the command to end", process.wait()).await;
        assert!(status.expect("it can be waited for").success(), "{text}");
        text
    }
}

fn command(name: &str, server: &Server, args: &[&str]) -> Command {
    let mut command = tidings();
    command
        .args([name, "--url", &server.url("")])
        .args(args)
        .env("TERM", "xterm")
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR")
        .env_remove("CLICOLOR_FORCE")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

const ONE: [&str; 4] = ["--since", "earliest", "--count", "1"];
const RED_ERROR: &str = "\u{1b}[31merror";

async fn with_an_error(directory: &std::path::Path) -> Server {
    let server = Server::start(directory).await;
    let mut failed = event(LOCAL_USER, &"word ".repeat(20));
    failed["severity"] = Value::from("error");
    server.must_publish(&failed).await;
    server
}

#[tokio::test]
async fn colour_is_for_terminals_unless_somebody_says_otherwise() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = with_an_error(directory.path()).await;
    let never = [&ONE[..], &["--color", "never"]].concat();
    for (args, no_color, colored) in [
        (&ONE[..], false, true),
        (&ONE, true, false),
        (&never, false, false),
    ] {
        let terminal = Terminal::open();
        let mut tail = command("tail", &server, args);
        tail.stdout(terminal.side());
        if no_color {
            tail.env("NO_COLOR", "1");
        }
        let text = terminal.output_of(tail).await;
        assert!(text.contains("deployment/apply"), "{text:?}");
        assert_eq!(text.contains(RED_ERROR), colored, "{args:?}: {text:?}");
        assert_eq!(text.contains('\u{1b}'), colored, "{args:?}: {text:?}");
    }
    let always = [&ONE[..], &["--color", "always"]].concat();
    for (args, colored) in [(&ONE[..], false), (&always, true)] {
        let tail = command("tail", &server, args);
        let (_, text, _) = crate::server::output_of(tail).await;
        assert_eq!(text.contains(RED_ERROR), colored, "{args:?}: {text:?}");
        assert_eq!(text.contains('\u{1b}'), colored, "{args:?}: {text:?}");
    }
}

#[tokio::test]
async fn a_table_breaks_descriptions_to_fit_a_terminal() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = with_an_error(directory.path()).await;
    let terminal = Terminal::open();
    let mut list = command("list", &server, &[]);
    list.stdout(terminal.side());
    let on_terminal = terminal.output_of(list).await;
    assert!(on_terminal.lines().count() > 2, "{on_terminal}");
    let (_, piped, _) = crate::server::output_of(command("list", &server, &[])).await;
    assert_eq!(piped.lines().count(), 2, "{piped}");
}

#[tokio::test]
async fn progress_is_shown_on_a_terminal_and_its_summary_stays() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(&directory.path().join("data")).await;
    let input = directory.path().join("input");
    let lines: String = (0..5_000)
        .map(|number| format!("{}\n", event(LOCAL_USER, &number.to_string())))
        .collect();
    std::fs::write(&input, lines).expect("writable");
    let terminal = Terminal::open();
    let mut publish = command("publish", &server, &["--stdin"]);
    publish
        .stdin(File::open(&input).expect("readable"))
        .stderr(terminal.side());
    let text = terminal.output_of(publish).await;
    assert!(text.contains('█'), "{text:?}");
    assert!(text.contains("MiB"), "{text:?}");
    assert!(text.ends_with("5000 stored, 0 refused\r\n"), "{text:?}");
}
