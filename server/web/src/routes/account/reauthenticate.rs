//! The check of the current password before a change to the account.

use api_types::problem::{FieldError, ProblemCode};
use rotation::AccessClaims;
use store::users::User;

use crate::{
    error::ApiError,
    passwords::{Password, PasswordCheck, log_unusable_hash},
    security_log::SecurityEvent,
    state::App,
};

/// The bearer's account, after a check of the current password: an access token alone must not be enough to take over
/// an account (OWASP ASVS 7.5.1).
pub(super) async fn reauthenticate(
    app: &App,
    claims: &AccessClaims,
    password: Password,
) -> Result<User, ApiError> {
    let user = app.store.user(claims.sub).await?;
    let user = user.filter(|user| user.disabled_at.is_none());
    let user = user.ok_or_else(|| ApiError::invalid_token("the account is gone or disabled"))?;
    // No account has a longer password, so it is not a guess, and hashing it would waste work.
    let check = if password_policy::is_longer_than_any(password.expose()) {
        PasswordCheck::Mismatch
    } else {
        let attempt = app.guesses.begin_reauthentication(app, user.id).await?;
        match app.passwords.verify(password, Some(&user.password_hash)).await {
            Ok(matching @ PasswordCheck::Match { .. }) => {
                app.guesses.record_reauthentication(app, attempt).await;
                matching
            }
            Ok(check) => check,
            Err(error) => {
                app.guesses.release(app, attempt, &error).await;
                return Err(error.into());
            }
        }
    };
    match check {
        PasswordCheck::Match { .. } => Ok(user),
        PasswordCheck::Mismatch => {
            app.security_log
                .report(SecurityEvent::CurrentPasswordWrong { user: user.id });
            let message = "This is not your current password. It is taken exactly as typed, spaces and capitals included.";
            Err(
                ApiError::new(ProblemCode::InvalidCredentials, message).with_field(FieldError {
                    field: "current_password".into(),
                    code: "incorrect".into(),
                    message: message.into(),
                }),
            )
        }
        // The account's owner is known here, so the real reason reveals nothing to strangers: it is the server's fault.
        PasswordCheck::Unusable(why) => {
            log_unusable_hash(&user, why);
            Err(ApiError::internal(why))
        }
    }
}

/// The account was changed between the password check and this change.
pub(super) fn account_changed() -> ApiError {
    ApiError::invalid_token("the account changed in between")
}
