//! One key: generated, encrypted for the database, decrypted for use.

use std::fmt;

use aws_lc_rs::{
    encoding::AsDer,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, EncodingKey};
use rotation::{KeyId, Timestamp};
use store::keys::{KeyEntry, KeyState, StoredKey};
use zeroize::Zeroizing;

use super::{
    Alg, KeyError,
    jwk::{Jwk, PublicHalf},
};
use crate::{
    random::Random,
    secrets::{MasterSecret, UnsealError},
};

/// A decrypted key, bound to its algorithm.
pub struct AccessKey {
    pub kid: KeyId,
    pub alg: Alg,
    pub(in crate::tokens) encoding: EncodingKey,
    pub(in crate::tokens) decoding: DecodingKey,
    /// `None` for symmetric keys.
    public: Option<PublicHalf>,
}

/// DER of an `ECPrivateKey` on P-256 (RFC 5915 §3), before and after the private key. The optional public key is
/// omitted.
const EC_BEFORE: [u8; 7] = [0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20];
const EC_AFTER: [u8; 12] = [
    0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,
];
/// A candidate is rejected once in 2³² times; this many in a row mean that the source of randomness is broken.
const CANDIDATES: usize = 16;
const SECRET_LEN: usize = 32;

impl AccessKey {
    /// # Errors
    /// If no version of the master secret decrypts it, or the content is not a key of its algorithm.
    pub(super) fn open(stored: &StoredKey, alg: Alg, master: &MasterSecret) -> Result<Self, KeyError> {
        let kid = stored.entry.kid.clone();
        let private = open(stored, master)?;
        let damaged = || KeyError::Damaged(kid.clone());
        let (encoding, decoding, public) = match alg {
            Alg::EdDsa => {
                let pair = Ed25519KeyPair::from_pkcs8(&private).map_err(|_| damaged())?;
                let public = pair.public_key().as_ref();
                (
                    EncodingKey::from_ed_der(&private),
                    DecodingKey::from_ed_der(public),
                    Some(PublicHalf::ed25519(public)),
                )
            }
            Alg::Es256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &private)
                    .map_err(|_| damaged())?;
                let point = pair.public_key().as_ref();
                (
                    EncodingKey::from_ec_der(&private),
                    DecodingKey::from_ec_der(point),
                    Some(PublicHalf::p256(point).ok_or_else(damaged)?),
                )
            }
            Alg::Hs256 if private.len() == SECRET_LEN => (
                EncodingKey::from_secret(&private),
                DecodingKey::from_secret(&private),
                None,
            ),
            Alg::Hs256 => return Err(damaged()),
        };
        Ok(Self {
            kid,
            alg,
            encoding,
            decoding,
            public,
        })
    }

    pub(super) fn jwk(&self) -> Option<Jwk> {
        let half = self.public.clone()?;
        Some(Jwk::new(half, self.kid.as_str(), self.alg))
    }
}

/// Generates a key. The same randomness gives the same key, for every algorithm.
///
/// # Errors
/// If the source of randomness is broken.
pub(super) fn make(
    alg: Alg,
    created_at: Timestamp,
    signs_from: Timestamp,
    master: &MasterSecret,
    random: &dyn Random,
) -> Result<StoredKey, KeyError> {
    let kid = KeyId::new(format!(
        "at-{}",
        BASE64_URL_SAFE_NO_PAD.encode(random.bytes::<9>())
    ));
    let private = private_key(alg, random).ok_or_else(|| KeyError::Damaged(kid.clone()))?;
    Ok(StoredKey {
        sealed_private_key: master.seal(&purpose(&kid), &private, random),
        state: KeyState::Active,
        entry: KeyEntry {
            kid,
            alg: alg.as_str().to_owned(),
            created_at,
            signs_from,
            retires_at: None,
        },
    })
}

/// Re-encrypts a key if it is encrypted under an older version of the master secret, so that the old version can be
/// removed.
///
/// # Errors
/// If no version of the master secret decrypts it.
pub(super) fn reseal(
    stored: &mut StoredKey,
    master: &MasterSecret,
    random: &dyn Random,
) -> Result<(), KeyError> {
    if !master.is_newest(&stored.sealed_private_key) {
        let private = open(stored, master)?;
        stored.sealed_private_key = master.seal(&purpose(&stored.entry.kid), &private, random);
    }
    Ok(())
}

fn open(stored: &StoredKey, master: &MasterSecret) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    master
        .open(&purpose(&stored.entry.kid), &stored.sealed_private_key)
        .map_err(|UnsealError| KeyError::Sealed(stored.entry.kid.clone()))
}

/// A private key is bound to its own id, so that rows cannot be swapped.
fn purpose(kid: &KeyId) -> String {
    format!("signing key {kid}")
}

