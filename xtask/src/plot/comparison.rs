//! The figures of one benchmark beside those that it is compared with.

use std::fmt::Write as _;

use anyhow::ensure;

use super::svg::{escaped, head};

/// Widths and heights, in pixels.
const WIDTH: f64 = 860.0;
const LABELS: f64 = 190.0;
const BAR: f64 = 17.0;
const HEADING: f64 = 30.0;
const TOP: f64 = 42.0;
const BOTTOM: f64 = 16.0;
/// The room for the value behind the longest bar.
const VALUES: f64 = 150.0;

/// The picture of a benchmark.
#[derive(Debug)]
pub(crate) struct Picture {
    /// The name of the benchmark, and of the file.
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) svg: String,
}

/// The rows of one figure.
#[derive(Debug, PartialEq)]
struct Figure {
    name: String,
    bars: Vec<Bar>,
}

#[derive(Debug, PartialEq)]
struct Bar {
    name: String,
    value: f64,
    /// As it stands in the table, with its spread.
    text: String,
    /// That of Tidings to this one.
    ratio: Option<String>,
}

/// Draws each benchmark of a page whose table compares something: a heading `### name: title`, and a table as
/// `tidings-bench` prints it.
pub(super) fn draw(page: &str) -> anyhow::Result<Vec<Picture>> {
    let mut pictures = Vec::new();
    for section in page.split("\n### ").skip(1) {
        let (heading, rest) = section.split_once('\n').unwrap_or((section, ""));
        let Some((name, title)) = heading.split_once(": ") else {
            continue;
        };
        let rest = rest.split("\n## ").next().unwrap_or_default();
        let figures = figures_of(rest);
        if !figures.is_empty() {
            pictures.push(Picture {
                name: name.to_owned(),
                title: title.to_owned(),
                svg: picture(title, &figures)?,
            });
        }
    }
    Ok(pictures)
}

/// The figures with at least one baseline.
fn figures_of(section: &str) -> Vec<Figure> {
    let mut figures: Vec<Figure> = Vec::new();
    for row in section.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [name, ours, baseline, ratio, _] = cells[..] else {
            continue;
        };
        let (Some((other, theirs)), Some(own)) = (baseline.rsplit_once(": "), value(ours)) else {
            continue;
        };
        let Some(their_value) = value(theirs) else {
            continue;
        };
        if figures.last().is_none_or(|figure| figure.name != name) {
            let bars = vec![Bar {
                name: "Tidings".to_owned(),
                value: own,
                text: ours.to_owned(),
                ratio: None,
            }];
            let name = name.to_owned();
            figures.push(Figure { name, bars });
        }
        if let Some(figure) = figures.last_mut() {
            figure.bars.push(Bar {
                name: other.to_owned(),
                value: their_value,
                text: theirs.to_owned(),
                ratio: ratio.split(' ').next().map(str::to_owned),
            });
        }
    }
    figures
}

/// The number at the beginning of a cell, such as `12,155 (11,705..12,511)`.
fn value(cell: &str) -> Option<f64> {
    let number = cell.split(' ').next()?.replace(',', "");
    let value: f64 = number.parse().ok()?;
    value.is_finite().then_some(value)
}

