//! The forms in which programs write an error, and the one in which it is stored.
//!
//! `MeshKit` errors in any spelling, problem details (RFC 9457), the errors of Go, JavaScript, Java and
//! Python, gRPC statuses, AWS and Kubernetes errors, Tidings' own error body, lists of these, and any of
//! them inside another. What a view reads goes into the four arrays; every other key stays.

use serde_json::{Map, Value};

use super::{ARRAYS, CauseSeverity, is_blank};
use crate::number;

/// The longest headline made from a bare string, in characters.
const HEADLINE_CHARS: usize = 200;

/// The most errors inside one another that are read.
const MAX_LEVELS: usize = 8;

/// Other words for the headline. They count where it is empty.
const HEADLINES: [&str; 7] = [
    "title",
    "message",
    "msg",
    "summary",
    "text",
    "reasonphrase",
    "name",
];

/// Other words for the details.
const DETAILS: [&str; 15] = [
    "detail",
    "details",
    "description",
    "longmessage",
    "errordescription",
    "errordetail",
    "errordetails",
    "stack",
    "stacktrace",
    "trace",
    "traceback",
    "exception",
    "output",
    "stderr",
    "body",
];

/// Other words for what is behind it.
const CAUSES: [&str; 5] = ["cause", "causes", "causedby", "reason", "rootcause"];

/// Other words for what the user can do.
const REMEDIES: [&str; 19] = [
    "remedy",
    "remedies",
    "remediation",
    "suggestion",
    "suggestions",
    "resolution",
    "solution",
    "hint",
    "help",
    "fix",
    "howtofix",
    "hints",
    "solutions",
    "resolutions",
    "recommendation",
    "recommendations",
    "nextsteps",
    "workaround",
    "mitigation",
];

/// Brings whatever a publisher put into `metadata.error` into the shape views read: an object with
/// the four arrays, a code and a severity. Other keys are kept; nothing is refused, since losing
/// the event would be worse. What is in that shape already stays as it is.
pub(crate) fn normalized(given: Value) -> Value {
    Value::Object(object_of(given, 0))
}

/// Lets a text stand for what a cause does not say: whatever else is in it, views find nothing to show.
pub(crate) fn say_at_least(cause: &mut Value, text: &str) {
    let Value::Object(cause) = cause else { return };
    let is_silent = ["Code"]
        .iter()
        .chain(&ARRAYS)
        .all(|part| cause.get(*part).is_none_or(is_blank));
    if is_silent && !text.trim().is_empty() {
        for (key, value) in wrapped(text.into()) {
            if ARRAYS.contains(&key.as_str()) {
                cause.insert(key, value);
            }
        }
    }
}

/// The parts of a cause that stand in the metadata themselves: `{"probableCause": …}`.
pub(crate) fn beside(metadata: &Map<String, Value>) -> Option<Value> {
    let is_part = |name: &str| ARRAYS.iter().any(|part| is_spelling(name, part));
    let parts = metadata
        .iter()
        .filter(|(key, value)| is_part(&bare(key)) && !is_blank(value));
    let parts: Map<String, Value> = parts
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    (!parts.is_empty()).then_some(Value::Object(parts))
}

/// The object that a text holds: the body of another server's answer is passed on as it came.
fn object_in(text: &str) -> Option<Map<String, Value>> {
    let is_object = text.trim_start().starts_with('{') && !number::may_round(text);
    let object: Map<String, Value> = is_object.then(|| serde_json::from_str(text).ok())??;
    object
        .values()
        .any(|value| !is_blank(value))
        .then_some(object)
}

fn object_of(given: Value, level: usize) -> Map<String, Value> {
    match given {
        Value::String(text) => match object_in(&text) {
            Some(object) if level < MAX_LEVELS => of_object(object, level + 1),
            _ => wrapped(Value::String(text)),
        },
        Value::Object(object) => of_object(object, level),
        Value::Array(items) if items.iter().any(Value::is_object) && level < MAX_LEVELS => {
            let items = items.into_iter().filter(|item| !is_blank(item));
            let mut errors = items.map(|item| object_of(item, level + 1));
            let mut first = errors
                .next()
                .unwrap_or_else(|| of_object(Map::new(), level));
            for other in errors {
                add_error(&mut first, other);
            }
            first
        }
        other => wrapped(other),
    }
}

