//! Formats each event that passes the filter as a line.

use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_log::NormalizeEvent as _;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::line::Style;

/// Passes each line to `push`, which must not block.
#[derive(Debug)]
pub(super) struct LineLayer<P> {
    style: Style,
    push: P,
}

/// The formatted fields of a span.
struct SpanFields(String);

impl<P: Fn(String)> LineLayer<P> {
    pub(super) const fn new(style: Style, push: P) -> Self {
        Self { style, push }
    }
}

impl<S, P> Layer<S> for LineLayer<P>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    P: Fn(String) + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = self.style.span_fields();
        attributes.record(&mut fields);
        let shown = SpanFields(fields.into_others());
        span.extensions_mut().insert(shown);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = self.style.span_fields();
        values.record(&mut fields);
        if let Some(SpanFields(shown)) = span.extensions_mut().get_mut() {
            *shown += &fields.into_others();
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = self.style.event_fields();
        event.record(&mut fields);
        // A record of the `log` crate carries its own level and target in fields.
        let normalized = event.normalized_metadata();
        let metadata = normalized.as_ref().unwrap_or_else(|| event.metadata());
        let spans: Vec<_> = context
            .event_scope(event)
            .map(|scope| scope.from_root().collect())
            .unwrap_or_default();
        let extensions: Vec<_> = spans.iter().map(|span| span.extensions()).collect();
        let shown = spans.iter().zip(&extensions).map(|(span, extensions)| {
            let fields = extensions.get::<SpanFields>();
            (span.name(), fields.map_or("", |SpanFields(shown)| shown))
        });
        let line = self
            .style
            .line(*metadata.level(), metadata.target(), &fields, shown);
        (self.push)(line);
    }
}
