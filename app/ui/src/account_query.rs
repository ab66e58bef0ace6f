//! Data of the signed-in user: when it is loaded, when it is hidden, and when a failed load is retried.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use leptos::prelude::*;
use session_client::{ApiError, SessionManager, SessionView};

use crate::{
    session_ctx::{AuthState, use_session},
    words::{Failure, Operation},
};

/// A failed load is retried after this time. A page that waits for the session manager to reconnect loads sooner: as
/// soon as there is a token again.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// Data of the signed-in user, as the browser loads it. Copies share it.
pub struct AccountQuery<T: Send + Sync + 'static> {
    data: Memo<Option<T>>,
    failure: Signal<Option<Failure>>,
    busy: RwSignal<bool>,
    reloads: RwSignal<u32>,
}

/// Loads data with the access token of the signed-in user.
///
/// It loads when there is a token, again after a lost connection, and after [`AccountQuery::reload`]. Loaded data stays
/// visible during all of these, and while the connection is lost. It is hidden as soon as the session ends or belongs
/// to another user, and a response that arrives later is never shown. A renewed token alone loads nothing.
///
/// `load` gets the data that it replaces. It may read signals: when they change, it is called again.
///
/// A `LocalResource` and not a `Resource`: the data must never be written into the server's HTML.
pub fn use_account_query<T, Loading>(
    load: impl Fn(SessionManager, Option<T>) -> Loading + 'static,
) -> AccountQuery<T>
where
    T: Clone + PartialEq + Send + Sync + 'static,
    Loading: Future<Output = Result<T, ApiError>> + 'static,
{
    let session = use_session();
    let access = Memo::new(move |before| AccountAccess::next(before, &session.view()));
    let source = Memo::new(move |_| access.read().source());
    let user = Memo::new(move |_| access.read().user.clone());
    let reloads = RwSignal::new(0_u32);
    let busy = RwSignal::new(false);
    let last = StoredValue::new(LoadState::<T>::default());

    let resource = LocalResource::new(move || {
        let (from, reload) = (source.get(), reloads.get());
        let user = from.as_ref().map(|(user, _)| user.clone());
        let before = last.get_value().of_user(user);
        let loading = session
            .manager()
            .filter(|_| from.is_some())
            .map(|manager| load(manager, before.data.clone()));
        busy.set(loading.is_some());
        // Untracked, because a change that is noticed here must still start the next load.
        let is_wanted = move || {
            untrack(|| {
                let same_source = source.try_with(|now| *now == from) == Some(true);
                same_source && reloads.try_get() == Some(reload)
            })
        };
        async move {
            let answer = match loading {
                Some(loading) => before.then(while_wanted(loading, is_wanted).await),
                None => before,
            };
            busy.try_set(false);
            last.try_set_value(answer.clone());
            answer
        }
    });
    // This memo reads nothing but the resource. What reads a resource together with other signals can consume the
    // resource's own notification, and the next load would be lost.
    let answer = Memo::new(move |_| resource.get().unwrap_or_default());

    let failure = Signal::derive(move || {
        let user = user.read();
        let answer = answer.read();
        answer
            .failure
            .clone()
            .filter(|_| answer.belongs_to(user.as_deref()))
    });
    retry_while_failing(failure, move || reload(reloads));
    AccountQuery {
        data: Memo::new(move |_| {
            let user = user.read();
            let answer = answer.read();
            answer.data.clone().filter(|_| answer.belongs_to(user.as_deref()))
        }),
        failure,
        busy,
        reloads,
    }
}

impl<T: Send + Sync + 'static> AccountQuery<T> {
    /// The data, or `None` until it has loaded. It changes only when other data has loaded.
    pub fn data(self) -> Memo<Option<T>> {
        self.data
    }

    /// Why the last load failed. Each failed load notifies, even if it failed like the one before.
    pub fn failure(self) -> Signal<Option<Failure>> {
        self.failure
    }

    /// Whether a response is expected.
    pub fn busy(self) -> Signal<bool> {
        self.busy.into()
    }

    /// Loads again. A load under way is abandoned.
    pub fn reload(self) {
        reload(self.reloads);
    }

    /// The same for the retry button of an error notice.
    pub fn retry(self) -> Callback<()> {
        Callback::new(move |()| self.reload())
    }
}

/// Calls `load` some time after each failure, until one is cleared. The server may be back although this page's session
/// was never unreachable, for example if a proxy answered in the server's place.
pub fn retry_while_failing(failure: Signal<Option<Failure>>, load: impl Fn() + Copy + 'static) {
    Effect::new(move |_| {
        // Each new failure cancels the previous wait.
        if failure.read().is_some()
            && let Ok(wait) = set_timeout_with_handle(load, RETRY_AFTER)
        {
            on_cleanup(move || wait.clear());
        }
    });
}

fn reload(reloads: RwSignal<u32>) {
    reloads.try_update(|reloads| *reloads = reloads.wrapping_add(1));
}

/// Whose data the page may show, and which token can load it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct AccountAccess {
    user: Option<String>,
    has_token: bool,
    /// Counts how often a token arrived for a page that had none, or that showed another user.
    arrivals: u32,
}

impl AccountAccess {
    fn next(before: Option<&Self>, view: &SessionView) -> Self {
        let before = before.cloned().unwrap_or_default();
        let user = AuthState::of(view).user_id();
        let has_token = matches!(view, SessionView::SignedIn { .. });
        // Another tab may have signed in as another user, and this page only noticed at its own refresh.
        let arrived = has_token && (!before.has_token || before.user != user);
        Self {
            user,
            has_token,
            arrivals: before.arrivals + u32::from(arrived),
        }
    }