fn of_object(mut given: Map<String, Value>, level: usize) -> Map<String, Value> {
    if is_normal(&given) {
        return given;
    }
    let mut error = Map::new();
    // Inside out: the error that is wrapped says what happened.
    let wrapped = (level < MAX_LEVELS)
        .then(|| take_wrapped(&mut given))
        .flatten();
    let mut parts = Parts::default();
    for (part, key) in ARRAYS.iter().enumerate() {
        // The documented spelling first, then the others in the map's order.
        if let Some(value) = given.remove(*key) {
            parts.add(part, value);
        }
        for name in names(&given, |name| is_spelling(name, key)) {
            if let Some(value) = given.remove(&name) {
                parts.add(part, value);
            }
        }
    }
    take_code(&mut given, &mut error);
    take_severity(&mut given, &mut error);
    take_go(&mut given, &mut parts);
    for (part, words) in [
        (Parts::SHORT, &HEADLINES[..]),
        (Parts::LONG, &DETAILS),
        (Parts::CAUSE, &CAUSES),
        (Parts::REMEDY, &REMEDIES),
    ] {
        if parts.0[part].is_empty() {
            take_words(&mut given, words, part, level, &mut parts);
        }
    }
    error.extend(parts.into_arrays());
    for (key, value) in given {
        error.entry(key).or_insert(value);
    }
    if let Some(inner) = wrapped {
        add_error(&mut error, object_of(inner, level + 1));
    }
    error
}

/// Whether an error has the shape that is stored, and says something there.
fn is_normal(error: &Map<String, Value>) -> bool {
    let is_text = |value: &Value| value.is_string();
    let texts = |key: &str| match error.get(key) {
        Some(Value::Array(items)) if items.iter().all(is_text) => Some(items.len()),
        _ => None,
    };
    let Some(texts) = ARRAYS.iter().map(|key| texts(key)).sum::<Option<usize>>() else {
        return false;
    };
    let is_spelled_otherwise = |key: &String| {
        let name = bare(key);
        ARRAYS
            .iter()
            .any(|part| is_spelling(&name, part) && key != part)
    };
    texts > 0
        && error.get("Code").is_some_and(is_text)
        && error.get("Severity").is_some_and(Value::is_u64)
        && !error.keys().any(is_spelled_otherwise)
}

/// Whether a bare name is that of a part, in the singular or the plural.
fn is_spelling(name: &str, part: &str) -> bool {
    let name = name.strip_suffix('s').unwrap_or(name);
    name.eq_ignore_ascii_case(part)
}

/// The four lists of texts.
#[derive(Default)]
struct Parts([Vec<String>; ARRAYS.len()]);

impl Parts {
    const SHORT: usize = 0;
    const LONG: usize = 1;
    const CAUSE: usize = 2;
    const REMEDY: usize = 3;

    /// Adds the texts of a value that are not there yet.
    fn add(&mut self, part: usize, value: Value) {
        let texts = match value {
            Value::Null => return,
            Value::Array(items) => items.into_iter().map(into_text).collect(),
            single => vec![into_text(single)],
        };
        // The documented spelling is stored as it is given, even if it says something twice.
        if self.0[part].is_empty() {
            self.0[part] = texts;
            return;
        }
        for text in texts {
            if !self.0[part].contains(&text) && !text.trim().is_empty() {
                self.0[part].push(text);
            }
        }
    }

    fn into_arrays(self) -> impl Iterator<Item = (String, Value)> {
        let keys = ARRAYS.iter().map(|key| (*key).to_owned());
        keys.zip(self.0.into_iter().map(Value::from))
    }
}

/// The keys whose bare name is wanted.
fn names(object: &Map<String, Value>, is_wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let keys = object.keys().filter(|key| is_wanted(&bare(key)));
    keys.cloned().collect()
}

/// A key without case and separators.
fn bare(key: &str) -> String {
    let letters = key
        .chars()
        .filter(|letter| !matches!(letter, '_' | '-' | ' '));
    letters.collect::<String>().to_ascii_lowercase()
}

