//! What goes into the state machine and what comes out of it.

use std::time::Duration;

use api_types::auth::User;

use crate::{
    SessionView,
    state::{Epoch, TokenId},
    verdict::{Ending, Grant},
};

/// What happened. Outcomes of a refresh carry the epoch in which it was begun.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    /// The page wants its session back.
    RestoreAsked,
    /// A request wants a token and there is no usable one.
    TokenWanted,
    /// The timer woke us.
    TimerFired { now: Duration },
    /// The server answered 401 to this token.
    TokenRefused { id: TokenId },
    /// A refresh brought a token, and the token told whose it is.
    Renewed {
        epoch: Epoch,
        grant: Grant,
        user: User,
        jitter: f64,
    },
    /// A refresh got no definite answer.
    RenewalFailed {
        epoch: Epoch,
        now: Duration,
        jitter: f64,
        retry_after: Option<Duration>,
    },
    /// A refresh was told that there is no session.
    Ended { epoch: Epoch, ending: Ending },
    /// A refresh was given up, because the session it was for is gone.
    RenewalDropped,
    /// A sign-in or a registration was accepted.
    SignedIn {
        epoch: Epoch,
        grant: Grant,
        user: User,
        jitter: f64,
    },
    /// The person signs out.
    SignOutAsked,
    /// The server told us something newer about the user.
    UserChanged { epoch: Epoch, user: User },
}

/// What is to be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Put one refresh into the queue; its outcome must come back as exactly one event.
    Refresh { epoch: Epoch },
    /// Tell the listeners.
    Publish(SessionView),
    /// Let the requests go on that waited for a token: there is one, or there will be none.
    Release,
}
