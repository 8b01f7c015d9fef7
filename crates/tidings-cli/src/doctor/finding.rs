//! The result of a check.

use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use anyhow::Context as _;
use serde_json::json;

use crate::color::Painter;
use crate::output::{self, escaped, escaped_json};

/// The verdict of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Ok,
    /// It works, but possibly not for long or not for every user.
    Warn,
    Fail,
}

impl Verdict {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }

    fn style(self) -> Style {
        match self {
            Self::Ok => AnsiColor::Green.on_default(),
            Self::Warn => AnsiColor::Yellow.on_default(),
            Self::Fail => AnsiColor::Red.on_default().bold(),
        }
    }
}

/// The result of one check, and a suggested fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) check: &'static str,
    pub(super) verdict: Verdict,
    pub(super) text: String,
    pub(super) remedy: Option<String>,
}

impl Finding {
    pub(super) fn ok(check: &'static str, text: impl Into<String>) -> Self {
        Self {
            check,
            verdict: Verdict::Ok,
            text: text.into(),
            remedy: None,
        }
    }

    pub(super) fn warn(
        check: &'static str,
        text: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            verdict: Verdict::Warn,
            remedy: Some(remedy.into()),
            ..Self::ok(check, text)
        }
    }

    pub(super) fn fail(
        check: &'static str,
        text: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            verdict: Verdict::Fail,
            ..Self::warn(check, text, remedy)
        }
    }

    fn json(&self) -> String {
        let json = json!({
            "check": self.check,
            "verdict": self.verdict.as_str(),
            "finding": self.text,
            "remedy": self.remedy,
        });
        escaped_json(&json.to_string()).into_owned()
    }

    fn lines(&self, painter: Painter) -> String {
        let verdict = painter.paint(
            self.verdict.style(),
            format_args!("{:<4}", self.verdict.as_str()),
        );
        let mut lines = format!("{verdict}  {:<9}  {}", self.check, escaped(&self.text));
        if let Some(remedy) = &self.remedy {
            lines += &format!("\n                 try: {}", escaped(remedy));
        }
        lines
    }
}

/// Prints findings at once.
#[derive(Debug)]
pub(super) struct Report {
    as_json: bool,
    painter: Painter,
    failed: bool,
}

impl Report {
    pub(super) const fn new(as_json: bool, painter: Painter) -> Self {
        Self {
            as_json,
            painter,
            failed: false,
        }
    }

    pub(super) fn add(&mut self, finding: &Finding) -> anyhow::Result<()> {
        self.failed |= finding.verdict == Verdict::Fail;
        let text = if self.as_json {
            finding.json()
        } else {
            finding.lines(self.painter)
        };
        // The exit code matters even if standard output is closed.
        output::print_line(text).context("could not write to standard output")?;
        Ok(())
    }

    pub(super) fn exit_code(&self) -> ExitCode {
        if self.failed {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_a_finding_with_its_fix_below() {
        let plain = Painter::with_color(false);
        let finding = Finding::warn("space", "little\u{1b}[2J is left", "make room");
        assert_eq!(
            finding.lines(plain),
            "warn  space      little\\u{1b}[2J is left\n                 try: make room"
        );
        assert_eq!(
            Finding::ok("lock", "free").lines(plain),
            "ok    lock       free"
        );
        let value: serde_json::Value = serde_json::from_str(&finding.json()).unwrap();
        assert_eq!(value["verdict"], "warn");
        assert_eq!(value["remedy"], "make room");
    }
}
