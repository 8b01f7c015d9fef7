//! The line on standard output that says where the server listens.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::thread;

/// Prints where the server listens, without waiting for standard output: it may be a terminal in Ctrl-S,
/// or a pipe that the log fills.
pub(super) fn announce(url: &str) {
    let line = format!("listening on {url}\n");
    let descriptor = io::stdout().as_fd().try_clone_to_owned();
    let print = move || {
        // The parent process may not read this; that is no reason to end.
        if let Ok(descriptor) = descriptor {
            let _ = File::from(descriptor).write_all(line.as_bytes());
        }
    };
    let thread = thread::Builder::new().name("announce".to_owned());
    if let Err(error) = thread.spawn(print) {
        tracing::warn!(%error, "could not print the address on standard output");
    }
}
