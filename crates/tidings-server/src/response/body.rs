//! The body of a response, handed out in pieces.

use std::collections::VecDeque;
use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Body, HttpBody};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use bytes::Bytes;
use futures_util::{Stream, TryStreamExt as _};
use http_body::{Frame, SizeHint};

/// The most that is handed out at once: what the HTTP library holds beyond its buffers.
const PIECE_BYTES: usize = 64 * 1024;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The rest of a response, produced while its client reads. An error ends the connection, so that the
/// client does not mistake half of a response for all of it.
type Rest = Pin<Box<dyn Stream<Item = Result<Vec<Bytes>, BoxError>> + Send>>;

type BoxError = Box<dyn Error + Send + Sync>;

/// Pieces that follow one another.
pub(crate) struct ResponseBody {
    ready: VecDeque<Bytes>,
    rest: Option<Rest>,
}

impl ResponseBody {
    /// A body that is complete.
    pub(crate) fn whole(pieces: impl IntoIterator<Item = Bytes>) -> Self {
        Self {
            ready: pieces
                .into_iter()
                .filter(|piece| !piece.is_empty())
                .collect(),
            rest: None,
        }
    }

    /// A body that continues with pieces that are still to be made.
    pub(crate) fn with_rest<E: Into<BoxError> + 'static>(
        pieces: impl IntoIterator<Item = Bytes>,
        rest: impl Stream<Item = Result<Vec<Bytes>, E>> + Send + 'static,
    ) -> Self {
        Self {
            rest: Some(Box::pin(rest.map_err(E::into))),
            ..Self::whole(pieces)
        }
    }

    /// A response of JSON.
    pub(crate) fn into_json(self) -> Response {
        let mut response = Response::new(Body::new(self));
        response.headers_mut().insert(CONTENT_TYPE, JSON);
        response
    }
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        loop {
            if let Some(mut piece) = self.ready.pop_front() {
                if piece.len() > PIECE_BYTES {
                    let now = piece.split_to(PIECE_BYTES);
                    self.ready.push_front(piece);
                    piece = now;
                }
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
            let Some(rest) = &mut self.rest else {
                return Poll::Ready(None);
            };
            match ready!(rest.as_mut().poll_next(context)) {
                Some(Ok(pieces)) => self.ready.extend(pieces),
                Some(Err(error)) => {
                    self.rest = None;
                    return Poll::Ready(Some(Err(Broken(error))));
                }
                None => self.rest = None,
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ready.is_empty() && self.rest.is_none()
    }

    /// Never 0 while there is something to read.
    fn size_hint(&self) -> SizeHint {
        let ready: usize = self.ready.iter().map(Bytes::len).sum();
        let ready = u64::try_from(ready).unwrap_or(u64::MAX);
        if self.rest.is_none() {
            return SizeHint::with_exact(ready);
        }
        let mut hint = SizeHint::new();
        hint.set_lower(ready.max(1));
        hint
    }
}

/// A response that could not be completed.
#[derive(Debug, thiserror::Error)]
#[error("a response broke off")]
pub(crate) struct Broken(#[source] BoxError);

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn splits_pieces_and_knows_the_size_of_a_complete_body() {
        let large = Bytes::from(vec![b'x'; 2 * PIECE_BYTES + 1]);
        let body = ResponseBody::whole([Bytes::new(), large.clone(), "y".into()]);
        assert_eq!(body.size_hint().exact(), Some(large.len() as u64 + 1));
        let mut body = std::pin::pin!(body);
        let mut sizes = Vec::new();
        while let Some(frame) = body.frame().await {
            sizes.push(frame.unwrap().into_data().unwrap().len());
        }
        assert_eq!(sizes, [PIECE_BYTES, PIECE_BYTES, 1, 1]);
    }

    #[tokio::test]
    async fn appends_later_pieces_and_breaks_off_on_an_error() {
        let rest = [vec!["b".into()], vec![], vec!["c".into()]].map(Ok::<_, BoxError>);
        let rest = stream::iter(rest);
        let body = ResponseBody::with_rest(["a".into()], rest);
        assert_eq!(
            (body.size_hint().lower(), body.size_hint().exact()),
            (1, None)
        );
        assert_eq!(body.collect().await.unwrap().to_bytes(), "abc");

        let rest = stream::iter([Err("a failure")]);
        let body = ResponseBody::with_rest(["a".into()], rest);
        assert!(body.collect().await.is_err());
    }
}
