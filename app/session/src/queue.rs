//! The queue for every request that can change the refresh cookie.
//!
//! Jobs run first in, first out, one at a time, each to completion. A browser applies `Set-Cookie` in the order in
//! which responses arrive, so two concurrent requests could leave the older session's cookie in the jar. With one
//! queue, a refresh completes before a sign-in is sent, and a late response cannot undo a newer sign-in.

use api_types::auth::User;
use futures::channel::oneshot;

use crate::{
    ApiError, ApiRequest,
    state::{Epoch, SignOutCount},
};

/// A job of the driver.
#[derive(Debug)]
pub(crate) enum Job {
    /// No request: the next wake-up time has changed, so the driver must read it again.
    Reschedule,
    /// Check whether the session of the token in memory is still active, if `epoch` is still the current one.
    Verify { epoch: Epoch },
    /// Renew the access token, if `epoch` is still the current one when the job runs.
    Refresh { epoch: Epoch },
    /// Sign in or register.
    SignIn {
        sign_out_count: SignOutCount,
        request: ApiRequest,
        reply: oneshot::Sender<Result<User, ApiError>>,
    },
    /// End the session on the server. In this page it has already ended.
    SignOut {
        sign_out_count: SignOutCount,
        reply: oneshot::Sender<Result<(), ApiError>>,
    },
    /// Retry a sign-out that could not reach the server, unless another tab has finished it meanwhile.
    RetrySignOut,
}
