//! The errors of an operation, by their status.

use std::collections::BTreeMap;

use tidings_event::{ErrorBody, ErrorCode};
use utoipa::ToSchema as _;
use utoipa::openapi::example::{Example, ExampleBuilder};
use utoipa::openapi::{
    ContentBuilder, Header, Object, Ref, RefOr, ResponseBuilder, Responses, Type,
};

use crate::identity::Access;
use crate::schema::errors::sample;

/// The errors of every operation.
const ALWAYS: [ErrorCode; 3] = [
    ErrorCode::ForeignHost,
    ErrorCode::ForeignOrigin,
    ErrorCode::Internal,
];

/// An error body of each code.
pub(super) fn examples() -> BTreeMap<String, RefOr<Example>> {
    let examples = ErrorCode::ALL.map(|code| {
        let body = sample(code).problem().into_body();
        let value = serde_json::to_value(body).expect("an error body has only text keys");
        let example = ExampleBuilder::new().value(Some(value)).build();
        (code.to_string(), RefOr::T(example))
    });
    examples.into()
}

/// The errors about the caller.
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

/// Adds a response for each status of these codes. Its description names the codes with their
/// sentences, and each has an example.
pub(super) fn add(responses: &mut Responses, codes: &[ErrorCode], access: Access) {
    let mut by_status: BTreeMap<String, Vec<ErrorBody>> = BTreeMap::new();
    for code in codes.iter().chain(&ALWAYS).chain(about_callers(access)) {
        let problem = sample(*code).problem();
        let status = problem.status();
        let body = problem.into_body();
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
        // A response that the operation documents itself is more exact.
        let responses = &mut responses.responses;
        responses
            .entry(status)
            .or_insert(RefOr::T(response.build()));
    }
}
