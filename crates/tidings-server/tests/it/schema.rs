//! Checks JSON with the schemas of the OpenAPI document: the part of JSON Schema that it uses.

use std::collections::BTreeSet;

use serde_json::Value;

/// `probable_cause` as `probableCause`.
fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |camel, word| {
        let (head, rest) = word.split_at(word.len().min(1));
        camel + &head.to_uppercase() + rest
    })
}

/// The OpenAPI document.
pub(crate) struct Document(pub(crate) Value);

impl Document {
    pub(crate) fn load() -> Self {
        let json = tidings_server::openapi();
        Self(serde_json::from_str(&json).expect("the document is JSON"))
    }

    /// Resolves a `$ref`. Other values are returned unchanged.
    pub(crate) fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(reference) => {
                let pointer = reference.trim_start_matches('#');
                let target = self.0.pointer(pointer);
                target.unwrap_or_else(|| panic!("{reference} leads nowhere"))
            }
            None => value,
        }
    }

    /// The violations of the schema by a value, each with its path.
    pub(crate) fn faults(&self, schema: &Value, value: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        self.check(schema, value, "$", &mut faults);
        let known = self.properties(schema);
        if let (Some(object), false) = (value.as_object(), known.is_empty()) {
            for (name, field) in object {
                // Older clients read the snake_case spelling of a field, with the same value.
                let camel = camel_case(name);
                let is_twin = known.contains(camel.as_str()) && object.get(&camel) == Some(field);
                if !known.contains(name.as_str()) && !is_twin {
                    faults.push(format!("$.{name} is not described"));
                }
            }
        }
        faults
    }

    fn check(&self, schema: &Value, value: &Value, place: &str, faults: &mut Vec<String>) {
        let schema = self.resolve(schema);
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.check(part, value, place, faults);
        }
        if let Some(choices) = schema["oneOf"].as_array() {
            let of_each: Vec<_> = choices.iter().map(|one| self.faults(one, value)).collect();
            if of_each.iter().all(|faults| !faults.is_empty()) {
                faults.push(format!("{place} is none of the choices: {of_each:?}"));
            }
        }
        if !has_type(&schema["type"], value) {
            faults.push(format!(
                "{place} is not of type {}: {value}",
                schema["type"]
            ));
        }
        if let Some(words) = schema["enum"].as_array()
            && !words.contains(value)
        {
            faults.push(format!("{place} is none of the words: {value}"));
        }
        if let Some(text) = value.as_str()
            && !has_format(schema["format"].as_str(), text)
        {
            faults.push(format!(
                "{place} has not the format {}: {text}",
                schema["format"]
            ));
        }
        let items = value.as_array().map_or(0, |items| items.len() as u64);
        if items < schema["minItems"].as_u64().unwrap_or(0) {
            faults.push(format!("{place} has too few items"));
        }
        for (index, item) in value.as_array().into_iter().flatten().enumerate() {
            let place = format!("{place}[{index}]");
            self.check(&schema["items"], item, &place, faults);
        }
        let Some(object) = value.as_object() else {
            return;
        };
        for name in schema["required"].as_array().into_iter().flatten() {
            let name = name.as_str().expect("a name");
            if !object.contains_key(name) {
                faults.push(format!("{place}.{name} is missing"));
            }
        }
        for (name, field) in object {
            let place = format!("{place}.{name}");
            match schema["properties"].get(name) {
                Some(schema) => self.check(schema, field, &place, faults),
                None if schema["additionalProperties"] == false => {
                    faults.push(format!("{place} is not taken"));
                }
                None => self.check(&schema["additionalProperties"], field, &place, faults),
            }
        }
    }

    /// The names that an object of this schema can have; `None` if it can have any.
    fn properties<'a>(&'a self, schema: &'a Value) -> BTreeSet<&'a str> {
        let schema = self.resolve(schema);
        let mut names = BTreeSet::new();
        for part in ["allOf", "oneOf"] {
            for part in schema[part].as_array().into_iter().flatten() {
                names.extend(self.properties(part));
            }
        }
        let own = schema["properties"].as_object().into_iter().flatten();
        names.extend(own.map(|(name, _)| name.as_str()));
        names
    }
}

fn has_type(types: &Value, value: &Value) -> bool {
    let is = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("{other} is no type that the document uses"),
    };
    match types {
        Value::Null => true,
        Value::String(name) => is(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).any(is),
        other => panic!("{other} is no type"),
    }
}

fn has_format(format: Option<&str>, text: &str) -> bool {
    match format {
        None => true,
        Some("uuid") => text.parse::<uuid::Uuid>().is_ok(),
        Some("date-time") => text.parse::<tidings_event::Timestamp>().is_ok(),
        Some(other) => panic!("{other} is no format that the document uses"),
    }
}
