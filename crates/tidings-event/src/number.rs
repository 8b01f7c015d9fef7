//! Numbers without loss of digits.

use serde_json::{Number, Value};

/// The number of decimal digits that always fit into an IEEE double.
const SAFE_DIGITS: usize = 15;

/// The significant digits of a number, and the position of its decimal point.
#[derive(Debug, PartialEq, Eq)]
struct Decimal {
    is_negative: bool,
    digits: String,
    /// The value is 0.`digits` times ten to the power of this.
    exponent: i64,
}

/// A JSON number if it represents the digits exactly; otherwise the digits as a text.
pub(crate) fn exact(text: &str) -> Value {
    if let Ok(number) = text.parse::<u64>() {
        return number.into();
    }
    if let Ok(number) = text.parse::<i64>() {
        return number.into();
    }
    let double = text.parse::<f64>().ok();
    match double.and_then(|double| Some((double, Number::from_f64(double)?))) {
        // A few doubles have two shortest forms, of which `core` and `serde_json` print different ones.
        Some((double, number))
            if [format!("{double:e}"), number.to_string()]
                .iter()
                .any(|shortest| decimal(shortest) == decimal(text)) =>
        {
            Value::Number(number)
        }
        _ => plain(text).into(),
    }
}

/// The digits of a number that does not fit. With an exponent, every spelling of the number gives the same
/// text: `1e400`, `1E+400` and `10.0e399`. Without an exponent, the text does not change.
fn plain(text: &str) -> String {
    if !text.contains(['e', 'E']) {
        return text.to_owned();
    }
    let Some(decimal) = decimal(text).filter(|decimal| !decimal.digits.is_empty()) else {
        return text.to_ascii_lowercase().replace("e+", "e");
    };
    let sign = if decimal.is_negative { "-" } else { "" };
    let (first, rest) = decimal.digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    format!(
        "{sign}{first}{point}{rest}e{}",
        decimal.exponent.saturating_sub(1)
    )
}

/// One text for every spelling of a number: `1e5`, `100000.0` and `100000` are equal.
pub(crate) fn canonical(number: &Number) -> String {
    let (true, Some(double)) = (number.is_f64(), number.as_f64()) else {
        return number.to_string();
    };
    let shortest = format!("{double:e}");
    let Some(decimal) = decimal(&shortest) else {
        return shortest;
    };
    let digits = i64::try_from(decimal.digits.len()).unwrap_or(i64::MAX);
    if decimal.digits.is_empty() {
        return "0".to_owned();
    }
    // Integers of 64 bits have up to 20 digits.
    if !(digits..=20).contains(&decimal.exponent) {
        return shortest;
    }
    let zeros = usize::try_from(decimal.exponent - digits).unwrap_or(0);
    let sign = if decimal.is_negative { "-" } else { "" };
    format!("{sign}{}{}", decimal.digits, "0".repeat(zeros))
}

/// `None` if the exponent does not fit.
fn decimal(text: &str) -> Option<Decimal> {
    let (is_negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i64 = exponent
        .strip_prefix('+')
        .unwrap_or(exponent)
        .parse()
        .ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = [whole, fraction].concat();
    let significant = all.trim_start_matches('0');
    let leading = i64::try_from(all.len() - significant.len()).ok()?;
    let digits = significant.trim_end_matches('0').to_owned();
    if digits.is_empty() {
        return Some(Decimal {
            is_negative: false,
            digits,
            exponent: 0,
        });
    }
    let point = i64::try_from(whole.len()).ok()?;
    Some(Decimal {
        is_negative,
        digits,
        exponent: exponent.checked_add(point)?.checked_sub(leading)?,
    })
}

/// Whether a number in a JSON document has more digits than a double can hold.
pub(crate) fn may_round(json: &str) -> bool {
    let mut bytes = json.bytes();
    let mut digits = 0;
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => {
                digits = 0;
                skip_text(&mut bytes);
            }
            b'0'..=b'9' => {
                digits += 1;
                if digits > SAFE_DIGITS {
                    return true;
                }
            }
            b'.' => {}
            // The parser rejects exponents that are too large. A negative one can lose digits of a tiny
            // number.
            b'e' | b'E' if digits > 0 => {
                if bytes.clone().next() == Some(b'-') {
                    return true;
                }
                digits = 0;
            }
            _ => digits = 0,
        }
    }
    false
}

/// Skips the rest of a text after its opening quote.
fn skip_text(bytes: &mut std::str::Bytes<'_>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => {
                bytes.next();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keeps_the_digits_of_a_number_that_does_not_fit() {
        for kept in [
            "18446744073709551616",
            "-9223372036854775809",
            "0.1000000000000000055",
            "9007199254740993.0",
            "1e400",
            "-1e400",
            "1e-400",
            "1e99999999999999999999",
            "3.14159265358979323846",
        ] {
            assert_eq!(exact(kept), json!(kept));
        }
        for same in ["1e400", "1E400", "1E+400", "1.0e400", "10e399", "0.1e401"] {
            assert_eq!(exact(same), json!("1e400"), "{same}");
        }
        assert_eq!(exact("-12.50E+400"), json!("-1.25e401"));
        for (text, number) in [
            ("18446744073709551615", json!(u64::MAX)),
            ("-9223372036854775808", json!(i64::MIN)),
            ("0.1", json!(0.1)),
            ("0.10", json!(0.1)),
            ("1e5", json!(1e5)),
            ("1E+5", json!(1e5)),
            ("1e22", json!(1e22)),
            // The double is -862165748454578.25.
            ("-862165748454578.2", json!(-862_165_748_454_578.2)),
            ("-862165748454578.3", json!(-862_165_748_454_578.2)),
            ("100000000000000000000", json!(1e20)),
            ("0.0", json!(0.0)),
        ] {
            assert_eq!(exact(text), number, "{text}");
        }
    }

    #[test]
    fn gives_every_spelling_of_a_number_one_canonical_form() {
        for (same, form) in [
            (&["100000", "1e5", "100000.0", "1E+5", "10e4"][..], "100000"),
            (&["1", "1.0", "1e0"], "1"),
            (&["0", "-0", "0.0", "-0.0", "0e9"], "0"),
            (&["-2.50", "-2.5", "-25e-1"], "-2.5e0"),
            (&["1e25"], "1e25"),
        ] {
            for text in same {
                let number: Number = serde_json::from_str(text).unwrap();
                assert_eq!(canonical(&number), form, "{text}");
            }
        }
    }

    #[test]
    fn finds_long_numbers_outside_of_texts() {
        for json in [
            "{\"a\": 12345678901234567890123}",
            "[0.1234567890123456]",
            "1e-9",
        ] {
            assert!(may_round(json), "{json}");
        }
        for json in [
            "{\"12345678901234567890\": 0.5}",
            "[123456789012345, 0.12345678]",
            "\"\\\"12345678901234567890\"",
            "[1e5, 12.5]",
        ] {
            assert!(!may_round(json), "{json}");
        }
    }
}
