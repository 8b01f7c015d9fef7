//! Schemas of the types whose JSON is not that of their fields.

use std::borrow::Cow;
use std::collections::BTreeMap;

use utoipa::openapi::{ArrayBuilder, ObjectBuilder, Ref, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::cursor::Cursor;
use crate::error_body::{ErrorBody, ErrorCode, ErrorSeverity};
use crate::kind::Severity;
use crate::query::PageToken;
use crate::warning::WarningCode;

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
    "How far a reader has got: in its own feed, in the system's feed, and in which store.",
    "1042-17-k3f9q2w8"
);
text_schema!(
    PageToken,
    "Where the next page begins; good only for the list it was given out for.",
    "18eaf9866247d39001a20d6fbf667604a999d39a3415a84b14ccc287"
);

impl PartialSchema for ErrorBody {
    fn schema() -> RefOr<Schema> {
        let sentence = ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("What went wrong, in one sentence."));
        let mut object = ObjectBuilder::new()
            .description(Some(
                "The body of every error answer. The details have one entry a fault. Each of their \
                 arrays is there in snake_case, too, for older clients; generated ones would have two \
                 fields of one name.",
            ))
            .property("error", sentence)
            .required("error")
            .property("code", Ref::from_schema_name(ErrorCode::name()))
            .required("code")
            .property("severity", Ref::from_schema_name(ErrorSeverity::name()))
            .required("severity");
        for (name, description) in [
            ("probableCause", "What is likely behind it."),
            ("suggestedRemediation", "What the caller can do."),
            ("longDescription", "The details, one entry a fault."),
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
            .description(Some("What went wrong, as a stable word for programs."))
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
            .description(Some(
                "What was done to a field, as a stable word for programs.",
            ))
            .enum_values(Some(Self::ALL.map(|code| code.to_string())))
            .into()
    }
}

impl ToSchema for WarningCode {
    fn name() -> Cow<'static, str> {
        "WarningCode".into()
    }
}

/// What a change did to the counts, as a frame of the stream has it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes `Option<CountDelta>`")]
pub(crate) struct FrameCounts {
    /// To the unread events, by severity. Absent while the stream catches up.
    #[schema(nullable = false)]
    unread: Option<BTreeMap<Severity, i64>>,
    /// To the read events, by severity. Absent while the stream catches up.
    #[schema(nullable = false)]
    read: Option<BTreeMap<Severity, i64>>,
}
