//! The OpenAPI document, made of the table of operations, the schemas of what they take and give, and
//! the errors as they are answered.

pub(crate) mod bodies;
mod errors;
pub(crate) mod examples;
pub(crate) mod parameters;

use axum::http::Method;
use serde_json::Value;
use tidings_event::{
    Action, Category, CountDelta, Cursor, DeletedEvents, Deletion, ErrorBody, Event, EventId,
    EventPage, EventType, EventTypes, InboxSummary, NewEvent, OperationId, OwnerId, OwnerKind,
    PageToken, ResetReason, ResourceId, Severity, SeverityCount, Status, StatusChange, Summary,
    SystemId, UpdatedEvent, UpdatedEvents, Warning, WarningCode,
};
use utoipa::ToSchema;
use utoipa::openapi::path::HttpMethod;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Components, Contact, Info, License, OpenApi, OpenApiBuilder, Paths, Responses, Server, Tag,
};

use crate::identity::Access;
use crate::operation::Operation;
use crate::router::COLLECTIONS;
use crate::routes::config::{LogConfig, RefusedLogConfig};
use crate::table;
use crate::token::Scopes;

const DESCRIPTION: &str = "\
Tidings tells each user of a server what that server is doing on their behalf, and never loses it. \
The documentation is in docs/api.md (every request), docs/streaming.md (the live stream) and \
docs/sending-events.md (what to put into an event).\n\n\
Every error has the body `ErrorBody`. Beside what each operation names, any request can be answered \
with 403 `foreign_host` or `foreign_origin`, an unknown path with 404 `route_not_found`, and a method \
that a path does not take with 405 `method_not_allowed`. `HEAD` works wherever `GET` does, and \
`/api/system/events/` and `/api/events/` with a slash at their end are the same as without.";

/// The OpenAPI document of the whole server, as `/openapi.json` answers it and as it is kept in
/// `docs/openapi.json`: JSON with a line break at its end.
///
/// # Panics
///
/// Never: a document has only text keys.
pub fn openapi() -> String {
    written(&value())
}