/// Takes out the error inside an error: `{"error": {"error": {…}}}`, and the errors of an aggregate. A text
/// there is the headline.
fn take_wrapped(given: &mut Map<String, Value>) -> Option<Value> {
    let is_wrapped = |value: &Value| match value {
        Value::Object(_) => !is_blank(value),
        Value::Array(items) => items.iter().any(Value::is_object) && !is_blank(value),
        Value::String(text) => !text.trim().is_empty(),
        _ => false,
    };
    // Go's errors hold the inner one under `Err`, beside what was done.
    let is_go = given.contains_key("Op");
    let keys = names(given, |name| {
        matches!(
            name,
            "error" | "errors" | "err" | "errormessage" | "innererror" | "errormsg"
        )
    });
    let key = keys
        .into_iter()
        .find(|key| !(is_go && key == "Err") && given.get(key).is_some_and(is_wrapped))?;
    given.remove(&key)
}

fn take_code(given: &mut Map<String, Value>, error: &mut Map<String, Value>) {
    let mut code = match given.remove("Code") {
        Some(code @ (Value::String(_) | Value::Number(_))) => into_text(code),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    };
    for name in names(given, |name| {
        matches!(name, "code" | "errorcode" | "errcode")
    }) {
        if !code.is_empty() {
            break;
        }
        if matches!(given.get(&name), Some(Value::String(_) | Value::Number(_))) {
            code = given.remove(&name).map(into_text).unwrap_or_default();
        }
    }
    // A status of HTTP stays beside it.
    if let (true, Some(Value::Number(status))) = (code.is_empty(), given.get("status")) {
        code = status.to_string();
    }
    error.insert("Code".to_owned(), code.into());
}

/// Severities are numbers in `MeshKit`. Another word stays under its own key.
fn take_severity(given: &mut Map<String, Value>, error: &mut Map<String, Value>) {
    const NUMBERS: std::ops::RangeInclusive<u64> = 0..=4;
    let own = given.remove("Severity");
    let is_number = own
        .as_ref()
        .and_then(Value::as_u64)
        .filter(|number| NUMBERS.contains(number));
    let by_word = |value: &Value| {
        let word = value.as_str()?.trim().to_ascii_lowercase();
        Some(match word.as_str() {
            "emergency" | "emerg" | "panic" | "0" => CauseSeverity::Emergency,
            "none" | "1" => CauseSeverity::None,
            "alert" | "2" => CauseSeverity::Alert,
            "critical" | "crit" | "3" => CauseSeverity::Critical,
            "fatal" | "4" => CauseSeverity::Fatal,
            _ => return None,
        })
    };
    let other = given.get("severity").or_else(|| given.get("level"));
    let graded = is_number.or_else(|| {
        let word = own.as_ref().and_then(by_word).or_else(|| by_word(other?))?;
        Some(word.number().into())
    });
    let number = graded.unwrap_or_else(|| CauseSeverity::None.number().into());
    error.insert("Severity".to_owned(), number.into());
    // What the number does not say, such as ERROR.
    let is_said = own.is_none()
        || own
            .as_ref()
            .is_some_and(|own| is_blank(own) || by_word(own).is_some());
    if let (false, None, Some(own)) = (is_said, is_number, own)
        && !given.contains_key("severity")
    {
        given.insert("severity".to_owned(), own);
    }
}

/// `{"Op":"dial","Net":"tcp","Addr":…,"Err":{…}}` is how Go writes the errors of its own packages.
fn take_go(given: &mut Map<String, Value>, parts: &mut Parts) {
    if !parts.0[Parts::SHORT].is_empty() || !given.get("Op").is_some_and(Value::is_string) {
        return;
    }
    let mut words: Vec<String> = Vec::new();
    for key in ["Op", "Net", "URL", "Path", "Name", "Func", "Num"] {
        if let Some(Value::String(word)) = given.get(key)
            && !word.is_empty()
        {
            words.push(word.clone());
        }
    }
    let mut headline = words.join(" ");
    if let Some(inner) = given.get("Err").filter(|inner| !is_blank(inner)) {
        let inner = object_of(inner.clone(), MAX_LEVELS);
        let first = |key: &str| inner.get(key)?.get(0)?.as_str().map(str::to_owned);
        if let Some(text) = first("ShortDescription").or_else(|| first("LongDescription")) {
            headline = format!("{headline}: {text}");
        }
    }
    parts.0[Parts::SHORT].push(headline);
}

