//! Security log: one line for each event that operators have to know about (OWASP ASVS 16.3).
//!
//! Every line has the target `keyturn::security`, the name of the event, the user or actor if known and the client's
//! address; the request's span adds its id. It never has a token, a password, a cookie or an email address. Events that
//! a stranger can trigger are logged a few times per minute for each network and kind. The next line says how many were
//! omitted, and the metric `keyturn_security_events_total` counts them all.

use std::{
    fmt,
    net::IpAddr,
    sync::atomic::{AtomicU64, Ordering},
};

use governor::clock::{Clock, MonotonicClock, Reference};
use rotation::{SessionId, UserId};

use crate::{current_request, limiter::KeyedLimiter, log_value::OrDash, network::network_of};

/// Lines of one kind per network and minute, …
const LINES_PER_NETWORK: u32 = 10;
/// … and for all networks together.
const LINES_PER_KIND: u32 = 60;

/// What happened.
#[derive(Debug, Clone, Copy)]
pub enum SecurityEvent {
    /// A wrong password, an unknown address or a disabled account.
    SignInFailed {
        user: Option<UserId>,
    },
    /// A signed-in user entered a wrong current password.
    CurrentPasswordWrong {
        user: UserId,
    },
    LimitHit {
        limit: LimitKind,
        user: Option<UserId>,
    },
    /// The cross-site guard refused a request.
    CrossSiteRefused {
        cause: &'static str,
    },
    /// A token with an invalid signature.
    ForgedToken {
        token: &'static str,
    },
    /// A used refresh token was presented again, and its session ended.
    TokenReused {
        session: SessionId,
        user: UserId,
    },
}

/// Which limit blocked a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitKind {
    /// Attempts from one network.
    Network,
    /// Wrong passwords of one account or address.
    SignIn,
    /// Wrong current passwords of one account.
    CurrentPassword,
    /// Refreshes of one session.
    Refresh,
}

/// An action on a signing key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyEvent {
    Published,
    /// It has a successor and will retire with its last token.
    EndScheduled,
    Retired,
    Revoked,
}

/// Who performed an action on a signing key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyActor {
    CommandLine,
    Schedule,
}

/// Writes the security log, with rate limits.
pub struct SecurityLog<C: Clock = MonotonicClock> {
    by_network: KeyedLimiter<(usize, Option<IpAddr>), C>,
    by_kind: KeyedLimiter<usize, C>,
    suppressed: [AtomicU64; KINDS],
    is_silent: bool,
}

const KINDS: usize = 6;

impl SecurityEvent {
    /// The name of the event in the log and in the metric.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::SignInFailed { .. } => "sign_in_failed",
            Self::CurrentPasswordWrong { .. } => "current_password_wrong",
            Self::LimitHit { .. } => "limit_hit",
            Self::CrossSiteRefused { .. } => "cross_site_refused",
            Self::ForgedToken { .. } => "forged_token",
            Self::TokenReused { .. } => "token_reused",
        }
    }

    const fn kind(&self) -> usize {
        match self {
            Self::SignInFailed { .. } => 0,
            Self::CurrentPasswordWrong { .. } => 1,
            Self::LimitHit { .. } => 2,
            Self::CrossSiteRefused { .. } => 3,
            Self::ForgedToken { .. } => 4,
            Self::TokenReused { .. } => 5,
        }
    }
}

impl LimitKind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::SignIn => "sign_in",
            Self::CurrentPassword => "current_password",
            Self::Refresh => "refresh",
        }
    }
}

impl<C: Clock + Clone> SecurityLog<C>
where
    C::Instant: Reference,
{
    pub fn new(clock: &C) -> Self {
        Self {
            by_network: KeyedLimiter::per_minute(LINES_PER_NETWORK, clock.clone()),
            by_kind: KeyedLimiter::per_minute(LINES_PER_KIND, clock.clone()),
            suppressed: std::array::from_fn(|_| AtomicU64::new(0)),
            is_silent: false,
        }
    }

    /// Writes nothing: the lab attacks its own copy of the product, which operators need not see.
    #[must_use]
    pub fn silent(self) -> Self {
        Self {
            is_silent: true,
            ..self
        }
    }

    /// Counts an event of the current request, and logs it unless there were many like it.
    pub fn report(&self, event: SecurityEvent) {
        metrics::counter!("keyturn_security_events_total", "event" => event.name()).increment(1);
        if self.is_silent {
            return;
        }
        let client = current_request::client();
        let Some(suppressed) = self.admit_line(event.kind(), client) else {
            return;
        };
        let client = OrDash(client);
        write(event, &client, suppressed);
    }

    /// The number of omitted lines of this kind, if this line may be written.
    fn admit_line(&self, kind: usize, client: Option<IpAddr>) -> Option<u64> {
        let network = client.map(network_of);
        if self.by_network.check(&(kind, network)).is_ok() && self.by_kind.check(&kind).is_ok() {
            Some(self.suppressed[kind].swap(0, Ordering::Relaxed))
        } else {
            self.suppressed[kind].fetch_add(1, Ordering::Relaxed);
            None
        }
    }
}

