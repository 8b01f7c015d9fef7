//! Reading the server's responses.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use serde::de::DeserializeOwned;
use tidings_event::ErrorBody;
use url::Url;

use crate::error::{ClientError, ErrorKind};
use crate::fault::ProtocolFault;

/// The maximum size of a response: twice the largest page of 1,000 events of 128 KiB. It prevents a broken
/// server from filling the memory.
const MAX_RESPONSE_BYTES: usize = 256 * 1024 * 1024;

/// The maximum size of an error response.
const MAX_ERROR_BYTES: usize = 1024 * 1024;

/// The maximum wait that the client accepts from a server, so that one faulty response does not stop it for
/// long.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// Reads the body of a successful response.
pub(crate) async fn json<T: DeserializeOwned>(
    response: Response,
    server: &Url,
) -> Result<T, ClientError> {
    let body = body(response, MAX_RESPONSE_BYTES, server).await?;
    serde_json::from_slice(&body)
        .map_err(|error| ClientError::protocol(server, ProtocolFault::Body).with_source(error))
}

/// Reads the body of a successful response as text.
pub(crate) async fn text(response: Response, server: &Url) -> Result<String, ClientError> {
    let body = body(response, MAX_RESPONSE_BYTES, server).await?;
    String::from_utf8(body)
        .map_err(|error| ClientError::protocol(server, ProtocolFault::Body).with_source(error))
}

/// Reads a response with another status than expected: its error body, or just the status.
pub(crate) async fn rejection(response: Response, server: &Url) -> ClientError {
    let status = response.status();
    let wait = retry_after(status, response.headers());
    let unknown = ClientError::protocol(server, ProtocolFault::Status(status.as_u16()))
        .with_retry_after(wait);
    if !status.is_client_error() && !status.is_server_error() {
        return unknown;
    }
    let Ok(body) = body(response, MAX_ERROR_BYTES, server).await else {
        // The status is more useful than the error of its body.
        return unknown;
    };
    match serde_json::from_slice::<ErrorBody>(&body) {
        Ok(body) => {
            let status = status.as_u16();
            ClientError::new(ErrorKind::Rejected { status, body }).with_retry_after(wait)
        }
        Err(error) => unknown.with_source(error),
    }
}

/// The `Retry-After` of a 429 or 503 in whole seconds. The other form, a date, is ignored because it requires
/// synchronized clocks.
fn retry_after(status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
    let applies = matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    );
    let text = headers
        .get(RETRY_AFTER)
        .filter(|_| applies)?
        .to_str()
        .ok()?;
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // A number that does not fit is treated as the maximum.
    let seconds = is_number.then(|| text.parse().unwrap_or(u64::MAX))?;
    Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER))
}

/// Accepts only a response that is a stream of events.
pub(crate) async fn stream(response: Response, server: &Url) -> Result<Response, ClientError> {
    if response.status() != StatusCode::OK {
        return Err(rejection(response, server).await);
    }
    if is_event_stream(response.headers()) {
        Ok(response)
    } else {
        Err(ClientError::protocol(server, ProtocolFault::NotAStream))
    }
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE);
    content_type
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("text/event-stream"))
}

async fn body(
    mut response: Response,
    max_bytes: usize,
    server: &Url,
) -> Result<Vec<u8>, ClientError> {
    let mut body = Vec::new();
    while let Some(piece) = chunk(&mut response, server).await? {
        if body.len() + piece.len() > max_bytes {
            let fault = ProtocolFault::BodyTooLarge(max_bytes);
            return Err(ClientError::protocol(server, fault));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

/// The next bytes of a body; `None` at the end. Cancel-safe.
pub(crate) async fn chunk(
    response: &mut Response,
    server: &Url,
) -> Result<Option<bytes::Bytes>, ClientError> {
    response
        .chunk()
        .await
        .map_err(|error| ClientError::of_request(server, error))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn reads_whole_seconds_of_retry_after_up_to_a_maximum() {
        let wait = |status, text: &str| {
            let headers =
                HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_str(text).unwrap())]);
            retry_after(status, &headers).map(|wait| wait.as_secs())
        };
        for (text, expected) in [
            ("0", Some(0)),
            ("17", Some(17)),
            ("61", Some(60)),
            ("99999999999999999999999", Some(60)),
            ("", None),
            ("-1", None),
            ("1.5", None),
            ("Fri, 31 Dec 2027 23:59:59 GMT", None),
        ] {
            assert_eq!(
                wait(StatusCode::TOO_MANY_REQUESTS, text),
                expected,
                "{text}"
            );
            assert_eq!(
                wait(StatusCode::SERVICE_UNAVAILABLE, text),
                expected,
                "{text}"
            );
            assert_eq!(wait(StatusCode::FORBIDDEN, text), None);
        }
    }
}
