//! Shows the progress of a command on a terminal.

use std::io;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::{self, Printed};

/// A progress bar on standard error if it is a terminal, otherwise nothing. While the bar is shown, all
/// output must go through it.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Creates a bar for an input, whose length can be unknown.
    pub(crate) fn of_bytes(length: Option<u64>) -> Self {
        Self::with_template(
            length,
            match length {
                Some(_) => "{bar:30} {bytes}/{total_bytes} {msg}",
                None => "{spinner} {bytes} {msg}",
            },
        )
    }

    /// Creates a bar for a number of events.
    pub(crate) fn of_events(number: u64) -> Self {
        Self::with_template(Some(number), "{bar:30} {pos}/{len} events {msg}")
    }

    fn with_template(length: Option<u64>, template: &str) -> Self {
        let style = ProgressStyle::with_template(template).expect("the templates are well-formed");
        let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
        Self {
            bar: bar.with_style(style),
        }
    }

    /// Moves the bar to `position`.
    pub(crate) fn update(&self, position: u64, message: String) {
        self.bar.set_position(position);
        self.bar.set_message(message);
    }

    /// Prints a line to standard error.
    pub(crate) fn note(&self, text: &str) {
        self.bar.suspend(|| output::note(text));
    }

    /// Prints a line to standard output.
    pub(crate) fn print_line(&self, line: &str) -> io::Result<Printed> {
        self.bar.suspend(|| output::print_line(line))
    }

    /// Removes the bar. Dropping it does the same.
    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}
