//! Inspection for developers: the content of the access token, and on demand a renewal and a refused request, which
//! otherwise happen automatically.

use std::{fmt, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};

use crate::{
    AccessToken, ApiError, ApiRequest, ApiResponse, SessionManager, SessionView, event::Event,
    state::HeldToken,
};

/// The content of an access token. It is not verified: only the server can do that, and only the server has to (RFC
/// 6749 §1.4).
///
/// The signature is omitted. Without it this is not a valid token, so a page can show it without giving access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenContent {
    /// The first part of the token as sent.
    pub header_text: String,
    /// The second part of the token as sent.
    pub claims_text: String,
    /// The members of the JOSE header (RFC 7515 §4), in the token's order.
    pub header: Vec<Claim>,
    /// The claims (RFC 7519 §4), in the token's order.
    pub claims: Vec<Claim>,
    /// Length of the signature's text, in characters.
    pub signature: usize,
    /// When the token expires, on the manager's monotonic [`Clock`](crate::Clock).
    pub expires_at: Duration,
}

/// A name and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The name as written in the token.
    pub name: String,
    /// Its value.
    pub value: ClaimValue,
}

/// The value of a claim in our tokens.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum ClaimValue {
    /// A count, or seconds since the Unix epoch (`NumericDate`, RFC 7519 §2).
    Number(u64),
    /// Any text.
    Text(String),
}

impl TokenContent {
    /// The claim of this name, if it is a number.
    pub fn number(&self, name: &str) -> Option<u64> {
        match self.claims.iter().find(|claim| claim.name == name)?.value {
            ClaimValue::Number(number) => Some(number),
            ClaimValue::Text(_) => None,
        }
    }

    /// The claim of this name, if it is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        match &self.claims.iter().find(|claim| claim.name == name)?.value {
            ClaimValue::Number(_) => None,
            ClaimValue::Text(text) => Some(text),
        }
    }

    fn of(held: &HeldToken) -> Option<Self> {
        let mut parts = held.token.expose().split('.');
        let (header, claims, signature) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self {
            header_text: header.to_owned(),
            claims_text: claims.to_owned(),
            header: members(header)?,
            claims: members(claims)?,
            signature: signature.len(),
            expires_at: held.expires_at,
        })
    }
}

impl SessionManager {
    /// Decodes the access token. `None` if there is none, or if it is not a JWT of our form.
    pub fn inspect(&self) -> Option<TokenContent> {
        self.shared
            .read(|session| session.held().and_then(TokenContent::of))
    }

    /// Renews the access token now, as if the server had refused it. Waits until the attempt ends.
    pub async fn renew(&self) -> SessionView {
        let held = self.shared.read(|session| session.held().map(|held| held.id));
        if let Some(id) = held {
            let attempt = self.shared.next_attempt();
            self.apply(Event::TokenRefused { id });
            // If the driver was dropped, the attempt never completes, and the view shows that.
            let _ = attempt.await;
        }
        self.view()
    }

    /// Sends a request whose first attempt carries an invalid token, to show how [`SessionManager::send`] handles a
    /// 401: one refresh, and the request is repeated once.
    ///
    /// # Errors
    ///
    /// As [`SessionManager::send`].
    pub async fn send_with_invalid_token(&self, request: ApiRequest) -> Result<ApiResponse, ApiError> {
        self.send_with_first_token(AccessToken::with_invalid_signature, request)
            .await
    }
}

fn members(part: &str) -> Option<Vec<Claim>> {
    let json = BASE64_URL_SAFE_NO_PAD.decode(part).ok()?;
    let Members(members) = serde_json::from_slice(&json).ok()?;
    Some(members)
}

/// An object's members in their order in the text.
struct Members(Vec<Claim>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some((name, value)) = map.next_entry()? {
                    members.push(Claim { name, value });
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}
