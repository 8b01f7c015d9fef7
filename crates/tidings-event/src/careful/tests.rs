use proptest::prelude::*;
use serde_json::json;

use super::*;

fn read(json: &str) -> (Value, Vec<(String, WarningCode)>) {
    let fields = fields(json, 40).expect("an object");
    let warnings = fields.warnings.into_iter();
    let warnings = warnings.map(|warning| (warning.field, warning.code));
    let object: Map<String, Value> = fields.fields.into_iter().collect();
    (object.into(), warnings.collect())
}

#[test]
fn replaces_half_of_a_surrogate_pair() {
    for (text, said, replaced) in [
        ("\\ud800", "\u{fffd}", true),
        ("a\\udc00b", "a\u{fffd}b", true),
        ("\\ud83d\\ude00", "😀", false),
        ("\\ud83d\\ud83d\\ude00", "\u{fffd}😀", true),
        ("\\ud83dx", "\u{fffd}x", true),
        ("\\ud83d\\n", "\u{fffd}\n", true),
        (
            "\\u00e9\\\"\\\\\\/\\b\\f\\n\\r\\t",
            "é\"\\/\u{8}\u{c}\n\r\t",
            false,
        ),
        ("é\\u0041é", "éAé", false),
    ] {
        let (value, warnings) = read(&format!("{{\"description\": \"{text}\"}}"));
        assert_eq!(value, json!({ "description": said }), "{text}");
        assert_eq!(!warnings.is_empty(), replaced, "{text}");
    }
    let (_, warnings) = read("{\"metadata\": {\"node\": [\"\\ud800\"]}}");
    let expected = ("metadata.node".to_owned(), WarningCode::CharactersReplaced);
    assert_eq!(warnings, [expected]);
}

#[test]
fn converts_deeply_nested_values_to_texts() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let fields = fields(&format!("{{\"metadata\": {{\"a\": {deep}, \"b\": 1}}}}"), 4).unwrap();
    let metadata = &fields.fields[0].1;
    let text = metadata["a"][0][0].as_str().unwrap();
    assert_eq!(text.len(), deep.len() - 4);
    assert_eq!(metadata["b"], json!(1));
    assert_eq!(fields.warnings.len(), 1);
}

#[test]
fn converts_values_above_the_maximum_to_texts() {
    let many = format!(
        "{{\"metadata\": {{\"a\": [{}0], \"b\": [1], \"c\": 2}}}}",
        "0,".repeat(200_000)
    );
    let (value, warnings) = read(&many);
    let items = value["metadata"]["a"].as_array().unwrap();
    assert!(items.len() <= MAX_VALUES);
    let rest = items.last().unwrap().as_str().unwrap();
    assert!(rest.ends_with(",0,0"), "{}", &rest[rest.len() - 10..]);
    assert_eq!(value["metadata"]["b"], json!("[1]"));
    assert_eq!(value["metadata"]["c"], json!(2));
    assert_eq!(warnings[0].1, WarningCode::Converted);
}

#[test]
fn rejects_everything_but_a_json_object() {
    for json in [
        "",
        "5",
        "[]",
        "null",
        "{",
        "{} {}",
        "{\"a\": 1,}",
        "{\"a\": \"\n\"}",
    ] {
        assert!(fields(json, 40).is_none(), "{json}");
    }
}

#[test]
fn returns_duplicate_fields() {
    let fields = fields(" { \"a\" : 1 , \"a\" : { \"b\" : 1, \"b\" : 2 } } ", 40).unwrap();
    let given = [
        ("a".to_owned(), json!(1)),
        ("a".to_owned(), json!({"b": 2})),
    ];
    assert_eq!(fields.fields, given);
    assert_eq!(fields.warnings[0].code, WarningCode::Duplicate);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(".*", inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn parses_plain_json_like_serde_json(value in any_json(), pretty in any::<bool>()) {
        let object = json!({ "a": value });
        let text = if pretty {
            serde_json::to_string_pretty(&object).unwrap()
        } else {
            object.to_string()
        };
        let (read, warnings) = read(&text);
        prop_assert_eq!(read, object);
        prop_assert!(warnings.is_empty(), "{:?}", warnings);
    }
}
