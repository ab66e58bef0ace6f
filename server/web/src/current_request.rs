//! Context of the current request, for its log lines and for the problem response.

use std::{cell::Cell, fmt, net::IpAddr};

use rotation::{SessionId, UserId};

tokio::task_local! {
    static CURRENT: Current;
    static CLIENT: IpAddr;
}

struct Current {
    id: RequestId,
    identity: Cell<Identity>,
}

/// Identifies a request in its response header, in the body of a problem, and in the logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestId(u64);

/// The client's identity, as far as a token with a valid signature proves it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Identity {
    pub(crate) user: Option<UserId>,
    pub(crate) session: Option<SessionId>,
}

impl RequestId {
    pub(crate) const fn new(random: [u8; 8]) -> Self {
        Self(u64::from_be_bytes(random))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Runs a request under its id, and returns the identity that was found.
pub(crate) async fn run<T>(id: RequestId, answer: impl Future<Output = T>) -> (T, Identity) {
    let current = Current {
        id,
        identity: Cell::default(),
    };
    CURRENT
        .scope(current, async {
            let answer = answer.await;
            (answer, CURRENT.with(|current| current.identity.get()))
        })
        .await
}

/// The id of the current request; `None` outside a request.
pub(crate) fn id() -> Option<RequestId> {
    CURRENT.try_with(|current| current.id).ok()
}

/// Records whose request this is. Outside a request it does nothing.
pub(crate) fn identify(user: Option<UserId>, session: SessionId) {
    let known = Identity {
        user,
        session: Some(session),
    };
    let _ = CURRENT.try_with(|current| current.identity.set(known));
}

/// Answers a request of a client with this address.
pub(crate) async fn with_client<T>(client: IpAddr, answer: impl Future<Output = T>) -> T {
    CLIENT.scope(client, answer).await
}

/// The client's address in the current request; `None` outside of one, and for requests made inside the process.
pub(crate) fn client() -> Option<IpAddr> {
    CLIENT.try_with(|ip| *ip).ok()
}
