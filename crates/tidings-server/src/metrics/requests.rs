//! Counts requests by operation and status, and measures the time to each response.
//!
//! A request costs one look-up of its path and a few additions. Every series exists from the start, so
//! that nothing is allocated, hashed or locked.

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use axum::http::{Method, StatusCode};
use matchit::Router;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use crate::paths::with_slash;

/// The statuses with a series of their own. Others are counted as `other`.
const STATUSES: [u16; 28] = [
    200, 201, 204, 206, 207, 304, 308, 400, 401, 403, 404, 405, 406, 408, 409, 410, 412, 413, 414,
    415, 416, 422, 429, 431, 500, 501, 503, 507,
];

/// The index of a status that is not in the list.
const OTHER_STATUS: usize = STATUSES.len();

/// The upper bounds of the time to a response, in microseconds. They range from a read in memory,
/// through a commit on a fast or slow disk, to the time-out of a client.
const BOUNDS_US: [u64; 12] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000,
    30_000_000,
];

/// The label of unknown paths and of methods that the path does not accept. Clients choose both, so
/// separate labels would make the number of series unbounded.
const OTHER: &str = "other";

/// A route whose requests are counted.
#[derive(Debug)]
pub(crate) struct CountedRoute {
    pub(crate) method: Method,
    /// The paths that serve it, with their placeholders.
    pub(crate) paths: Vec<String>,
    /// The statuses that are shown at zero: those that the documentation names.
    pub(crate) statuses: Vec<u16>,
}

/// The series of one operation.
#[derive(Debug)]
struct Series {
    method: &'static str,
    route: Box<str>,
    /// Bits of `statuses` that are shown at zero: those that the documentation names.
    documented: u32,
    statuses: [AtomicU64; STATUSES.len() + 1],
    /// The counts by `BOUNDS_US`, followed by the slower requests. The buckets are not cumulative.
    times: [AtomicU64; BOUNDS_US.len() + 1],
    total_us: AtomicU64,
}

/// The methods of one path with their series.
#[derive(Clone, Debug, Default)]
struct Route {
    methods: Vec<(Method, usize)>,
    other: usize,
}

/// The series of all operations.
pub(crate) struct Requests {
    routes: Router<Route>,
    /// The first one counts requests for unknown paths.
    series: Vec<Series>,
    in_flight: AtomicI64,
}

impl fmt::Debug for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Requests")
            .field("series", &self.series.len())
            .finish_non_exhaustive()
    }
}

/// The series that counts a request: its index in the list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SeriesIndex(usize);

impl SeriesIndex {
    /// The series of requests for unknown paths.
    pub(crate) const OTHER: Self = Self(0);
}

impl Series {
    fn new(method: &'static str, route: &str, documented: u32) -> Self {
        Self {
            method,
            route: route.into(),
            documented,
            statuses: std::array::from_fn(|_| AtomicU64::new(0)),
            times: std::array::from_fn(|_| AtomicU64::new(0)),
            total_us: AtomicU64::new(0),
        }
    }

    fn is_shown(&self) -> bool {
        self.documented != 0 || self.statuses.iter().any(|count| count.load(Relaxed) > 0)
    }

    fn labels(&self) -> [(&'static str, &str); 2] {
        [("method", self.method), ("route", &self.route)]
    }
}

impl Requests {
    /// Series for these routes, all at zero.
    pub(crate) fn new(counted: Vec<CountedRoute>) -> Self {
        let mut series = vec![Series::new(OTHER, OTHER, 0)];
        let mut routes: Vec<(String, Route)> = Vec::new();
        for CountedRoute {
            method,
            paths,
            statuses,
        } in counted
        {
            let documented = bits_of(&statuses);
            for path in &paths {
                let index = routes.iter().position(|(known, _)| known == path);
                let index = index.unwrap_or_else(|| {
                    series.push(Series::new(OTHER, path, 0));
                    let other = series.len() - 1;
                    let methods = Vec::new();
                    routes.push((path.clone(), Route { methods, other }));
                    routes.len() - 1
                });
                let methods = &mut routes[index].1.methods;
                let mut add = |method: &Method, documented| {
                    methods.push((method.clone(), series.len()));
                    series.push(Series::new(name_of(method), path, documented));
                };
                add(&method, documented);
                if method == Method::GET {
                    add(&Method::HEAD, 0);
                }
            }
        }
        let mut router = Router::new();
        for (path, route) in routes {
            let conflict = "the server's routes tell these paths apart";
            if let Some(same) = with_slash(&path) {
                router.insert(same, route.clone()).expect(conflict);
            }
            router.insert(path, route).expect(conflict);
        }
        Self {
            routes: router,
            series,
            in_flight: AtomicI64::new(0),
        }
    }

    /// The series that counts a request.
    pub(crate) fn series_of(&self, method: &Method, path: &str) -> SeriesIndex {
        let Ok(found) = self.routes.at(path) else {
            return SeriesIndex::OTHER;
        };
        let route = found.value;
        let known = route.methods.iter().find(|(known, _)| known == method);
        SeriesIndex(known.map_or(route.other, |(_, index)| *index))
    }

    /// Counts a request that begins. It must be followed by [`Self::end`].
    pub(crate) fn begin(&self) {
        self.in_flight.fetch_add(1, Relaxed);
    }

    /// Counts the end of a request, with a response or because its client disconnected.
    pub(crate) fn end(&self) {
        self.in_flight.fetch_sub(1, Relaxed);
    }