fn picture(title: &str, figures: &[Figure]) -> anyhow::Result<String> {
    let bars: usize = figures.iter().map(|figure| figure.bars.len()).sum();
    ensure!(bars < 1000, "`{title}` has too many figures for a picture");
    let height = TOP + BOTTOM + HEADING * count(figures) + BAR * f64::from(u16::try_from(bars)?);
    let mut svg = head((WIDTH, height), title);
    // Writing to a `String` cannot fail.
    let _ = writeln!(
        svg,
        "<text x=\"16\" y=\"26\" font-weight=\"600\">{}</text>",
        escaped(title)
    );
    let mut y = TOP;
    for figure in figures {
        let _ = writeln!(
            svg,
            "<text x=\"16\" y=\"{:.1}\">{}</text>",
            y + 18.0,
            escaped(&figure.name)
        );
        y += HEADING - 4.0;
        let longest = figure.bars.iter().map(|bar| bar.value).fold(0.0, f64::max);
        for (index, bar) in figure.bars.iter().enumerate() {
            let class = if index == 0 { "more" } else { "less" };
            draw_bar(&mut svg, bar, class, y, bar.value / longest);
            y += BAR;
        }
        y += 4.0;
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}

fn count(figures: &[Figure]) -> f64 {
    figures.iter().map(|_| 1.0).sum()
}

fn draw_bar(svg: &mut String, bar: &Bar, class: &str, top: f64, part: f64) {
    let part = if part.is_finite() { part } else { 0.0 };
    let width = (part * (WIDTH - LABELS - VALUES - 16.0)).max(1.0);
    let ratio = bar.ratio.as_ref();
    let ratio = ratio.map_or_else(String::new, |ratio| format!(" · ratio {ratio}"));
    let text = bar.text.split(' ').next().unwrap_or_default();
    let _ = writeln!(
        svg,
        "<text class=\"quiet\" x=\"{:.1}\" y=\"{:.1}\" font-size=\"11\" text-anchor=\"end\">{}</text>\n\
         <rect class=\"{class}\" x=\"{LABELS}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"11\"/>\n\
         <text x=\"{:.1}\" y=\"{:.1}\" font-size=\"11\">{text}{ratio}</text>",
        LABELS - 8.0,
        top + 10.0,
        escaped(&bar.name),
        top + 1.0,
        LABELS + width + 6.0,
        top + 10.0,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# Page\n\n### unicast: many users\n\n\
        | figure | Tidings | baseline in the same run | ratio | target |\n|---|---|---|---|---|\n\
        | events/s | 12,155 (11,705..12,511) | NATS: 104,307 (1..2) | 0.117 (0.1..0.2) | – |\n\
        | events/s | 12,155 (11,705..12,511) | a <loop>: 2 | 6,077 | ≥ 2.00 met |\n\
        | KiB | 3.10 | – | – | – |\n| ms | 1.00 | before: 2.00 | 0.500 | – |\n\n- A note.\n\n\
        ## Other\n\n### without a table\n\n### idle: nothing compared\n\n| a | 1 | – | – | – |\n";

    #[test]
    fn compares_the_figures_that_have_a_baseline() {
        let pictures = draw(PAGE).unwrap();
        assert_eq!(pictures.len(), 1);
        let picture = &pictures[0];
        assert_eq!((&*picture.name, &*picture.title), ("unicast", "many users"));
        let (_, section) = PAGE.split_once("many users").unwrap();
        let figures = figures_of(section);
        let shape: Vec<_> = figures
            .iter()
            .map(|figure| (&*figure.name, figure.bars.len()))
            .collect();
        assert_eq!(shape, [("events/s", 3), ("ms", 2)]);
        assert_eq!(figures[0].bars[1].value, 104_307.0);
        assert_eq!(figures[0].bars[1].ratio.as_deref(), Some("0.117"));
    }

    #[test]
    fn a_picture_is_readable_on_light_and_dark_pages() {
        let svg = &draw(PAGE).unwrap()[0].svg;
        assert!(svg.contains("prefers-color-scheme: dark") && svg.contains("a &lt;loop>"));
        // The longest bar is the largest value, and ours is an eighth of it.
        let widths: Vec<f64> = svg
            .split("<rect class=\"")
            .skip(2)
            .map(|rect| rect.split("width=\"").nth(1).unwrap())
            .map(|width| width.split('"').next().unwrap().parse().unwrap())
            .collect();
        assert!(
            (0.11..0.12).contains(&(widths[0] / widths[1])),
            "{widths:?}"
        );
        assert_eq!(widths[2], 1.0);
    }
}
