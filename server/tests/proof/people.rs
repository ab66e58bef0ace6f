//! Accounts and sessions for the tests, created directly in the store. They have no password hash, because the cost of
//! hashing is not under test.

use rotation::{LiveToken, SessionId, Timestamp, UserId};
use store::{
    AuditContext, ClientInfo, Store,
    sessions::{LoginOutcome, NewSession, SessionLimit, VerifiedCredentials},
    users::{NewUser, PasswordHash},
};
use web::App;

/// A session as its browser received it.
#[derive(Clone, Debug)]
pub(crate) struct Opened {
    pub(crate) user: UserId,
    pub(crate) session: SessionId,
    pub(crate) live_token: LiveToken,
    pub(crate) token: String,
}

/// Creates an account with its first session.
pub(crate) async fn register(app: &App, store: &Store, now: Timestamp, remember: bool) -> Opened {
    let user = UserId::new(now, app.random.bytes());
    let account = NewUser {
        id: user,
        email: format!("{user}@example.com"),
        email_normalised: format!("{user}@example.com"),
        mailbox: format!("{user}@example.com"),
        password_hash: no_hash(),
        display_name: None,
        role: rotation::Role::User,
        created_at: now,
    };
    let new = new_session(app, now, remember);
    let registered = store.register(&account, &new).await.expect("the store answers");
    registered.expect("a new address");
    opened(app, user, &new)
}

/// Opens a second session of that account, on another device.
pub(crate) async fn log_in(app: &App, store: &Store, user: UserId, now: Timestamp) -> Opened {
    let hash = no_hash();
    let who = VerifiedCredentials {
        user,
        token_epoch: 0,
        password_hash: &hash,
    };
    let new = new_session(app, now, true);
    match store.log_in(&who, &new).await.expect("the store answers") {
        LoginOutcome::Done(_) => opened(app, user, &new),
        LoginOutcome::AccountChanged => panic!("the account changed unexpectedly"),
    }
}

/// An action at this time, by an unspecified client.
pub(crate) fn audit_context(app: &App, now: Timestamp) -> AuditContext {
    AuditContext {
        now,
        client: ClientInfo::default(),
        event: app.new_event(now),
        actor: store::Actor::Account,
    }
}

pub(crate) fn no_hash() -> PasswordHash {
    PasswordHash::new("no password fits this".to_owned())
}

fn new_session(app: &App, now: Timestamp, remember: bool) -> NewSession {
    let absolute_expires_at = app.config.policy.lifetimes.absolute_expiry(now);
    NewSession {
        id: app.new_session_id(now),
        token: app.first_token(now, absolute_expires_at, remember),
        absolute_expires_at,
        remember,
        context: audit_context(app, now),
        replaces: None,
        limit: SessionLimit {
            max: 100,
            event: app.new_event(now),
        },
    }
}

fn opened(app: &App, user: UserId, new: &NewSession) -> Opened {
    let token = app.tokens.sign_refresh(user, new.id, &new.token).expect("signs");
    Opened {
        user,
        session: new.id,
        live_token: new.token.clone(),
        token: token.expose().to_owned(),
    }
}
