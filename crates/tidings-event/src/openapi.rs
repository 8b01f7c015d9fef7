//! OpenAPI schemas of the types whose JSON differs from their fields.

use std::borrow::Cow;

use utoipa::openapi::{ArrayBuilder, ObjectBuilder, Ref, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::cursor::Cursor;
use crate::error_body::{ErrorBody, ErrorCode, ErrorSeverity};
use crate::event::Event;
use crate::page_token::PageToken;
use crate::receipt::Receipt;
use crate::stream::ResetReason;
use crate::warning::{Warning, WarningCode};

macro_rules! text_schema {
    ($type:ident, $description:literal, $example:literal) => {
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some($description))
                    .examples([$example])
                    .into()
            }
        }

        impl ToSchema for $type {
            fn name() -> Cow<'static, str> {
                stringify!($type).into()
            }
        }
    };
}

text_schema!(
    Cursor,
    "The position of a reader: in its own feed, in the system's feed, and in which store.",
    "1042-17-k3f9q2w8"
);
text_schema!(
    PageToken,
    "The start of the next page; valid only for the list that returned it.",
    "18eaf9866247d39001a20d6fbf667604a999d39a3415a84b14ccc287"
);

impl PartialSchema for ErrorBody {
    fn schema() -> RefOr<Schema> {
        let sentence = ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("The error in one sentence."));
        let mut object = ObjectBuilder::new()
            .description(Some(
                "The body of every error response. The details have one entry per fault. The server \
                 also sends each array in snake_case for older clients; this schema omits those \
                 because generated clients would have two fields of one name.",
            ))
            .property("error", sentence)
            .required("error")
            .property("code", Ref::from_schema_name(ErrorCode::name()))
            .required("code")
            .property("severity", Ref::from_schema_name(ErrorSeverity::name()))
            .required("severity");
        for (name, description) in [
            ("probableCause", "Probable causes."),
            ("suggestedRemediation", "Remedies for the caller."),
            ("longDescription", "Details, one entry per fault."),
        ] {
            let texts = ArrayBuilder::new()
                .items(ObjectBuilder::new().schema_type(Type::String))
                .description(Some(description));
            object = object.property(name, texts).required(name);
        }
        object.into()
    }
}

impl ToSchema for ErrorBody {
    fn name() -> Cow<'static, str> {
        "ErrorBody".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((ErrorCode::name().into(), ErrorCode::schema()));
        schemas.push((ErrorSeverity::name().into(), ErrorSeverity::schema()));
    }
}

impl PartialSchema for ErrorCode {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("The kind of an error, as a stable word for programs."))
            .enum_values(Some(Self::ALL.map(|code| code.to_string())))
            .into()
    }
}

impl ToSchema for ErrorCode {
    fn name() -> Cow<'static, str> {
        "ErrorCode".into()
    }
}

impl PartialSchema for WarningCode {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("The kind of a repair, as a stable word for programs."))
            .enum_values(Some(Self::ALL.map(|code| code.to_string())))
            .into()
    }
}

impl ToSchema for WarningCode {
    fn name() -> Cow<'static, str> {
        "WarningCode".into()
    }
}

impl PartialSchema for ResetReason {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("Why the reader must fetch the list again."))
            .enum_values(Some(Self::ALL.map(|reason| reason.to_string())))
            .into()
    }
}

impl ToSchema for ResetReason {
    fn name() -> Cow<'static, str> {
        "ResetReason".into()
    }
}

/// A stored event, and the repairs of the published one.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the struct only describes `Receipt`")]
struct PublishedEvent {
    #[serde(flatten)]
    event: Event,
    /// The repairs of the event as it was sent; absent if there were none. Not stored.
    #[schema(nullable = false)]
    warnings: Option<Vec<Warning>>,
}

impl PartialSchema for Receipt {
    fn schema() -> RefOr<Schema> {
        PublishedEvent::schema()
    }
}

impl ToSchema for Receipt {
    fn name() -> Cow<'static, str> {
        PublishedEvent::name()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        PublishedEvent::schemas(schemas);
    }
}
