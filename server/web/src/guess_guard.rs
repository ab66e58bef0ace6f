//! What the handlers that check passwords call: counts an attempt before the password is hashed, and refuses it if the
//! account has to wait. The counters are described in [`guesses`](crate::guesses).

use std::{borrow::Cow, time::Duration};

use axum::http::HeaderMap;
use rotation::{Timestamp, UserId};
use store::{
    ClientInfo, StoreError,
    guesses::{GuessCounter, Reservation},
    users::User,
};

use crate::{
    cookies::CookieLookup,
    error::ApiError,
    guesses::{Guesses, address_prefix},
    passwords::PasswordError,
    security_log::{LimitKind, SecurityEvent},
    state::App,
};

/// An attempt that may be made. It counts as a failure until another outcome is recorded.
#[derive(Debug)]
#[must_use]
pub struct GuessAttempt {
    /// `None`: nothing is counted, because limits are disabled.
    counter: Option<GuessCounter>,
    browser: BrowserTrust,
}

/// Whether an attempt comes from a browser that is known for the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BrowserTrust {
    /// A browser that is not known for this account, or the account does not exist.
    Unknown,
    /// A browser that signed in to the account before.
    Known,
}

impl Guesses {
    /// Counts a sign-in attempt, if one is allowed now. `address` is the account's spelling, or the typed text if it is
    /// not a valid address.
    ///
    /// # Errors
    /// 429 if the client has to wait, 503 if the database is unavailable.
    pub async fn begin_sign_in(
        &self,
        app: &App,
        headers: &HeaderMap,
        address: &str,
        user: Option<&User>,
    ) -> Result<GuessAttempt, ApiError> {
        let now = app.clock.now();
        let (counter, browser) = match user {
            None => (
                GuessCounter::of_address(self.hash(b"address", address_prefix(address))),
                BrowserTrust::Unknown,
            ),
            Some(user) => match self.known_counter(app, headers, user.id, now).await? {
                Some(counter) => (counter, BrowserTrust::Known),
                None => (GuessCounter::of_account(user.id), BrowserTrust::Unknown),
            },
        };
        let user = user.map(|user| user.id);
        self.begin(app, counter, browser, user, LimitKind::SignIn, now)
            .await
    }

    /// Counts a check of the current password, which a signed-in person enters again before a change. Its counter is
    /// separate from the account's sign-ins, so that a stranger who fails at those does not delay it.
    ///
    /// # Errors
    /// 429 if the client has to wait, 503 if the database is unavailable.
    pub async fn begin_reauthentication(&self, app: &App, user: UserId) -> Result<GuessAttempt, ApiError> {
        let counter = self.reauthentication_counter(user);
        let now = app.clock.now();
        self.begin(
            app,
            counter,
            BrowserTrust::Known,
            Some(user),
            LimitKind::CurrentPassword,
            now,
        )
        .await
    }

    /// Releases an attempt whose password was not checked.
    pub async fn release(&self, app: &App, attempt: GuessAttempt, why: &PasswordError) {
        let Some(counter) = attempt.counter else { return };
        if let Err(error) = app.store.release_attempt(counter, app.clock.now()).await {
            tracing::warn!(%error, %why, "password attempt not released: it stays counted as a failure");
        }
    }

    /// Records a failed sign-in for the account's timeline.
    pub fn record_failed_sign_in(&self, app: &App, user: Option<UserId>, client: &ClientInfo) {
        app.security_log.report(SecurityEvent::SignInFailed { user });
        let Some(user) = user else { return };
        if !self.add_pending_failure(user, app.audit_context(client.clone())) {
            metrics::counter!("keyturn_failed_sign_ins_untold_total").increment(1);
        }
    }

    /// Records a successful sign-in: resets the counter, and warns the owner if strangers failed often.
    pub async fn record_sign_in(&self, app: &App, attempt: GuessAttempt, user: UserId, client: &ClientInfo) {
        let Some(counter) = attempt.counter else { return };
        let own = u32::from(attempt.browser == BrowserTrust::Unknown);
        let also = [counter, self.reauthentication_counter(user)];
        let context = app.audit_context(client.clone());
        let forgotten = self.forget_failures(&app.store, user, &also, own, &context).await;
        if let Err(error) = forgotten {
            // The sign-in is committed. The remaining count delays only new browsers, until the next sign-in.
            tracing::warn!(%error, "failed sign-in counter not reset after a sign-in");
        }
    }

