//! Parser for the API's responses: JSON (RFC 8259) with whole numbers, because the API sends no others.
//!
//! `serde_json` does more, and its size matters for the sign-in page. Its error messages require the code that formats
//! fractions, which alone is larger than this file. No one reads these messages here: a response can be parsed or it
//! cannot.
//!
//! The small `serde` parsers are no replacement (November 2026). `serde-json-core` 0.7 panics at a map with `String`
//! keys. It has no depth limit, so a deeply nested value that no type asks for overflows the stack. It also rejects
//! escaped surrogate pairs and untagged enums, accepts `[,1]`, and is 1.2 KB larger as brotli. `serde-json-wasm` 1.0
//! panics at a field with a fraction, accepts `[,1]` too and a surrogate pair with something between its halves, and is
//! nearly 2 KB larger. Its authors have returned to `serde_json`. `hifijson` 0.5 parses neither an enum nor an `Option`
//! with a value. Only `struson` 0.7 parses all of this correctly, and it is 20 KB larger.

use std::fmt;

use serde::{
    de::{
        self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess,
        Visitor,
    },
    forward_to_deserialize_any,
};

/// The text is not JSON, or not of the expected form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ParseError;

/// Parses one value, which must be the whole text.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, ParseError> {
    let mut parser = Parser { rest: text };
    let value = T::deserialize(&mut parser)?;
    parser.skip_space();
    if parser.rest.is_empty() {
        Ok(value)
    } else {
        Err(ParseError)
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the text is not of the wanted form")
    }
}

impl std::error::Error for ParseError {}

impl de::Error for ParseError {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// The parser's state: the rest of the text.
struct Parser<'de> {
    rest: &'de str,
}

