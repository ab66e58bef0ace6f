//! The session context of components.

use std::{fmt, rc::Rc};

use api_types::auth::User;
use leptos::prelude::*;
use session_client::{SessionManager, SessionView};

use crate::{
    platform::{ColorScheme, Platform},
    session_hint::SessionHint,
};

/// A handle to the session of this page. Copies share it.
///
/// The first render, on the server and in the browser, uses the [`SessionHint`] alone. Only after hydration does the view
/// follow the [`SessionManager`]; otherwise a fast response could change the markup during hydration.
#[derive(Clone, Copy)]
pub struct SessionCtx {
    view: RwSignal<SessionView>,
    hydrated: RwSignal<bool>,
    sign_out_status: RwSignal<Option<SignOutStatus>>,
    color_scheme: RwSignal<Option<ColorScheme>>,
    auth_state: Memo<AuthState>,
    /// `None` on the server: a value that is bound to one thread cannot be used in a thread pool.
    browser: Option<StoredValue<BrowserPorts, LocalStorage>>,
}

/// What most components need: less than a [`SessionView`], so it changes less often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthState {
    /// Not known yet; `likely` if a refresh cookie was seen.
    Pending { likely: bool },
    /// No one is signed in.
    Anonymous,
    /// A user is signed in, or was when the connection was lost.
    SignedIn(User),
}

/// The result of a click on “Sign out”.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignOutStatus {
    /// The token is cleared; the server has not answered yet.
    InProgress,
    /// The server has answered, or was unreachable; in that case the view says so until the server is reachable.
    Done,
}

struct BrowserPorts {
    manager: SessionManager,
    platform: Rc<dyn Platform>,
}

/// The session of this page. Outside `app::App` there is none, which is a bug.
pub fn use_session() -> SessionCtx {
    expect_context::<SessionCtx>()
}

impl SessionCtx {
    /// Provides the session to everything below. Call it inside the closure that is hydrated, before `<App/>`.
    ///
    /// The manager must have been made with `platform.session_hint().initial_view()`.
    pub fn provide(manager: SessionManager, platform: Rc<dyn Platform>) -> Self {
        let session_hint = platform.session_hint();
        let browser = StoredValue::new_local(BrowserPorts { manager, platform });
        let this = Self::new(session_hint, Some(browser));
        browser.with_value(|browser| {
            browser.manager.on_change(move |view| {
                if this.hydrated.try_get_untracked() == Some(true) {
                    this.follow(view);
                }
            });
        });
        provide_context(this);
        this
    }

    /// The session in context. On the server it is a view that stays as the [`SessionHint`] has it.
    pub fn of_page() -> Self {
        use_context::<Self>().unwrap_or_else(|| {
            let this = Self::new(use_context::<SessionHint>().unwrap_or_default(), None);
            provide_context(this);
            this
        })
    }

    fn new(session_hint: SessionHint, browser: Option<StoredValue<BrowserPorts, LocalStorage>>) -> Self {
        let view = RwSignal::new(session_hint.initial_view());
        Self {
            view,
            hydrated: RwSignal::new(false),
            sign_out_status: RwSignal::new(None),
            color_scheme: RwSignal::new(None),
            auth_state: Memo::new(move |_| view.with(AuthState::of)),
            browser,
        }
    }

    /// The current session; tracked.
    pub fn view(self) -> SessionView {
        self.view.get()
    }

    /// The signed-in user; tracked, and unaffected by token renewals.
    pub fn auth_state(self) -> AuthState {
        self.auth_state.get()
    }

    /// The same without a subscription.
    pub fn auth_state_untracked(self) -> AuthState {
        self.auth_state.get_untracked()
    }

    /// Whether the page reacts to clicks yet; tracked. `false` on the server and during hydration.
    pub fn hydrated(self) -> bool {
        self.hydrated.get()
    }

    /// The same without a subscription: whether the current code runs after the first render.
    pub fn is_hydrated_untracked(self) -> bool {
        self.hydrated.get_untracked()
    }

    /// The result of the last click on “Sign out”; tracked.
    pub fn sign_out_status(self) -> Option<SignOutStatus> {
        self.sign_out_status.get()
    }

