//! The errors of an operation, by their status.

use std::collections::BTreeMap;

use tidings_event::{ErrorBody, ErrorCode};
use utoipa::ToSchema as _;
use utoipa::openapi::example::{Example, ExampleBuilder};
use utoipa::openapi::{
    ContentBuilder, Header, Object, Ref, RefOr, ResponseBuilder, Responses, Type,
};

use crate::error;
use crate::identity::Access;

/// What every operation can be refused with.
const ALWAYS: [ErrorCode; 3] = [
    ErrorCode::ForeignHost,
    ErrorCode::ForeignOrigin,
    ErrorCode::Internal,
];

/// An answer with each code.
pub(super) fn examples() -> BTreeMap<String, RefOr<Example>> {
    let examples = ErrorCode::ALL.map(|code| {
        let (_, body) = error::sample(code);
        let value = serde_json::to_value(body).expect("an error body has only text keys");
        let example = ExampleBuilder::new().value(Some(value)).build();
        (code.to_string(), RefOr::T(example))
    });
    examples.into()
}

/// What a caller can be refused with who may not ask for this.
fn about_callers(access: Access) -> &'static [ErrorCode] {
    const CALLER: [ErrorCode; 6] = [
        ErrorCode::TokenMissing,
        ErrorCode::TokenInvalid,
        ErrorCode::TokenExpired,
        ErrorCode::TokenRevoked,
        ErrorCode::KeysUnavailable,
        ErrorCode::InsufficientScope,
    ];
    match access {
        Access::Everybody => &[],
        Access::Caller => &CALLER[..5],
        Access::AnyOf(_) => &CALLER,
    }
}

/// Adds an answer for each status of these codes. Its description names them, each with its sentence,
/// and it has an example of each.
pub(super) fn add(responses: &mut Responses, codes: &[ErrorCode], access: Access) {
    let mut by_status: BTreeMap<String, Vec<ErrorBody>> = BTreeMap::new();
    for code in codes.iter().chain(&ALWAYS).chain(about_callers(access)) {
        let (status, body) = error::sample(*code);
        let bodies = by_status.entry(status.as_str().to_owned()).or_default();
        if !bodies.iter().any(|other| other.code == body.code) {
            bodies.push(body);
        }
    }
    for (status, bodies) in by_status {
        let described = bodies
            .iter()
            .map(|body| format!("`{}`: {}.", body.code, body.error));
        let description: Vec<String> = described.collect();
        let examples = bodies.iter().map(|body| {
            let code = body.code.to_string();
            let example = Ref::new(format!("#/components/examples/{code}"));
            (code, RefOr::Ref(example))
        });
        let content = ContentBuilder::new()
            .schema(Some(Ref::from_schema_name(ErrorBody::name())))
            .examples_from_iter(examples)
            .build();
        let mut response = ResponseBuilder::new()
            .description(description.join(" "))
            .content("application/json", content);
        if status == "429" || status == "503" {
            let seconds = Object::with_type(Type::Integer);
            let mut header = Header::new(seconds);
            header.description = Some("When to try again, in seconds.".to_owned());
            response = response.header("Retry-After", header);
        }
        // What the operation says itself of an answer with this status is more exact.
        let responses = &mut responses.responses;
        responses
            .entry(status)
            .or_insert(RefOr::T(response.build()));
    }
}
