//! For developers who want to look inside: what the access token says, and two things that otherwise happen by
//! themselves, on demand.

use std::{fmt, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};

use crate::{
    AccessToken, ApiError, ApiRequest, ApiResponse, SessionManager, SessionView, event::Event, state::Held,
};

/// What an access token says. Not verified: only the server can do that, and only it has to (RFC 6749 §1.4).
///
/// The signature is not in here. Without it this is no token: nobody gets in with what a page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspected {
    /// The first part of the token as it is sent.
    pub header_text: String,
    /// The second part of the token as it is sent.
    pub claims_text: String,
    /// The members of the JOSE header (RFC 7515 §4), in their order.
    pub header: Vec<Claim>,
    /// The claims (RFC 7519 §4), in their order.
    pub claims: Vec<Claim>,
    /// How long the signature's text is, in characters.
    pub signature: usize,
    /// When it ends, on the manager's monotonic [`Clock`](crate::Clock).
    pub expires_at: Duration,
}

/// A name and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// As it stands in the token.
    pub name: String,
    /// What it says.
    pub value: ClaimValue,
}

/// What a claim of ours can be.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum ClaimValue {
    /// A count, or seconds since the Unix epoch (`NumericDate`, RFC 7519 §2).
    Number(u64),
    /// Anything that is text.
    Text(String),
}

impl Inspected {
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

    fn of(held: &Held) -> Option<Self> {
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
    /// Looks inside the access token. `None` if there is none, or if it is not a JWT of the form that ours have.
    pub fn inspect(&self) -> Option<Inspected> {
        self.shared.read(|session| session.held().and_then(Inspected::of))
    }

    /// Renews the access token now, as if the server had refused it. Waits for the attempt to end.
    pub async fn renew(&self) -> SessionView {
        let held = self.shared.read(|session| session.held().map(|held| held.id));
        if let Some(id) = held {
            let attempt = self.shared.next_attempt();
            self.apply(Event::TokenRefused { id });
            // If the driver is gone nothing will ever be settled, and the view says so.
            let _ = attempt.await;
        }
        self.view()
    }

    /// Sends a request whose first attempt carries a token that the server must refuse, to show what
    /// [`SessionManager::send`] does about a 401: one refresh, and the request once more.
    ///
    /// # Errors
    ///
    /// As [`SessionManager::send`].
    pub async fn send_refused(&self, request: ApiRequest) -> Result<ApiResponse, ApiError> {
        self.send_first_with(AccessToken::spoiled, request).await
    }
}

fn members(part: &str) -> Option<Vec<Claim>> {
    let json = BASE64_URL_SAFE_NO_PAD.decode(part).ok()?;
    let Members(members) = serde_json::from_slice(&json).ok()?;
    Some(members)
}

/// An object's members in the order in which they stand there.
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
