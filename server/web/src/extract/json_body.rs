//! Reads a request body as JSON. This file depends on nothing else in the server, so that it can be fuzzed in
//! isolation.

use serde::de::{DeserializeOwned, IgnoredAny};

/// Why a body is not what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BodyError {
    /// It is not JSON in UTF-8.
    Syntax,
    /// It is JSON, but this member is missing, unknown, repeated or of the wrong type; `body` if it is not an object.
    Shape(String),
}

/// Parses a body. Syntax comes first, then shape: text that is not JSON is 400 whatever it was meant to be, and the
/// rest is 422.
///
/// # Errors
/// What is wrong with the body.
pub(super) fn read_body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, BodyError> {
    let is_json = |text| serde_json::from_str::<IgnoredAny>(text).is_ok();
    if !std::str::from_utf8(bytes).is_ok_and(is_json) {
        return Err(BodyError::Syntax);
    }
    // serde would also accept an array as a struct, in the order of its members.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(BodyError::Shape("body".to_owned()));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        // serde's message would name our types; the path names the client's own field.
        let path = error.path().to_string();
        BodyError::Shape(if path == "." { "body".to_owned() } else { path })
    })
}
