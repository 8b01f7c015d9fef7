//! The OpenAPI document, made of the table of operations with their schemas and errors.

mod errors;
mod security;

use std::sync::LazyLock;

use axum::http::Method;
use bytes::Bytes;
use serde_json::Value;
use tidings_event::{
    ContentChange, CountDelta, Deletion, ErrorBody, ResetReason, StatusChange, Summary,
};
use utoipa::ToSchema;
use utoipa::openapi::path::HttpMethod;
use utoipa::openapi::{
    Components, Contact, Info, License, OpenApi, OpenApiBuilder, Paths, Responses, Server, Tag,
};

use crate::operations::{self, ApiOperation};
use crate::paths::COLLECTIONS;
use security::{BEARER, bearer, requirement};

const DESCRIPTION: &str = "\
Tidings is a durable notification inbox: published events are stored, pushed to every open stream of \
their owner, and replayed after a reconnect. \
The documentation is in docs/api.md (every request), docs/streaming.md (the live stream) and \
docs/sending-events.md (what to put into an event).\n\n\
Every error has the body `ErrorBody`. Besides the documented errors of each operation, any request can \
return 403 `foreign_host` or `foreign_origin`, an unknown path returns 404 `route_not_found`, and a \
method that a path does not accept returns 405 `method_not_allowed`. `HEAD` works wherever `GET` does. \
A slash at the end of `/api/system/events/` and `/api/events/` is ignored.";

/// The OpenAPI document of the whole server, as `/openapi.json` returns it and `docs/openapi.json` holds
/// it: JSON with a line break at the end.
///
/// # Panics
///
/// Never: a document has only text keys.
pub fn openapi() -> String {
    written(&value())
}

/// The document as the server serves it.
pub(crate) fn served(has_login: bool) -> Bytes {
    static WITH_LOGIN: LazyLock<Bytes> = LazyLock::new(|| openapi().into());
    static WITHOUT_LOGIN: LazyLock<Bytes> = LazyLock::new(|| openapi_without_login().into());
    Bytes::clone(if has_login {
        &WITH_LOGIN
    } else {
        &WITHOUT_LOGIN
    })
}

/// The statuses that the documentation of an operation names, which are labels of metrics.
#[cfg(feature = "metrics")]
pub(crate) fn documented_statuses(operation: &ApiOperation) -> Vec<u16> {
    let responses = responses(operation).responses;
    let statuses = responses.keys().filter_map(|status| status.parse().ok());
    statuses.collect()
}

/// The document of a server without authentication, which neither asks for a token nor rejects one.
fn openapi_without_login() -> String {
    let mut document = value();
    remove(&mut document["components"], "securitySchemes");
    let paths = document["paths"].as_object_mut();
    for item in paths.into_iter().flat_map(serde_json::Map::values_mut) {
        for operation in item
            .as_object_mut()
            .into_iter()
            .flat_map(serde_json::Map::values_mut)
        {
            remove(operation, "security");
            remove(&mut operation["responses"], "401");
        }
    }
    written(&document)
}

fn value() -> Value {
    let mut document = serde_json::to_value(document()).expect("a document has only text keys");
    clean(&mut document);
    refine(&mut document);
    document
}

fn written(document: &Value) -> String {
    let mut json = serde_json::to_string_pretty(document).expect("values have only text keys");
    json.push('\n');
    json
}

fn remove(value: &mut Value, key: &str) {
    if let Some(object) = value.as_object_mut() {
        object.remove(key);
    }
}

/// Removes what is meant for readers of the code: links to items, and `null` as the default of absent
/// fields.
fn clean(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if object.get("default") == Some(&Value::Null) {
                object.remove("default");
            }
            // Every key in JSON is a text. Some generators look for a type of that name.
            object.remove("propertyNames");
            if let Some(Value::String(text)) = object.get_mut("description") {
                *text = text
                    .replace("[`", "`")
                    .replace("`]", "`")
                    .replace('\n', " ");
            }
            object.values_mut().for_each(clean);
        }
        Value::Array(items) => items.iter_mut().for_each(clean),
        _ => {}
    }
}

