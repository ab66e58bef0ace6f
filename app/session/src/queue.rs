//! The one queue that everything goes through which can change the refresh cookie.
//!
//! First in, first out, one job at a time, each to its end. A browser applies `Set-Cookie` in the order in which answers
//! arrive, so two of these requests under way together could leave the older session's cookie in the jar. With one
//! queue a refresh has been answered before a sign-in is sent, and a late answer cannot undo a newer sign-in.

use api_types::auth::User;
use futures::channel::oneshot;

use crate::{
    ApiError, ApiRequest,
    state::{Departures, Epoch},
};

/// Something to do.
#[derive(Debug)]
pub(crate) enum Job {
    /// Nothing, but look at the clock again: something changed what to wake up for.
    Look,
    /// Ask whether the session of the token in memory still lives, if `epoch` is still the current one.
    Verify { epoch: Epoch },
    /// Renew the access token, if `epoch` is still the current one when its turn comes.
    Refresh { epoch: Epoch },
    /// Sign in or register.
    SignIn {
        departures: Departures,
        request: ApiRequest,
        reply: oneshot::Sender<Result<User, ApiError>>,
    },
    /// End the session on the server. In this page it has ended already.
    SignOut {
        departures: Departures,
        reply: oneshot::Sender<Result<(), ApiError>>,
    },
    /// Try once more to end a session that was signed out of while the server was out of reach, unless another tab has
    /// done so meanwhile.
    SignOutAgain,
}
