//! One attempt to get a token and its user.
//!
//! A refresh response contains only a token, and all tabs share the cookie jar: another tab may just have signed in as
//! another user. So the user of every new token is requested before the token is used. This request also confirms the
//! new generation to the server immediately.

use std::time::Duration;

use api_types::{auth::User, paths};

use crate::{
    ApiRequest, Method, Ports, SignedOutReason,
    refresh_response::{self, Grant, NoSessionCause, RefreshResponse},
};

/// The outcome of an attempt.
#[derive(Debug)]
pub(crate) enum Renewal {
    Granted(Grant, User),
    Ended(NoSessionCause),
    Unreachable {
        retry_after: Option<Duration>,
    },
    /// The outcome is no longer needed.
    Dropped,
}

enum TokenOwner {
    Known(User),
    TokenRefused,
    Unreachable { retry_after: Option<Duration> },
}

/// Refreshes and requests the user of the new token. Sends at most four refreshes and two user requests, whatever the
/// server answers.
///
/// `is_needed` is checked between the requests, so that a sign-out need not wait for a response that will be discarded.
pub(crate) async fn renew(ports: &Ports, is_needed: impl Fn() -> bool) -> Renewal {
    for _ in 0..2 {
        let grant = match refresh(ports).await {
            RefreshResponse::Granted(grant) => grant,
            RefreshResponse::Ended(cause) => return Renewal::Ended(cause),
            RefreshResponse::Superseded => return Renewal::Unreachable { retry_after: None },
            RefreshResponse::Unreachable { retry_after } => return Renewal::Unreachable { retry_after },
        };
        if !is_needed() {
            return Renewal::Dropped;
        }
        match owner_of(ports, &grant).await {
            TokenOwner::Known(user) => return Renewal::Granted(grant, user),
            TokenOwner::Unreachable { retry_after } => return Renewal::Unreachable { retry_after },
            // If the session ended between the two requests, the next refresh returns the reason.
            TokenOwner::TokenRefused if is_needed() => {}
            TokenOwner::TokenRefused => return Renewal::Dropped,
        }
    }
    // The server issues tokens that it then refuses. Further retries would not help.
    Renewal::Ended(NoSessionCause::Reported(SignedOutReason::Invalid))
}

/// Refreshes. If another tab's rotation overtook the request, retries once immediately, because the jar then holds the
/// newer token.
async fn refresh(ports: &Ports) -> RefreshResponse {
    match refresh_once(ports).await {
        RefreshResponse::Superseded => refresh_once(ports).await,
        refresh_response => refresh_response,
    }
}

async fn refresh_once(ports: &Ports) -> RefreshResponse {
    let requested_at = ports.clock.now();
    let response = ports
        .transport
        .send(ApiRequest::new(Method::Post, paths::REFRESH))
        .await;
    refresh_response::interpret(response, requested_at)
}

async fn owner_of(ports: &Ports, grant: &Grant) -> TokenOwner {
    let mut request = ApiRequest::new(Method::Get, paths::ME);
    request.bearer = Some(grant.token.clone());
    match ports.transport.send(request).await {
        Err(_) => TokenOwner::Unreachable { retry_after: None },
        Ok(response) if response.refuses_token() => TokenOwner::TokenRefused,
        Ok(response) => match response.json() {
            Ok(user) => TokenOwner::Known(user),
            Err(_) => TokenOwner::Unreachable {
                retry_after: response.retry_after,
            },
        },
    }
}
