//! Tokens: without a signature of our key nothing is accepted, and with it only our header, our parties and a valid time.
//!
//! The first byte chooses what is done with the rest. As an ASCII digit: `0` and `4` take a whole token; `1` and `5` sign a
//! header and claims with our key, `2` and `6` change a valid token, `3` and `7` sign with keys that are not ours. The
//! lower four are refresh tokens (HS256), the others access tokens (`EdDSA`).

#![no_main]

use std::sync::LazyLock;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, crypto::sign};
use keyturn_fuzz::{
    strict,
    tokens::{MAX_TOKEN_BYTES, VerifyingKey, verify_access, verify_refresh},
};
use libfuzzer_sys::fuzz_target;
use rotation::{
    AccessClaims, RefreshClaims, Timestamp,
    claims::{ACCESS_TYP, CLIENT_ID, NODE_SKEW_SECS, Parties, REFRESH_TYP},
};
use serde_json::{Value, json};

const NOW: i64 = 1_795_000_000;
const SECRET: &[u8] = b"a key for this fuzz target, and for nothing else";
/// The published test key of RFC 8037, appendix A.1.
const ED_SECRET: [u8; 32] = [
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44,
    0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
];
const ED_PUBLIC: [u8; 32] = [
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e,
    0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
];

struct Keys {
    parties: Parties,
    refresh: VerifyingKey,
    access: VerifyingKey,
    refresh_signer: EncodingKey,
    access_signer: EncodingKey,
    refresh_parts: Parts,
    access_parts: Parts,
    valid_refresh: String,
    valid_access: String,
}

/// Header and claims of a valid token.
type Parts = (Vec<u8>, Vec<u8>);

static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let refresh_signer = EncodingKey::from_secret(SECRET);
    let access_signer = ed_key(&ED_SECRET);
    let refresh_claims = json!({
        "iss": "https://keyturn.example",
        "aud": "https://keyturn.example/api/auth/refresh",
        "sub": "0193a5f0000070008000000000000001",
        "sid": "0193a5f0000070008000000000000002",
        "gen": 1,
        "jti": "0193a5f0000070008000000000000003",
        "iat": NOW - 100,
        "exp": NOW + 600_000,
    });
    let access_claims = json!({
        "iss": "https://keyturn.example",
        "aud": "keyturn",
        "sub": "0193a5f0000070008000000000000001",
        "client_id": CLIENT_ID,
        "sid": "0193a5f0000070008000000000000002",
        "gen": 1,
        "role": "user",
        "jti": "0193a5f0000070008000000000000003",
        "iat": NOW - 100,
        "nbf": NOW - 100,
        "exp": NOW + 800,
        "auth_time": NOW - 100,
    });
    let written = |value: Value| value.to_string().into_bytes();
    let refresh_header = written(json!({"typ": REFRESH_TYP, "alg": "HS256", "kid": "r1"}));
    let access_header = written(json!({"typ": ACCESS_TYP, "alg": "EdDSA", "kid": "a1"}));
    let refresh_claims = written(refresh_claims);
    let access_claims = written(access_claims);
    Keys {
        parties: Parties {
            issuer: "https://keyturn.example".to_owned(),
            audience: "keyturn".to_owned(),
        },
        refresh: VerifyingKey {
            kid: "r1",
            alg: Algorithm::HS256,
            alg_name: "HS256",
            decoding: DecodingKey::from_secret(SECRET),
        },
        access: VerifyingKey {
            kid: "a1",
            alg: Algorithm::EdDSA,
            alg_name: "EdDSA",
            decoding: DecodingKey::from_ed_der(&ED_PUBLIC),
        },
        valid_refresh: signed(
            &refresh_header,
            &refresh_claims,
            &refresh_signer,
            Algorithm::HS256,
        ),
        valid_access: signed(&access_header, &access_claims, &access_signer, Algorithm::EdDSA),
        refresh_parts: (refresh_header, refresh_claims),
        access_parts: (access_header, access_claims),
        refresh_signer,
        access_signer,
    }
});

fuzz_target!(|data: &[u8]| {
    let Some((choice, data)) = data.split_first() else {
        return;
    };
    let is_refresh = choice & 4 == 0;
    match choice & 3 {
        0 => as_it_came(data),
        1 => signed_by_us(data, is_refresh),
        2 => changed(data, is_refresh),
        _ => signed_by_others(data, choice >> 3),
    }
});

/// Whatever is accepted is byte for byte what our key signs, under our header.
fn as_it_came(data: &[u8]) {
    let Ok(token) = std::str::from_utf8(data) else {
        return;
    };
    let (refresh, access) = verify(token);
    if let Some(claims) = refresh {
        assert!(is_signed(token, &KEYS.refresh_signer, Algorithm::HS256));
        assert!(has_header(token, REFRESH_TYP, &KEYS.refresh) && holds_refresh(&claims));
    }
    if let Some(claims) = access {
        assert!(is_signed(token, &KEYS.access_signer, Algorithm::EdDSA));
        assert!(has_header(token, ACCESS_TYP, &KEYS.access) && holds_access(&claims));
    }
}

