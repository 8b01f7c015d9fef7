//! The health of a server.

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::Response;
use reqwest::header::{DATE, HeaderMap};
use serde::Deserialize;
use url::Url;

use crate::error::ClientError;
use crate::fault::ProtocolFault;
use crate::response;

/// The response of a healthy server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// The server's clock at the time of the response, in whole seconds. `None` if the response has no
    /// `Date`.
    pub clock: Option<Timestamp>,
    /// The server's version, such as `0.1.0`. `None` for early versions, which do not report it.
    pub version: Option<String>,
}

#[derive(Deserialize)]
struct Body {
    status: String,
    version: Option<String>,
}

/// Reads the response to `/healthz`. Many servers have this path; the body identifies Tidings.
pub(crate) async fn read(response: Response, server: &Url) -> Result<Health, ClientError> {
    let clock = clock(response.headers());
    let body: Body = response::json(response, server).await?;
    if body.status == "alive" {
        Ok(Health {
            clock,
            version: body.version,
        })
    } else {
        Err(ClientError::protocol(server, ProtocolFault::Body))
    }
}

fn clock(headers: &HeaderMap) -> Option<Timestamp> {
    let date = headers.get(DATE)?.as_bytes();
    DateTimeParser::new().parse_timestamp(date).ok()
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn reads_the_clock_from_the_date_header() {
        for (date, expected) in [
            (
                "Sat, 01 Aug 2026 10:00:07 GMT",
                Some("2026-08-01T10:00:07Z"),
            ),
            ("yesterday", None),
        ] {
            let headers = HeaderMap::from_iter([(DATE, HeaderValue::from_static(date))]);
            let clock = clock(&headers).map(|clock| clock.to_string());
            assert_eq!(clock.as_deref(), expected, "{date}");
        }
        assert_eq!(clock(&HeaderMap::new()), None);
    }
}
