//! Inputs (events) and outputs (effects) of the state machine.

use std::time::Duration;

use api_types::auth::User;

use crate::{
    BrowserEvent, SessionView, TabMessage,
    refresh_response::{Grant, NoSessionCause},
    state::{Epoch, SignOutCount, TokenId},
};

/// An event. Outcomes of a refresh carry the epoch in which the refresh began.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    /// The page asks to restore its session.
    RestoreRequested,
    /// A request needs a token, and there is no usable one.
    TokenNeeded,
    /// The timer fired.
    TimerFired { now: Duration },
    /// A request with the access token got no response: for this page, the server is unreachable.
    SendFailed {
        epoch: Epoch,
        now: Duration,
        jitter: f64,
    },
    /// The server answered 401 to this token.
    TokenRefused { id: TokenId },
    /// A refresh returned a token, and the server has confirmed its user.
    Renewed {
        epoch: Epoch,
        grant: Grant,
        user: User,
        jitter: f64,
    },
    /// A refresh got no definite response.
    RenewalFailed {
        epoch: Epoch,
        now: Duration,
        jitter: f64,
        retry_after: Option<Duration>,
    },
    /// A refresh was refused because there is no session.
    Ended { epoch: Epoch, cause: NoSessionCause },
    /// A refresh was cancelled, because its session no longer exists.
    RenewalDropped { epoch: Epoch },
    /// A sign-in or a registration was accepted. It is ignored if the user signed out after requesting it.
    SignedIn {
        sign_out_count: SignOutCount,
        grant: Grant,
        user: User,
        jitter: f64,
    },
    /// The user signs out.
    SignOutRequested,
    /// The server ended the signed-out session. If the user has signed out again meanwhile, only that later sign-out
    /// counts.
    SignOutDone { sign_out_count: SignOutCount },
    /// A sign-out request failed.
    SignOutFailed {
        sign_out_count: SignOutCount,
        now: Duration,
        jitter: f64,
        retry_after: Option<Duration>,
    },
    /// The marker of an unfinished sign-out is gone: another tab finished the sign-out, or a user signed in there.
    MarkerRemoved,
    /// A message from another tab.
    MessageReceived {
        message: TabMessage,
        environment: Environment,
    },
    /// A browser event requires the session to be checked.
    Browser {
        browser_event: BrowserEvent,
        environment: Environment,
    },
    /// The server accepted this token in a request that only checks the session.
    Verified { id: TokenId, now: Duration },
    /// The server returned newer data about the user.
    UserChanged { epoch: Epoch, user: User },
}

/// The environment at the moment of an event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Environment {
    pub(crate) now: Duration,
    pub(crate) jitter: f64,
    /// The marker of an unfinished sign-out is set.
    pub(crate) marker_set: bool,
    /// Messages from other tabs cannot be received.
    pub(crate) channel_closed: bool,
}

/// An action that the state machine requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Queue one refresh; its outcome must come back as exactly one event.
    Refresh { epoch: Epoch },
    /// Queue one check whether the session is still active.
    Verify { epoch: Epoch },
    /// Queue one attempt to finish a sign-out; it must come back as `SignOutDone`, `SignOutFailed` or `MarkerRemoved`.
    RetrySignOut,
    /// Set or remove the marker of an unfinished sign-out.
    SetMarker(bool),
    /// Send a message to the other tabs.
    Broadcast(TabMessage),
    /// Notify the listeners.
    Publish(SessionView),
    /// Resume the requests that wait for a token: there is one, or there will be none.
    ResumeWaiters,
}
