//! The master secret and the keys that are derived from it.
//!
//! One secret, many keys: HKDF (RFC 5869) derives a separate key for each purpose, so a refresh token's key can never
//! decrypt a stored signing key. The secret has versions, newest first. New data uses the newest version, and older
//! versions still verify old data, so the secret can be rotated without logging anyone out.

use std::fmt;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf::{self, HKDF_SHA256, KeyType, Salt},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rotation::KeyId;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::random::Random;

const SALT: &[u8] = b"keyturn/v1";
const KEY_LEN: usize = 32;
const ID_LEN: usize = 8;

/// All versions of the master secret, newest first.
pub struct MasterSecret {
    versions: Vec<Version>,
}

/// The keys that are derived from one version of the master secret.
struct Version {
    /// Identifies the version without revealing anything about it.
    id: [u8; ID_LEN],
    sealing: LessSafeKey,
    refresh: Zeroizing<[u8; KEY_LEN]>,
    known_browser: Zeroizing<[u8; KEY_LEN]>,
    guesses: Zeroizing<[u8; KEY_LEN]>,
}

/// Stored bytes that no version of the master secret can decrypt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no version of secrets.master opens it")]
pub struct UnsealError;

struct OutputLength(usize);

impl KeyType for OutputLength {
    fn len(&self) -> usize {
        self.0
    }
}

impl MasterSecret {
    /// # Panics
    /// Never: the lengths are those that the algorithms require, and the configuration has at least one secret.
    pub fn new(secrets: &[SecretString]) -> Self {
        Self {
            versions: secrets.iter().map(Version::derive).collect(),
        }
    }

    /// The keys of refresh tokens with their ids, newest first.
    pub fn refresh_keys(&self) -> impl Iterator<Item = (KeyId, &[u8])> {
        self.versions
            .iter()
            .map(|version| (version.refresh_kid(), version.refresh.as_slice()))
    }

    /// The keys that sign known-browser cookies, newest first.
    pub fn known_browser_keys(&self) -> impl Iterator<Item = &[u8]> {
        self.versions
            .iter()
            .map(|version| version.known_browser.as_slice())
    }

    /// The key that pseudonymises what the counters of wrong passwords count.
    ///
    /// # Panics
    /// If there is no secret, which the configuration rules out.
    pub fn guesses_key(&self) -> &[u8] {
        let newest = self
            .versions
            .first()
            .expect("configuration has at least one master secret");
        newest.guesses.as_slice()
    }

    /// Encrypts and authenticates `plain` under the newest version. Decryption requires the same `purpose`.
    ///
    /// # Panics
    /// If there is no secret, which the configuration rules out.
    pub fn seal(&self, purpose: &str, plain: &[u8], random: &dyn Random) -> Vec<u8> {
        let newest = self
            .versions
            .first()
            .expect("configuration has at least one master secret");
        let nonce: [u8; NONCE_LEN] = random.bytes();
        let mut sealed = plain.to_vec();
        newest
            .sealing
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(purpose.as_bytes()),
                &mut sealed,
            )
            .expect("a private key is short enough for AES-GCM");
        [newest.id.as_slice(), &nonce, &sealed].concat()
    }

    /// Whether the newest version encrypted this. If so, the older ones are not needed to decrypt it.
    pub fn is_newest(&self, sealed: &[u8]) -> bool {
        self.versions
            .first()
            .is_some_and(|newest| sealed.starts_with(&newest.id))
    }

    /// The id of the refresh key of the version that encrypted this, even if this node does not have that version.
    pub fn refresh_kid_of(sealed: &[u8]) -> Option<KeyId> {
        sealed.first_chunk().copied().map(refresh_kid)
    }

    /// Decrypts what [`seal`](Self::seal) encrypted, with the version that encrypted it.
    ///
    /// # Errors
    /// If that version is missing, or the bytes were changed.
    pub fn open(&self, purpose: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, UnsealError> {
        let (id, rest) = sealed.split_at_checked(ID_LEN).ok_or(UnsealError)?;
        let (nonce, cipher) = rest.split_at_checked(NONCE_LEN).ok_or(UnsealError)?;
        let version = self
            .versions
            .iter()
            .find(|version| version.id == id)
            .ok_or(UnsealError)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| UnsealError)?;
        let mut plain = Zeroizing::new(cipher.to_vec());
        let length = version
            .sealing
            .open_in_place(nonce, Aad::from(purpose.as_bytes()), &mut plain)
            .map_err(|_| UnsealError)?
            .len();
        plain.truncate(length);
        Ok(plain)
    }
}

impl Version {
    fn derive(secret: &SecretString) -> Self {
        let root = Salt::new(HKDF_SHA256, SALT).extract(secret.expose_secret().as_bytes());
        let sealing = UnboundKey::new(&AES_256_GCM, expand::<KEY_LEN>(&root, "seal").as_slice())
            .expect("32 bytes are an AES-256 key");
        Self {
            id: *expand::<ID_LEN>(&root, "id"),
            sealing: LessSafeKey::new(sealing),
            refresh: expand(&root, "refresh token"),
            known_browser: expand(&root, "known browser"),
            guesses: expand(&root, "password guesses"),
        }
    }

    fn refresh_kid(&self) -> KeyId {
        refresh_kid(self.id)
    }
}

fn refresh_kid(version: [u8; ID_LEN]) -> KeyId {
    KeyId::new(format!("rt-{}", BASE64_URL_SAFE_NO_PAD.encode(version)))
}

fn expand<const N: usize>(root: &hkdf::Prk, purpose: &str) -> Zeroizing<[u8; N]> {
    let mut key = Zeroizing::new([0; N]);
    root.expand(&[purpose.as_bytes()], OutputLength(N))
        .and_then(|okm| okm.fill(key.as_mut_slice()))
        .expect("HKDF-SHA256 can give this many bytes");
    key
}

impl fmt::Debug for MasterSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterSecret")
            .field("versions", &self.versions.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    fn secret(text: &str) -> SecretString {
        SecretString::from(text.to_owned())
    }

    #[test]
    fn sealed_data_opens_after_secret_rotation() {
        let random = SystemRandom::default();
        let old = MasterSecret::new(&[secret("the first secret of the two")]);
        let sealed = old.seal("key k1", b"private", &random);
        let both = MasterSecret::new(&[secret("a second one"), secret("the first secret of the two")]);
        assert_eq!(
            both.open("key k1", &sealed).as_deref().map(Vec::as_slice),
            Ok(b"private".as_slice())
        );
        assert!(old.is_newest(&sealed) && !both.is_newest(&sealed));
        assert!(both.is_newest(&both.seal("key k1", b"private", &random)));
    }

    #[test]
    fn another_secret_purpose_or_byte_does_not_unseal() {
        let random = SystemRandom::default();
        let master = MasterSecret::new(&[secret("the first secret of the two")]);
        let sealed = master.seal("key k1", b"private", &random);
        assert!(
            MasterSecret::new(&[secret("another")])
                .open("key k1", &sealed)
                .is_err()
        );
        assert!(master.open("key k2", &sealed).is_err());
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(master.open("key k1", &changed).is_err(), "byte {index}");
        }
        for length in 0..sealed.len() {
            assert!(
                master.open("key k1", &sealed[..length]).is_err(),
                "length {length}"
            );
        }
    }

    #[test]
    fn each_version_has_its_own_refresh_key_and_id() {
        let master = MasterSecret::new(&[secret("one"), secret("two")]);
        let keys: Vec<_> = master.refresh_keys().collect();
        assert_ne!(keys[0].0, keys[1].0);
        assert_ne!(keys[0].1, keys[1].1);
    }
}
