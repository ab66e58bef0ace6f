//! Makes tokens that were never issued, also with our own keys: then nothing but the header or the claims is wrong.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, crypto::sign};
use serde_json::Value;
use web::secrets::MasterSecret;

use super::target::Target;
use crate::support::client::{claims, token_header};

/// The master secret of [`TestApp`](crate::support::TestApp).
const MASTER: &str = "a test's secret, long enough and of many letters";

/// A genuine token, and the key that signed it.
pub(super) struct Forger {
    token: String,
    key: EncodingKey,
    alg: Algorithm,
    /// The key as bytes: PKCS #8, or the secret of an HMAC.
    pub(super) private: Vec<u8>,
}

pub(super) fn base64(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) fn master() -> MasterSecret {
    MasterSecret::new(&[MASTER.to_owned().into()])
}

/// A signature by HMAC with this secret.
pub(super) fn hmac(secret: &[u8], alg: Algorithm) -> impl Fn(&str) -> String + use<> {
    let key = EncodingKey::from_secret(secret);
    move |text| sign(text.as_bytes(), &key, alg).expect("signs")
}

impl Forger {
    /// With the key of the user's access token.
    pub(super) async fn of_access(target: &Target) -> Self {
        Self::of_bearer(target, target.access()).await
    }

    /// With the key of this access token.
    pub(super) async fn of_bearer(target: &Target, token: &str) -> Self {
        let header = token_header(token);
        let kid = header["kid"].as_str().expect("a kid");
        let smith = target.app.state.tokens.key_ring().manager();
        let keys = smith.list().await.expect("a list");
        let stored = keys.iter().find(|key| key.entry.kid.as_str() == kid);
        let sealed = &stored.expect("the key").sealed_private_key;
        let private = master().open(&format!("signing key {kid}"), sealed);
        let private = private.expect("opens").to_vec();
        let (key, alg) = match header["alg"].as_str().expect("an alg") {
            "EdDSA" => (EncodingKey::from_ed_der(&private), Algorithm::EdDSA),
            "ES256" => (EncodingKey::from_ec_der(&private), Algorithm::ES256),
            _ => (EncodingKey::from_secret(&private), Algorithm::HS256),
        };
        Self {
            token: token.to_owned(),
            key,
            alg,
            private,
        }
    }

    /// With the key of refresh tokens.
    pub(super) fn of_refresh(target: &Target) -> Self {
        let master = master();
        let (_, secret) = master.refresh_keys().next().expect("a key");
        Self {
            token: target.refresh().to_owned(),
            key: EncodingKey::from_secret(secret),
            alg: Algorithm::HS256,
            private: secret.to_vec(),
        }
    }

    pub(super) fn header(&self) -> String {
        token_header(&self.token).to_string()
    }

    pub(super) fn claims(&self) -> Value {
        claims(&self.token)
    }

    /// The signature of the genuine token.
    pub(super) fn signature(&self) -> &str {
        self.token.rsplit_once('.').expect("a signature").1
    }

    /// Header and payload, with the right signature of the right key.
    pub(super) fn seal(&self, header: &str, payload: impl AsRef<[u8]>) -> String {
        let text = format!("{}.{}", base64(header), base64(payload));
        let signature = sign(text.as_bytes(), &self.key, self.alg).expect("signs");
        format!("{text}.{signature}")
    }

    /// The genuine claims under another header, with the right signature of the right key.
    pub(super) fn with_header(&self, header: &str) -> String {
        self.seal(header, self.claims().to_string())
    }

    /// The genuine header with one more member, or another value of one.
    pub(super) fn with_member(&self, name: &str, value: impl Into<Value>) -> String {
        let mut header = token_header(&self.token);
        header[name] = value.into();
        self.with_header(&header.to_string())
    }

    /// The genuine claims under another header, with this signature.
    pub(super) fn signed_by(&self, header: &str, signature: impl Fn(&str) -> String) -> String {
        let text = format!("{}.{}", base64(header), base64(self.claims().to_string()));
        format!("{text}.{}", signature(&text))
    }

    /// The genuine header with another algorithm.
    pub(super) fn named(&self, alg: &str) -> String {
        let mut header = token_header(&self.token);
        header["alg"] = alg.into();
        header.to_string()
    }

    pub(super) fn with_claim(&self, name: &str, value: impl Into<Value>) -> String {
        self.with_raw_claim(name, &value.into().to_string())
    }

    /// With a claim whose value is this text, whether or not that is JSON.
    pub(super) fn with_raw_claim(&self, name: &str, value: &str) -> String {
        let mut claims = self.claims();
        claims.as_object_mut().expect("an object").remove(name);
        let rest = claims.to_string();
        let payload = rest.replacen('{', &format!(r#"{{"{name}":{value},"#), 1);
        self.seal(&self.header(), payload)
    }

    pub(super) fn without_claim(&self, name: &str) -> String {
        let mut claims = self.claims();
        claims.as_object_mut().expect("an object").remove(name);
        self.seal(&self.header(), claims.to_string())
    }
}
