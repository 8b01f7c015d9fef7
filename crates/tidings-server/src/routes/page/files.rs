//! The files of the page, which are built from `ui/` and embedded into the program.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Write as _;
use std::sync::LazyLock;

use axum::body::Body;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::RustEmbed;
use sha2::{Digest as _, Sha256};

/// The output of `vite build`.
#[derive(RustEmbed)]
#[folder = "ui/"]
struct Built;

/// Compression does not make shorter files smaller.
const WORTH_COMPRESSING: usize = 1_024;

/// All files except the page itself, by their paths.
static FILES: LazyLock<HashMap<String, File>> = LazyLock::new(|| {
    let paths = Built::iter().map(Cow::into_owned);
    let paths = paths.filter(|path| path != "index.html");
    paths
        .filter_map(|path| {
            let content = read(&path)?.into_owned();
            let file = File::new(&path, content);
            Some((path, file))
        })
        .collect()
});

/// The time for which a browser can use a file without asking whether it has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caching {
    /// The browser asks each time. In most cases the file has not changed.
    Never,
    /// The name changes with the content.
    ForEver,
}

/// A file as it is sent.
#[derive(Debug)]
pub(super) struct File {
    media_type: HeaderValue,
    tag: HeaderValue,
    plain: Bytes,
    compressed: Option<Bytes>,
}

/// The embedded file at a path.
pub(super) fn read(path: &str) -> Option<Cow<'static, [u8]>> {
    Built::get(path).map(|file| file.data)
}

/// The file at a path, except the page itself.
pub(super) fn built(path: &str) -> Option<&'static File> {
    FILES.get(path)
}

impl File {
    pub(super) fn new(path: &str, content: Vec<u8>) -> Self {
        let tag = URL_SAFE_NO_PAD.encode(&Sha256::digest(&content)[..12]);
        let compressed = (content.len() >= WORTH_COMPRESSING)
            .then(|| compress(&content))
            .filter(|compressed| compressed.len() < content.len());
        Self {
            media_type: media_type(path),
            tag: HeaderValue::try_from(format!("\"{tag}\"")).expect("a tag is ASCII"),
            plain: content.into(),
            compressed: compressed.map(Bytes::from),
        }
    }

    /// The response to a request with these headers.
    pub(super) fn respond(&self, request: &HeaderMap, caching: Caching) -> Response {
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        let caching = match caching {
            Caching::Never => "no-cache",
            Caching::ForEver => "public, max-age=31536000, immutable",
        };
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
        headers.insert(ETAG, self.tag.clone());
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if is_known(request, &self.tag) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        headers.insert(CONTENT_TYPE, self.media_type.clone());
        let content = match &self.compressed {
            Some(compressed) if takes_gzip(request) => {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                compressed
            }
            _ => &self.plain,
        };
        *response.body_mut() = Body::from(content.clone());
        response
    }
}

/// Runs once per file and process, at the highest level.
fn compress(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    // Writing to memory cannot fail.
    let written = encoder.write_all(content).and_then(|()| encoder.finish());
    written.expect("memory takes all")
}

/// Whether the client has the file already (RFC 9110 §13.1.2).
fn is_known(request: &HeaderMap, tag: &HeaderValue) -> bool {
    let known = request.get_all(IF_NONE_MATCH).into_iter();
    let known = known.filter_map(|value| value.to_str().ok());
    let Ok(tag) = tag.to_str() else {
        return false;
    };
    known
        .flat_map(|value| value.split(','))
        .map(|value| value.trim())
        .any(|value| value == "*" || value.trim_start_matches("W/") == tag)
}

/// Whether the client accepts gzip (RFC 9110 §12.5.3).
fn takes_gzip(request: &HeaderMap) -> bool {
    let accepted = request.get_all(ACCEPT_ENCODING).into_iter();
    let accepted = accepted.filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let rejected = matches!(
            weight.trim().strip_prefix("q="),
            Some("0" | "0." | "0.0" | "0.00" | "0.000")
        );
        name.trim().eq_ignore_ascii_case("gzip") && !rejected
    })
}

fn media_type(path: &str) -> HeaderValue {
    let extension = path.rsplit('.').next().unwrap_or_default();
    HeaderValue::from_static(match extension {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        _ => "application/octet-stream",
    })
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    fn headers(name: axum::http::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[tokio::test]
    async fn compresses_for_clients_that_accept_gzip() {
        let content = "const text = 1;\n".repeat(100);
        let file = File::new("a.js", content.clone().into_bytes());
        for (accepted, packed) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip;q=0.000", false),
            ("br", false),
            ("", false),
        ] {
            let response = file.respond(&headers(ACCEPT_ENCODING, accepted), Caching::ForEver);
            let is_packed = response.headers().contains_key(CONTENT_ENCODING);
            assert_eq!(is_packed, packed, "{accepted}");
            let body = response.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(body == content, !packed, "{accepted}");
        }
    }

    #[tokio::test]
    async fn does_not_send_a_cached_file_again() {
        let file = File::new("a.js", b"1".to_vec());
        let response = file.respond(&HeaderMap::new(), Caching::Never);
        let tag = response.headers()[ETAG].to_str().unwrap().to_owned();
        for (known, status) in [
            (tag.clone(), 304),
            (format!("\"x\", W/{tag}"), 304),
            ("*".to_owned(), 304),
            ("\"x\"".to_owned(), 200),
        ] {
            let known = HeaderValue::try_from(known).unwrap();
            let request = HeaderMap::from_iter([(IF_NONE_MATCH, known.clone())]);
            let response = file.respond(&request, Caching::Never);
            assert_eq!(response.status(), status, "{known:?}");
        }
    }

    /// The most compressed bytes of all files of the page.
    const MOST_BYTES: usize = 62 * 1024;

    /// The most compressed bytes of those that a page with a bell and an inbox loads at once.
    const MOST_BYTES_AT_ONCE: usize = 45 * 1024;

    /// The scripts that load when the reader first opens an event or a dialog.
    const LATER: [&str; 2] = ["assets/detail-", "assets/dialogs-"];

    #[test]
    #[expect(
        clippy::print_stdout,
        reason = "the sizes are in the report of the test"
    )]
    fn the_page_is_small() {
        let page = File::new("index.html", read("index.html").unwrap().into_owned());
        let length = |file: &File| file.compressed.as_ref().unwrap_or(&file.plain).len();
        let is_later = |path: &str| LATER.iter().any(|name| path.starts_with(name));
        let (mut at_once, mut later, mut found) = (length(&page), 0, 0);
        for (path, file) in FILES.iter() {
            if is_later(path) {
                later += length(file);
                found += 1;
            } else {
                at_once += length(file);
            }
        }
        println!("the page: {at_once} bytes with gzip at once, {later} later");
        assert_eq!(found, LATER.len(), "the names of the scripts have changed");
        assert!(at_once <= MOST_BYTES_AT_ONCE, "{at_once} bytes at once");
        assert!(at_once + later <= MOST_BYTES, "{} bytes", at_once + later);
    }

    #[test]
    fn the_components_and_a_page_are_built_in() {
        assert!(built("tidings.js").is_some());
        assert!(
            built("index.html").is_none(),
            "it is answered with a policy only"
        );
        assert!(read("index.html").is_some());
        assert!(FILES.keys().any(|path| path.starts_with("assets/page-")));
    }
}
