//! One attempt to get a token and its user.
//!
//! A refresh response contains only a token, and all tabs share the cookie jar: another tab may just have signed in as
//! another user. So the user of every new token is requested before the token is used. This request also confirms the
//! new generation to the server immediately.

use std::time::Duration;

use api_types::{auth::User, paths};

use crate::{
    ApiRequest, EndedBecause, Method, Ports,
    verdict::{self, Ending, Grant, Verdict},
};

/// The outcome of an attempt.
#[derive(Debug)]
pub(crate) enum Renewal {
    Granted(Grant, User),
    Ended(Ending),
    Unreachable {
        retry_after: Option<Duration>,
    },
    /// The outcome is no longer needed.
    Dropped,
}

enum Owner {
    Known(User),
    TokenRefused,
    Unreachable { retry_after: Option<Duration> },
}

/// Refreshes and requests the user of the new token. Sends at most four refreshes and two user requests, whatever the
/// server answers.
///
/// `wanted` is checked between the requests, so that a sign-out need not wait for a response that will be discarded.
pub(crate) async fn renew(ports: &Ports, wanted: impl Fn() -> bool) -> Renewal {
    for _ in 0..2 {
        let grant = match refresh(ports).await {
            Verdict::Granted(grant) => grant,
            Verdict::Ended(ending) => return Renewal::Ended(ending),
            Verdict::Superseded => return Renewal::Unreachable { retry_after: None },
            Verdict::Unreachable { retry_after } => return Renewal::Unreachable { retry_after },
        };
        if !wanted() {
            return Renewal::Dropped;
        }
        match owner(ports, &grant).await {
            Owner::Known(user) => return Renewal::Granted(grant, user),
            Owner::Unreachable { retry_after } => return Renewal::Unreachable { retry_after },
            // If the session ended between the two requests, the next refresh returns the reason.
            Owner::TokenRefused if wanted() => {}
            Owner::TokenRefused => return Renewal::Dropped,
        }
    }
    // The server issues tokens that it then refuses. Further retries would not help.
    Renewal::Ended(Ending::Because(EndedBecause::Invalid))
}

/// Refreshes. If another tab's rotation overtook the request, retries once immediately, because the jar then holds the
/// newer token.
async fn refresh(ports: &Ports) -> Verdict {
    match refresh_once(ports).await {
        Verdict::Superseded => refresh_once(ports).await,
        verdict => verdict,
    }
}

async fn refresh_once(ports: &Ports) -> Verdict {
    let asked_at = ports.clock.now();
    let answer = ports
        .transport
        .send(ApiRequest::new(Method::Post, paths::REFRESH))
        .await;
    verdict::of_refresh(answer, asked_at)
}

async fn owner(ports: &Ports, grant: &Grant) -> Owner {
    let mut request = ApiRequest::new(Method::Get, paths::ME);
    request.bearer = Some(grant.token.clone());
    match ports.transport.send(request).await {
        Err(_) => Owner::Unreachable { retry_after: None },
        Ok(answer) if answer.refuses_token() => Owner::TokenRefused,
        Ok(answer) => match answer.json() {
            Ok(user) => Owner::Known(user),
            Err(_) => Owner::Unreachable {
                retry_after: answer.retry_after,
            },
        },
    }
}