/// Takes the values of other words for a part: texts, lists of texts, and of an error its headline.
fn take_words(
    given: &mut Map<String, Value>,
    words: &[&str],
    part: usize,
    level: usize,
    parts: &mut Parts,
) {
    for word in words {
        for name in names(given, |name| name == *word) {
            // A headline is one, and the name of an error stands before its message.
            if part == Parts::SHORT && !parts.0[part].is_empty() {
                if *word == "name" {
                    name_headline(given, &name, parts);
                }
                continue;
            }
            match given.get(&name) {
                Some(value) if is_blank(value) => {}
                Some(Value::String(_)) => {
                    let value = given.remove(&name).unwrap_or_default();
                    parts.add(part, value);
                }
                Some(Value::Array(items)) if items.iter().all(Value::is_string) => {
                    let value = given.remove(&name).unwrap_or_default();
                    parts.add(part, value);
                }
                Some(inner @ Value::Object(_)) if part == Parts::CAUSE && level < MAX_LEVELS => {
                    let mut inner = object_of(inner.clone(), level + 1);
                    let mut take = |key: &str| inner.remove(key).unwrap_or_default();
                    let short = take("ShortDescription");
                    let deeper = take("ProbableCause");
                    let remedies = take("SuggestedRemediation");
                    parts.add(Parts::CAUSE, short);
                    parts.add(Parts::CAUSE, deeper);
                    parts.add(Parts::REMEDY, remedies);
                }
                _ => {}
            }
        }
    }
}

/// `TypeError` before its message, unless the message says it.
fn name_headline(given: &mut Map<String, Value>, name: &str, parts: &mut Parts) {
    if let (Some(Value::String(kind)), [headline]) =
        (given.get(name), &mut parts.0[Parts::SHORT][..])
        && !kind.trim().is_empty()
    {
        if !headline.contains(kind.as_str()) {
            *headline = format!("{kind}: {headline}");
        }
        given.remove(name);
    }
}

/// Adds what another error says. Of each key the first counts, and codes stand side by side.
fn add_error(error: &mut Map<String, Value>, other: Map<String, Value>) {
    for (key, value) in other {
        match (error.get_mut(&key), value) {
            (Some(Value::Array(texts)), Value::Array(more)) if ARRAYS.contains(&key.as_str()) => {
                for text in more {
                    if !texts.contains(&text) {
                        texts.push(text);
                    }
                }
            }
            (Some(Value::String(code)), Value::String(other)) if key == "Code" => {
                if code.is_empty() {
                    *code = other;
                } else if !other.is_empty() && !code.split(", ").any(|one| one == other) {
                    code.push_str(", ");
                    code.push_str(&other);
                }
            }
            (Some(Value::Number(number)), Value::Number(other)) if key == "Severity" => {
                // 1 is not graded.
                if number.as_u64() == Some(1) {
                    *number = other;
                }
            }
            (Some(_), _) => {}
            (None, value) => {
                error.insert(key, value);
            }
        }
    }
}

fn wrapped(given: Value) -> Map<String, Value> {
    let paragraphs: Vec<String> = match given {
        Value::Array(items) => items
            .into_iter()
            .filter(|item| !item.is_null())
            .map(into_text)
            .collect(),
        single => vec![into_text(single)],
    };
    let headline = paragraphs
        .first()
        .and_then(|text| text.lines().next())
        .unwrap_or_default();
    let headline: String = headline.chars().take(HEADLINE_CHARS).collect();
    Map::from_iter([
        ("Code".to_owned(), "".into()),
        ("Severity".to_owned(), CauseSeverity::None.number().into()),
        ("ShortDescription".to_owned(), vec![headline].into()),
        ("LongDescription".to_owned(), paragraphs.into()),
        ("ProbableCause".to_owned(), Value::Array(Vec::new())),
        ("SuggestedRemediation".to_owned(), Value::Array(Vec::new())),
    ])
}

