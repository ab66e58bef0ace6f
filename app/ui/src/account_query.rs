//! Data of the signed-in user: when it is loaded, when it is hidden, and when a failed load is retried.

mod access;
mod load_state;

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use leptos::prelude::*;
use session_client::{ApiError, SessionManager};

use self::{access::AccountAccess, load_state::LoadState};
use crate::{session_ctx::use_session, words::Failure};

/// A failed load is retried after this time. A page that waits for the session manager to reconnect loads sooner: as
/// soon as there is a token again.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// Data of the signed-in user, as the browser loads it. Copies share it.
#[derive(Debug)]
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
