//! Chapter J: forged, damaged, misplaced and expired tokens, as a bearer's and as the refresh cookie.

#![expect(clippy::similar_names, reason = "a forger, and what it has forged")]

use std::{net::TcpListener, time::Duration};

use aws_lc_rs::{
    encoding::AsDer,
    signature::{Ed25519KeyPair, KeyPair},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use http::{Method, header};
use jsonwebtoken::{Algorithm, EncodingKey, crypto::sign};
use rotation::Clock;
use serde_json::{Value, json};
use web::{config::RawConfig, tokens::keys::SigningStart};

use super::{
    forger::{Forger, base64, hmac, master},
    target::{Target, assert_token_refused},
};
use crate::support::{Db, PASSWORD, TestApp, client::token_header, http::TestListener, on_both_databases};

fn signing_with(alg: &'static str) -> impl FnOnce(&mut RawConfig) {
    move |sections| alg.clone_into(&mut sections.tokens.signing_alg)
}

/// The same table of headers for both kinds of token: with no signature, and with that of the genuine token.
async fn refuses_algorithms(db: Db, algorithms: &[Value], genuine_signature: bool) {
    let target = Target::new(db).await;
    for (forger, is_access) in [
        (Forger::of_access(&target).await, true),
        (Forger::of_refresh(&target), false),
    ] {
        let mut forged = Vec::new();
        for alg in algorithms {
            let mut header: Value = serde_json::from_str(&forger.header()).expect("JSON");
            header["alg"] = alg.clone();
            let signature = if genuine_signature { forger.signature() } else { "" };
            forged.push(forger.signed_by(&header.to_string(), |_| signature.to_owned()));
            // Without the dot that an empty signature has in front of it, too.
            forged.push(
                forger
                    .signed_by(&header.to_string(), |_| String::new())
                    .trim_end_matches('.')
                    .to_owned(),
            );
        }
        if is_access {
            target.refuses_bearers(&forged).await;
        } else {
            target.refuses_cookies(&forged).await;
        }
    }
    target.assert_unharmed().await;
}

/// Secrets that people leave in a configuration.
const DICTIONARY: [&str; 12] = [
    "",
    "secret",
    "changeme",
    "keyturn",
    "Keyturn",
    "password",
    "jwt_secret",
    "your-256-bit-secret",
    "the new one",
    "the old one",
    "0123456789abcdef0123456789abcdef",
    "openssl rand -base64 48",
];

/// The forms in which the public half of the key that signs is handed around.
async fn public_forms(target: &Target) -> Vec<Vec<u8>> {
    let jwks = target.app.anonymous().get("/.well-known/jwks.json").await.json();
    let key = &jwks["keys"][0];
    let part = |name: &str| {
        let text = key[name].as_str().unwrap_or_default();
        base64::prelude::BASE64_URL_SAFE_NO_PAD
            .decode(text)
            .expect("base64url")
    };
    // SubjectPublicKeyInfo of Ed25519 (RFC 8410 §4) and of P-256 (RFC 5480 §2).
    let (raw, prefix) = if key["kty"] == "OKP" {
        (
            part("x"),
            vec![
                0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
            ],
        )
    } else {
        let prefix = vec![
            0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
            0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
        ];
        ([vec![4], part("x"), part("y")].concat(), prefix)
    };
    let der = [prefix, raw.clone()].concat();
    let lines = BASE64_STANDARD.encode(&der);
    let lines: Vec<_> = lines.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----",
        lines.join("\n")
    );
    vec![
        raw,
        der,
        pem.clone().into_bytes(),
        format!("{pem}\n").into_bytes(),
        key["x"].as_str().expect("x").as_bytes().to_vec(),
        key.to_string().into_bytes(),
        jwks.to_string().into_bytes(),
    ]
}

/// A key pair that an attacker has made, and its public half.
fn strangers_key() -> (EncodingKey, String) {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a key");
    let der = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair).expect("DER");
    (EncodingKey::from_ed_der(der.as_ref()), base64(pair.public_key()))
}

fn by_a_stranger(text: &str) -> String {
    sign(text.as_bytes(), &strangers_key().0, Algorithm::EdDSA).expect("signs")
}

/// The header of the genuine token with members that point to the attacker's key.
fn pointing(forger: &Forger, members: &Value) -> String {
    let mut header: Value = serde_json::from_str(&forger.header()).expect("JSON");
    for (name, value) in members.as_object().expect("an object") {
        header[name] = value.clone();
    }
    header.to_string()
}

/// A number in big-endian bytes, as many as `like` has, of which `subtract` is taken away.
fn difference(from: &[u8], subtract: &[u8]) -> Vec<u8> {
    let (mut result, mut borrow) = (vec![0; from.len()], 0);
    for at in (0..from.len()).rev() {
        let digit = i16::from(from[at]) - i16::from(subtract[at]) - borrow;
        borrow = i16::from(digit < 0);
        result[at] = u8::try_from(digit.rem_euclid(256)).expect("a byte");
    }
    result
}