    /// Counts a response and the time to it.
    pub(crate) fn count(
        &self,
        SeriesIndex(index): SeriesIndex,
        status: StatusCode,
        time: Duration,
    ) {
        let Some(series) = self.series.get(index) else {
            return;
        };
        let us = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        series.statuses[index_of(status.as_u16())].fetch_add(1, Relaxed);
        series.times[BOUNDS_US.partition_point(|bound| *bound < us)].fetch_add(1, Relaxed);
        series.total_us.fetch_add(us, Relaxed);
    }
}

fn index_of(status: u16) -> usize {
    STATUSES.binary_search(&status).unwrap_or(OTHER_STATUS)
}

fn name_of(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        _ => OTHER,
    }
}

/// The documented statuses as bits.
fn bits_of(statuses: &[u16]) -> u32 {
    let index = statuses.iter().map(|status| index_of(*status));
    let index = index.filter(|index| *index != OTHER_STATUS);
    index.fold(0, |bits, index| bits | 1 << index)
}

impl Collector for Requests {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let in_flight = ConstGauge::new(self.in_flight.load(Relaxed));
        in_flight.encode(encoder.encode_descriptor(
            "tidings_http_requests_in_flight",
            "Requests without a response yet",
            None,
            in_flight.metric_type(),
        )?)?;
        let mut counts = encoder.encode_descriptor(
            "tidings_http_requests",
            "Requests completed, by method, path and status",
            None,
            MetricType::Counter,
        )?;
        let shown = || self.series.iter().filter(|series| series.is_shown());
        for series in shown() {
            for (index, count) in series.statuses.iter().enumerate() {
                let count = count.load(Relaxed);
                if count == 0 && series.documented & 1 << index == 0 {
                    continue;
                }
                let status = STATUSES.get(index).map(u16::to_string);
                let [method, route] = series.labels();
                let labels = [
                    method,
                    route,
                    ("status", status.as_deref().unwrap_or(OTHER)),
                ];
                ConstCounter::new(count).encode(counts.encode_family(&labels)?)?;
            }
        }
        let mut times = encoder.encode_descriptor(
            "tidings_http_request_duration",
            "Time from a request's head to that of its response",
            Some(&Unit::Seconds),
            MetricType::Histogram,
        )?;
        for series in shown() {
            let mut buckets = [(f64::INFINITY, 0); BOUNDS_US.len() + 1];
            for (bucket, bound) in buckets.iter_mut().zip(BOUNDS_US) {
                bucket.0 = Duration::from_micros(bound).as_secs_f64();
            }
            let mut count = 0;
            for (bucket, time) in buckets.iter_mut().zip(&series.times) {
                bucket.1 = time.load(Relaxed);
                count += bucket.1;
            }
            let total = Duration::from_micros(series.total_us.load(Relaxed)).as_secs_f64();
            let labels = series.labels();
            let mut encoder = times.encode_family(&labels)?;
            encoder.encode_histogram::<[(&str, &str); 0]>(total, count, &buckets, None)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requests() -> Requests {
        let route = |method, paths: &[&str]| CountedRoute {
            method,
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
            statuses: vec![200],
        };
        let events = ["/api/events", "/api/system/events"];
        Requests::new(vec![
            route(Method::GET, &events),
            route(Method::POST, &events),
            route(
                Method::GET,
                &["/api/events/{id}", "/api/system/events/{id}"],
            ),
            route(Method::GET, &["/api/events/types"]),
            route(Method::GET, &["/healthz"]),
        ])
    }

    #[test]
    fn counts_a_request_under_its_route_and_not_its_path() {
        let requests = requests();
        for (method, path, label, route) in [
            (
                Method::GET,
                "/api/system/events",
                "GET",
                "/api/system/events",
            ),
            (
                Method::POST,
                "/api/system/events/",
                "POST",
                "/api/system/events",
            ),
            (Method::HEAD, "/healthz", "HEAD", "/healthz"),
            (Method::GET, "/api/events/x", "GET", "/api/events/{id}"),
            (Method::GET, "/api/events/types", "GET", "/api/events/types"),
            (Method::PATCH, "/healthz", OTHER, "/healthz"),
            (Method::GET, "/a/b", OTHER, OTHER),
        ] {
            let SeriesIndex(index) = requests.series_of(&method, path);
            let series = &requests.series[index];
            assert_eq!((series.method, &*series.route), (label, route), "{path}");
        }
    }

    #[test]
    fn a_time_equal_to_a_bound_falls_into_its_bucket() {
        let requests = requests();
        let index = requests.series_of(&Method::GET, "/healthz");
        for us in [0, 500, 501, 1_000, 30_000_001] {
            requests.count(index, StatusCode::OK, Duration::from_micros(us));
        }
        requests.count(index, StatusCode::IM_A_TEAPOT, Duration::ZERO);
        let series = &requests.series[index.0];
        let times: Vec<_> = series.times.iter().map(|time| time.load(Relaxed)).collect();
        assert_eq!(times, [3, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(series.statuses[0].load(Relaxed), 5);
        assert_eq!(series.statuses[OTHER_STATUS].load(Relaxed), 1);
    }

    #[test]
    fn statuses_are_sorted_and_fit_into_the_bits() {
        assert!(STATUSES.is_sorted());
        assert!(STATUSES.len() < 32);
    }
}
