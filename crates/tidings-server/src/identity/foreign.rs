//! Requests for another host or from a page of another origin, and their error responses.

use axum::http::StatusCode;
use tidings_event::ErrorCode;

use crate::problem::{Problem, quoted};

/// The longest part of a foreign host or origin in the log: room for the longest domain.
const MAX_NAME_CHARS: usize = 300;

/// Why a request is rejected as foreign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ForeignRequest {
    /// Its host is not this server.
    Host { host: String },
    /// A web page of an origin that is not allowed sent it.
    Origin { origin: String },
    /// It changes something with a session cookie, and a page of another origin sent it.
    Cookie,
    /// A page of another site sent it, and the server has no authentication.
    Site,
}

/// The kind of a foreign request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Foreign {
    Host,
    Origin,
    Cookie,
}

impl Foreign {
    #[cfg(feature = "metrics")]
    pub(crate) const ALL: [Self; 3] = [Self::Host, Self::Origin, Self::Cookie];

    /// The label in logs and metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Origin => "origin",
            Self::Cookie => "cookie",
        }
    }
}

/// An extension of the response for the middleware that counts and logs foreign requests. The client does
/// not see it.
#[derive(Clone, Debug)]
pub(crate) struct Rejected {
    pub(crate) what: Foreign,
    /// The host or the origin as the client sent it.
    pub(crate) name: String,
}

impl ForeignRequest {
    /// The data to count and log. Requests from pages of other sites are left out, since any page that
    /// embeds this server's address causes them.
    pub(crate) fn rejected(&self) -> Option<Rejected> {
        let (what, name) = match self {
            Self::Host { host } => (Foreign::Host, host.as_str()),
            Self::Origin { origin } => (Foreign::Origin, origin.as_str()),
            Self::Cookie => (Foreign::Cookie, ""),
            Self::Site => return None,
        };
        let name = name.chars().take(MAX_NAME_CHARS).collect();
        Some(Rejected { what, name })
    }

    pub(crate) fn problem(&self) -> Problem {
        match self {
            Self::Host { host } => forbidden(
                ErrorCode::ForeignHost,
                "The request does not name this machine as its host",
            )
            .probable_cause("without authentication the server serves this machine only")
            .detail(
                format!("Host is {}", quoted(host)),
                "use http://localhost or http://127.0.0.1 with the server's port; behind a proxy, \
                 an operator must name its address with --public-url",
            ),
            Self::Origin { origin } => forbidden(
                ErrorCode::ForeignOrigin,
                "The request comes from a web page of another origin",
            )
            .probable_cause("the server serves its own pages and those of allowed origins")
            .detail(
                format!("Origin is {}", quoted(origin)),
                "open the page from this server, or send the request from a program; an operator \
                 can name a proxy's address with --public-url, or allow another origin with \
                 --allow-origin",
            ),
            Self::Cookie => forbidden(
                ErrorCode::ForeignOrigin,
                "The request changes something with a session cookie, and is not from a page of \
                 this server",
            )
            .probable_cause("browsers send cookies for other sites' pages, too")
            .remedy(
                "send the header Origin of this server's page, or a token instead of the cookie",
            ),
            Self::Site => forbidden(
                ErrorCode::ForeignOrigin,
                "The browser sends this request for a page of another site",
            )
            .probable_cause(
                "`Sec-Fetch-Site` is cross-site or same-site, and this server has no authentication",
            )
            .remedy(
                "open the server's own page; to use the API from other pages, start the server \
                 with --auth jwt and --allow-origin, or serve the page from the same origin \
                 through a proxy",
            ),
        }
    }
}

fn forbidden(code: ErrorCode, error: &str) -> Problem {
    Problem::rejection(StatusCode::FORBIDDEN, code, error)
}
