//! Pictures of measurements, drawn from the tables of a page.

mod comparison;
mod overview;
mod svg;

pub(crate) use comparison::Picture;

/// Draws the first table of a page that has the columns work, Tidings, baseline and ratio.
pub(crate) fn overview(page: &str) -> anyhow::Result<String> {
    overview::draw(page)
}

/// Draws each benchmark of a page that is compared with something.
pub(crate) fn comparisons(page: &str) -> anyhow::Result<Vec<Picture>> {
    comparison::draw(page)
}
