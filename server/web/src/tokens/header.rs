//! The exact header that a token must have.
//!
//! Only our own tokens come back to us, so their header has exactly our three members. `alg` decides nothing (RFC 8725
//! §3.1), and the presence of `crit`, `jku`, `jwk`, `x5u`, `x5c`, `zip` or `cty` is enough for a refusal (RFC 7515
//! §4.1.11).

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;

use super::TokenError;

/// Names of our keys have 14 or 15 characters.
const MAX_KID_BYTES: usize = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenHeader {
    typ: String,
    alg: String,
    kid: String,
}

impl TokenHeader {
    pub(super) fn kid(&self) -> &str {
        &self.kid
    }

    /// Checks that `alg` is the algorithm of the key which `kid` names: the key decides, never the token.
    pub(super) fn is_for(&self, alg: &str) -> Result<(), TokenError> {
        if self.alg == alg {
            Ok(())
        } else {
            Err(TokenError::Invalid("its alg is not the key's"))
        }
    }
}

/// Reads the header of a compact JWS, if it has exactly our members. The signature is not checked here.
pub(super) fn read_header(token: &str, max_bytes: usize, typ: &str) -> Result<TokenHeader, TokenError> {
    if token.len() > max_bytes {
        return Err(TokenError::Invalid("it is too long"));
    }
    let mut parts = token.split('.');
    let (Some(header), Some(_), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(TokenError::Invalid("it does not have three parts"));
    };
    let bytes = BASE64_URL_SAFE_NO_PAD
        .decode(header)
        .map_err(|_| TokenError::Invalid("its header is not base64url"))?;
    // serde would also accept an array as a struct.
    if bytes.first() != Some(&b'{') {
        return Err(TokenError::Invalid("its header is not an object"));
    }
    let header: TokenHeader = serde_json::from_slice(&bytes)
        .map_err(|_| TokenError::Invalid("its header has other members than ours"))?;
    if header.typ != typ {
        return Err(TokenError::Invalid("its typ is another"));
    }
    if !is_key_name(&header.kid) {
        return Err(TokenError::Invalid("its kid is no name of a key"));
    }
    Ok(header)
}

/// Whether a key of ours could have this name. If not, the database is not asked for the key.
fn is_key_name(kid: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    (1..=MAX_KID_BYTES).contains(&kid.len()) && kid.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str) -> String {
        format!("{}.e30.c2ln", BASE64_URL_SAFE_NO_PAD.encode(header))
    }

    fn read(header: &str) -> Result<String, TokenError> {
        let header = read_header(&token(header), 4096, "at+jwt")?;
        header.is_for("EdDSA")?;
        Ok(header.kid().to_owned())
    }

    #[test]
    fn our_own_header_is_read() {
        assert_eq!(
            read(r#"{"typ":"at+jwt","alg":"EdDSA","kid":"k1"}"#),
            Ok("k1".to_owned())
        );
    }

    #[test]
    fn any_other_header_is_refused() {
        for header in [
            r#"{"typ":"at+jwt","alg":"none","kid":"k1"}"#,
            r#"{"typ":"at+jwt","alg":"HS256","kid":"k1"}"#,
            r#"{"typ":"at+jwt","alg":"eddsa","kid":"k1"}"#,
            r#"{"typ":"at+jwt","alg":["EdDSA"],"kid":"k1"}"#,
            r#"{"typ":"rt+jwt","alg":"EdDSA","kid":"k1"}"#,
            r#"{"typ":"JWT","alg":"EdDSA","kid":"k1"}"#,
            r#"{"alg":"EdDSA","kid":"k1"}"#,
            r#"{"typ":"at+jwt","alg":"EdDSA"}"#,
            r#"{"typ":"at+jwt","alg":"EdDSA","kid":1}"#,
            r#"{"typ":"at+jwt","alg":"EdDSA","kid":""}"#,
            r#"{"typ":"at+jwt","alg":"EdDSA","kid":"../k1"}"#,
            r#"{"typ":"at+jwt","alg":"EdDSA","kid":"k1'--"}"#,
            r#"{"typ":"at+jwt","alg":"EdDSA","kid":"k1\u0000"}"#,
            r#"{"typ":"at+jwt","alg":"EdDSA","kid":"k1","crit":["exp"]}"#,
            r#"{"typ":"at+jwt","alg":"EdDSA","kid":"k1","jku":"https://evil.example/keys"}"#,
            r#"{"typ":"at+jwt","alg":"EdDSA","kid":"k1","zip":"DEF"}"#,
            r#"{"typ":"at+jwt","alg":"none","alg":"EdDSA","kid":"k1"}"#,
            r#"["at+jwt","EdDSA","k1"]"#,
            "",
        ] {
            assert!(read(header).is_err(), "{header}");
        }
    }

    #[test]
    fn a_token_has_three_parts_and_no_padding() {
        let good = token(r#"{"typ":"at+jwt","alg":"EdDSA","kid":"k1"}"#);
        for bad in [
            good.replacen('.', "=.", 1),
            format!("{good}.x"),
            "e30".to_owned(),
            format!(" {good}"),
            String::new(),
        ] {
            assert!(read_header(&bad, 4096, "at+jwt").is_err(), "{bad}");
        }
        assert!(read_header(&good, good.len() - 1, "at+jwt").is_err());
    }
}
