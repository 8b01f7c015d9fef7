//! The two text formats of `/metrics`, and their negotiation.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

/// A text format of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// <https://prometheus.io/docs/specs/om/open_metrics_spec/>
    OpenMetrics,
    /// <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>
    Prometheus,
}

impl Format {
    /// The format that the client prefers. A client that accepts neither gets `OpenMetrics`, so that no
    /// scrape is rejected for its headers.
    pub(crate) fn wanted(headers: &HeaderMap) -> Self {
        let accepted = headers.get_all(ACCEPT).iter();
        let accepted = accepted.filter_map(|value| value.to_str().ok());
        let ranges = accepted.flat_map(|value| value.split(','));
        let (mut open_metrics, mut prometheus) = (0.0_f32, 0.0_f32);
        for range in ranges {
            match judge(range) {
                Some((Self::OpenMetrics, quality)) => open_metrics = open_metrics.max(quality),
                Some((Self::Prometheus, quality)) => prometheus = prometheus.max(quality),
                None => {}
            }
        }
        if prometheus > open_metrics {
            Self::Prometheus
        } else {
            Self::OpenMetrics
        }
    }

    /// The media type of the response.
    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// The metrics in this format.
    pub(crate) fn encode(self, registry: &Registry) -> String {
        let mut text = String::new();
        encode(&mut text, registry).expect("writing into memory does not fail");
        match self {
            Self::OpenMetrics => text,
            Self::Prometheus => older(&text),
        }
    }
}

/// The format that a media range matches, and its weight (RFC 9110 §12.5.1).
fn judge(range: &str) -> Option<(Format, f32)> {
    let mut parts = range.split(';').map(str::trim);
    let media_type = parts.next()?.to_ascii_lowercase();
    let (mut quality, mut version) = (1.0, None);
    for (name, value) in parts.filter_map(|part| part.split_once('=')) {
        let value = value.trim().trim_matches('"');
        match name.trim().to_ascii_lowercase().as_str() {
            "q" => quality = value.parse().unwrap_or(0.0),
            "version" => version = Some(value.to_owned()),
            _ => {}
        }
    }
    let format = match (media_type.as_str(), version.as_deref()) {
        ("application/openmetrics-text", None | Some("0.0.1" | "1.0.0")) => Format::OpenMetrics,
        ("text/plain" | "text/*", None | Some("0.0.4")) => Format::Prometheus,
        _ => return None,
    };
    Some((format, quality))
}

/// Converts the metrics to the older format, in which a counter's name includes `_total` and which has
/// neither units nor an end mark.
fn older(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    let mut lines = open_metrics.lines().peekable();
    while let Some(line) = lines.next() {
        let mut push = |line: &str| {
            text.push_str(line);
            text.push('\n');
        };
        let help = line
            .strip_prefix("# HELP ")
            .and_then(|rest| rest.split_once(' '));
        if let Some((name, words)) = help {
            let kind = lines.peek().and_then(|next| kind_of(next, name));
            push(&format!("# HELP {name}{} {words}", suffix(kind)));
        } else if let Some((name, kind)) = kind_line(line) {
            let known = if kind == "unknown" { "untyped" } else { kind };
            push(&format!("# TYPE {name}{} {known}", suffix(Some(kind))));
        } else if !line.starts_with('#') {
            push(line);
        }
    }
    text
}

fn kind_line(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("# TYPE ")?.split_once(' ')
}

fn kind_of<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    kind_line(line)
        .filter(|(found, _)| *found == name)
        .map(|(_, kind)| kind)
}

fn suffix(kind: Option<&str>) -> &'static str {
    if kind == Some("counter") {
        "_total"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::counter::Counter;
    use prometheus_client::metrics::gauge::Gauge;
    use prometheus_client::metrics::histogram::Histogram;
    use prometheus_client::registry::Unit;

    use super::*;

    #[test]
    fn answers_in_the_format_that_the_client_prefers() {
        use Format::{OpenMetrics, Prometheus};
        for (accept, format) in [
            ("", OpenMetrics),
            ("*/*", OpenMetrics),
            ("application/json", OpenMetrics),
            ("text/plain", Prometheus),
            ("TEXT/Plain; Version=0.0.4", Prometheus),
            ("text/plain;q=0.5, */*;q=0.1", Prometheus),
            ("text/plain, */*", Prometheus),
            ("text/plain;q=0, */*", OpenMetrics),
            ("text/plain;q=x", OpenMetrics),
            ("text/plain;version=1.0.0", OpenMetrics),
            ("application/openmetrics-text", OpenMetrics),
            (
                "application/openmetrics-text;version=1.0.0;q=0.2,text/plain;version=0.0.4;q=0.3",
                Prometheus,
            ),
            // Prometheus 2 and 3.
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                OpenMetrics,
            ),
            (
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                OpenMetrics,
            ),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            assert_eq!(Format::wanted(&headers), format, "{accept}");
        }
        // Several headers are combined.
        let mut headers = HeaderMap::new();
        headers.append(
            ACCEPT,
            "application/openmetrics-text;q=0.1".parse().unwrap(),
        );
        headers.append(ACCEPT, "text/plain".parse().unwrap());
        assert_eq!(Format::wanted(&headers), Prometheus);
        assert_eq!(Format::wanted(&HeaderMap::new()), OpenMetrics);
    }

    #[test]
    fn includes_total_in_counter_names_of_the_older_format() {
        let mut registry = Registry::default();
        let counter: Counter = Counter::default();
        registry.register("a", "Counted", counter);
        registry.register_with_unit("b", "Bytes now", Unit::Bytes, Gauge::<i64>::default());
        registry.register("c", "Times", Histogram::new([1.0]));
        let expected = "\
# HELP a_total Counted.
# TYPE a_total counter
a_total 0
# HELP b_bytes Bytes now.
# TYPE b_bytes gauge
b_bytes 0
# HELP c Times.
# TYPE c histogram
c_sum 0.0
c_count 0
c_bucket{le=\"1.0\"} 0
c_bucket{le=\"+Inf\"} 0
";
        assert_eq!(Format::Prometheus.encode(&registry), expected);
    }
}