/// Under our signature, a token is accepted exactly if the header is ours and all claims are there and hold.
fn signed_by_us(data: &[u8], is_refresh: bool) {
    let (header, claims) = two_lines(data, is_refresh);
    if is_refresh {
        let token = signed(header, claims, &KEYS.refresh_signer, Algorithm::HS256);
        let expected = serde_json::from_slice(claims)
            .ok()
            .filter(holds_refresh)
            .filter(|_| has_header(&token, REFRESH_TYP, &KEYS.refresh));
        assert_eq!(verify(&token), (expected, None));
    } else {
        let token = signed(header, claims, &KEYS.access_signer, Algorithm::EdDSA);
        let expected = serde_json::from_slice(claims)
            .ok()
            .filter(holds_access)
            .filter(|_| has_header(&token, ACCESS_TYP, &KEYS.access));
        assert_eq!(verify(&token), (None, expected));
    }
}

/// A token with any change is refused. Four bytes are one change: what to do, where (two bytes), and with which byte.
fn changed(data: &[u8], is_refresh: bool) {
    let valid = if is_refresh {
        &KEYS.valid_refresh
    } else {
        &KEYS.valid_access
    };
    let mut bytes = valid.clone().into_bytes();
    for change in data.chunks_exact(4).take(8) {
        let at = usize::from(u16::from_be_bytes([change[1], change[2]])) % (bytes.len() + 1);
        match change[0] % 4 {
            0 => bytes.insert(at, change[3]),
            1 if at < bytes.len() => drop(bytes.remove(at)),
            2 => bytes.truncate(at),
            3 if at < bytes.len() => bytes[at] = change[3],
            _ => {}
        }
    }
    if let Ok(token) = String::from_utf8(bytes) {
        let (refresh, access) = verify(&token);
        let is_same = token == *valid;
        assert_eq!(refresh.is_some(), is_same && is_refresh);
        assert_eq!(access.is_some(), is_same && !is_refresh);
    }
}

/// No signature of another key, of another algorithm or none at all is accepted, whatever header and claims say.
fn signed_by_others(data: &[u8], choice: u8) {
    let (header, claims) = two_lines(data, choice % 6 != 4);
    let token = match choice % 6 {
        0 => signed(
            header,
            claims,
            &EncodingKey::from_secret(b"another"),
            Algorithm::HS256,
        ),
        // RFC 8725 §2.1: the public key taken for a secret.
        1 => signed(
            header,
            claims,
            &EncodingKey::from_secret(&ED_PUBLIC),
            Algorithm::HS256,
        ),
        2 => signed(header, claims, &EncodingKey::from_secret(b""), Algorithm::HS256),
        3 => signed(header, claims, &KEYS.refresh_signer, Algorithm::HS512),
        4 => signed(header, claims, &ed_key(&[7; 32]), Algorithm::EdDSA),
        _ => unsigned(header, claims) + ".",
    };
    assert_eq!(verify(&token), (None, None));
}

/// What the server reads from a refresh token and from an access token.
fn verify(token: &str) -> (Option<RefreshClaims>, Option<AccessClaims>) {
    let now = Timestamp::from_secs(NOW);
    (
        verify_refresh(token, &KEYS.refresh, &KEYS.parties, now).ok(),
        verify_access(token, &KEYS.access, &KEYS.parties, now).ok(),
    )
}

fn has_header(token: &str, typ: &str, key: &VerifyingKey) -> bool {
    let header = token.split('.').next().unwrap_or_default();
    let header = BASE64_URL_SAFE_NO_PAD.decode(header).expect("base64url");
    let expected = json!({"typ": typ, "alg": key.alg_name, "kid": key.kid});
    token.len() <= MAX_TOKEN_BYTES && strict::parse(&header) == Some(expected)
}

fn holds_refresh(claims: &RefreshClaims) -> bool {
    claims.iss == "https://keyturn.example"
        && claims.aud == "https://keyturn.example/api/auth/refresh"
        && claims.exp > NOW
}

fn holds_access(claims: &AccessClaims) -> bool {
    claims.iss == "https://keyturn.example"
        && claims.aud == "keyturn"
        && claims.client_id == CLIENT_ID
        && claims.iat.max(claims.nbf) <= NOW + NODE_SKEW_SECS
        && claims.exp > NOW
}

/// Both algorithms are deterministic, so there is one right signature.
fn is_signed(token: &str, key: &EncodingKey, alg: Algorithm) -> bool {
    token.rsplit_once('.').is_some_and(|(message, signature)| {
        sign(message.as_bytes(), key, alg).is_ok_and(|expected| expected == signature)
    })
}

fn signed(header: &[u8], claims: &[u8], key: &EncodingKey, alg: Algorithm) -> String {
    let message = unsigned(header, claims);
    let signature = sign(message.as_bytes(), key, alg).expect("signs");
    format!("{message}.{signature}")
}

fn unsigned(header: &[u8], claims: &[u8]) -> String {
    let encode = |bytes| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    format!("{}.{}", encode(header), encode(claims))
}

/// The header is the first line, the claims are the rest. One that is empty is that of a valid token.
fn two_lines(data: &[u8], is_refresh: bool) -> (&[u8], &[u8]) {
    let (header, claims) = match data.iter().position(|byte| *byte == b'\n') {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, &[][..]),
    };
    let valid = if is_refresh {
        &KEYS.refresh_parts
    } else {
        &KEYS.access_parts
    };
    (
        if header.is_empty() { &valid.0 } else { header },
        if claims.is_empty() { &valid.1 } else { claims },
    )
}

/// A private key of Ed25519 as PKCS #8 (RFC 8410 §7).
fn ed_key(secret: &[u8; 32]) -> EncodingKey {
    const PREFIX: [u8; 16] = [
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
    ];
    EncodingKey::from_ed_der(&[&PREFIX[..], &secret[..]].concat())
}