    /// What a load depends on. It stays the same while the connection is lost, so that nothing is sent then.
    fn source(&self) -> Option<(String, u32)> {
        let user = self.user.clone().filter(|_| self.arrivals > 0)?;
        Some((user, self.arrivals))
    }
}

/// What is known about one user after a load.
#[derive(Debug, Clone, PartialEq)]
struct LoadState<T> {
    user: Option<String>,
    data: Option<T>,
    failure: Option<Failure>,
    /// Counts the answers, so that two equal ones in a row differ.
    number: u32,
}

impl<T> Default for LoadState<T> {
    fn default() -> Self {
        Self {
            user: None,
            data: None,
            failure: None,
            number: 0,
        }
    }
}

impl<T> LoadState<T> {
    /// This answer if it is about `user`, otherwise one that knows nothing about `user`.
    fn of_user(self, user: Option<String>) -> Self {
        if self.user == user {
            return self;
        }
        Self {
            user,
            number: self.number,
            ..Self::default()
        }
    }

    /// The answer after a load: new data, or the data so far with a failure. `None` if the load was abandoned.
    fn then(self, loaded: Option<Result<T, ApiError>>) -> Self {
        let number = self.number.wrapping_add(1);
        match loaded {
            Some(Ok(data)) => Self {
                user: self.user,
                data: Some(data),
                failure: None,
                number,
            },
            Some(Err(error)) => Self {
                failure: Some(Failure::of(&error, Operation::LoadSession)),
                number,
                ..self
            },
            None => self,
        }
    }

    fn belongs_to(&self, user: Option<&str>) -> bool {
        user.is_some() && self.user.as_deref() == user
    }
}

/// Waits for `loading` unless its result is no longer wanted. Leptos polls it in the task that every change wakes.
async fn while_wanted<T>(loading: impl Future<Output = T>, is_wanted: impl Fn() -> bool) -> Option<T> {
    let mut loading = pin!(loading);
    poll_fn(|context| {
        if is_wanted() {
            loading.as_mut().poll(context).map(Some)
        } else {
            Poll::Ready(None)
        }
    })
    .await
}

impl<T: Send + Sync + 'static> Clone for AccountQuery<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for AccountQuery<T> {}

impl<T: Send + Sync + 'static> fmt::Debug for AccountQuery<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountQuery").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use api_types::auth::User;

    use super::*;

    fn user(id: &str) -> User {
        User {
            id: id.into(),
            email: "ada@example.com".into(),
            display_name: None,
            role: "user".into(),
            created_at: 0,
        }
    }

    fn signed_in(id: &str, expires_at: u64) -> SessionView {
        SessionView::SignedIn {
            user: user(id),
            expires_at: Duration::from_secs(expires_at),
        }
    }

    fn disconnected(id: Option<&str>) -> SessionView {
        SessionView::Reconnecting { user: id.map(user) }
    }

    /// What a load depends on after each of these views.
    fn sources(views: &[SessionView]) -> Vec<Option<(String, u32)>> {
        let mut access = None;
        let mut seen = vec![];
        for view in views {
            let next = AccountAccess::next(access.as_ref(), view);
            seen.push(next.source());
            access = Some(next);
        }
        seen
    }

    fn source(user: &str, arrivals: u32) -> Option<(String, u32)> {
        Some((user.into(), arrivals))
    }

    #[test]
    fn a_renewed_token_loads_nothing_and_a_regained_connection_does() {
        let views = [
            SessionView::Restoring,
            signed_in("1", 900),
            signed_in("1", 1_800),
            disconnected(Some("1")),
            signed_in("1", 1_800),
        ];
        let first = source("1", 1);
        assert_eq!(
            sources(&views),
            [None, first.clone(), first.clone(), first, source("1", 2)]
        );
    }

    #[test]
    fn nothing_is_loaded_before_there_is_a_token() {
        assert_eq!(
            sources(&[disconnected(None), disconnected(Some("1")), signed_in("1", 900)]),
            [None, None, source("1", 1)]
        );
    }

    #[test]
    fn the_end_of_a_session_and_another_user_start_over() {
        let views = [
            signed_in("1", 900),
            signed_in("2", 900),
            SessionView::Anonymous { reason: None },
            signed_in("2", 900),
        ];
        assert_eq!(
            sources(&views),
            [source("1", 1), source("2", 2), None, source("2", 3)]
        );
    }

    fn answer(user: &str) -> LoadState<u8> {
        LoadState::default().of_user(Some(user.into()))
    }

    #[test]
    fn a_failed_load_keeps_the_data() {
        let loaded = answer("1").then(Some(Ok(7)));
        let failed = loaded.clone().then(Some(Err(ApiError::Offline)));
        assert_eq!((loaded.data, failed.data), (Some(7), Some(7)));
        assert!(failed.failure.is_some());
    }

    #[test]
    fn an_abandoned_load_changes_nothing() {
        let loaded = answer("1").then(Some(Ok(7)));
        assert_eq!(loaded.clone().then(None), loaded);
    }

    #[test]
    fn two_equal_failures_differ() {
        let failed = answer("1").then(Some(Err(ApiError::Offline)));
        assert_ne!(failed.clone(), failed.then(Some(Err(ApiError::Offline))));
    }

    #[test]
    fn the_data_of_another_user_is_dropped() {
        let loaded = answer("1").then(Some(Ok(7)));
        assert!(loaded.belongs_to(Some("1")));
        assert!(!loaded.belongs_to(Some("2")) && !loaded.belongs_to(None));
        let other = loaded.of_user(Some("2".into()));
        assert_eq!((other.data, other.failure), (None, None));
        assert!(
            !LoadState::<u8>::default().belongs_to(None),
            "no one is signed in"
        );
    }
}
