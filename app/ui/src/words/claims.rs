//! The claims of an access token, in words.

/// The meaning of a claim, and the document that defines it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimMeaning {
    pub text: &'static str,
    /// Empty for claims that only this server uses.
    pub source: &'static str,
    /// Whether the number is a time.
    pub moment: bool,
}

/// The meaning of a member of the header or of the claims.
pub fn meaning(name: &str) -> ClaimMeaning {
    let (text, source) = match name {
        "typ" => (
            "What kind of token this is. A refresh token says something else, so neither passes for the other.",
            "RFC 9068 §2.1",
        ),
        "alg" => (
            "How it is signed. The server goes by the algorithm of its key and refuses a token that says anything else.",
            "RFC 8725 §3.1",
        ),
        "kid" => (
            "Which key signed it. The public halves are at /.well-known/jwks.json.",
            "RFC 7515 §4.1.4",
        ),
        "iss" => ("Who issued it: this server.", "RFC 7519 §4.1.1"),
        "aud" => ("Audience: the service that may accept it.", "RFC 7519 §4.1.3"),
        "sub" => ("Subject: your account id.", "RFC 7519 §4.1.2"),
        "client_id" => (
            "Which program asked for it: this web application.",
            "RFC 9068 §2.2",
        ),
        "sid" => (
            "Your session: one sign-in, and all refresh tokens that came of it.",
            "OpenID Connect Back-Channel Logout §2.1",
        ),
        "gen" => (
            "Which refresh token of the session it came with. It rises by one with each rotation.",
            "",
        ),
        "role" => ("What you may do here, when it was issued.", ""),
        "jti" => (
            "The name of this one token. No two have the same.",
            "RFC 7519 §4.1.7",
        ),
        "iat" => ("When it was issued.", "RFC 7519 §4.1.6"),
        "nbf" => ("Not good before this moment.", "RFC 7519 §4.1.5"),
        "exp" => ("Refused from this moment on.", "RFC 7519 §4.1.4"),
        "auth_time" => ("When the password was given.", "RFC 9068 §2.2.1"),
        _ => ("", ""),
    };
    ClaimMeaning {
        text,
        source,
        moment: ["iat", "nbf", "exp", "auth_time"].contains(&name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_claim_of_our_tokens_has_a_meaning() {
        for name in [
            "typ",
            "alg",
            "kid",
            "iss",
            "aud",
            "sub",
            "client_id",
            "sid",
            "gen",
            "role",
            "jti",
            "iat",
            "nbf",
            "exp",
            "auth_time",
        ] {
            assert!(!meaning(name).text.is_empty(), "{name}");
        }
        assert!(meaning("exp").moment && !meaning("gen").moment);
    }
}
