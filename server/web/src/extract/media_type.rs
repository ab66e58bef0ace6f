//! The media type of a body, by the grammar of RFC 9110 §8.3.1.

use axum::http::{HeaderMap, header::CONTENT_TYPE};

/// Whether a request has exactly one `Content-Type`, the type is one of these, and a charset, if named, is UTF-8.
///
/// Any other parameter is refused, and so is a value that the grammar does not allow. Neither a form nor a script of
/// another site can send an accepted header without a preflight (Fetch §2.2.2, CORS-safelisted request headers).
pub fn is_one_of(headers: &HeaderMap, accepted: &[&str]) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).into_iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return false;
    };
    let Ok(text) = value.to_str() else {
        return false;
    };
    let (essence, parameters) = text.find(';').map_or((text, ""), |at| text.split_at(at));
    let essence = essence.trim_matches(OWS);
    accepted.iter().any(|one| essence.eq_ignore_ascii_case(one)) && has_only_utf_8(parameters) == Some(true)
}

/// Optional whitespace (RFC 9110 §5.6.3).
const OWS: [char; 2] = [' ', '\t'];

/// Whether every parameter is `charset` with the value `utf-8`. `None` if the text breaks the grammar
/// `*( OWS ";" OWS [ token "=" ( token / quoted-string ) ] )`.
fn has_only_utf_8(mut rest: &str) -> Option<bool> {
    let mut is_utf_8 = true;
    loop {
        rest = rest.trim_start_matches(OWS);
        if rest.is_empty() {
            return Some(is_utf_8);
        }
        rest = rest.strip_prefix(';')?.trim_start_matches(OWS);
        // A parameter may be omitted, as in `application/json;`.
        if rest.is_empty() || rest.starts_with(';') {
            continue;
        }
        let (name, after) = token(rest)?;
        let (value, after) = value(after.strip_prefix('=')?)?;
        is_utf_8 &= name.eq_ignore_ascii_case("charset") && value.eq_ignore_ascii_case("utf-8");
        rest = after;
    }
}

/// Splits off a token (RFC 9110 §5.6.2) and returns it with the rest.
fn token(text: &str) -> Option<(&str, &str)> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let end = text.find(|c| !is_token(c)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// Splits off the value of a parameter and returns it unquoted with the rest.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        return token(text).map(|(value, rest)| (value.to_owned(), rest));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    fn accepted(values: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(
                CONTENT_TYPE,
                HeaderValue::from_str(value).expect("a header value"),
            );
        }
        is_one_of(&headers, &["application/json"])
    }

    #[test]
    fn every_legal_spelling_of_utf_8_json_is_json() {
        for value in [
            "application/json",
            "Application/JSON; charset=UTF-8",
            r#"application/json; charset="utf-8""#,
            r#"application/json;CHARSET="UTF\-8""#,
            "application/json;",
            "application/json ; ",
            "application/json;;\t; charset=utf-8;",
            "application/json; charset=utf-8; charset=utf-8",
        ] {
            assert!(accepted(&[value]), "{value}");
        }
    }

    #[test]
    fn nothing_else_is_json() {
        for values in [
            &[][..],
            &[""],
            &["text/plain"],
            &["application/x-www-form-urlencoded"],
            &["multipart/form-data; boundary=x"],
            &["text/plain; application/json"],
            &["text/plain; charset=\"application/json\""],
            &["text/plain;application/json; charset=utf-8"],
            &["application/json; charset=utf-16"],
            &["application/json; charset=utf8"],
            &["application/json; charset=\"utf-16\""],
            &["application/json; charset=utf-8; charset=utf-16"],
            &["application/json; version=1"],
            &["application/json; charset"],
            &["application/json; charset="],
            &["application/json; =utf-8"],
            &["application/json; charset = utf-8"],
            &["application/json; charset=\"utf-8"],
            &["application/json; charset=\"utf-8\"x"],
            &["application/json; charset='utf-8'"],
            &["application/json charset=utf-8"],
            &["application/json, text/plain"],
            &["application/json; charset=utf-8, text/plain"],
            &["application/json", "application/json"],
            &["application/jsonp"],
            &["application / json"],
        ] {
            assert!(!accepted(values), "{values:?}");
        }
    }

    proptest! {
        /// The types that a form, or a script without a preflight, can send.
        #[test]
        fn no_parameter_turns_a_safelisted_type_into_json(
            essence in prop::sample::select(vec!["text/plain", "multipart/form-data", "application/x-www-form-urlencoded"]),
            parameters in "[ -~]{0,40}",
        ) {
            let text = format!("{essence};{parameters}");
            prop_assert!(!accepted(&[&text]));
        }
    }
}