/// The sum of two numbers in little-endian bytes.
fn sum(one: &[u8], other: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    one.iter()
        .zip(other)
        .map(|(one, other)| {
            let digit = u16::from(*one) + u16::from(*other) + carry;
            carry = digit >> 8;
            u8::try_from(digit & 0xff).expect("a byte")
        })
        .collect()
}

/// The order of P-256 (SEC 2 §2.4.2).
const P256_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
    0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];
/// The order of Ed25519's group, little-endian (RFC 8032 §5.1).
const ED25519_ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

fn signature_bytes(token: &str) -> Vec<u8> {
    let text = token.rsplit_once('.').expect("a signature").1;
    base64::prelude::BASE64_URL_SAFE_NO_PAD
        .decode(text)
        .expect("base64url")
}

fn with_signature(token: &str, signature: impl AsRef<[u8]>) -> String {
    let (head, _) = token.rsplit_once('.').expect("a signature");
    format!("{head}.{}", base64(signature))
}

/// The claim with each of these values (as JSON text), refused in both kinds of token.
async fn refuses_claim(db: Db, name: &str, values: &[&str]) {
    let target = Target::new(db).await;
    let (access, refresh) = (Forger::of_access(&target).await, Forger::of_refresh(&target));
    let forged = |forger: &Forger| {
        let mut all: Vec<_> = values
            .iter()
            .map(|value| forger.with_raw_claim(name, value))
            .collect();
        all.push(forger.without_claim(name));
        all
    };
    target.refuses_both(&forged(&access), &forged(&refresh)).await;
    target.assert_unharmed().await;
}