    /// The same without a subscription.
    pub fn sign_out_status_untracked(self) -> Option<SignOutStatus> {
        self.sign_out_status.get_untracked()
    }

    pub fn set_sign_out_status(self, sign_out_status: Option<SignOutStatus>) {
        self.sign_out_status.set(sign_out_status);
    }

    /// The scheme that the person chose, or `None` for the system's; tracked.
    pub fn color_scheme(self) -> Option<ColorScheme> {
        self.color_scheme.get()
    }

    pub fn set_color_scheme(self, scheme: Option<ColorScheme>) {
        self.color_scheme.set(scheme);
        if let Some(platform) = self.platform() {
            platform.set_color_scheme(scheme);
        }
    }

    /// The manager; `None` on the server.
    pub fn manager(self) -> Option<SessionManager> {
        self.browser
            .map(|browser| browser.with_value(|browser| browser.manager.clone()))
    }

    /// The browser; `None` on the server.
    pub fn platform(self) -> Option<Rc<dyn Platform>> {
        self.browser
            .map(|browser| browser.with_value(|browser| Rc::clone(&browser.platform)))
    }

    /// Lets the view follow the manager. Call it after the hydration of all parts of the page.
    pub fn start_following(self) {
        self.hydrated.set(true);
        if let Some(manager) = self.manager() {
            self.follow(manager.view());
        }
        if let Some(platform) = self.platform() {
            self.color_scheme.set(platform.color_scheme());
        }
    }

    fn follow(self, view: SessionView) {
        if self.view.with_untracked(|now| *now != view) {
            self.view.set(view);
        }
    }
}

impl AuthState {
    /// The id of the signed-in user.
    pub fn user_id(&self) -> Option<String> {
        match self {
            Self::SignedIn(user) => Some(user.id.clone()),
            Self::Pending { .. } | Self::Anonymous => None,
        }
    }

    /// Whether the signed-in user has the administrators' role, as far as the page knows. This only decides what is
    /// shown and grants no access: the server checks the token of each request.
    pub fn is_admin(&self) -> bool {
        matches!(self, Self::SignedIn(user) if user.role == api_types::admin::ROLE)
    }

    pub fn of(view: &SessionView) -> Self {
        match view {
            SessionView::Unknown => Self::Pending { likely: false },
            SessionView::Restoring | SessionView::Reconnecting { user: None } => {
                Self::Pending { likely: true }
            }
            SessionView::Anonymous { .. } => Self::Anonymous,
            SessionView::SignedIn { user, .. } | SessionView::Reconnecting { user: Some(user) } => {
                Self::SignedIn(user.clone())
            }
        }
    }
}

/// The value of `data-session` for a view. While a session is being restored, the page already looks signed in.
pub fn session_marker(view: &SessionView) -> &'static str {
    match view {
        SessionView::Unknown => "unknown",
        SessionView::Anonymous { .. } => "anonymous",
        SessionView::Restoring | SessionView::SignedIn { .. } => "signed-in",
        SessionView::Reconnecting { .. } => "reconnecting",
    }
}

impl fmt::Debug for SessionCtx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionCtx").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_initial_view_keeps_the_servers_marker() {
        for session_hint in [
            SessionHint::SignedIn,
            SessionHint::Anonymous,
            SessionHint::Unknown,
        ] {
            assert_eq!(
                session_marker(&session_hint.initial_view()),
                session_hint.marker()
            );
        }
    }

    fn user(role: &str) -> User {
        User {
            id: "1".into(),
            email: "ada@example.com".into(),
            display_name: None,
            role: role.into(),
            created_at: 0,
        }
    }

    #[test]
    fn only_the_role_makes_an_administrator() {
        assert!(AuthState::SignedIn(user("admin")).is_admin());
        assert!(!AuthState::SignedIn(user("user")).is_admin());
        assert!(!AuthState::Pending { likely: true }.is_admin());
    }

    #[test]
    fn a_lost_connection_keeps_the_user() {
        let user = user("user");
        let view = SessionView::Reconnecting {
            user: Some(user.clone()),
        };
        assert_eq!(session_marker(&view), "reconnecting");
        assert_eq!(AuthState::of(&view), AuthState::SignedIn(user));
    }
}
