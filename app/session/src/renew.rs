//! One attempt to get a token and to learn whose it is.
//!
//! A refresh answers with a token alone, and the jar that the browser sent the cookie from belongs to all tabs: another
//! one may have signed in as somebody else a moment ago. So every new token is asked for its user before it is used.
//! That also confirms the new generation to the server at once.

use std::time::Duration;

use api_types::{auth::User, paths};

use crate::{
    ApiRequest, EndedBecause, Method, Ports,
    verdict::{self, Ending, Grant, Verdict},
};

/// What an attempt came to.
#[derive(Debug)]
pub(crate) enum Renewal {
    Granted(Grant, User),
    Ended(Ending),
    Unreachable {
        retry_after: Option<Duration>,
    },
    /// Nobody wants the outcome any more.
    Dropped,
}

enum Owner {
    Known(User),
    TokenRefused,
    Unreachable { retry_after: Option<Duration> },
}

/// Refreshes and asks whose token came back. At most four refreshes and two questions, whatever the server says.
///
/// `wanted` is asked between the requests: a sign-out need not wait for an answer that will be thrown away.
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
            // The session may have ended between the two requests; then the next refresh says so, and why.
            Owner::TokenRefused if wanted() => {}
            Owner::TokenRefused => return Renewal::Dropped,
        }
    }
    // The server grants tokens that it then refuses. Trying for ever would help nobody.
    Renewal::Ended(Ending::Because(EndedBecause::Invalid))
}

/// A refresh; once more at once if another tab's rotation overtook it, because then the jar holds the newer token.
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
