//! How far it has got, for a person at a terminal.

use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::{self, Printed};

/// A progress bar on standard error, if that is a terminal; otherwise nothing. What is printed
/// while it stands has to go through it.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Progress through standard input, whose length is known where it is a file.
    pub(super) fn of_stdin() -> Self {
        let length = length_of_stdin();
        let template = match length {
            Some(_) => "{bar:30} {bytes}/{total_bytes} {msg}",
            None => "{spinner} {bytes} {msg}",
        };
        let style = ProgressStyle::with_template(template).expect("the templates are well-formed");
        let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
        Self {
            bar: bar.with_style(style),
        }
    }

    /// So many bytes of the input are done.
    pub(super) fn update(&self, position: u64, counts: String) {
        self.bar.set_position(position);
        self.bar.set_message(counts);
    }

    /// A line on standard error.
    pub(super) fn note(&self, text: &str) {
        self.bar.suspend(|| output::note(text));
    }

    /// A line on standard output.
    pub(super) fn print_line(&self, line: &str) -> io::Result<Printed> {
        self.bar.suspend(|| output::print_line(line))
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

fn length_of_stdin() -> Option<u64> {
    let input = io::stdin().as_fd().try_clone_to_owned().ok()?;
    let input = File::from(input).metadata().ok()?;
    input.is_file().then_some(input.len())
}
