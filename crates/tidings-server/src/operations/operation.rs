//! One operation of the API: its method and path, its handler, and its documentation.

use std::sync::Arc;

use axum::Router;
use axum::http::Method;
use axum::routing::MethodRouter;
use tidings_event::ErrorCode;
#[cfg(feature = "openapi")]
use utoipa_axum::router::UtoipaMethodRouter;

use crate::identity::Access;
use crate::paths::with_slash;
use crate::state::AppState;

/// A method on a path, and on its aliases.
pub(crate) struct ApiOperation {
    #[cfg_attr(
        not(any(feature = "metrics", feature = "openapi")),
        expect(dead_code, reason = "the handler knows it too")
    )]
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    /// The other paths that serve it, each with its operation id there.
    pub(crate) aliases: Vec<(&'static str, &'static str)>,
    handler: MethodRouter<Arc<AppState>>,
    /// Without the errors.
    #[cfg(feature = "openapi")]
    pub(crate) documentation: utoipa::openapi::path::Operation,
    /// The schemas of its bodies and parameters.
    #[cfg(feature = "openapi")]
    pub(crate) schemas: Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::Schema>)>,
    /// The scopes that a caller needs.
    #[cfg_attr(
        not(feature = "openapi"),
        expect(dead_code, reason = "the extractors decide; this is documentation")
    )]
    pub(crate) access: Access,
    /// The codes of its errors, besides those that every operation has and those about the caller.
    pub(crate) errors: Vec<ErrorCode>,
}

impl ApiOperation {
    /// The operation that `handler` serves. The macro [`operation`] also gives it its documentation.
    pub(crate) fn new(
        method: Method,
        path: &'static str,
        access: Access,
        handler: MethodRouter<Arc<AppState>>,
    ) -> Self {
        Self {
            method,
            path,
            aliases: Vec::new(),
            handler,
            access,
            #[cfg(feature = "openapi")]
            documentation: utoipa::openapi::path::Operation::new(),
            #[cfg(feature = "openapi")]
            schemas: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// Takes over the documentation of the handler.
    ///
    /// # Panics
    ///
    /// If the handler documents another method or path.
    #[cfg(feature = "openapi")]
    pub(crate) fn documented(
        mut self,
        (schemas, mut paths, _): UtoipaMethodRouter<Arc<AppState>>,
    ) -> Self {
        let item = paths.paths.remove(self.path);
        let documentation = item.and_then(|item| match self.method {
            Method::GET => item.get,
            Method::PUT => item.put,
            Method::POST => item.post,
            Method::DELETE => item.delete,
            _ => None,
        });
        self.documentation = documentation.expect("the handler documents its method and path");
        self.schemas = schemas;
        self
    }

    /// Serves `OPTIONS` on the same path, which needs no documentation.
    pub(crate) fn with_options(mut self, handler: MethodRouter<Arc<AppState>>) -> Self {
        self.handler = self.handler.merge(handler);
        self
    }

    /// Serves another path, too, with an operation id of its own.
    pub(crate) fn also_at(mut self, path: &'static str, operation_id: &'static str) -> Self {
        self.aliases.push((path, operation_id));
        self
    }

    /// Documents errors with these codes.
    pub(crate) fn fails_with(mut self, codes: &[ErrorCode]) -> Self {
        self.errors.extend(codes);
        self
    }

    /// The paths that serve it; its own is the last.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &'static str> {
        let aliases = self.aliases.iter().map(|(path, _)| *path);
        aliases.chain([self.path])
    }

    /// Adds it to the routes.
    pub(crate) fn mount(&self, mut routes: Router<Arc<AppState>>) -> Router<Arc<AppState>> {
        for path in self.paths() {
            routes = routes.route(path, self.handler.clone());
            if let Some(path) = with_slash(path) {
                routes = routes.route(&path, self.handler.clone());
            }
        }
        routes
    }
}

/// The operation of a handler: `operation!(GET "/path", access, module::handler)`.
macro_rules! operation {
    ($method:ident $path:literal, $access:expr, $($handler:ident)::+) => {{
        let operation = $crate::operations::ApiOperation::new(
            axum::http::Method::$method,
            $path,
            $access,
            axum::routing::on(axum::routing::MethodFilter::$method, $($handler)::+),
        );
        #[cfg(feature = "openapi")]
        let operation = operation.documented(utoipa_axum::routes!($($handler)::+));
        operation
    }};
}

pub(crate) use operation;
