//! The body of an answer, handed out in pieces.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Body, HttpBody};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use bytes::Bytes;
use futures_util::Stream;
use http_body::{Frame, SizeHint};

use crate::error::ApiError;

/// The most that is handed out at once: what the HTTP library holds beyond its buffers.
const PIECE_BYTES: usize = 64 * 1024;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The rest of an answer that is made while its client takes it. An error breaks the connection off, so
/// that the client does not take half of an answer for all of it.
type Rest = Pin<Box<dyn Stream<Item = Result<Vec<Bytes>, ApiError>> + Send>>;

/// Pieces that follow one another.
pub(crate) struct AnswerBody {
    ready: VecDeque<Bytes>,
    rest: Option<Rest>,
}

impl AnswerBody {
    /// A body that is there.
    pub(crate) fn whole(pieces: impl IntoIterator<Item = Bytes>) -> Self {
        Self {
            ready: pieces
                .into_iter()
                .filter(|piece| !piece.is_empty())
                .collect(),
            rest: None,
        }
    }

    /// A body that continues with what is still to be made.
    pub(crate) fn with_rest(
        pieces: impl IntoIterator<Item = Bytes>,
        rest: impl Stream<Item = Result<Vec<Bytes>, ApiError>> + Send + 'static,
    ) -> Self {
        Self {
            rest: Some(Box::pin(rest)),
            ..Self::whole(pieces)
        }
    }

    /// An answer of JSON.
    pub(crate) fn into_json(self) -> Response {
        let mut response = Response::new(Body::new(self));
        response.headers_mut().insert(CONTENT_TYPE, JSON);
        response
    }
}

impl HttpBody for AnswerBody {
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

    /// Never 0 while there is something to be taken.
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

/// An answer that could not be made to its end.
#[derive(Debug, thiserror::Error)]
#[error("an answer broke off: {0:?}")]
pub(crate) struct Broken(ApiError);

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn pieces_are_small_and_the_size_is_known_if_all_is_there() {
        let large = Bytes::from(vec![b'x'; 2 * PIECE_BYTES + 1]);
        let body = AnswerBody::whole([Bytes::new(), large.clone(), "y".into()]);
        assert_eq!(body.size_hint().exact(), Some(large.len() as u64 + 1));
        let mut body = std::pin::pin!(body);
        let mut sizes = Vec::new();
        while let Some(frame) = body.frame().await {
            sizes.push(frame.unwrap().into_data().unwrap().len());
        }
        assert_eq!(sizes, [PIECE_BYTES, PIECE_BYTES, 1, 1]);
    }

    #[tokio::test]
    async fn what_is_made_later_follows_and_a_fault_breaks_it_off() {
        let rest = stream::iter([Ok(vec!["b".into()]), Ok(vec![]), Ok(vec!["c".into()])]);
        let body = AnswerBody::with_rest(["a".into()], rest);
        assert_eq!(
            (body.size_hint().lower(), body.size_hint().exact()),
            (1, None)
        );
        assert_eq!(body.collect().await.unwrap().to_bytes(), "abc");

        let rest = stream::iter([Err(ApiError::StoreTimeout)]);
        let body = AnswerBody::with_rest(["a".into()], rest);
        assert!(body.collect().await.is_err());
    }
}
