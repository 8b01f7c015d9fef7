//! The fields of an update that an event which is published does not have.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::spelling::folded;

/// The fields of an update that an event which is published does not have.
#[derive(Debug, Default)]
pub(crate) struct OwnFields {
    pub(crate) sequence: Option<Value>,
    pub(crate) renotify: Option<Value>,
    /// Fields that only a stored event has.
    pub(crate) status: Option<Value>,
    pub(crate) updated_at: Option<Value>,
    pub(crate) deleted_at: Option<Value>,
}

impl OwnFields {
    fn field(&mut self, name: &str) -> Option<&mut Option<Value>> {
        match folded(name).as_str() {
            "sequence" => Some(&mut self.sequence),
            "renotify" => Some(&mut self.renotify),
            "status" => Some(&mut self.status),
            "updatedat" => Some(&mut self.updated_at),
            "deletedat" => Some(&mut self.deleted_at),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for OwnFields {
    /// Fails if a field is given twice, so that the tolerant parser reads it.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = OwnFields;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<OwnFields, A::Error> {
                let mut own = OwnFields::default();
                while let Some(name) = map.next_key::<String>()? {
                    let Some(field) = own.field(&name) else {
                        map.next_value::<IgnoredAny>()?;
                        continue;
                    };
                    if field.is_some() {
                        return Err(A::Error::custom("a field is given twice"));
                    }
                    let Scalar(value) = map.next_value()?;
                    let is_given = !value.is_null() && value.as_str() != Some("");
                    *field = is_given.then_some(value);
                }
                Ok(own)
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// A value that is not a container. A container is read as an empty one, so that none takes memory.
struct Scalar(Value);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Value;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a value")
            }

            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
                Ok(value.into())
            }

            fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
                Ok(value.into())
            }

            fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
                Ok(value.into())
            }

            fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
                Ok(value.into())
            }

            fn visit_str<E>(self, value: &str) -> Result<Value, E> {
                Ok(value.into())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Value::Array(Vec::new()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
                while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Value::Array(Vec::new()))
            }
        }
        deserializer.deserialize_any(Any).map(Self)
    }
}
