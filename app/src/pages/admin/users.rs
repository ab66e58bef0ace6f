//! All accounts: search, one page at a time.

use api_types::admin::UserEntry;
use leptos::{ev::SubmitEvent, html, prelude::*, task::spawn_local};
use ui::{
    account_query::load_when_signed_in,
    account_query::retry_while_failing,
    components::{ErrorNotice, PageHeading, SubmitButton, list, maybe, text},
    session_ctx::{AuthState, use_session},
    words::{Failure, Operation},
};

use super::{
    listing::{Ask, Listing},
    user::{UserRow, UserShape},
};
use crate::pages::account::nav::AccountNav;

/// The page. Its caller has checked that an administrator is signed in.
#[component]
pub fn UsersPage() -> impl IntoView {
    let session = use_session();
    let listing = RwSignal::new(Listing::default());
    let failure = RwSignal::new(None::<Failure>);
    let busy = RwSignal::new(false);
    // The account whose row takes the focus when it appears: the first of a further page.
    let first_new = StoredValue::new(None::<String>);
    let field = NodeRef::<html::Input>::new();

    let load = move |ask: Ask| {
        let Some(manager) = session.manager() else { return };
        busy.set(true);
        failure.set(None);
        spawn_local(async move {
            let answer = manager.users(&ask.search, ask.after.as_deref()).await;
            // The page may be gone by now, or the administrator has searched for something else.
            if listing.try_with_untracked(|listing| listing.waits_for(&ask)) != Some(true) {
                return;
            }
            busy.set(false);
            match answer {
                Ok(page) => {
                    let new = page.users.first().filter(|_| ask.after.is_some());
                    first_new.set_value(new.map(|user| user.id.clone()));
                    listing.update(|listing| listing.take(ask, page));
                }
                Err(error) => failure.set(Some(Failure::of(&error, Operation::LoadSession))),
            }
        });
    };
    let search = move || {
        let typed = field.get_untracked().map(|input| input.value());
        let ask = listing.try_update_untracked(|listing| listing.ask(&typed.unwrap_or_default()));
        if let Some(ask) = ask {
            load(ask);
        }
    };
    // Loads a further page of the last search, and returns whether there is one.
    let show_more = move || {
        let ask = listing.with_untracked(Listing::ask_more);
        if let Some(ask) = ask.clone().filter(|_| !busy.get_untracked()) {
            load(ask);
        }
        ask.is_some()
    };
    let try_again = move |()| {
        if !show_more() {
            search();
        }
    };
    retry_while_failing(failure, move || try_again(()));
    load_when_signed_in(session, search, move || listing.update(Listing::forget));

    let own = Memo::new(move |_| match session.auth_state() {
        AuthState::SignedIn(user) => Some(user.id),
        AuthState::Pending { .. } | AuthState::Anonymous => None,
    });
    let known = Memo::new(move |_| listing.read().found().is_some());
    let more = Memo::new(move |_| listing.read().found().is_some_and(|found| found.next.is_some()));
    let summary = Memo::new(move |_| listing.read().found().map(super::listing::Found::summary));
    let none_found = Memo::new(move |_| listing.read().found().is_some_and(|found| found.users.is_empty()));
    // With the search number, so that a new search shows its own rows and not those of the search before.
    let rows = move || {
        let listing = listing.read();
        let found = listing.found().into_iter();
        found
            .flat_map(|found| found.users.iter().map(|user| (found.turn, user.clone())))
            .collect::<Vec<_>>()
    };
    let row = move |(_, user): (u32, UserEntry)| {
        let is_own = own.with_untracked(|own| own.as_ref() == Some(&user.id));
        let takes_focus = first_new.with_value(|first| first.as_ref() == Some(&user.id));
        view! { <UserRow user is_own takes_focus /> }
    };
    let entries = move || {
        if known.get() {
            view! { <For each=rows key=|(turn, user)| (*turn, user.id.clone()) children=row /> }.into_any()
        } else {
            list((0..3).map(|_| view! { <UserShape /> }))
        }
    };

    view! {
        <div class="page account">
            <PageHeading title="Users" />
            <AccountNav />
            <p class="lead">
                "Everybody who has an account here, the oldest first. An account that you disable is signed out "
                "everywhere within a second, and cannot sign in until you enable it."
            </p>
            <SearchForm field busy=busy.into() search=Callback::new(move |()| search()) />
            <ErrorNotice failure retry=Callback::new(try_again) />
            <div class="users">
                <p class="users__summary" role="status">{move || text(summary.get().unwrap_or_default())}</p>
                {move || maybe(none_found.get().then(|| view! {
                    <p class="users__hint">"The search looks into email addresses. A shorter part of one finds more."</p>
                }))}
                <ul class="entries" aria-label="Accounts" aria-busy=move || if known.get() { "false" } else { "true" }>
                    {move || entries()}
                </ul>
            </div>
            {move || maybe(more.get().then(|| view! {
                <p>
                    <button
                        class="button"
                        type="button"
                        aria-disabled=move || busy.get().then_some("true")
                        on:click=move |_| { show_more(); }
                    >
                        "Show more"
                    </button>
                </p>
            }))}
        </div>
    }
    .into_any()
}

/// One field and its button. The search text stays in the field and out of the address bar. It is part of a person's
/// email address, which does not belong in the browser's history.
#[component]
fn SearchForm(
    /// The page reads the text through this reference.
    field: NodeRef<html::Input>,
    /// Whether a response is expected.
    busy: Signal<bool>,
    /// Starts the search.
    search: Callback<()>,
) -> impl IntoView {
    let session = use_session();
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        search.run(());
    };
    view! {
        <form class="search" role="search" method="get" on:submit=submit>
            <div class="field search__field">
                <div class="field__head">
                    <label for="search">"Search by email"</label>
                </div>
                <p class="field__hint" id="search-hint">"Any part of an address; empty for everybody."</p>
                <input
                    class="input"
                    id="search"
                    name="search"
                    type="search"
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck="false"
                    enterkeyhint="search"
                    maxlength="254"
                    aria-describedby="search-hint"
                    node_ref=field
                />
            </div>
            <SubmitButton
                label="Search"
                busy_label="Searching…"
                ready=Signal::derive(move || session.hydrated())
                busy
                class="search__button"
            />
        </form>
    }
    .into_any()
}
