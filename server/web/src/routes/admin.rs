//! `/api/admin`: account administration. Every handler takes [`Admin`], so none can be reached without the role.

use api_types::{
    admin::{UserEntry, UserPage, UserSearch},
    paths,
    problem::ProblemCode,
};
use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{delete, get, post},
};
use rotation::{AccessClaims, UserId};
use store::{AuditContext, users::User};

use crate::{
    error::ApiError,
    extract::{Admin, Json, PageQuery},
    state::AppState,
    wire::wire_seconds,
};

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route(paths::ADMIN_USERS, get(list_users))
        .route(paths::ADMIN_USER_SEARCH, post(search_users))
        .route(paths::ADMIN_DISABLE_USER, post(disable_user))
        .route(paths::ADMIN_ENABLE_USER, post(enable_user))
        .route(paths::ADMIN_USER_SESSIONS, delete(end_sessions))
}

/// Accounts in order of creation, one page at a time: `?after=` an account's id, `?limit=` 1 to 100.
async fn list_users(
    State(app): State<AppState>,
    _: Admin,
    page: PageQuery,
) -> Result<Json<UserPage>, ApiError> {
    user_page(&app, None, &page).await
}

/// Accounts whose address contains a text.
async fn search_users(
    State(app): State<AppState>,
    _: Admin,
    Json(wanted): Json<UserSearch>,
) -> Result<Json<UserPage>, ApiError> {
    let email = wanted.email.trim().to_lowercase();
    let email = Some(email.as_str()).filter(|text| !text.is_empty());
    user_page(&app, email, &PageQuery::after(wanted.after, wanted.limit)).await
}

async fn user_page(
    app: &AppState,
    email: Option<&str>,
    page: &PageQuery,
) -> Result<Json<UserPage>, ApiError> {
    let after: Option<UserId> = page.cursor("after", page.after.as_deref())?;
    let limit = page.limit()?;
    let mut users = app.store.users(email, after, limit + 1).await?;
    let next = page.truncate(&mut users, |user| user.id.to_string())?;
    Ok(Json(UserPage {
        users: users.into_iter().map(entry).collect(),
        next,
    }))
}

/// Disables an account and ends its sessions. Idempotent.
async fn disable_user(
    State(app): State<AppState>,
    Admin(claims): Admin,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let user = find_user(&app, &id).await?;
    if user.id == claims.sub {
        return Err(ApiError::new(
            ProblemCode::Forbidden,
            "You cannot disable your own account. Ask another administrator.",
        ));
    }
    let act = record_action(&app, &claims, user.id, "disable account");
    app.store.disable_user(user.id, &act).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Enables an account again; its ended sessions stay ended. Idempotent.
async fn enable_user(
    State(app): State<AppState>,
    Admin(claims): Admin,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let user = find_user(&app, &id).await?;
    let act = record_action(&app, &claims, user.id, "enable account");
    app.store.enable_user(user.id, &act).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends all sessions of an account. Idempotent.
async fn end_sessions(
    State(app): State<AppState>,
    Admin(claims): Admin,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let user = find_user(&app, &id).await?;
    let act = record_action(&app, &claims, user.id, "end sessions");
    app.store.revoke_all_sessions(user.id, &act).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The audit context of an administrator's action, which is logged with the administrator's id. The account's own
/// timeline names neither the administrator nor their address.
fn record_action(
    app: &AppState,
    claims: &AccessClaims,
    account: UserId,
    action: &'static str,
) -> AuditContext {
    tracing::info!(administrator = %claims.sub, %account, action, "administrator action");
    app.administrator_context(claims.sub)
}

async fn find_user(app: &AppState, id: &str) -> Result<User, ApiError> {
    let missing = || {
        ApiError::new(
            ProblemCode::NotFound,
            "There is no such account. Load the list again.",
        )
    };
    let id: UserId = id.parse().map_err(|_| missing())?;
    app.store.user(id).await?.ok_or_else(missing)
}

fn entry(user: User) -> UserEntry {
    UserEntry {
        id: user.id.to_string(),
        email: user.email,
        display_name: user.display_name,
        role: user.stored_role,
        disabled_at: user.disabled_at.map(wire_seconds),
        created_at: wire_seconds(user.created_at),
    }
}

#[cfg(test)]
mod tests {
    use rotation::Role;

    #[test]
    fn the_wire_names_the_role_as_tokens_do() {
        assert_eq!(Role::Admin.as_str(), api_types::admin::ROLE);
    }
}