    /// Records that the current password was correct.
    pub async fn record_reauthentication(&self, app: &App, attempt: GuessAttempt) {
        let Some(counter) = attempt.counter else { return };
        if let Err(error) = app.store.forget_counter(counter).await {
            tracing::warn!(%error, "current password counter not reset after a correct one");
        }
    }

    async fn begin(
        &self,
        app: &App,
        counter: GuessCounter,
        browser: BrowserTrust,
        user: Option<UserId>,
        limit: LimitKind,
        now: Timestamp,
    ) -> Result<GuessAttempt, ApiError> {
        let retry_after = match self.reserve(&app.store, counter, now).await? {
            None => {
                return Ok(GuessAttempt {
                    counter: None,
                    browser,
                });
            }
            Some(Reservation::Reserved) => {
                return Ok(GuessAttempt {
                    counter: Some(counter),
                    browser,
                });
            }
            Some(Reservation::TooEarly { retry_after }) => Some(retry_after),
            Some(Reservation::Exhausted) => None,
        };
        app.security_log.report(SecurityEvent::LimitHit { limit, user });
        Err(too_many_guesses(limit, retry_after, self.longest_delay()))
    }

    /// The counter for this browser at the account, if it signed in there before. It proves that with the known-browser
    /// cookie or with a live session.
    async fn known_counter(
        &self,
        app: &App,
        headers: &HeaderMap,
        user: UserId,
        now: Timestamp,
    ) -> Result<Option<GuessCounter>, StoreError> {
        if let Some(number) = app.known_browser.number_for(headers, user, now) {
            return Ok(Some(self.browser_counter(number, user)));
        }
        let CookieLookup::Token(token) = app.cookie.read(headers) else {
            return Ok(None);
        };
        let Ok(claims) = app.tokens.verify_refresh(token.expose(), now) else {
            return Ok(None);
        };
        if claims.sub != user {
            return Ok(None);
        }
        let session = app.store.session(claims.sid).await?;
        let is_live = session.is_some_and(|session| session.user_id == user && session.revocation.is_none());
        Ok(is_live.then(|| {
            let hash = self.hash(b"session", claims.sid.uuid().as_bytes());
            GuessCounter::of_account_apart(user, hash)
        }))
    }
}

/// The problem text for a person who has to wait: for how long, and what to do instead. It is the same whether or not
/// the account exists.
fn too_many_guesses(limit: LimitKind, retry_after: Option<Duration>, longest: Duration) -> ApiError {
    let detail = match (limit, retry_after) {
        (LimitKind::CurrentPassword, Some(wait)) => Cow::Owned(format!(
            "The current password was wrong too often. Try again in {}, or sign out, sign in again and then try.",
            in_words(wait)
        )),
        (LimitKind::CurrentPassword, None) => {
            Cow::Borrowed("The current password was wrong too often. Sign out, sign in again and then try.")
        }
        (_, Some(wait)) => Cow::Owned(format!(
            "Too many sign-ins with this email failed, so the next one has to wait. Try again in {}, or use a browser \
             where you signed in before: there you can sign in now.",
            in_words(wait)
        )),
        (_, None) => Cow::Borrowed(
            "Too many sign-ins with this email failed, so new browsers cannot sign in with it for now. Use a browser \
             where you signed in before, or ask the people who run this site to unlock it.",
        ),
    };
    ApiError::rate_limited(retry_after.unwrap_or(longest) + Duration::from_secs(1)).with_detail(detail)
}

fn in_words(wait: Duration) -> String {
    let seconds = wait.as_secs() + 1;
    match seconds {
        0..=90 => format!("{seconds} seconds"),
        _ => format!("{} minutes", seconds.div_ceil(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_shown_in_seconds_or_minutes() {
        assert_eq!(in_words(Duration::from_millis(29_400)), "30 seconds");
        assert_eq!(in_words(Duration::from_secs(89)), "90 seconds");
        assert_eq!(in_words(Duration::from_secs(119)), "2 minutes");
        assert_eq!(in_words(Duration::from_secs(3_599)), "60 minutes");
    }
}
