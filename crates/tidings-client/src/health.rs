//! What a server says about itself.

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::Response;
use reqwest::header::{DATE, HeaderMap};
use serde::Deserialize;
use url::Url;

use crate::error::ClientError;
use crate::fault::ProtocolFault;
use crate::response;

/// A server that is alive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// Its clock when it answered, to the second; `None` if the answer does not say.
    pub clock: Option<Timestamp>,
    /// Its version, such as `0.1.0`; `None` if it does not say, as the first ones did not.
    pub version: Option<String>,
}

#[derive(Deserialize)]
struct Body {
    status: String,
    version: Option<String>,
}

/// Reads the answer to `/healthz`. Many servers have this path; the body tells ours apart.
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
    fn the_clock_is_read_from_the_date_of_the_answer() {
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
