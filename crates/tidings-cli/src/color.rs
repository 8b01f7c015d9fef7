//! Color on terminals.

use std::fmt::Display;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use tidings_event::Severity;

/// Whether to color standard output.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct ColorArgs {
    /// When to use color; `auto` uses it on a terminal unless `NO_COLOR` is set
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    color: When,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum When {
    Auto,
    Always,
    Never,
}

impl ColorArgs {
    /// The painter for standard output.
    pub(crate) fn painter(self) -> Painter {
        let colored = match self.color {
            When::Auto => AutoStream::choice(&std::io::stdout()) != ColorChoice::Never,
            When::Always => true,
            When::Never => false,
        };
        Painter { colored }
    }
}

/// Colors text, or leaves it unchanged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Painter {
    colored: bool,
}

impl Painter {
    /// The text in this style. Control characters must be escaped already.
    pub(crate) fn paint(self, style: Style, text: impl Display) -> String {
        if self.colored {
            format!("{style}{text}{style:#}")
        } else {
            text.to_string()
        }
    }

    #[cfg(test)]
    pub(crate) const fn with_color(colored: bool) -> Self {
        Self { colored }
    }
}

/// Secondary text, such as a time.
pub(crate) const FAINT: Style = Style::new().dimmed();

/// A headline.
pub(crate) const STRONG: Style = Style::new().bold();

/// The style of a severity, more prominent for urgent ones.
pub(crate) fn of_severity(severity: Severity) -> Style {
    let color = |color: AnsiColor| color.on_default();
    match severity {
        Severity::Emergency | Severity::Alert => color(AnsiColor::Red).bold().invert(),
        Severity::Critical => color(AnsiColor::Red).bold(),
        Severity::Error => color(AnsiColor::Red),
        Severity::Warning => color(AnsiColor::Yellow),
        Severity::Success => color(AnsiColor::Green),
        Severity::Informational => color(AnsiColor::Cyan),
        Severity::Debug => FAINT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_painter_with_color_adds_anything() {
        let style = of_severity(Severity::Error);
        assert_eq!(Painter::with_color(false).paint(style, "error"), "error");
        let painted = Painter::with_color(true).paint(style, "error");
        assert_eq!(painted, "\u{1b}[31merror\u{1b}[0m");
    }
}