/// Adds what utoipa cannot express.
fn refine(document: &mut Value) {
    let schemas = &mut document["components"]["schemas"];
    // A batch without events is rejected: most likely it is a mistake.
    schemas["Publication"]["oneOf"][1]["minItems"] = 1.into();
    // An empty filter is rejected: it would select everything.
    schemas["ChangeFilter"]["minProperties"] = 1.into();
}

fn document() -> OpenApi {
    let operations = operations::all();
    let mut paths = Paths::new();
    for operation in &operations {
        add(&mut paths, operation);
    }
    let mut info = Info::new("Tidings", env!("CARGO_PKG_VERSION"));
    info.description = Some(DESCRIPTION.to_owned());
    let mut license = License::new(env!("CARGO_PKG_LICENSE"));
    license.identifier = Some(env!("CARGO_PKG_LICENSE").to_owned());
    info.license = Some(license);
    info.contact = None::<Contact>;
    OpenApiBuilder::new()
        .info(info)
        // Relative: each proxy gives the server another address.
        .servers(Some([Server::new("/")]))
        .paths(paths)
        .components(Some(components(&operations)))
        .tags(Some([
            tag("events", "Publish, list, follow, mark and delete events."),
            tag(
                "aliases",
                "The same operations under `/api/events`, as newer generated clients call them. \
                 Changes return what they changed.",
            ),
            tag("server", "The server itself."),
        ]))
        .build()
}

fn tag(name: &str, description: &str) -> Tag {
    let mut tag = Tag::new(name);
    tag.description = Some(description.to_owned());
    tag
}

fn add(paths: &mut Paths, operation: &ApiOperation) {
    let mut documentation = operation.documentation.clone();
    documentation.responses = responses(operation);
    if let Some(requirement) = requirement(operation.access) {
        documentation.security = Some(vec![requirement]);
    }
    for (path, name) in &operation.aliases {
        let mut alias = documentation.clone();
        alias.operation_id = Some((*name).to_owned());
        add_at(paths, path, operation, alias);
    }
    add_at(paths, operation.path, operation, documentation);
}

/// The responses of an operation, errors included.
fn responses(operation: &ApiOperation) -> Responses {
    let mut responses = operation.documentation.responses.clone();
    errors::add(&mut responses, &operation.errors, operation.access);
    responses
}

fn add_at(
    paths: &mut Paths,
    path: &str,
    operation: &ApiOperation,
    mut documentation: utoipa::openapi::path::Operation,
) {
    documentation.tags = Some(vec![tag_of(path).to_owned()]);
    paths.add_path_operation(path, vec![http_method(&operation.method)], documentation);
}

fn http_method(method: &Method) -> HttpMethod {
    match *method {
        Method::PUT => HttpMethod::Put,
        Method::POST => HttpMethod::Post,
        Method::DELETE => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

fn tag_of(path: &str) -> &'static str {
    let [collection, alias] = COLLECTIONS;
    if path.starts_with(alias) {
        "aliases"
    } else if path.starts_with(collection) && !path.ends_with("/config") {
        "events"
    } else {
        "server"
    }
}

fn components(operations: &[ApiOperation]) -> Components {
    let mut components = Components::new();
    for operation in operations {
        components.schemas.extend(operation.schemas.iter().cloned());
    }
    // The frames of the stream, the query and the error bodies are no bodies of one operation.
    schema::<StatusChange>(&mut components);
    schema::<ContentChange>(&mut components);
    schema::<Deletion>(&mut components);
    schema::<Summary>(&mut components);
    schema::<ResetReason>(&mut components);
    schema::<CountDelta>(&mut components);
    schema::<ErrorBody>(&mut components);
    components.add_security_scheme(BEARER, bearer());
    components.examples = errors::examples();
    components
}

fn schema<T: ToSchema>(components: &mut Components) {
    let mut inner = Vec::new();
    T::schemas(&mut inner);
    components.schemas.extend(inner);
    components
        .schemas
        .insert(T::name().into_owned(), T::schema());
}
