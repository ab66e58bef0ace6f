//! What is known of the request under way, for its lines in the logs and for the problem that answers it.

use std::{cell::Cell, fmt};

use rotation::{SessionId, UserId};

tokio::task_local! {
    static CURRENT: Current;
}

struct Current {
    id: RequestId,
    identity: Cell<Identity>,
}

/// Names a request: in the header of its answer, in the body of a problem, and in the logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestId(u64);

/// Who asks, as far as a token with a valid signature has told.
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

/// Answers a request under its id, and tells who it turned out to be from.
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

/// The id of the request under way; `None` outside of one.
pub(crate) fn id() -> Option<RequestId> {
    CURRENT.try_with(|current| current.id).ok()
}

/// Notes whose request this is. Outside a request it does nothing.
pub(crate) fn identify(user: Option<UserId>, session: SessionId) {
    let known = Identity {
        user,
        session: Some(session),
    };
    let _ = CURRENT.try_with(|current| current.identity.set(known));
}
