//! The errors that the servers of the tests log, for tests that wait for one.

use std::fmt::{Debug, Write as _};
use std::sync::LazyLock;

use tokio::sync::watch;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

use crate::app::within;

static ERRORS: LazyLock<watch::Sender<Vec<String>>> = LazyLock::new(|| {
    // Files are read on threads of the runtime, which a subscriber of one thread would not see.
    let log = tracing_subscriber::registry().with(Collector.with_filter(LevelFilter::ERROR));
    tracing::subscriber::set_global_default(log).expect("no other test sets one");
    watch::Sender::default()
});

struct Collector;

impl<S: Subscriber> Layer<S> for Collector {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        ERRORS.send_modify(|lines| lines.push(line.0));
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{field}={value:?} ").expect("a text can grow");
    }
}

/// The errors of all tests. Only errors after the first call are collected.
pub(crate) fn errors() -> watch::Receiver<Vec<String>> {
    ERRORS.subscribe()
}

/// Waits for an error with both texts.
pub(crate) async fn logged(errors: &mut watch::Receiver<Vec<String>>, texts: [&str; 2]) {
    let is_it = |line: &String| texts.iter().all(|text| line.contains(text));
    let found = within(errors.wait_for(|lines| lines.iter().any(is_it))).await;
    found.expect("the collector is never dropped");
}
