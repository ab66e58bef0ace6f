//! `POST /api/auth/login`

use api_types::{
    auth::{LoginRequest, SignedInResponse},
    problem::ProblemCode,
};
use axum::{
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use rotation::Session;
use store::{
    sessions::{LoginOutcome, NewSession, VerifiedCredentials},
    users::User,
};

use super::response::{issue, new_session, session_of_cookie, sign_in_cookies, user_body};
use crate::{
    accounts::email::Email,
    error::ApiError,
    extract::{Json, RequestClient},
    passwords::{Password, PasswordCheck, PasswordError, log_unusable_hash},
    state::{App, AppState},
};

/// Signs in: 200 with an access token, the user, and the refresh cookie.
///
/// An unknown address, a wrong password and a disabled account get the same response after the same work, and are
/// counted in the same way.
///
/// # Errors
/// 401 `invalid_credentials`, 429 `rate_limited` after many wrong passwords, 503 if too many requests wait or the
/// database is unavailable.
pub async fn login_user(
    State(app): State<AppState>,
    headers: HeaderMap,
    RequestClient(client): RequestClient,
    Json(request): Json<LoginRequest>,
) -> Result<Response, ApiError> {
    let replaces = session_of_cookie(&app, &headers)?;
    let LoginRequest {
        email,
        password,
        remember,
    } = request;
    let password = Password::new(password);
    if password_policy::is_longer_than_any(password.expose()) {
        // No account has such a password, and no request may cause a long one to be hashed.
        return Err(invalid_credentials("the password is longer than any"));
    }

    let parsed = Email::parse(&email).ok();
    let user = match &parsed {
        Some(email) => {
            app.store
                .user_by_address(email.normalised(), email.mailbox())
                .await?
        }
        None => None,
    };
    // Counted before hashing: concurrent attempts cannot pass the limit together, and cause no unnecessary work.
    let address = parsed.as_ref().map_or(email.as_str(), Email::mailbox);
    let guesses = &app.guesses;
    let attempt = guesses
        .begin_sign_in(&app, &headers, address, user.as_ref())
        .await?;
    let account = user.as_ref().map(|user| user.id);
    let mut who = match verify(&app, user, &password).await {
        Ok(who) => who,
        Err(LoginFailure::Refused(cause)) => {
            guesses.record_failed_sign_in(&app, account, &client);
            return Err(invalid_credentials(cause));
        }
        Err(LoginFailure::Unchecked(error)) => {
            guesses.release(&app, attempt, &error).await;
            return Err(error.into());
        }
    };
    let now = app.clock.now();
    let new_session = new_session(&app, now, remember, client.clone(), replaces);
    let session = if let Some(session) = create_session(&app, &who, &new_session).await? {
        session
    } else {
        // Perhaps only the hash changed, because another sign-in has just renewed it: then the password still matches.
        // Every other change of an account's credentials raises the epoch.
        let user = app.store.user(who.user.id).await?;
        let user = user.filter(|user| user.token_epoch == who.user.token_epoch);
        if user.is_none() {
            return Err(account_changed());
        }
        who = verify(&app, user, &password).await?;
        create_session(&app, &who, &new_session)
            .await?
            .ok_or_else(account_changed)?
    };
    if who.is_outdated {
        renew_hash(&app, &who.user, password).await;
    }
    let user = who.user;

    guesses.record_sign_in(&app, attempt, user.id, &client).await;

    let issued = issue(&app, &session, &session.live_token, user.role, now)?;
    let body = SignedInResponse {
        token: issued.token,
        user: user_body(&user),
    };
    let cookies = sign_in_cookies(&app, &headers, &session, issued.cookie, now);
    Ok((cookies, Json(body)).into_response())
}

/// An account whose password was correct.
struct VerifiedUser {
    user: User,
    /// Its hash is weaker than new hashes.
    is_outdated: bool,
}

/// Why the sign-in failed.
enum LoginFailure {
    Refused(&'static str),
    /// The password was not compared with a hash.
    Unchecked(PasswordError),
}

impl From<LoginFailure> for ApiError {
    fn from(why: LoginFailure) -> Self {
        match why {
            LoginFailure::Refused(cause) => invalid_credentials(cause),
            LoginFailure::Unchecked(error) => error.into(),
        }
    }
}

/// Checks the password of an account that may not exist.
///
/// A stored hash that cannot be verified gets the same response as a wrong password: a different one would reveal that
/// the account exists. The log informs the operator, who can set a new password.
async fn verify(app: &App, user: Option<User>, password: &Password) -> Result<VerifiedUser, LoginFailure> {
    let hash = user.as_ref().map(|user| &user.password_hash);
    let check = app.passwords.verify(password.clone(), hash).await;
    let check = check.map_err(LoginFailure::Unchecked)?;
    let (user, is_outdated) = match (user, check) {
        (Some(user), PasswordCheck::Match { is_outdated }) => (user, is_outdated),
        (Some(user), PasswordCheck::Unusable(why)) => {
            log_unusable_hash(&user, why);
            return Err(LoginFailure::Refused("the stored hash cannot be verified"));
        }
        _ => return Err(LoginFailure::Refused("unknown address or wrong password")),
    };
    if user.disabled_at.is_some() {
        return Err(LoginFailure::Refused("the account is disabled"));
    }
    Ok(VerifiedUser { user, is_outdated })
}

/// `None` if the account changed since the password was checked.
async fn create_session(
    app: &App,
    who: &VerifiedUser,
    new: &NewSession,
) -> Result<Option<Session>, ApiError> {
    let account = VerifiedCredentials {
        user: who.user.id,
        token_epoch: who.user.token_epoch,
        password_hash: &who.user.password_hash,
    };
    Ok(match app.store.log_in(&account, new).await? {
        LoginOutcome::Done(session) => Some(session),
        LoginOutcome::AccountChanged => None,
    })
}

/// Replaces a hash with weaker parameters, now that the password is known. The user is signed in either way, so a
/// failure is only logged: the next sign-in retries.
async fn renew_hash(app: &App, user: &User, password: Password) {
    let renewed = match app.passwords.hash(password).await {
        Ok(hash) => {
            app.store
                .renew_password_hash(user.id, &user.password_hash, &hash)
                .await
        }
        Err(error) => return tracing::warn!(%error, user = %user.id, "password hash not renewed"),
    };
    match renewed {
        Ok(true) => tracing::info!(user = %user.id, "password hash renewed with the configured parameters"),
        // Another sign-in renewed it first, or the password was changed.
        Ok(false) => {}
        Err(error) => tracing::warn!(%error, user = %user.id, "password hash not renewed"),
    }
}

fn account_changed() -> ApiError {
    invalid_credentials("the account changed during the login")
}

fn invalid_credentials(cause: &'static str) -> ApiError {
    ApiError::new(
        ProblemCode::InvalidCredentials,
        "Email or password do not fit. Check both; a password is taken exactly as typed, spaces and capitals included.",
    )
    .with_cause(cause)
}
