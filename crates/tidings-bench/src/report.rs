//! The table of one benchmark.

use std::fmt;

use crate::statistics::{Samples, number};

/// The results of a benchmark, as Markdown.
#[derive(Debug)]
pub(crate) struct Table {
    title: &'static str,
    rows: Vec<[String; 5]>,
    notes: Vec<String>,
}

/// The target of a figure.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    AtLeast(f64),
    AtMost(f64),
    /// Shown for comparison only.
    None,
}

impl Target {
    fn judge(self, value: f64) -> String {
        let (sign, target, met) = match self {
            Self::AtLeast(target) => ("≥", target, value >= target),
            Self::AtMost(target) => ("≤", target, value <= target),
            Self::None => return "–".to_owned(),
        };
        let verdict = if met { "met" } else { "**missed**" };
        format!("{sign} {} {verdict}", number(target))
    }
}

impl Table {
    pub(crate) fn new(title: &'static str) -> Self {
        Self {
            title,
            rows: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Adds a figure that is judged by its ratio to another, turn by turn.
    pub(crate) fn ratio(
        &mut self,
        figure: &str,
        ours: &Samples,
        against: (&str, &Samples),
        target: Target,
    ) {
        let ratios = ours.paired(against.1, |own, other| own / other);
        self.rows.push([
            figure.to_owned(),
            ours.to_string(),
            format!("{}: {}", against.0, against.1),
            ratios.to_string(),
            target.judge(ratios.median()),
        ]);
    }

    /// Adds a figure that is judged by its difference from another, turn by turn.
    pub(crate) fn difference(
        &mut self,
        figure: &str,
        ours: &Samples,
        against: (&str, &Samples),
        target: Target,
    ) {
        let differences = ours.paired(against.1, |own, other| own - other);
        self.rows.push([
            figure.to_owned(),
            ours.to_string(),
            format!("{}: {}", against.0, against.1),
            format!("difference {differences}"),
            target.judge(differences.median()),
        ]);
    }

    /// Adds a figure without a baseline.
    pub(crate) fn figure(&mut self, figure: &str, ours: &Samples, target: Target) {
        self.rows.push([
            figure.to_owned(),
            ours.to_string(),
            "–".to_owned(),
            "–".to_owned(),
            target.judge(ours.median()),
        ]);
    }

    /// Adds a sentence below the table.
    pub(crate) fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "### {}\n", self.title)?;
        writeln!(
            f,
            "| figure | Tidings | baseline in the same run | ratio | target |"
        )?;
        writeln!(f, "|---|---|---|---|---|")?;
        for row in &self.rows {
            writeln!(f, "| {} |", row.join(" | "))?;
        }
        writeln!(f)?;
        for note in &self.notes {
            writeln!(f, "- {note}")?;
        }
        Ok(())
    }
}
