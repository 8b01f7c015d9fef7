use std::collections::BTreeMap;

use super::*;

fn fault_of(document: &str) -> Violation {
    read::<BTreeMap<String, Vec<u8>>>(document, document, "").unwrap_err()
}

#[test]
fn a_fault_names_its_field_and_position() {
    let wrong_type = fault_of("{\"a\": [1],\n \"b\": [2, true]}");
    assert_eq!(wrong_type.field, "b[1]");
    assert_eq!(
        wrong_type.fault,
        "cannot be read: invalid type: boolean `true`, expected u8 (line 2, column 14)"
    );
    assert_eq!(fault_of("{").field, "body");
    let truncated = fault_of("{\"a\": [1");
    assert!(truncated.fault.contains("EOF"), "{}", truncated.fault);
    assert!(
        truncated.fault.ends_with("(line 1, column 8)"),
        "{}",
        truncated.fault
    );
    assert!(fault_of("{} {}").fault.contains("trailing characters"));
}

#[test]
fn a_fault_of_an_element_names_its_position_in_the_document() {
    let document = "[{},\n\n  {\"a\":\n true}]";
    let elements = elements(document, document, "body", 10).unwrap();
    assert_eq!(elements.count, 2);
    let second = elements.first[1].get();
    let fault = read::<BTreeMap<String, Vec<u8>>>(document, second, "[1]").unwrap_err();
    assert_eq!(fault.field, "[1].a");
    assert!(
        fault.fault.ends_with("(line 4, column 5)"),
        "{}",
        fault.fault
    );
    let same_line = read::<BTreeMap<String, u8>>("[1]", &"[1]"[1..2], "[0]").unwrap_err();
    assert!(
        same_line.fault.ends_with("(line 1, column 2)"),
        "{}",
        same_line.fault
    );
}

#[test]
fn counts_the_elements_of_a_long_array_without_keeping_them() {
    let elements = elements("[1, 2, 3, 4]", "[1, 2, 3, 4]", "body", 2).unwrap();
    assert_eq!(elements.first.len(), 2);
    assert_eq!(elements.count, 4);
}

#[test]
fn splits_and_counts_the_fields_of_an_object() {
    let document = "{\"a\": [1],\n \"a\": 2, \"b\": 3}";
    let fields = fields(document, document, "body", 2).unwrap();
    let names: Vec<_> = fields.first.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["a", "a"]);
    assert_eq!(fields.first[0].1.get(), "[1]");
    assert_eq!(fields.count, 3);
    let part = &document[6..9];
    let fault = super::fields(document, part, "ids", 2).unwrap_err();
    assert_eq!(fault.field, "ids");
    assert!(
        fault.fault.ends_with("(line 1, column 7)"),
        "{}",
        fault.fault
    );
}

#[test]
fn cuts_messages_that_quote_the_document() {
    let long = "x".repeat(10_000);
    let fault = fault_of(&format!("{{\"a\": \"{long}\"}}")).fault;
    assert!(fault.len() < 300, "{fault}");
    let field = fault_of(&format!("{{\"{long}\": [true]}}")).field;
    assert!(field.starts_with("xxx") && field.len() < 300, "{field}");
}

#[test]
fn rejects_nesting_beyond_the_parsers_limit() {
    let deep = "[".repeat(100_000);
    assert!(elements(&deep, &deep, "body", 10).is_err());
    let closed = format!("[{}{}]", "[".repeat(200), "]".repeat(200));
    let element = elements(&closed, &closed, "body", 10).unwrap().first[0];
    let fault = read::<serde_json::Value>(&closed, element.get(), "[0]").unwrap_err();
    assert!(fault.fault.contains("recursion limit"), "{}", fault.fault);
}