/// The same of a server without a login, which asks nobody for a token and refuses none.
pub(crate) fn openapi_without_login() -> String {
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

/// Removes what was written for readers of the code: links to its items, and that what is absent is
/// read as `None`.
fn clean(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if object.get("default") == Some(&Value::Null) {
                object.remove("default");
            }
            // Every key of JSON is a text; some generators look for a type of that name.
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

/// Says what utoipa has no words for.
fn refine(document: &mut Value) {
    let schemas = &mut document["components"]["schemas"];
    // A batch without events is most likely a mistake, and refused.
    schemas["Publication"]["oneOf"][1]["minItems"] = 1.into();
    // An empty filter is refused: it would mean everything.
    schemas["ChangeFilter"]["minProperties"] = 1.into();
}

fn document() -> OpenApi {
    let mut paths = Paths::new();
    for operation in table::api().into_iter().chain(table::server()) {
        add(&mut paths, &operation);
    }
    let mut info = Info::new("Tidings", env!("CARGO_PKG_VERSION"));
    info.description = Some(DESCRIPTION.to_owned());
    let mut license = License::new(env!("CARGO_PKG_LICENSE"));
    license.identifier = Some(env!("CARGO_PKG_LICENSE").to_owned());
    info.license = Some(license);
    info.contact = None::<Contact>;
    OpenApiBuilder::new()
        .info(info)
        // Wherever the document was read: the server has as many addresses as it has proxies.
        .servers(Some([Server::new("/")]))
        .paths(paths)
        .components(Some(components()))
        .tags(Some([
            tag(
                "events",
                "Publishing, listing, following, marking, deleting.",
            ),
            tag(
                "aliases",
                "The same under `/api/events`, as newer generated clients call it. Changes are \
                 answered with what they did.",
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

fn add(paths: &mut Paths, operation: &Operation) {
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

/// The answers of an operation, errors included.
pub(crate) fn responses(operation: &Operation) -> Responses {
    let mut responses = operation.documentation.responses.clone();
    errors::add(&mut responses, &operation.errors, operation.access);
    responses
}

fn add_at(
    paths: &mut Paths,
    path: &str,
    operation: &Operation,
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

fn components() -> Components {
    let mut components = Components::new();
    schema::<Event>(&mut components);
    schema::<NewEvent>(&mut components);
    schema::<EventId>(&mut components);
    schema::<OwnerId>(&mut components);
    schema::<SystemId>(&mut components);
    schema::<OperationId>(&mut components);
    schema::<ResourceId>(&mut components);
    schema::<Category>(&mut components);
    schema::<Action>(&mut components);
    schema::<Severity>(&mut components);
    schema::<Status>(&mut components);
    schema::<EventPage>(&mut components);
    schema::<SeverityCount>(&mut components);
    schema::<PageToken>(&mut components);
    schema::<Cursor>(&mut components);
    schema::<OwnerKind>(&mut components);
    schema::<InboxSummary>(&mut components);
    schema::<Summary>(&mut components);
    schema::<CountDelta>(&mut components);
    schema::<EventTypes>(&mut components);
    schema::<EventType>(&mut components);
    schema::<bodies::DataPage>(&mut components);
    schema::<UpdatedEvent>(&mut components);
    schema::<UpdatedEvents>(&mut components);
    schema::<DeletedEvents>(&mut components);
    schema::<StatusChange>(&mut components);
    schema::<Deletion>(&mut components);
    schema::<ResetReason>(&mut components);
    schema::<ErrorBody>(&mut components);
    schema::<LogConfig>(&mut components);
    schema::<RefusedLogConfig>(&mut components);
    schema::<bodies::Published>(&mut components);
    schema::<bodies::PublishedEvent>(&mut components);
    schema::<bodies::PartlyPublished>(&mut components);
    schema::<bodies::PublishResult>(&mut components);
    schema::<Warning>(&mut components);
    schema::<WarningCode>(&mut components);
    schema::<bodies::Publication>(&mut components);
    schema::<bodies::ImportableEvent>(&mut components);
    schema::<bodies::MarkOne>(&mut components);
    schema::<bodies::MarkSeveral>(&mut components);
    schema::<bodies::DeleteSeveral>(&mut components);
    schema::<bodies::ChangeFilter>(&mut components);
    schema::<bodies::SetLogLevel>(&mut components);
    schema::<bodies::RevokeToken>(&mut components);
    schema::<bodies::Health>(&mut components);
    components.add_security_scheme(BEARER, bearer());
    components.examples = errors::examples();
    components
}

/// The name of the scheme by which callers show a token.
const BEARER: &str = "token";

fn bearer() -> SecurityScheme {
    let mut bearer = Http::new(HttpAuthScheme::Bearer);
    bearer.bearer_format = Some("JWT".to_owned());
    bearer.description = Some(
        "Needed if the server runs with `--auth jwt`. A browser may send it in the \
         cookie of a session instead. The scopes that are named are alternatives: any of them is \
         enough."
            .to_owned(),
    );
    SecurityScheme::Http(bearer)
}

/// The scopes of an operation, of which any is enough.
fn requirement(access: Access) -> Option<SecurityRequirement> {
    match access {
        Access::Everybody => None,
        Access::Caller => Some(SecurityRequirement::new(BEARER, [""; 0])),
        Access::AnyOf(scopes) => {
            let names = scopes.iter().map(Scopes::to_string);
            Some(SecurityRequirement::new(BEARER, names))
        }
    }
}

fn schema<T: ToSchema>(components: &mut Components) {
    let mut inner = Vec::new();
    T::schemas(&mut inner);
    components.schemas.extend(inner);
    components
        .schemas
        .insert(T::name().into_owned(), T::schema());
}
