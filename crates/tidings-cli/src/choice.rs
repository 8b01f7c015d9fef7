//! The parser of a flag that takes one of a few words.

use clap::builder::{PossibleValuesParser, TypedValueParser};

/// Accepts the word of one of these values, and lists the words in the help and in errors.
pub(crate) fn one_of<const N: usize, T>(
    values: [T; N],
    word: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    PossibleValuesParser::new(values.map(word)).map(move |given| {
        let named = values.into_iter().find(|value| word(*value) == given);
        named.expect("the parser accepts only the words of these values")
    })
}