/// A value as a text: of an object its message, if it has one.
fn into_text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Object(object) => {
            let message = ["message", "msg", "text", "description", "title"]
                .iter()
                .find_map(|key| object.get(*key)?.as_str());
            match message {
                Some(message) if object.len() == 1 => message.to_owned(),
                _ => Value::Object(object).to_string(),
            }
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// Headline, details, causes and remedies.
    fn parts(given: Value) -> [Value; 4] {
        let cause = normalized(given);
        ARRAYS.map(|key| cause[key].clone())
    }

    #[test]
    fn spellings_of_a_meshkit_error_are_one() {
        let expected = [json!(["s"]), json!(["l"]), json!(["p"]), json!(["r"])];
        for given in [
            json!({"ShortDescription": ["s"], "LongDescription": ["l"], "ProbableCause": ["p"], "SuggestedRemediation": ["r"]}),
            json!({"shortDescription": "s", "longDescription": "l", "probableCause": "p", "suggestedRemediation": "r"}),
            json!({"short_description": ["s"], "long_description": ["l"], "probable_cause": ["p"], "suggested_remediation": ["r"]}),
            json!({"short-description": "s", "LONGDESCRIPTION": "l", "ProbableCauses": ["p"], "suggested_remediations": ["r"]}),
            json!({"ShortDescription": [], "shortDescription": ["s"], "LongDescription": null, "long_description": "l",
                   "ProbableCause": [], "probable_cause": ["p"], "probableCause": ["p"],
                   "SuggestedRemediation": [], "suggested_remediation": "r"}),
        ] {
            assert_eq!(parts(given.clone()), expected, "{given}");
            let cause = normalized(given);
            assert_eq!(cause.as_object().unwrap().len(), 6, "{cause}");
        }
    }

    #[test]
    fn errors_of_other_systems_have_their_parts() {
        let empty = || json!([]);
        for (given, expected, code) in [
            (
                json!({"type": "about:blank", "title": "Not Found", "detail": "no such pod", "status": 404, "instance": "/x"}),
                [
                    json!(["Not Found"]),
                    json!(["no such pod"]),
                    empty(),
                    empty(),
                ],
                "404",
            ),
            (
                json!({"error": "The event is bad", "code": "invalid_event", "severity": "ERROR",
                       "probableCause": ["p"], "suggestedRemediation": ["r"], "longDescription": ["l"],
                       "probable_cause": ["p"], "suggested_remediation": ["r"], "long_description": ["l"]}),
                [
                    json!(["The event is bad"]),
                    json!(["l", "The event is bad"]),
                    json!(["p"]),
                    json!(["r"]),
                ],
                "invalid_event",
            ),
            (
                json!({"name": "TypeError", "message": "x is not a function", "stack": "at a:1"}),
                [
                    json!(["TypeError: x is not a function"]),
                    json!(["at a:1"]),
                    empty(),
                    empty(),
                ],
                "",
            ),
            (
                json!({"exception": "java.io.IOException", "message": "refused", "cause": {"message": "no route"}, "trace": "at b"}),
                [
                    json!(["refused"]),
                    json!(["at b", "java.io.IOException"]),
                    json!(["no route"]),
                    empty(),
                ],
                "",
            ),
            (
                json!({"code": 14, "message": "unavailable", "details": []}),
                [json!(["unavailable"]), empty(), empty(), empty()],
                "14",
            ),
            (
                json!({"Op": "dial", "Net": "tcp", "Err": {"message": "refused"}}),
                [json!(["dial tcp: refused"]), empty(), empty(), empty()],
                "",
            ),
            (
                json!({"error": {"error": {"code": "E1", "message": "inner", "hint": "do it"}}}),
                [json!(["inner"]), empty(), empty(), json!(["do it"])],
                "E1",
            ),
            (
                json!([{"Code": "a", "ShortDescription": ["one"], "SuggestedRemediation": ["r1"]},
                       {"Code": "b", "ShortDescription": ["two"], "SuggestedRemediation": ["r2"]}]),
                [json!(["one", "two"]), empty(), empty(), json!(["r1", "r2"])],
                "a, b",
            ),
            (
                json!({"kind": "Status", "message": "pods \"x\" not found", "reason": "NotFound", "code": 404}),
                [
                    json!(["pods \"x\" not found"]),
                    empty(),
                    json!(["NotFound"]),
                    empty(),
                ],
                "404",
            ),
        ] {
            assert_eq!(parts(given.clone()), expected, "{given}");
            assert_eq!(normalized(given.clone())["Code"], code, "{given}");
        }
    }

    #[test]
    fn other_keys_stay_and_severities_are_numbers() {
        let cause = normalized(
            json!({"title": "t", "status": 503, "instance": "/a", "AdditionalInfo": {"b": 1}}),
        );
        assert_eq!(cause["status"], 503);
        assert_eq!(cause["instance"], "/a");
        assert_eq!(cause["AdditionalInfo"], json!({"b": 1}));
        for (given, number, kept) in [
            (json!({"Severity": 2}), 2, None),
            (json!({"Severity": "ALERT"}), 2, None),
            (json!({"severity": "FATAL"}), 4, Some("FATAL")),
            (json!({"Severity": "ERROR"}), 1, Some("ERROR")),
            (json!({"level": "critical"}), 3, None),
            (json!({"Severity": null}), 1, None),
        ] {
            let cause = normalized(given.clone());
            assert_eq!(cause["Severity"], number, "{given}");
            assert_eq!(
                cause.get("severity").and_then(Value::as_str),
                kept,
                "{given}"
            );
        }
    }

    #[test]
    fn errors_without_end_inside_one_another_have_one() {
        let mut deep = json!({"message": "inmost"});
        for _ in 0..100 {
            deep = json!({"error": deep, "cause": {"message": "c"}});
        }
        let cause = normalized(deep);
        assert!(ARRAYS.iter().all(|key| cause[*key].is_array()), "{cause}");
    }

    #[test]
    fn an_error_in_a_text_is_read() {
        let body = json!({"title": "Forbidden", "detail": "no right", "hint": "ask"}).to_string();
        let cause = normalized(json!(body));
        assert_eq!(cause["ShortDescription"], json!(["Forbidden"]));
        assert_eq!(cause["LongDescription"], json!(["no right"]));
        assert_eq!(cause["SuggestedRemediation"], json!(["ask"]));
        for text in ["{", "{}", "{\"a\": 123456789012345678901234567890}", "{a}"] {
            assert_eq!(normalized(json!(text))["LongDescription"], json!([text]));
        }
        let oauth = normalized(json!({"error": "invalid_grant", "error_description": "expired"}));
        assert_eq!(oauth["LongDescription"][0], "expired");
        let list = normalized(json!(["a", {"message": "b"}, null]));
        assert_eq!(list["ShortDescription"], json!(["a", "b"]));
    }

    fn any_error() -> impl Strategy<Value = Value> {
        let keys = prop_oneof![
            Just("error"),
            Just("Err"),
            Just("Op"),
            Just("errors"),
            Just("code"),
            Just("Code"),
            Just("severity"),
            Just("Severity"),
            Just("status"),
            Just("message"),
            Just("title"),
            Just("name"),
            Just("detail"),
            Just("details"),
            Just("stack"),
            Just("cause"),
            Just("reason"),
            Just("hint"),
            Just("probableCause"),
            Just("probable_cause"),
            Just("ProbableCause"),
            Just("ShortDescription"),
            Just("shortDescription"),
            Just("LongDescription"),
            Just("SuggestedRemediation"),
            Just("other"),
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            Just(json!("")),
            (0..5).prop_map(Value::from),
            "[a-c]{1,3}".prop_map(Value::from),
            Just(json!("FATAL")),
        ];
        leaf.prop_recursive(4, 24, 5, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(keys.clone(), inner, 0..6).prop_map(|map| {
                    map.into_iter()
                        .map(|(key, value)| (key.to_owned(), value))
                        .collect()
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_stored_is_stored_again_as_it_is(given in any_error()) {
            let cause = normalized(given);
            prop_assert!(ARRAYS.iter().all(|key| cause[*key].is_array()));
            prop_assert!(cause["Code"].is_string() && cause["Severity"].is_u64());
            prop_assert_eq!(normalized(cause.clone()), cause);
        }
    }
}
