//! Medians, percentiles and their spread.

use std::fmt;

/// Repeated measurements of one figure, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    pub(crate) fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn median(&self) -> f64 {
        self.percentile(50)
    }

    /// The smallest value that at least `percent` of the values do not exceed.
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let rank = (sorted.len() * percent).div_ceil(100).max(1);
        sorted.get(rank - 1).copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn max(&self) -> f64 {
        self.percentile(100)
    }

    /// Combines each measurement with the one of `others` from the same turn.
    pub(crate) fn paired(&self, others: &Self, combine: impl Fn(f64, f64) -> f64) -> Self {
        self.0
            .iter()
            .zip(&others.0)
            .map(|(own, other)| combine(*own, *other))
            .collect()
    }
}

impl FromIterator<f64> for Samples {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

/// The median with the lowest and highest value.
impl fmt::Display for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&number(self.median()))?;
        if self.0.len() > 1 {
            let (low, high) = (self.percentile(0), self.max());
            write!(f, " ({}..{})", number(low), number(high))?;
        }
        Ok(())
    }
}

/// Formats a number with three significant digits and groups of thousands.
pub(crate) fn number(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.decimals$}");
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        let left = whole.len() - index;
        if index > 0 && left.is_multiple_of(3) && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let samples: Samples = [5.0, 1.0, 4.0, 2.0, 3.0].into_iter().collect();
        assert_eq!(samples.median(), 3.0);
        assert_eq!(samples.percentile(0), 1.0);
        assert_eq!(samples.percentile(20), 1.0);
        assert_eq!(samples.percentile(21), 2.0);
        assert_eq!(samples.max(), 5.0);
        let even: Samples = [1.0, 2.0].into_iter().collect();
        assert_eq!(even.median(), 1.0);
        assert!(Samples::default().median().is_nan());
    }

    #[test]
    fn numbers_have_three_significant_digits() {
        assert_eq!(number(1_234_567.8), "1,234,568");
        assert_eq!(number(999.6), "1,000");
        assert_eq!(number(123.4), "123");
        assert_eq!(number(12.34), "12.3");
        assert_eq!(number(1.234), "1.23");
        assert_eq!(number(0.1234), "0.123");
        assert_eq!(number(-123_456.0), "-123,456");
    }
}
