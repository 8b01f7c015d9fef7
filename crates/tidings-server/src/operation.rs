//! One operation of the API: where it is, what serves it, and how it is documented.

use std::sync::Arc;

use axum::Router;
use axum::routing::MethodRouter;
use tidings_event::ErrorCode;
use utoipa::openapi::path::HttpMethod;

use crate::identity::Access;
use crate::router::{COLLECTIONS, PROBES};
use crate::state::AppState;

/// A method on a path, and on the other paths where the same is served.
pub(crate) struct Operation {
    pub(crate) method: HttpMethod,
    pub(crate) path: String,
    /// The other paths, each with the name of the operation there.
    pub(crate) aliases: Vec<(&'static str, &'static str)>,
    handler: MethodRouter<Arc<AppState>>,
    /// Without the errors.
    pub(crate) documentation: utoipa::openapi::path::Operation,
    /// Who may ask for it.
    pub(crate) access: Access,
    /// The codes with which it can be refused, beside those that every operation has and those about
    /// who asks.
    pub(crate) errors: Vec<ErrorCode>,
}

impl Operation {
    /// The operation that `P` documents and `handler` serves. The method is named once by each.
    pub(crate) fn of<P: utoipa::Path>(
        access: Access,
        handler: MethodRouter<Arc<AppState>>,
    ) -> Self {
        let method = P::methods().into_iter().next();
        Self {
            method: method.expect("an operation has a method"),
            path: P::path(),
            aliases: Vec::new(),
            handler,
            access,
            documentation: P::operation(),
            errors: Vec::new(),
        }
    }

    /// Served at another path too, where it has another name in the documentation.
    pub(crate) fn also_at(mut self, path: &'static str, name: &'static str) -> Self {
        self.aliases.push((path, name));
        self
    }

    /// Can be refused with these codes.
    pub(crate) fn fails_with(mut self, codes: &[ErrorCode]) -> Self {
        self.errors.extend(codes);
        self
    }

    /// Adds it to the routes.
    pub(crate) fn mount(&self, mut routes: Router<Arc<AppState>>) -> Router<Arc<AppState>> {
        let aliases = self.aliases.iter().map(|(path, _)| *path);
        for path in aliases.chain([self.path.as_str()]) {
            routes = routes.route(path, self.handler.clone());
            if COLLECTIONS.contains(&path) || PROBES.contains(&path) {
                routes = routes.route(&format!("{path}/"), self.handler.clone());
            }
        }
        routes
    }
}
