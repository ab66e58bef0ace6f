//! What goes into the state machine and what comes out of it.

use std::time::Duration;

use api_types::auth::User;

use crate::{
    News, SessionView, Wakeup,
    state::{Departures, Epoch, TokenId},
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
    /// A request with the access token got no answer: the server cannot be reached, as far as this page knows.
    SendFailed {
        epoch: Epoch,
        now: Duration,
        jitter: f64,
    },
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
    RenewalDropped { epoch: Epoch },
    /// A sign-in or a registration was accepted. It counts unless the person signed out after asking for it.
    SignedIn {
        departures: Departures,
        grant: Grant,
        user: User,
        jitter: f64,
    },
    /// The person signs out.
    SignOutAsked,
    /// The server ended the session that was signed out of. If the person signed out once more meanwhile, that one
    /// counts.
    SignOutDone { departures: Departures },
    /// The server could not be told about a sign-out.
    SignOutFailed {
        departures: Departures,
        now: Duration,
        jitter: f64,
        retry_after: Option<Duration>,
    },
    /// The marker of an unfinished sign-out is gone: another tab finished it, or somebody signed in there.
    SignOutSettled,
    /// Another tab told something.
    Heard { news: News, around: Around },
    /// The browser says that it is time to look around.
    Woken { wakeup: Wakeup, around: Around },
    /// The server accepted this token, when asked for no other purpose.
    Verified { id: TokenId, now: Duration },
    /// The server told us something newer about the user.
    UserChanged { epoch: Epoch, user: User },
}

/// What there is to see at the moment of an event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Around {
    pub(crate) now: Duration,
    pub(crate) jitter: f64,
    /// The marker of an unfinished sign-out is there.
    pub(crate) marked: bool,
    /// Other tabs cannot be heard.
    pub(crate) deaf: bool,
}

/// What is to be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Put one refresh into the queue; its outcome must come back as exactly one event.
    Refresh { epoch: Epoch },
    /// Put one question into the queue whether the session still lives.
    Verify { epoch: Epoch },
    /// Put one attempt to finish a sign-out into the queue; it must come back as `SignOutDone`, `SignOutFailed`
    /// or `SignOutSettled`.
    SignOutAgain,
    /// Make or remove the marker of an unfinished sign-out.
    Mark(bool),
    /// Tell the other tabs.
    Tell(News),
    /// Tell the listeners.
    Publish(SessionView),
    /// Let the requests go on that waited for a token: there is one, or there will be none.
    Release,
}