fn write(event: SecurityEvent, client: &OrDash<IpAddr>, suppressed: u64) {
    macro_rules! line {
        ($message:literal $(, $field:ident)*) => {
            tracing::warn!(
                target: "keyturn::security",
                event = event.name(), %client, $(%$field,)* suppressed, $message
            )
        };
    }
    match event {
        SecurityEvent::SignInFailed { user } => {
            let user = OrDash(user);
            line!("sign-in: failed", user);
        }
        SecurityEvent::CurrentPasswordWrong { user } => line!("current password: wrong", user),
        SecurityEvent::LimitHit { limit, user } => {
            let (limit, user) = (limit.name(), OrDash(user));
            line!("rate limit: hit", limit, user);
        }
        SecurityEvent::CrossSiteRefused { cause } => line!("cross-site request: refused", cause),
        SecurityEvent::ForgedToken { token } => line!("token signature: forged", token),
        SecurityEvent::TokenReused { session, user } => line!("refresh token: reused", session, user),
    }
}

/// Logs an action on a signing key. There are few of them, and none is omitted.
pub fn report_key(act: KeyEvent, kid: &str, actor: KeyActor) {
    let (name, actor) = (act.name(), actor.name());
    macro_rules! line {
        ($message:literal) => {
            tracing::warn!(target: "keyturn::security", event = name, actor, kid, $message)
        };
    }
    metrics::counter!("keyturn_security_events_total", "event" => name).increment(1);
    match act {
        KeyEvent::Published => line!("signing key: published"),
        KeyEvent::EndScheduled => line!("signing key: end scheduled"),
        KeyEvent::Retired => line!("signing key: retired"),
        KeyEvent::Revoked => line!("signing key: revoked"),
    }
}

impl KeyEvent {
    const fn name(self) -> &'static str {
        match self {
            Self::Published => "key_published",
            Self::EndScheduled => "key_end_scheduled",
            Self::Retired => "key_retired",
            Self::Revoked => "key_revoked",
        }
    }
}

impl KeyActor {
    const fn name(self) -> &'static str {
        match self {
            Self::CommandLine => "command line",
            Self::Schedule => "schedule",
        }
    }
}

impl<C: Clock> fmt::Debug for SecurityLog<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecurityLog").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use governor::clock::FakeRelativeClock;

    use super::*;

    #[expect(
        clippy::unnecessary_wraps,
        reason = "an address may be unknown, and here it never is"
    )]
    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().expect("an address"))
    }

    #[test]
    fn a_flood_leaves_a_few_lines_and_a_count() {
        let clock = FakeRelativeClock::default();
        let log = SecurityLog::new(&clock);
        let written = (0..1000)
            .filter(|_| log.admit_line(0, ip("192.0.2.1")).is_some())
            .count();
        assert_eq!(written, 10);
        // Other networks are logged, and so are other kinds from the same network.
        assert_eq!(log.admit_line(0, ip("192.0.2.2")), Some(990));
        assert_eq!(log.admit_line(1, ip("192.0.2.1")), Some(0));
        clock.advance(Duration::from_mins(1));
        assert_eq!(log.admit_line(0, ip("192.0.2.1")), Some(0));
    }

    #[test]
    fn many_networks_share_one_limit_per_kind() {
        let clock = FakeRelativeClock::default();
        let log = SecurityLog::new(&clock);
        let flood = |from: u32| {
            let ips = (from..from + 10_000).map(|last| Some(IpAddr::V4(last.into())));
            ips.filter(|ip| log.admit_line(4, *ip).is_some()).count()
        };
        assert_eq!(flood(0), 60);
        clock.advance(Duration::from_mins(1));
        assert_eq!(log.admit_line(4, ip("192.0.2.1")), Some(9_940));
    }
}
