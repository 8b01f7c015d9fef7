//! Behavior on a terminal: color, a progress bar, and a table that fits.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::Stdio;

use rustix::termios::{Winsize, tcsetwinsize};
use serde_json::Value;
use tokio::process::Command;

use crate::pseudo_terminal;
use crate::server::{LOCAL_USER, Server, event, soon, tidings};

/// A terminal of 80 columns that records its output.
struct Terminal {
    screen: File,
    program_side: File,
}

impl Terminal {
    fn open() -> Self {
        let (screen, program_side) = pseudo_terminal::open();
        let size = Winsize {
            ws_row: 24,
            ws_col: 80,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&program_side, size).expect("it takes its size");
        Self {
            screen,
            program_side,
        }
    }

    fn side(&self) -> Stdio {
        self.program_side.try_clone().expect("a duplicate").into()
    }

    /// Types a line.
    fn type_line(&self, line: &str) {
        let mut keyboard = &self.screen;
        writeln!(keyboard, "{line}").expect("the terminal accepts input");
    }

    /// Runs `command` on this terminal. Returns its output after it succeeds.
    async fn output_of(self, command: Command) -> String {
        let (success, text) = self.end_of(command).await;
        assert!(success, "{text}");
        text
    }

    /// Runs `command` on this terminal. Returns whether it succeeded, and its output.
    async fn end_of(self, mut command: Command) -> (bool, String) {
        let mut process = command.spawn().expect("the binary starts");
        // Drops the command's descriptors too, so that reading ends with the process.
        drop((command, self.program_side));
        let mut screen = self.screen;
        let read = tokio::task::spawn_blocking(move || {
            let mut text = Vec::new();
            // Reading fails after the last program has closed its side.
            let _ = screen.read_to_end(&mut text);
            String::from_utf8(text).expect("the output is text")
        });
        let text = soon("the end of the output", read)
            .await
            .expect("it is read");
        let status = soon("the command to end", process.wait()).await;
        let status = status.expect("it can be waited for");
        (status.success(), text)
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
async fn colors_only_terminals_unless_configured() {
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
async fn table_wraps_descriptions_to_fit_the_terminal() {
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
async fn shows_progress_on_a_terminal_and_keeps_the_summary() {
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
    assert!(text.ends_with("5000 stored, 0 rejected\r\n"), "{text:?}");
}

#[tokio::test]
async fn delete_by_filter_asks_for_confirmation() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(directory.path()).await;
    let events: Vec<_> = (0..12).map(|n| event(LOCAL_USER, &n.to_string())).collect();
    server.must_publish(&Value::from(events)).await;
    for (response, left) in [("", 12), ("n", 12), ("Y", 0)] {
        let terminal = Terminal::open();
        let mut delete = command("delete", &server, &["--all"]);
        delete.stdin(terminal.side()).stderr(terminal.side());
        terminal.type_line(response);
        let (success, text) = terminal.end_of(delete).await;
        assert_eq!(success, left == 0, "{text:?}");
        assert!(text.contains("12 events in all"), "{text:?}");
        assert!(text.contains("Delete 12 events? [y/N]"), "{text:?}");
        let end = if left == 0 {
            "12 deleted\r\n"
        } else {
            "nothing was deleted\r\n"
        };
        assert!(text.ends_with(end), "{text:?}");
        assert_eq!(server.list_all().await.len(), left);
    }
}

#[tokio::test]
async fn export_and_import_show_their_progress() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Server::start(&directory.path().join("data")).await;
    let events: Vec<_> = (0..2_500)
        .map(|n| event(LOCAL_USER, &n.to_string()))
        .collect();
    for batch in events.chunks(1_000) {
        server.must_publish(&Value::from(batch)).await;
    }
    let file = directory.path().join("events");
    let path = file.to_str().expect("a plain path");
    for (name, end, unit) in [
        ("export", "2500 events written\r\n", "2500 events"),
        (
            "import",
            "0 stored, 2500 already present, 0 rejected\r\n",
            "MiB",
        ),
    ] {
        let terminal = Terminal::open();
        let mut transfer = command(name, &server, &[path]);
        transfer.stderr(terminal.side());
        let text = terminal.output_of(transfer).await;
        assert!(text.contains('█'), "{text:?}");
        assert!(text.contains(unit), "{text:?}");
        assert!(text.ends_with(end), "{text:?}");
    }
}