on_both_databases! {
    async fn j_01_a_token_without_a_signature_is_refused(db: Db) {
        refuses_algorithms(db, &[json!("none")], false).await;
    }

    async fn j_02_none_is_refused_in_every_spelling(db: Db) {
        let spellings = ["None", "nOnE", "NONE", " none", "none ", "no\u{0}ne", "n\u{f6}ne"];
        refuses_algorithms(db, &spellings.map(Value::from), false).await;
    }

    async fn j_03_none_with_a_genuine_signature_is_refused(db: Db) {
        refuses_algorithms(db, &[json!("none"), json!("None"), json!("NONE")], true).await;
    }

    async fn j_04_an_alg_that_is_no_name_is_refused(db: Db) {
        let target = Target::new(db).await;
        let (access, refresh) = (Forger::of_access(&target).await, Forger::of_refresh(&target));
        let forged = |forger: &Forger| {
            let mut all: Vec<_> = [json!(null), json!(256), json!(["HS256"]), json!({}), json!(true), json!("")]
                .into_iter()
                .map(|alg| forger.with_member("alg", alg))
                .collect();
            let mut without: Value = serde_json::from_str(&forger.header()).expect("JSON");
            without.as_object_mut().expect("an object").remove("alg");
            all.push(forger.with_header(&without.to_string()));
            all
        };
        target.refuses_both(&forged(&access), &forged(&refresh)).await;
        target.assert_unharmed().await;
    }

    async fn j_06_another_hash_with_the_same_secret_is_refused(db: Db) {
        let target = Target::with(db, signing_with("HS256")).await;
        let (access, refresh) = (Forger::of_access(&target).await, Forger::of_refresh(&target));
        let forged = |forger: &Forger| {
            let mut all = Vec::new();
            for (name, alg) in [("HS384", Algorithm::HS384), ("HS512", Algorithm::HS512)] {
                all.push(forger.signed_by(&forger.named(name), hmac(&forger.private, alg)));
                all.push(forger.signed_by(&forger.named("HS256"), hmac(&forger.private, alg)));
                all.push(forger.signed_by(&forger.named(name), hmac(&forger.private, Algorithm::HS256)));
            }
            all
        };
        target.refuses_both(&forged(&access), &forged(&refresh)).await;
        target.assert_unharmed().await;
    }

    async fn j_07_the_public_key_is_no_secret(db: Db) {
        for alg in ["EdDSA", "ES256"] {
            let target = Target::with(db.again(), signing_with(alg)).await;
            let forger = Forger::of_access(&target).await;
            let mut forged = Vec::new();
            for secret in public_forms(&target).await {
                for hash in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
                    for name in ["HS256", "HS384", "HS512", "RS256", "PS256", "ES256", "EdDSA"] {
                        forged.push(forger.signed_by(&forger.named(name), hmac(&secret, hash)));
                    }
                }
            }
            target.refuses_bearers(&forged).await;
            for table in ["users", "signing_keys"] {
                target.app.execute(&format!("DELETE FROM {table}")).await;
            }
        }
    }

    async fn j_08_a_signature_with_an_empty_key_is_refused(db: Db) {
        let target = Target::with(db, signing_with("HS256")).await;
        let (access, refresh) = (Forger::of_access(&target).await, Forger::of_refresh(&target));
        let forged = |forger: &Forger| vec![
            forger.signed_by(&forger.header(), hmac(&[], Algorithm::HS256)),
            forger.signed_by(&forger.header(), hmac(&[0], Algorithm::HS256)),
            forger.signed_by(&forger.header(), hmac(&[0; 32], Algorithm::HS256)),
        ];
        target.refuses_both(&forged(&access), &forged(&refresh)).await;
        target.assert_unharmed().await;
    }

    async fn j_09_a_secret_from_a_dictionary_is_refused(db: Db) {
        let target = Target::with(db, signing_with("HS256")).await;
        let (access, refresh) = (Forger::of_access(&target).await, Forger::of_refresh(&target));
        let forged = |forger: &Forger| DICTIONARY
            .map(|word| forger.signed_by(&forger.header(), hmac(word.as_bytes(), Algorithm::HS256)))
            .to_vec();
        target.refuses_both(&forged(&access), &forged(&refresh)).await;
        target.assert_unharmed().await;
    }

    async fn j_10_a_key_that_was_rotated_out_signs_nothing(db: Db) {
        let mut target = Target::new(db).await;
        let forger = Forger::of_access(&target).await;
        let rules = target.app.state.config.signing;
        let ring = target.app.state.tokens.key_ring();
        ring.manager().rotate(SigningStart::AfterPublication).await.expect("rotates");
        ring.reload().await.expect("reloads");
        target.app.advance(rules.lead() + rules.tail() + Duration::from_secs(1));
        let now = target.app.clock.now().secs();
        let mut claims = forger.claims();
        for (name, value) in [("iat", now), ("nbf", now), ("exp", now + 600)] {
            claims[name] = value.into();
        }
        target.refuses_bearers([forger.seal(&forger.header(), claims.to_string())]).await;
        assert_eq!(target.user.refresh().await.status, 200, "the session goes on");
        assert_eq!(target.user.get("/api/me").await.status, 200);
    }

    async fn j_11_a_key_of_another_purpose_signs_nothing(db: Db) {
        let target = Target::with(db, signing_with("HS256")).await;
        let (access, refresh) = (Forger::of_access(&target).await, Forger::of_refresh(&target));
        let master = master();
        let others: Vec<Vec<u8>> = master.known_browser_keys().map(<[u8]>::to_vec).chain([master.guesses_key().to_vec()]).collect();
        let forged = |forger: &Forger, other: &Forger| {
            let keys = others.iter().chain([&other.private]);
            keys.map(|key| forger.signed_by(&forger.header(), hmac(key, Algorithm::HS256))).collect::<Vec<_>>()
        };
        let mut bearers = forged(&access, &refresh);
        // Under the name of the key that did sign it.
        let mut renamed: Value = serde_json::from_str(&access.header()).expect("JSON");
        renamed["kid"] = token_header(target.refresh())["kid"].clone();
        bearers.push(access.signed_by(&renamed.to_string(), hmac(&refresh.private, Algorithm::HS256)));
        target.refuses_both(&bearers, &forged(&refresh, &access)).await;
        target.assert_unharmed().await;
    }

    async fn j_12_a_signature_on_the_curve_must_be_whole(db: Db) {
        let target = Target::with(db, signing_with("ES256")).await;
        let forger = Forger::of_access(&target).await;
        let good = signature_bytes(target.access());
        let zero = [0; 32];
        let mut forged: Vec<_> = [
            Vec::new(),
            vec![0; 64],
            good[..63].to_vec(),
            good[..32].to_vec(),
            [good.clone(), vec![0]].concat(),
            [&zero[..], &good[32..]].concat(),
            [&good[..32], &zero[..]].concat(),
            [P256_ORDER, P256_ORDER].concat(),
            [&good[..32], &P256_ORDER[..]].concat(),
            vec![0xff; 64],
            // The same numbers in DER.
            [&[0x30, 0x44, 0x02, 0x20][..], &good[..32], &[0x02, 0x20], &good[32..]].concat(),
        ]
        .iter()
        .map(|signature| with_signature(target.access(), signature))
        .collect();
        for alg in ["PS256", "PS512", "RS256", "ES256K", "ES384"] {
            forged.push(forger.with_header(&forger.named(alg)));
        }
        target.refuses_bearers(&forged).await;
        target.assert_unharmed().await;
    }

    async fn j_13_a_key_id_that_is_no_name_opens_nothing(db: Db) {
        let target = Target::new(db).await;
        let (access, refresh) = (Forger::of_access(&target).await, Forger::of_refresh(&target));
        let kids = [
            json!("../../dev/null"),
            json!("/dev/null"),
            json!("' UNION SELECT 'k'--"),
            json!("at-x'; DROP TABLE signing_keys; --"),
            json!("at-\u{0}"),
            json!("\u{0}"),
            json!(""),
            json!("k".repeat(2_000)),
            json!("k".repeat(10_000)),
            json!("at-\u{1f511}"),
            json!("http://evil.example/key"),
            json!(["at-x"]),
            json!({ "kid": "at-x" }),
            json!(1),
            json!(null),
        ];
        let forged = |forger: &Forger| kids.iter().map(|kid| forger.with_member("kid", kid.clone())).collect::<Vec<_>>();
        let loads = target.app.state.tokens.key_ring().loads();
        target.refuses_both(&forged(&access), &forged(&refresh)).await;
        assert_eq!(target.app.state.tokens.key_ring().loads(), loads, "no key was looked for");

        // Nor could one be: the answer is the same without a database, and not 503.
        target.app.state.store.clone().close().await.expect("closes");
        target.refuses_both(&forged(&access), &forged(&refresh)).await;
    }

    async fn j_14_an_unknown_key_is_refused(db: Db) {
        let target = Target::new(db).await;
        let (access, refresh) = (Forger::of_access(&target).await, Forger::of_refresh(&target));
        let forged = |forger: &Forger, begin: &str| (0..20)
            .map(|number| forger.with_member("kid", format!("{begin}-AAAAAAAAAA{number:02}")))
            .collect::<Vec<_>>();
        let loads = target.app.state.tokens.key_ring().loads();
        target.refuses_both(&forged(&access, "at"), &forged(&refresh, "rt")).await;
        assert!(target.app.state.tokens.key_ring().loads() <= loads + 1, "it is looked for once a second");
        target.assert_unharmed().await;
    }

    async fn j_15_a_retired_or_revoked_key_signs_nothing(db: Db) {
        let mut target = Target::new(db).await;
        let first = Forger::of_access(&target).await;
        let ring = target.app.state.tokens.key_ring();
        ring.manager().rotate(SigningStart::Immediately).await.expect("rotates");
        ring.reload().await.expect("reloads");
        assert_eq!(target.user.refresh().await.status, 200);
        let second = Forger::of_access(&target).await;
        let kid = |forger: &Forger| {
            let header: Value = serde_json::from_str(&forger.header()).expect("JSON");
            header["kid"].as_str().expect("a kid").to_owned()
        };
        assert_ne!(kid(&first), kid(&second));
        ring.manager().revoke(&kid(&second)).await.expect("revokes");
        ring.manager().retire(&kid(&first)).await.expect("retires");
        ring.reload().await.expect("reloads");
        target.app.advance(target.app.state.config.signing.tail() + Duration::from_secs(1));
        let now = target.app.clock.now().secs();
        let forged = [&first, &second].map(|forger| {
            let mut claims = forger.claims();
            for (name, value) in [("iat", now), ("nbf", now), ("exp", now + 600)] {
                claims[name] = value.into();
            }
            forger.seal(&forger.header(), claims.to_string())
        });
        target.refuses_bearers(&forged).await;
        assert_eq!(target.user.refresh().await.status, 200, "the session goes on");
        assert_eq!(target.user.get("/api/me").await.status, 200);
    }

    async fn j_16_no_key_is_fetched_from_an_address_in_the_header(db: Db) {
        let target = Target::new(db).await;
        let collaborator = TcpListener::bind("127.0.0.1:0").expect("a free port");
        collaborator.set_nonblocking(true).expect("answers at once");
        let address = collaborator.local_addr().expect("an address");
        let (access, refresh) = (Forger::of_access(&target).await, Forger::of_refresh(&target));
        let forged = |forger: &Forger| {
            let mut all = Vec::new();
            for name in ["jku", "x5u", "iss", "kid"] {
                for url in [format!("http://{address}/keys"), format!("https://{address}/keys"), "file:///etc/passwd".into()] {
                    let header = pointing(forger, &json!({ name: url }));
                    all.push(forger.signed_by(&header, by_a_stranger));
                    all.push(forger.with_header(&header));
                }
            }
            all
        };
        target.refuses_both(&forged(&access), &forged(&refresh)).await;
        let error = collaborator.accept().expect_err("no connection was opened");
        assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
        target.assert_unharmed().await;
    }

    async fn j_17_a_key_that_comes_with_the_token_is_not_used(db: Db) {
        let target = Target::new(db).await;
        let forger = Forger::of_access(&target).await;
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "x": strangers_key().1 });
        let mut named = jwk.clone();
        named["kid"] = token_header(target.access())["kid"].clone();
        let forged: Vec<_> = [jwk, named]
            .into_iter()
            .flat_map(|jwk| {
                let header = pointing(&forger, &json!({ "jwk": jwk }));
                [forger.signed_by(&header, by_a_stranger), forger.with_header(&header)]
            })
            .chain([forger.signed_by(&forger.header(), by_a_stranger)])
            .collect();
        target.refuses_bearers(&forged).await;
        target.assert_unharmed().await;
    }

    async fn j_18_a_chain_of_certificates_is_not_used(db: Db) {
        let target = Target::new(db).await;
        let forger = Forger::of_access(&target).await;
        let forged: Vec<_> = [json!({ "x5c": ["MIIB"] }), json!({ "x5c": [] }), json!({ "x5t": "AA" }), json!({ "x5t#S256": "AA" })]
            .iter()
            .flat_map(|members| {
                let header = pointing(&forger, members);
                [forger.signed_by(&header, by_a_stranger), forger.with_header(&header)]
            })
            .collect();
        target.refuses_bearers(&forged).await;
        target.assert_unharmed().await;
    }

    async fn j_20_other_forms_of_a_token_are_refused(db: Db) {
        let target = Target::new(db).await;
        let (access, refresh) = (Forger::of_access(&target).await, Forger::of_refresh(&target));
        let forged = |forger: &Forger, token: &str| {
            let parts: Vec<_> = token.split('.').collect();
            let encrypted = json!({ "alg": "dir", "enc": "A256GCM", "typ": "at+jwt", "kid": "at-x" });
            vec![
                forger.with_member("zip", "DEF"),
                forger.with_member("cty", "JWT"),
                forger.seal(&pointing(forger, &json!({ "cty": "JWT" })), token),
                forger.with_member("crit", json!(["exp"])),
                forger.with_member("b64", false),
                forger.with_member("enc", "A256GCM"),
                format!("{token}.AAAA.AAAA"),
                format!("{}.AAAA.AAAA.AAAA.AAAA", base64(encrypted.to_string())),
                format!("{}..AAAA.AAAA.AAAA", base64(encrypted.to_string())),
                json!({ "protected": parts[0], "payload": parts[1], "signature": parts[2] }).to_string(),
                json!({ "payload": parts[1], "signatures": [{ "protected": parts[0], "signature": parts[2] }] }).to_string(),
                base64(token),
            ]
        };
        target.refuses_both(&forged(&access, target.access()), &forged(&refresh, target.refresh())).await;
        target.assert_unharmed().await;
    }

    async fn j_21_a_token_of_another_type_is_refused(db: Db) {
        let target = Target::new(db).await;
        let (access, refresh) = (Forger::of_access(&target).await, Forger::of_refresh(&target));
        let forged = |forger: &Forger, other: &str| {
            let mut all: Vec<_> = [json!(other), json!("JWT"), json!("jwt"), json!("application/at+jwt"), json!("AT+JWT"), json!(""), json!(null), json!(["at+jwt"])]
                .into_iter()
                .map(|typ| forger.with_member("typ", typ))
                .collect();
            let mut without: Value = serde_json::from_str(&forger.header()).expect("JSON");
            without.as_object_mut().expect("an object").remove("typ");
            all.push(forger.with_header(&without.to_string()));
            all
        };
        let mut bearers = forged(&access, "rt+jwt");
        bearers.push(target.refresh().to_owned());
        let mut cookies = forged(&refresh, "at+jwt");
        cookies.push(target.access().to_owned());
        target.refuses_both(&bearers, &cookies).await;
        target.assert_unharmed().await;
    }

    async fn j_23_an_expired_token_is_refused_from_its_second_on(db: Db) {
        let target = Target::new(db).await;
        let (access, refresh) = (Forger::of_access(&target).await, Forger::of_refresh(&target));
        let now = target.app.clock.now().secs();
        let at = |forger: &Forger, exp: i64| forger.with_claim("exp", exp);
        assert_eq!(target.bearer(&at(&access, now + 1)).await.status, 200);
        for exp in [now, now - 1, now - 3600] {
            let expired = target.cookie(&at(&refresh, exp)).await;
            expired.assert_problem(401, "refresh_expired");
            assert!(expired.clears_the_cookie());
            target.refuses_bearers([at(&access, exp)]).await;
        }
        target.assert_unharmed().await;
    }

    async fn j_24_an_expiry_that_is_no_time_is_refused(db: Db) {
        let values = [
            "\"1999999999\"", "1999999999.5", "1e308", "1e400", "-1e308", "null", "true", "[1999999999]", "{}", "\"never\"",
            // 2⁶³ and 2⁶⁴.
            "9223372036854775808", "18446744073709551616", "NaN", "Infinity", "0x7fffffff", "",
        ];
        refuses_claim(db, "exp", &values).await;
    }

    async fn j_25_a_token_is_refused_before_its_time(db: Db) {
        let target = Target::new(db).await;
        let forger = Forger::of_access(&target).await;
        let now = target.app.clock.now().secs();
        let mut forged: Vec<_> = [now + 6, now + 3600, i64::MAX].map(|nbf| forger.with_claim("nbf", nbf)).to_vec();
        for value in ["\"0\"", "null", "[]", "true", "1.5", "\"1999999999\"", "9223372036854775808"] {
            forged.push(forger.with_raw_claim("nbf", value));
        }
        forged.push(forger.without_claim("nbf"));
        target.refuses_bearers(&forged).await;
        target.assert_unharmed().await;
    }

    async fn j_26_a_token_from_the_future_is_refused(db: Db) {
        let target = Target::new(db).await;
        let forger = Forger::of_access(&target).await;
        let now = target.app.clock.now().secs();
        let mut forged: Vec<_> = [now + 6, now + 3600, i64::MAX].map(|iat| forger.with_claim("iat", iat)).to_vec();
        for value in ["\"0\"", "null", "1.5"] {
            forged.push(forger.with_raw_claim("iat", value));
        }
        forged.push(forger.without_claim("iat"));
        target.refuses_bearers(&forged).await;
        target.assert_unharmed().await;
    }

    async fn j_27_another_issuer_is_refused(db: Db) {
        let values = [
            "\"https://evil.example\"", "\"http://localhost:3000/\"", "\"HTTP://localhost:3000\"", "\"http://LOCALHOST:3000\"",
            "\" http://localhost:3000\"", "\"http://localhost:3000\\u0000\"", "\"\"", "null", "1", "true",
            "[\"http://localhost:3000\"]", "[\"http://localhost:3000\",\"https://evil.example\"]", "{}",
        ];
        refuses_claim(db, "iss", &values).await;
    }

    async fn j_28_another_audience_is_refused(db: Db) {
        let values = [
            "\"another\"", "\"Keyturn\"", "\"keyturn \"", "\"\"", "null", "1", "true", "[]", "[\"keyturn\"]", "[\"another\",\"keyturn\"]",
            "\"http://localhost:3000/api/auth/refresh/\"", "[\"http://localhost:3000/api/auth/refresh\"]", "{\"keyturn\":1}",
        ];
        refuses_claim(db, "aud", &values).await;
    }

    async fn j_29_a_subject_cannot_be_changed(db: Db) {
        let target = Target::new(db).await;
        let mut other = target.app.anonymous();
        assert_eq!(other.register("bob@example.com", PASSWORD).await.status, 201);
        let bob = crate::support::client::claims(other.access.as_deref().expect("a token"))["sub"].clone();
        let (access, refresh) = (Forger::of_access(&target).await, Forger::of_refresh(&target));
        let forged = |forger: &Forger| {
            // Another account's id, under the old signature and under a key of the attacker's.
            let mut claims = forger.claims();
            claims["sub"] = bob.clone();
            let text = format!("{}.{}", base64(forger.header()), base64(claims.to_string()));
            let mut all = vec![format!("{text}.{}", forger.signature()), format!("{text}.{}", by_a_stranger(&text))];
            // No id at all, under the right key.
            for value in ["\"\"", "[]", "1", "null", "\"x\"", "{}", "\"' OR 1=1 --\""] {
                all.push(forger.with_raw_claim("sub", value));
            }
            all.push(forger.with_raw_claim("sub", &format!("[{bob}]")));
            all.push(forger.with_claim("sub", "a".repeat(1_000_000)));
            all.push(forger.without_claim("sub"));
            all
        };
        target.refuses_both(&forged(&access), &forged(&refresh)).await;
        assert_eq!(other.get("/api/me").await.json()["email"], "bob@example.com");
        assert_eq!(other.refresh().await.status, 200);
    }

    async fn j_31_a_token_that_is_cut_off_anywhere_is_refused(db: Db) {
        let target = Target::new(db).await;
        let prefixes = |token: &str| (1..token.len()).map(|end| token[..end].to_owned()).collect::<Vec<_>>();
        target.refuses_both(&prefixes(target.access()), &prefixes(target.refresh())).await;
        target.assert_unharmed().await;
    }

    async fn j_32_a_signature_has_one_spelling(db: Db) {
        let target = Target::new(db).await;
        let forged = |token: &str| {
            let good = signature_bytes(token);
            vec![
                format!("{token}="),
                format!("{token}=="),
                format!("{token}A"),
                format!("{token}AAAA"),
                with_signature(token, [good.clone(), vec![0]].concat()),
                with_signature(token, [good.clone(), good].concat()),
            ]
        };
        let good = signature_bytes(target.access());
        let mut bearers = forged(target.access());
        // S + L says the same to a verifier that does not look whether it is canonical (RFC 8032 §5.1.7).
        bearers.push(with_signature(target.access(), [&good[..32], &sum(&good[32..], &ED25519_ORDER)].concat()));
        target.refuses_both(&bearers, &forged(target.refresh())).await;
        target.assert_unharmed().await;
    }

    // (r, n − s) is a valid signature as well, by the mathematics of ECDSA. It must not be worth anything more.
    async fn j_32_the_high_s_twin_is_the_same_token(db: Db) {
        let mut target = Target::with(db, signing_with("ES256")).await;
        let good = signature_bytes(target.access());
        let twin = with_signature(target.access(), [&good[..32], &difference(&P256_ORDER, &good[32..])].concat());
        assert_ne!(twin, target.access());
        assert_eq!(target.bearer(&twin).await.status, 200, "the same token in another spelling");
        // It ends with the session, as the original does: nothing is remembered by the bytes of a token.
        assert_eq!(target.user.logout().await.status, 204);
        let original = target.access().to_owned();
        target.refuses_bearers([original, twin]).await;
    }

    async fn j_34_claims_that_are_no_utf_8_are_refused(db: Db) {
        let target = Target::new(db).await;
        let (access, refresh) = (Forger::of_access(&target).await, Forger::of_refresh(&target));
        let forged = |forger: &Forger| {
            let claims = forger.claims().to_string();
            let utf_16 = |bytes: fn(u16) -> [u8; 2]| claims.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
            let spoiled = |bytes: &[u8]| {
                let (begin, end) = claims.split_once("localhost").expect("an issuer");
                [begin.as_bytes(), bytes, end.as_bytes()].concat()
            };
            [
                [b"\xef\xbb\xbf", claims.as_bytes()].concat(),
                utf_16(u16::to_be_bytes),
                utf_16(u16::to_le_bytes),
                [b"\xff\xfe".to_vec(), utf_16(u16::to_le_bytes)].concat(),
                spoiled(b"\xff"),
                spoiled(b"local\xc0\xa8ost"),
                spoiled(b"\xed\xa0\x80localhost"),
                spoiled(b"localhost\x00"),
                [claims.as_bytes(), b"\x00"].concat(),
                [claims.as_bytes(), b"{}"].concat(),
            ]
            .iter()
            .map(|payload| forger.seal(&forger.header(), payload))
            .collect::<Vec<_>>()
        };
        target.refuses_both(&forged(&access), &forged(&refresh)).await;
        target.assert_unharmed().await;
    }

    async fn j_35_claims_that_are_no_object_are_refused(db: Db) {
        let target = Target::new(db).await;
        let (access, refresh) = (Forger::of_access(&target).await, Forger::of_refresh(&target));
        let access_names = ["iss", "aud", "sub", "client_id", "sid", "gen", "role", "jti", "iat", "nbf", "exp", "auth_time"];
        let refresh_names = ["iss", "aud", "sub", "sid", "gen", "jti", "iat", "exp"];
        let forged = |forger: &Forger, names: &[&str]| {
            // The values alone, in the order in which a derived reader of a struct would take them.
            let claims = forger.claims();
            let values: Vec<_> = names.iter().map(|name| claims[*name].clone()).collect();
            [json!([]), json!("x"), json!(null), json!(1), json!(true), json!([claims]), json!(values), json!(claims.to_string())]
                .iter()
                .map(|payload| forger.seal(&forger.header(), payload.to_string()))
                .chain([forger.seal(&forger.header(), "")])
                .collect::<Vec<_>>()
        };
        target.refuses_both(&forged(&access, &access_names), &forged(&refresh, &refresh_names)).await;
        target.assert_unharmed().await;
    }

    async fn j_36_deep_nesting_is_refused(db: Db) {
        let target = Target::new(db).await;
        let (access, refresh) = (Forger::of_access(&target).await, Forger::of_refresh(&target));
        let forged = |forger: &Forger| {
            let mut all = Vec::new();
            // Up to what fits into a token, and beyond it.
            for depth in [129, 1_000, 100_000] {
                let (open, close) = ("[".repeat(depth), "]".repeat(depth));
                all.push(forger.seal(&forger.header(), format!("{open}{close}")));
                all.push(forger.with_raw_claim("deep", &format!("{open}{close}")));
                all.push(forger.with_raw_claim("deep", &open));
                all.push(forger.with_header(&format!(r#"{{"deep":{open}{close}}}"#)));
            }
            all
        };
        target.refuses_both(&forged(&access), &forged(&refresh)).await;
        target.assert_unharmed().await;
    }

    async fn j_37_a_token_of_any_size_is_refused(db: Db) {
        let target = Target::new(db).await;
        let (access, refresh) = (Forger::of_access(&target).await, Forger::of_refresh(&target));
        let sizes = [8 * 1024, 64 * 1024, 1024 * 1024];
        let forged = |forger: &Forger, token: &str| {
            let padded = sizes.map(|size| forger.with_claim("padding", "a".repeat(size)));
            let long = sizes.map(|size| format!("{token}{}", "a".repeat(size)));
            let dots = sizes.map(|size| ".".repeat(size));
            [padded, long, dots].concat()
        };
        target.refuses_both(&forged(&access, target.access()), &forged(&refresh, target.refresh())).await;

        // Over a connection, a head of that size is not read to its end.
        let server = TestListener::start(target.app.router.clone()).await;
        for (size, statuses) in [(8 * 1024, [401, 401]), (64 * 1024, [431, 431]), (1024 * 1024, [431, 431])] {
            let token = "a".repeat(size);
            for (method, path, header) in [
                ("GET", "/api/me", format!("authorization: Bearer {token}")),
                ("POST", "/api/auth/refresh", format!("x-requested-with: keyturn\r\norigin: http://localhost:3000\r\ncookie: __Host-refresh={token}")),
            ] {
                let request = format!("{method} {path} HTTP/1.1\r\nhost: localhost:3000\r\nconnection: close\r\n{header}\r\n\r\n");
                let status = server.status_of(request.as_bytes()).await;
                assert!(status.is_none_or(|status| statuses.contains(&status)), "{size} {path}: {status:?}");
            }
        }
        target.assert_unharmed().await;
    }

    async fn j_38_an_authorization_header_has_one_form(db: Db) {
        let target = Target::new(db).await;
        let token = target.access();
        let ask = async |values: &[String]| {
            let mut request = target.app.anonymous().request(Method::GET, "/api/me", None);
            for value in values {
                request.headers_mut().append(header::AUTHORIZATION, value.parse().expect("a value"));
            }
            target.send(request).await
        };
        for values in [
            vec![format!("Bearer {token}"), format!("Bearer {token}")],
            vec![format!("Bearer {token}"), "Bearer a.b.c".into()],
            vec!["Basic YWRhOmE=".into(), format!("Bearer {token}")],
            vec![format!("Bearer Bearer {token}")],
            vec![format!("Bearer\t{token}")],
            vec![format!("Bearer  {token}")],
            vec![format!("Bearer {token}, Bearer {token}")],
            vec![format!("Bearer {token} trailing")],
            vec![format!("Bearer {token}; charset=utf-8")],
            vec![format!("Bearer \"{token}\"")],
            vec![format!("Bearer={token}")],
            vec![format!("Basic {token}")],
            vec![format!("Token {token}")],
            vec![format!("DPoP {token}")],
            vec![token.to_owned()],
            vec!["Bearer".into()],
            vec!["Bearer ".into()],
            vec![String::new()],
        ] {
            assert_token_refused(&ask(&values).await, &values.join(" | "));
        }
        // A scheme has no case (RFC 9110 §11.1).
        for scheme in ["Bearer", "bearer", "BEARER"] {
            assert_eq!(ask(&[format!("{scheme} {token}")]).await.status, 200, "{scheme}");
        }
        target.assert_unharmed().await;
    }

    async fn j_39_a_token_in_another_place_is_ignored(db: Db) {
        let target = Target::new(db).await;
        let token = target.access();
        for (path, name, value) in [
            (format!("/api/me?access_token={token}"), "accept", "*/*".to_owned()),
            (format!("/api/me?token={token}"), "accept", "*/*".to_owned()),
            ("/api/me".into(), "cookie", format!("access_token={token}")),
            ("/api/me".into(), "cookie", format!("Authorization=Bearer {token}")),
            ("/api/me".into(), "cookie", format!("__Host-refresh={token}")),
            ("/api/me".into(), "x-access-token", token.to_owned()),
            ("/api/me".into(), "x-authorization", format!("Bearer {token}")),
            ("/api/me".into(), "proxy-authorization", format!("Bearer {token}")),
        ] {
            let mut request = target.app.anonymous().request(Method::GET, &path, None);
            request.headers_mut().insert(name, value.parse().expect("a value"));
            let answer = target.send(request).await;
            answer.assert_problem(401, "invalid_token");
            // There is no token to say anything of (RFC 6750 §3.1).
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{name}");
            assert_eq!(answer.cookies_set().count(), 0, "{name}");
        }
        for (media, body) in [
            ("application/x-www-form-urlencoded", format!("access_token={token}")),
            ("application/json", json!({ "access_token": token, "display_name": "Eve" }).to_string()),
        ] {
            let mut request = target.app.anonymous().request(Method::PATCH, "/api/me", Some(json!({})));
            request.headers_mut().insert("content-type", media.parse().expect("a value"));
            *request.body_mut() = body.into();
            target.send(request).await.assert_problem(401, "invalid_token");
        }
        // The refresh token belongs into its cookie and nowhere else.
        for path in [format!("/api/auth/refresh?refresh_token={}", target.refresh()), "/api/auth/refresh".into()] {
            let body = json!({ "refresh_token": target.refresh() });
            let mut client = target.app.anonymous();
            client.post(&path, Some(body)).await.assert_problem(401, "refresh_missing");
        }
        target.assert_unharmed().await;
    }

    async fn j_40_an_access_token_may_be_used_a_thousand_times(db: Db) {
        let mut target = Target::new(db).await;
        for _ in 0..1_000 {
            assert_eq!(target.user.get("/api/auth/session").await.status, 200);
        }
        target.assert_unharmed().await;
    }
}

/// Both kinds of token of another deployment.
#[tokio::test]
async fn j_14_the_keys_of_another_deployment_are_unknown() {
    let target = Target::new(Db::sqlite()).await;
    let stranger = TestApp::with(Db::sqlite(), |sections| {
        let other = "a secret of another deployment, long enough for all".to_owned();
        sections.secrets.master = Some(web::config::OneOrMany::One(other.into()));
    })
    .await;
    let theirs = stranger.user().await;
    target.refuses_bearers([theirs.access.expect("a token")]).await;
    target.refuses_cookies([theirs.refresh.expect("a token")]).await;
    target.assert_unharmed().await;
}
