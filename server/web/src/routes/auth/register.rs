//! `POST /api/auth/register`

use api_types::{
    auth::{RegisterRequest, SignedInResponse},
    problem::ProblemCode,
};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use password_policy::Rules;
use rotation::{Role, UserId};
use store::users::NewUser;

use super::response::{issue, new_session, session_of_cookie, sign_in_cookies, user_body};
use crate::{
    accounts::{breached_password, display_name, email::Email, refused_password},
    error::ApiError,
    extract::{Json, RequestClient},
    passwords::Password,
    state::AppState,
};

/// Creates an account and signs it in: 201 with an access token, the user, and the refresh cookie.
///
/// # Errors
/// 422 for refused fields, 409 if the address has an account, 503 if too many requests wait or the database is
/// unavailable.
pub async fn register_user(
    State(app): State<AppState>,
    headers: HeaderMap,
    RequestClient(client): RequestClient,
    Json(request): Json<RegisterRequest>,
) -> Result<Response, ApiError> {
    let replaces = session_of_cookie(&app, &headers)?;
    let form = Form::parse(request, app.config.passwords.min_length)?;
    // Before the hash is computed: a taken address must not cost the server one. (The response reveals in either case
    // that an address is taken; see the decision in this crate's README.)
    let (normalised, mailbox) = (form.email.normalised(), form.email.mailbox());
    if app.store.user_by_address(normalised, mailbox).await?.is_some() {
        return Err(email_taken());
    }
    if app.passwords.is_breached(&form.password).await? {
        return Err(ApiError::validation(vec![breached_password("password")]));
    }
    let password_hash = app.passwords.hash(form.password).await?;

    let now = app.clock.now();

    let new_user = NewUser {
        id: UserId::new(now, app.random.bytes()),
        email: form.email.shown().to_owned(),
        email_normalised: form.email.normalised().to_owned(),
        mailbox: form.email.mailbox().to_owned(),
        password_hash,
        display_name: form.display_name,
        role: Role::User,
        created_at: now,
    };
    let new_session = new_session(&app, now, true, client, replaces);
    let registered = app.store.register(&new_user, &new_session).await?;
    let (user, session) = registered.ok_or_else(email_taken)?;

    let issued = issue(&app, &session, &session.live_token, user.role, now)?;
    let body = SignedInResponse {
        token: issued.token,
        user: user_body(&user),
    };
    let cookies = sign_in_cookies(&app, &headers, &session, issued.cookie, now);
    Ok((StatusCode::CREATED, cookies, Json(body)).into_response())
}

struct Form {
    email: Email,
    password: Password,
    display_name: Option<String>,
}

impl Form {
    /// Returns all refused fields together, so that a person can correct them in one go.
    fn parse(request: RegisterRequest, min_length: usize) -> Result<Self, ApiError> {
        let password = Password::new(request.password);
        let email = Email::parse(&request.email);
        // The address as typed: even an invalid address must not be part of the password.
        let rules = Rules {
            min_length,
            email: &request.email,
            current: None,
        };
        let judged = password_policy::check(password.expose(), &rules)
            .map_err(|refusal| refused_password("password", refusal));
        let display_name = display_name::parse(request.display_name.as_deref().unwrap_or_default());
        match (email, judged, display_name) {
            (Ok(email), Ok(()), Ok(display_name)) => Ok(Self {
                email,
                password,
                display_name,
            }),
            (email, judged, display_name) => {
                let errors = [email.err(), judged.err(), display_name.err()];
                Err(ApiError::validation(errors.into_iter().flatten().collect()))
            }
        }
    }
}

fn email_taken() -> ApiError {
    ApiError::new(
        ProblemCode::EmailTaken,
        "This address has an account already. Sign in instead, or use another address.",
    )
}