fn private_key(alg: Alg, random: &dyn Random) -> Option<Zeroizing<Vec<u8>>> {
    let seed = || Zeroizing::new(random.bytes::<SECRET_LEN>());
    match alg {
        Alg::EdDsa => {
            let pair = Ed25519KeyPair::from_seed_unchecked(seed().as_slice()).ok()?;
            let der = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair).ok()?;
            Some(Zeroizing::new(der.as_ref().to_vec()))
        }
        // A number from 1 to below the order of the curve, by testing candidates (FIPS 186-5 §A.2.2).
        Alg::Es256 => (0..CANDIDATES).find_map(|_| {
            let der = Zeroizing::new([EC_BEFORE.as_slice(), seed().as_slice(), &EC_AFTER].concat());
            let pair = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, &der).ok()?;
            Some(Zeroizing::new(pair.to_pkcs8v1().ok()?.as_ref().to_vec()))
        }),
        // As long as the hash output (RFC 7518 §3.2).
        Alg::Hs256 => Some(Zeroizing::new(seed().to_vec())),
    }
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessKey")
            .field("kid", &self.kid)
            .field("alg", &self.alg)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    /// Counts, so that it generates the same keys each time.
    struct Counting(std::sync::atomic::AtomicU8);

    impl Random for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for byte in bytes {
                *byte = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
        }
    }

    /// Returns only one bits: more than the order of P-256.
    struct Broken;

    impl Random for Broken {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0xff);
        }
    }

    fn master() -> MasterSecret {
        MasterSecret::new(&["a test's secret, long enough and of many letters"
            .to_owned()
            .into()])
    }

    fn make_now(alg: Alg, random: &dyn Random) -> Result<StoredKey, KeyError> {
        let now = Timestamp::from_secs(1);
        make(alg, now, now, &master(), random)
    }

    #[test]
    fn a_key_of_each_algorithm_signs_and_verifies_and_no_other_does() {
        let keys = Alg::ALL.map(|alg| {
            let stored = make_now(alg, &SystemRandom::default()).expect("a key");
            AccessKey::open(&stored, alg, &master()).expect("opens")
        });
        for key in &keys {
            let alg = key.alg.into();
            let signature = jsonwebtoken::crypto::sign(b"text", &key.encoding, alg).expect("signs");
            for other in &keys {
                let verdict =
                    jsonwebtoken::crypto::verify(&signature, b"text", &other.decoding, other.alg.into());
                let same = other.alg == key.alg;
                assert_eq!(verdict.unwrap_or(false), same, "{} by {}", key.alg, other.alg);
            }
        }
    }

    #[test]
    fn the_same_randomness_gives_the_same_key() {
        for alg in Alg::ALL {
            let make = || make_now(alg, &Counting(1.into())).expect("a key");
            assert_eq!(make(), make(), "{alg}");
        }
    }

    #[test]
    fn a_broken_random_source_gives_no_key() {
        assert!(matches!(make_now(Alg::Es256, &Broken), Err(KeyError::Damaged(_))));
    }

    #[test]
    fn a_key_does_not_open_as_one_of_another_algorithm() {
        for alg in Alg::ALL {
            let stored = make_now(alg, &SystemRandom::default()).expect("a key");
            for other in Alg::ALL {
                let opened = AccessKey::open(&stored, other, &master());
                assert_eq!(opened.is_ok(), other == alg, "{alg} as {other}");
            }
        }
    }

    #[test]
    fn a_jwk_has_the_required_members_and_nothing_private() {
        for (alg, members) in [
            (Alg::EdDsa, &["kty", "crv", "x", "kid", "alg", "use"][..]),
            (Alg::Es256, &["kty", "crv", "x", "y", "kid", "alg", "use"]),
        ] {
            let stored = make_now(alg, &SystemRandom::default()).expect("a key");
            let jwk = AccessKey::open(&stored, alg, &master()).expect("opens").jwk();
            let json = serde_json::to_value(jwk.expect("a public half")).expect("JSON");
            let object = json.as_object().expect("an object");
            assert_eq!(object.len(), members.len(), "{json}");
            assert!(
                members.iter().all(|member| object.contains_key(*member)),
                "{json}"
            );
            let parsed: jsonwebtoken::jwk::Jwk = serde_json::from_value(json).expect("a JWK");
            assert!(DecodingKey::from_jwk(&parsed).is_ok());
        }
        let secret = make_now(Alg::Hs256, &SystemRandom::default()).expect("a key");
        let key = AccessKey::open(&secret, Alg::Hs256, &master()).expect("opens");
        assert!(key.jwk().is_none());
    }
}
