//! How far it has got, for a person at a terminal.

use std::io;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::{self, Printed};

/// A progress bar on standard error, if that is a terminal; otherwise nothing. What is printed
/// while it stands has to go through it.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Progress through an input, whose length may be known.
    pub(crate) fn of_bytes(length: Option<u64>) -> Self {
        Self::with_template(
            length,
            match length {
                Some(_) => "{bar:30} {bytes}/{total_bytes} {msg}",
                None => "{spinner} {bytes} {msg}",
            },
        )
    }

    /// Progress through so many events.
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

    /// So much is done.
    pub(crate) fn update(&self, position: u64, message: String) {
        self.bar.set_position(position);
        self.bar.set_message(message);
    }

    /// A line on standard error.
    pub(crate) fn note(&self, text: &str) {
        self.bar.suspend(|| output::note(text));
    }

    /// A line on standard output.
    pub(crate) fn print_line(&self, line: &str) -> io::Result<Printed> {
        self.bar.suspend(|| output::print_line(line))
    }

    /// Takes the bar away; so does the end of its life.
    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}
