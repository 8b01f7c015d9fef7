//! Authentication in the document.

use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};

use crate::identity::Access;
use crate::token::Scopes;

/// The name of the security scheme.
pub(super) const BEARER: &str = "token";

pub(super) fn bearer() -> SecurityScheme {
    let mut bearer = Http::new(HttpAuthScheme::Bearer);
    bearer.bearer_format = Some("JWT".to_owned());
    bearer.description = Some(
        "Required if the server runs with `--auth jwt`. A browser can send the token in a session \
         cookie instead. The scopes of an operation are alternatives: one of them is enough."
            .to_owned(),
    );
    SecurityScheme::Http(bearer)
}

/// The scopes of an operation, one of which is enough.
pub(super) fn requirement(access: Access) -> Option<SecurityRequirement> {
    match access {
        Access::Everybody => None,
        Access::Caller => Some(SecurityRequirement::new(BEARER, [""; 0])),
        Access::AnyOf(scopes) => {
            let names = scopes.iter().map(Scopes::to_string);
            Some(SecurityRequirement::new(BEARER, names))
        }
    }
}