impl<'de> Parser<'de> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    /// The first byte of the next value or punctuation mark.
    fn peek(&mut self) -> Result<u8, ParseError> {
        self.skip_space();
        self.rest.bytes().next().ok_or(ParseError)
    }

    fn take(&mut self, expected: &str) -> Result<(), ParseError> {
        self.rest = self.rest.strip_prefix(expected).ok_or(ParseError)?;
        Ok(())
    }

    /// Takes the longest prefix of these characters.
    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'de str {
        let end = self.rest.find(|c| !wanted(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn string(&mut self) -> Result<String, ParseError> {
        self.take("\"")?;
        let mut text = String::new();
        loop {
            text.push_str(self.take_while(|c| c >= ' ' && c != '"' && c != '\\'));
            if self.take("\"").is_ok() {
                return Ok(text);
            }
            self.take("\\")?;
            text.push(self.escaped()?);
        }
    }

    fn escaped(&mut self) -> Result<char, ParseError> {
        let kind = self.rest.chars().next().ok_or(ParseError)?;
        self.rest = &self.rest[kind.len_utf8()..];
        Ok(match kind {
            '"' | '\\' | '/' => kind,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let unit = self.utf16()?;
                // A character beyond the first 65,536 is encoded as two units.
                let second = if (0xd800..0xdc00).contains(&unit) {
                    self.take("\\u")?;
                    Some(self.utf16()?)
                } else {
                    None
                };
                let mut decoded = char::decode_utf16([unit].into_iter().chain(second));
                decoded.next().and_then(Result::ok).ok_or(ParseError)?
            }
            _ => return Err(ParseError),
        })
    }

    fn utf16(&mut self) -> Result<u16, ParseError> {
        let (digits, rest) = self.rest.split_at_checked(4).ok_or(ParseError)?;
        self.rest = rest;
        digits.chars().try_fold(0, |unit, digit| {
            let digit = digit.to_digit(16).and_then(|digit| u16::try_from(digit).ok());
            Ok(unit << 4 | digit.ok_or(ParseError)?)
        })
    }

    fn number<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, ParseError> {
        let text = self.take_while(|c| c.is_ascii_digit() || c == '-');
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits.len() > 1 && digits.starts_with('0') {
            return Err(ParseError);
        }
        match text.parse() {
            Ok(number) => visitor.visit_u64(number),
            Err(_) => visitor.visit_i64(text.parse().map_err(|_| ParseError)?),
        }
    }

    /// Skips a value that no type asks for. It only tracks strings and brackets, to find the end. It is not recursive,
    /// so the stack does not grow with the depth of nesting.
    fn skip(&mut self) -> Result<(), ParseError> {
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                b'"' => drop(self.string()?),
                b'{' | b'[' => {
                    depth += 1;
                    self.rest = &self.rest[1..];
                }
                b'}' | b']' | b',' | b':' if depth == 0 => return Err(ParseError),
                mark @ (b'}' | b']' | b',' | b':') => {
                    depth -= usize::from(matches!(mark, b'}' | b']'));
                    self.rest = &self.rest[1..];
                }
                _ if self
                    .take_while(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
                    .is_empty() =>
                {
                    return Err(ParseError);
                }
                _ => {}
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }
}

impl<'de> Deserializer<'de> for &mut Parser<'de> {
    type Error = ParseError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParseError> {
        match self.peek()? {
            b'"' => visitor.visit_string(self.string()?),
            b'{' => visitor.visit_map(Entries::after("{", self)?),
            b'[' => visitor.visit_seq(Entries::after("[", self)?),
            b'n' => self.take("null").and_then(|()| visitor.visit_unit()),
            b't' => self.take("true").and_then(|()| visitor.visit_bool(true)),
            b'f' => self.take("false").and_then(|()| visitor.visit_bool(false)),
            _ => self.number(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParseError> {
        if self.peek()? == b'n' {
            self.take("null").and_then(|()| visitor.visit_none())
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ParseError> {
        visitor.visit_newtype_struct(self)
    }

    /// One of several names. No enum of the API carries data.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ParseError> {
        self.skip_space();
        visitor.visit_enum(self.string()?.into_deserializer())
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParseError> {
        self.skip()?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier
    }
}

/// The entries between two brackets.
struct Entries<'a, 'de> {
    parser: &'a mut Parser<'de>,
    is_first: bool,
}

impl<'a, 'de> Entries<'a, 'de> {
    fn after(bracket: &str, parser: &'a mut Parser<'de>) -> Result<Self, ParseError> {
        parser.take(bracket)?;
        Ok(Self {
            parser,
            is_first: true,
        })
    }

    /// Advances to the next entry; `false` after the last one.
    fn advance(&mut self, closing: &str) -> Result<bool, ParseError> {
        self.parser.skip_space();
        if self.parser.take(closing).is_ok() {
            return Ok(false);
        }
        if !std::mem::take(&mut self.is_first) {
            self.parser.take(",")?;
            self.parser.skip_space();
        }
        Ok(true)
    }
}

impl<'de> SeqAccess<'de> for Entries<'_, 'de> {
    type Error = ParseError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, ParseError> {
        if !self.advance("]")? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.parser).map(Some)
    }
}

impl<'de> MapAccess<'de> for Entries<'_, 'de> {
    type Error = ParseError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ParseError> {
        if !self.advance("}")? {
            return Ok(None);
        }
        let key: de::value::StringDeserializer<ParseError> = self.parser.string()?.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ParseError> {
        self.parser.skip_space();
        self.parser.take(":")?;
        seed.deserialize(&mut *self.parser)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use api_types::problem::{Problem, ProblemCode};
    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};

    use super::*;

    /// Contains every kind of value that a response can contain.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    struct Sample {
        text: String,
        maybe: Option<u64>,
        number: i64,
        small: u16,
        yes: bool,
        code: ProblemCode,
        map: BTreeMap<String, Vec<String>>,
        #[serde(default)]
        inner: Vec<Sample>,
    }

    fn samples() -> impl Strategy<Value = Sample> {
        let flat = (
            any::<String>(),
            any::<Option<u64>>(),
            any::<i64>(),
            any::<u16>(),
            any::<bool>(),
            prop::collection::btree_map(
                any::<String>(),
                prop::collection::vec(any::<String>(), 0..3),
                0..3,
            ),
        )
            .prop_map(|(text, maybe, number, small, yes, map)| Sample {
                text,
                maybe,
                number,
                small,
                yes,
                code: ProblemCode::Busy,
                map,
                inner: vec![],
            });
        flat.prop_recursive(3, 8, 2, |inner| {
            (inner.clone(), prop::collection::vec(inner, 0..3))
                .prop_map(|(outer, inner)| Sample { inner, ..outer })
        })
    }

    proptest! {
        #[test]
        fn written_values_parse_back(sample in samples()) {
            for text in [serde_json::to_string(&sample), serde_json::to_string_pretty(&sample)] {
                prop_assert_eq!(parse::<Sample>(&text.expect("writes")), Ok(sample.clone()));
            }
        }

        /// Escaped or not, with any escapes.
        #[test]
        fn strings_parse_as_in_serde_json(
            text in r#""([a-zäß🗝]|\\["\\/bfnrtux]|\\u[0-9a-fA-FdD]{4}|\\ud83d\\udddd|["\x01]){0,6}""#
        ) {
            prop_assert_eq!(parse::<String>(&text).ok(), serde_json::from_str::<String>(&text).ok());
        }

        #[test]
        fn numbers_parse_as_in_serde_json(text in "-?[1-9][0-9]{0,20}|00?") {
            prop_assert_eq!(parse::<u64>(&text).ok(), serde_json::from_str::<u64>(&text).ok());
            prop_assert_eq!(parse::<i64>(&text).ok(), serde_json::from_str::<i64>(&text).ok());
        }

        #[test]
        fn no_input_panics(text in r#"([{}\[\]:,"\\untrfe0-9.ä -]|"code"){0,30}"#) {
            let _ = (parse::<Problem>(&text), parse::<Vec<String>>(&text), parse::<de::IgnoredAny>(&text));
        }
    }

    #[test]
    fn unknown_fields_are_skipped() {
        #[derive(Debug, PartialEq, Eq, Deserialize)]
        struct Wanted {
            id: u64,
        }
        for other in [
            "1.5e-3",
            "null",
            "true",
            r#""}\"]""#,
            "[]",
            "{}",
            r#"{"a":[1,{"b":"]"}],"c":-1.0}"#,
        ] {
            let text = format!(r#" {{ "x" : {other} , "id" : 7 , "y":{other}}} "#);
            assert_eq!(parse(&text), Ok(Wanted { id: 7 }), "{text}");
        }
        let deep = format!(
            r#"{{"x":{}{},"id":7}}"#,
            "[".repeat(1_000_000),
            "]".repeat(1_000_000)
        );
        assert_eq!(parse(&deep), Ok(Wanted { id: 7 }));
    }

    #[test]
    fn invalid_json_is_refused() {
        for text in [
            "",
            " ",
            "<html>",
            "[",
            "]",
            "[1",
            "[1,]",
            "[,1]",
            "[1 2]",
            "[1]]",
            "[1] x",
            "[01]",
            "[-01]",
            "[+1]",
            "[-]",
            "[1.5]",
            "[--1]",
            "[\"1\"]",
            "{}",
            "[18446744073709551616]",
        ] {
            assert_eq!(parse::<Vec<u64>>(text), Err(ParseError), "{text}");
        }
        for text in [
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a" 1}"#,
            r#"{"a":1,}"#,
            "{a:1}",
            r#"{"a":1"#,
        ] {
            assert_eq!(parse::<BTreeMap<String, u64>>(text), Err(ParseError), "{text}");
        }
    }
}
