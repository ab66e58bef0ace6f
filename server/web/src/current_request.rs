//! Context of the current request, for its log lines and for the problem response.

use std::{cell::Cell, fmt, net::IpAddr, sync::Arc};

use axum::http::HeaderValue;
use rotation::{SessionId, UserId};

use crate::random::Random;

/// The maximum length of an id from a proxy. Those of common proxies have 32 or 36 characters.
const MAX_ID_BYTES: usize = 64;

tokio::task_local! {
    static CURRENT: Current;
    static CLIENT: IpAddr;
}

struct Current {
    id: RequestId,
    identity: Cell<Identity>,
}

/// Identifies a request in its response header, in the body of a problem, and in the logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

/// The client's identity, as far as a token with a valid signature proves it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Identity {
    pub(crate) user: Option<UserId>,
    pub(crate) session: Option<SessionId>,
}

impl RequestId {
    /// A new id: 64 random bits.
    pub(crate) fn generate(random: &dyn Random) -> Self {
        Self(format!("{:016x}", u64::from_be_bytes(random.bytes())).into())
    }

    /// Accepts the id of a proxy if it has 1 to 64 letters, digits, dots, hyphens or underscores. Such an id cannot
    /// forge a log line.
    pub(crate) fn parse(value: &HeaderValue) -> Option<Self> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let text = value.to_str().ok()?;
        ((1..=MAX_ID_BYTES).contains(&text.len()) && text.bytes().all(is_allowed)).then(|| Self(text.into()))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Runs a request under its id.
pub(crate) async fn run<T>(id: RequestId, answer: impl Future<Output = T>) -> T {
    let current = Current {
        id,
        identity: Cell::default(),
    };
    CURRENT.scope(current, answer).await
}

/// The id of the current request; `None` outside a request.
pub(crate) fn id() -> Option<RequestId> {
    CURRENT.try_with(|current| current.id.clone()).ok()
}

/// Records whose request this is. Outside a request it does nothing.
pub(crate) fn identify(user: Option<UserId>, session: SessionId) {
    let known = Identity {
        user,
        session: Some(session),
    };
    let _ = CURRENT.try_with(|current| current.identity.set(known));
}

/// The identity that was recorded with [`identify`]; empty outside a request.
pub(crate) fn identity() -> Identity {
    CURRENT
        .try_with(|current| current.identity.get())
        .unwrap_or_default()
}

/// Answers a request of a client with this address.
pub(crate) async fn with_client<T>(client: IpAddr, answer: impl Future<Output = T>) -> T {
    CLIENT.scope(client, answer).await
}

/// The client's address in the current request; `None` outside of one, and for requests made inside the process.
pub(crate) fn client() -> Option<IpAddr> {
    CLIENT.try_with(|ip| *ip).ok()
}
