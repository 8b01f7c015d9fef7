//! Prints the URL of the server on standard output.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::thread;

/// Prints the URL without waiting for standard output, which can be a paused terminal or a full pipe.
pub(super) fn announce(url: &str) {
    let line = format!("listening on {url}\n");
    let descriptor = io::stdout().as_fd().try_clone_to_owned();
    let print = move || {
        // The server runs on if nobody reads standard output.
        if let Ok(descriptor) = descriptor {
            let _ = File::from(descriptor).write_all(line.as_bytes());
        }
    };
    let thread = thread::Builder::new().name("announce".to_owned());
    if let Err(error) = thread.spawn(print) {
        tracing::warn!(%error, "could not print the address on standard output");
    }
}
