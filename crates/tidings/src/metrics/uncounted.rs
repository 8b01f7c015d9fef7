//! Metrics without effect, for builds without the feature `metrics`.

use std::marker::PhantomData;

#[derive(Debug, Default)]
pub(crate) struct Counter(());

impl Counter {
    pub(crate) const fn inc(&self) {}

    pub(crate) const fn inc_by(&self, _: u64) {}
}

#[derive(Debug, Default)]
pub(crate) struct Gauge(());

impl Gauge {
    pub(crate) const fn inc(&self) {}

    pub(crate) const fn dec(&self) {}
}

#[derive(Debug)]
pub(crate) struct Histogram;

impl Histogram {
    pub(super) fn new(_: impl Iterator<Item = f64>) -> Self {
        Self
    }

    pub(crate) const fn observe(&self, _: f64) {}
}

pub(super) fn exponential_buckets(_: f64, _: f64, _: u16) -> std::iter::Empty<f64> {
    std::iter::empty()
}

/// A family of metrics with labels.
#[derive(Debug)]
pub(crate) struct Family<L, C> {
    counter: C,
    label: PhantomData<L>,
}

impl<L, C: Default> Default for Family<L, C> {
    fn default() -> Self {
        Self {
            counter: C::default(),
            label: PhantomData,
        }
    }
}

impl<L, C> Family<L, C> {
    pub(crate) const fn get_or_create(&self, _: &L) -> &C {
        &self.counter
    }

    pub(super) const fn get_or_create_owned(&self, _: &L) {}
}
