//! The ratios of the first table of a page.

use std::fmt::Write as _;

use anyhow::{Context as _, ensure};

use super::svg::{escaped, head};

/// Widths and heights, in pixels.
const WIDTH: f64 = 860.0;
const LABELS: f64 = 340.0;
const ROW: f64 = 34.0;
const TOP: f64 = 46.0;
const BOTTOM: f64 = 40.0;
const MARGIN: f64 = 46.0;

/// The ticks of the axis, which is logarithmic.
const TICKS: [f64; 6] = [0.25, 0.5, 1.0, 2.0, 4.0, 8.0];
const FARTHEST: f64 = 10.0;

/// One row of the table.
#[derive(Debug, PartialEq)]
struct Bar {
    work: String,
    baseline: String,
    ratio: f64,
}

/// Draws the first table of the page that has the columns work, Tidings, baseline and ratio.
pub(super) fn draw(page: &str) -> anyhow::Result<String> {
    let bars = bars_of(page)?;
    let count = u32::try_from(bars.len()).context("the table is too long")?;
    let bottom = TOP + ROW * f64::from(count);
    let mut svg = format!(
        "{head}<text x=\"16\" y=\"26\" font-weight=\"600\">Throughput of Tidings divided by that of the \
         baseline</text>\n",
        head = head(
            (WIDTH, bottom + BOTTOM),
            "Throughput relative to the baseline of the same run"
        ),
    );
    for tick in TICKS {
        let class = if tick == 1.0 { "one" } else { "tick" };
        let x = position(tick);
        // Writing to a `String` cannot fail.
        let _ = writeln!(
            svg,
            "<path class=\"{class}\" d=\"M{x:.1} {TOP}V{bottom}\"/>\n\
             <text class=\"quiet\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{tick}×</text>",
            bottom + 22.0
        );
    }
    for (index, bar) in (0_u32..).zip(&bars) {
        draw_bar(&mut svg, bar, TOP + ROW * f64::from(index));
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}

fn draw_bar(svg: &mut String, bar: &Bar, top: f64) {
    let (one, end) = (position(1.0), position(bar.ratio));
    let (class, anchor, label) = if bar.ratio >= 1.0 {
        ("more", "start", end + 6.0)
    } else {
        ("less", "end", end - 6.0)
    };
    let _ = writeln!(
        svg,
        "<text x=\"16\" y=\"{:.1}\">{}</text>\n\
         <text class=\"quiet\" x=\"16\" y=\"{:.1}\" font-size=\"11\">{}</text>\n\
         <rect class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"16\"/>\n\
         <text x=\"{label:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>",
        top + 15.0,
        escaped(&bar.work),
        top + 28.0,
        escaped(&bar.baseline),
        one.min(end),
        top + 8.0,
        (end - one).abs(),
        top + 20.5,
        bar.ratio,
    );
}

/// The position of a ratio on the axis.
fn position(ratio: f64) -> f64 {
    let (least, most) = (TICKS[0].ln(), FARTHEST.ln());
    let part = (ratio.ln() - least) / (most - least);
    LABELS + part * (WIDTH - LABELS - MARGIN)
}

fn bars_of(page: &str) -> anyhow::Result<Vec<Bar>> {
    let heading = "| work | Tidings | baseline in the same run | ratio |";
    let lines = page.lines().skip_while(|line| *line != heading);
    // The heading and the line below it.
    let rows = lines.skip(2).take_while(|line| line.starts_with('|'));
    let bars = rows.map(bar_of).collect::<anyhow::Result<Vec<_>>>()?;
    ensure!(!bars.is_empty(), "no table begins with `{heading}`");
    Ok(bars)
}

fn bar_of(row: &str) -> anyhow::Result<Bar> {
    let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
    let [work, _, baseline, ratio] = cells[..] else {
        anyhow::bail!("the row `{row}` has not four cells");
    };
    let ratio: f64 = ratio
        .parse()
        .with_context(|| format!("the ratio of `{row}`"))?;
    ensure!(
        (TICKS[0]..=FARTHEST).contains(&ratio),
        "the ratio {ratio} is beyond the axis"
    );
    let (baseline, _) = baseline
        .rsplit_once(": ")
        .with_context(|| format!("the baseline of `{row}` has no figure"))?;
    Ok(Bar {
        work: work.to_owned(),
        baseline: baseline.to_owned(),
        ratio,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "text\n| work | Tidings | baseline in the same run | ratio |\n|---|---|---|---|\n\
                        | publish | 50 events/s | raw: SQLite: 10 | 5.00 |\n\
                        | read <all> | 1 | a loop: 2 | 0.5 |\n\n| other | table |\n";

    #[test]
    fn takes_the_rows_of_the_table() {
        let bar = |work: &str, baseline: &str, ratio| Bar {
            work: work.to_owned(),
            baseline: baseline.to_owned(),
            ratio,
        };
        assert_eq!(
            bars_of(PAGE).unwrap(),
            [
                bar("publish", "raw: SQLite", 5.0),
                bar("read <all>", "a loop", 0.5)
            ]
        );
        assert!(bars_of("no table").is_err());
    }

    #[test]
    fn draws_slower_work_left_of_one_and_faster_work_right_of_it() {
        assert!(position(0.5) < position(1.0) && position(1.0) < position(5.0));
        let svg = draw(PAGE).unwrap();
        assert!(svg.contains("class=\"more\"") && svg.contains("class=\"less\""));
        assert!(svg.contains("read &lt;all>"));
    }
}
