//! The keys that sign access tokens.

use std::fmt;

use aws_lc_rs::{
    encoding::AsDer,
    signature::{Ed25519KeyPair, KeyPair},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, EncodingKey};
use rotation::{Clock, KeyId};
use serde::Serialize;
use store::{Store, StoreError, keys::StoredKey};

use crate::{
    random::Random,
    secrets::{CannotOpen, MasterSecret},
};

const ALG: &str = "EdDSA";

/// The keys of access tokens. The first signs, all verify.
#[derive(Debug)]
pub struct KeyRing {
    keys: Vec<AccessKey>,
}

/// One Ed25519 key (RFC 8037).
pub struct AccessKey {
    pub kid: KeyId,
    pub(super) encoding: EncodingKey,
    pub(super) decoding: DecodingKey,
    public: String,
}

/// Why the keys could not be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the signing key {0} cannot be opened: secrets.master is not the one that it was stored under")]
    Sealed(KeyId),
    #[error("the signing key {0} is damaged")]
    Damaged(KeyId),
    #[error("there is no signing key that this version can use")]
    None,
}

/// A JWK Set (RFC 7517 §5).
#[derive(Debug, Clone, Serialize)]
pub struct JwkSet {
    keys: Vec<Jwk>,
}

/// A public Ed25519 key (RFC 8037 §2).
#[derive(Debug, Clone, Serialize)]
struct Jwk {
    kty: &'static str,
    crv: &'static str,
    x: String,
    kid: String,
    alg: &'static str,
    #[serde(rename = "use")]
    usage: &'static str,
}

impl KeyRing {
    /// Loads the keys; on the first start makes one.
    ///
    /// # Errors
    /// If the database is unavailable, or a stored key cannot be opened.
    pub async fn load_or_create(
        store: &Store,
        master: &MasterSecret,
        clock: &dyn Clock,
        random: &dyn Random,
    ) -> Result<Self, KeyError> {
        let mut stored = store.signing_keys().await?;
        if stored.is_empty() {
            stored = store.signing_keys_or_first(&make(master, clock, random)?).await?;
        }
        Self::open(&stored, master)
    }

    fn open(stored: &[StoredKey], master: &MasterSecret) -> Result<Self, KeyError> {
        let ours = stored.iter().filter(|key| key.alg == ALG);
        let keys = ours
            .map(|key| AccessKey::open(key, master))
            .collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            Err(KeyError::None)
        } else {
            Ok(Self { keys })
        }
    }

    /// The key that signs.
    ///
    /// # Panics
    /// Never: a ring without keys is not made.
    pub(super) fn signer(&self) -> &AccessKey {
        self.keys.first().expect("a key ring has at least one key")
    }

    pub(super) fn verifier(&self, kid: &str) -> Option<&AccessKey> {
        self.keys.iter().find(|key| key.kid.as_str() == kid)
    }

    /// The public halves.
    pub fn jwks(&self) -> JwkSet {
        JwkSet {
            keys: self
                .keys
                .iter()
                .map(|key| Jwk {
                    kty: "OKP",
                    crv: "Ed25519",
                    x: key.public.clone(),
                    kid: key.kid.as_str().to_owned(),
                    alg: ALG,
                    usage: "sig",
                })
                .collect(),
        }
    }
}

impl AccessKey {
    fn open(stored: &StoredKey, master: &MasterSecret) -> Result<Self, KeyError> {
        let der = master
            .open(&purpose(&stored.kid), &stored.sealed_private_key)
            .map_err(|CannotOpen| KeyError::Sealed(stored.kid.clone()))?;
        let pair = Ed25519KeyPair::from_pkcs8(&der).map_err(|_| KeyError::Damaged(stored.kid.clone()))?;
        let public = pair.public_key().as_ref();
        Ok(Self {
            kid: stored.kid.clone(),
            encoding: EncodingKey::from_ed_der(&der),
            decoding: DecodingKey::from_ed_der(public),
            public: BASE64_URL_SAFE_NO_PAD.encode(public),
        })
    }
}

/// A private key is sealed for its own name, so that rows cannot be exchanged.
fn purpose(kid: &KeyId) -> String {
    format!("signing key {kid}")
}

fn make(master: &MasterSecret, clock: &dyn Clock, random: &dyn Random) -> Result<StoredKey, KeyError> {
    let kid = KeyId::new(format!(
        "at-{}",
        BASE64_URL_SAFE_NO_PAD.encode(random.bytes::<9>())
    ));
    let damaged = |_| KeyError::Damaged(kid.clone());
    let pair = Ed25519KeyPair::from_seed_unchecked(&random.bytes::<32>())
        .map_err(|_| KeyError::Damaged(kid.clone()))?;
    let der = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair).map_err(damaged)?;
    let now = clock.now();
    Ok(StoredKey {
        sealed_private_key: master.seal(&purpose(&kid), der.as_ref(), random),
        kid,
        alg: ALG.to_owned(),
        created_at: now,
        signs_from: now,
    })
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessKey")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}
