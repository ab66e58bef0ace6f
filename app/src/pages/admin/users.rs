//! All accounts: search, one page at a time.

use api_types::admin::UserEntry;
use leptos::{ev::SubmitEvent, html, prelude::*};
use ui::{
    components::{ErrorNotice, MoreButton, PageHeading, SubmitButton, list, maybe, text},
    paged_query::{LoadedPages, use_paged_query},
    session_ctx::use_session,
    submission::typed,
};

use super::user::{UserRow, UserSkeleton};
use crate::pages::account::nav::AccountNav;

/// The page. Its caller has checked that an administrator is signed in.
#[component]
pub fn UsersPage() -> impl IntoView {
    let session = use_session();
    let users = use_paged_query(|manager, request| async move {
        let page = manager.users(&request.search, request.after.as_deref()).await?;
        Ok((page.users, page.next))
    });
    let (pages, has_more) = (users.query(), users.has_more());
    let field = NodeRef::<html::Input>::new();

    let own = Memo::new(move |_| session.auth_state().user_id());
    let known = Memo::new(move |_| pages.data().read().is_some());
    let summary = Memo::new(move |_| pages.data().read().as_ref().map(summary));
    let none_found = Memo::new(move |_| {
        let pages = pages.data().read();
        pages.as_ref().is_some_and(|pages| pages.entries.is_empty())
    });
    // With the number of the search, so that a new search shows its own rows and not those of the search before.
    let rows = move || {
        let pages = pages.data().read();
        let pages = pages.as_ref().into_iter();
        pages
            .flat_map(|pages| pages.entries.iter().map(|user| (pages.round, user.clone())))
            .collect::<Vec<_>>()
    };
    let row = move |(_, user): (u32, UserEntry)| {
        let is_own = own.with_untracked(|own| own.as_ref() == Some(&user.id));
        let takes_focus = pages.data().with_untracked(|pages| {
            let first_new = pages.as_ref().and_then(|pages| pages.first_new.as_ref());
            first_new == Some(&user.id)
        });
        view! { <UserRow user is_own takes_focus /> }
    };
    let entries = move || {
        if known.get() {
            view! { <For each=rows key=|(round, user)| (*round, user.id.clone()) children=row /> }.into_any()
        } else {
            list((0..3).map(|_| view! { <UserSkeleton /> }))
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
            <SearchForm field busy=pages.busy() search=Callback::new(move |()| users.search(&typed(field))) />
            <ErrorNotice failure=pages.failure() retry=pages.retry() />
            <div class="users">
                <p class="users__summary" role="status">
                    {move || text(summary.get().unwrap_or_default())}
                </p>
                {move || maybe(
                    none_found
                        .get()
                        .then(|| {
                            view! {
                                <p class="users__hint">
                                    "The search looks into email addresses. A shorter part of one finds more."
                                </p>
                            }
                        }),
                )}
                <ul
                    class="entries"
                    aria-label="Accounts"
                    aria-busy=move || if known.get() { "false" } else { "true" }
                >
                    {move || entries()}
                </ul>
            </div>
            {move || maybe(
                has_more
                    .get()
                    .then(|| {
                        view! {
                            <p>
                                <MoreButton
                                    label="Show more"
                                    busy=pages.busy()
                                    load_more=move |()| users.load_more()
                                />
                            </p>
                        }
                    }),
            )}
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
                <p class="field__hint" id="search-hint">
                    "Any part of an address; empty for everybody."
                </p>
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

/// The number of results, as a sentence.
fn summary(users: &LoadedPages<UserEntry>) -> String {
    let matching = |verb: &str| match users.search.as_str() {
        "" => String::new(),
        search => format!(" {verb} “{search}”"),
    };
    match (users.entries.len(), users.next.is_some()) {
        (0, _) => format!("No account{}.", matching("matches")),
        (1, false) => format!("1 account{}.", matching("matches")),
        (count, false) => format!("{count} accounts{}.", matching("match")),
        (count, true) => format!(
            "The first {count} accounts{}; there are more.",
            matching("that match")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(search: &str, ids: &[&str], next: Option<&str>) -> String {
        let entry = |id: &&str| UserEntry {
            id: (*id).into(),
            email: format!("{id}@example.com"),
            display_name: None,
            role: "user".into(),
            disabled_at: None,
            created_at: 0,
        };
        summary(&LoadedPages {
            search: search.into(),
            entries: ids.iter().map(entry).collect(),
            next: next.map(str::to_owned),
            first_new: None,
            round: 1,
        })
    }

    #[test]
    fn the_number_is_a_sentence() {
        assert_eq!(said("", &["1"], None), "1 account.");
        assert_eq!(said("", &["1", "2"], None), "2 accounts.");
        assert_eq!(
            said("", &["1", "2"], Some("2")),
            "The first 2 accounts; there are more."
        );
        assert_eq!(said("ada", &[], None), "No account matches “ada”.");
        assert_eq!(said("ada", &["1"], None), "1 account matches “ada”.");
        assert_eq!(said("ada", &["1", "2"], None), "2 accounts match “ada”.");
        assert_eq!(
            said("ada", &["1", "2"], Some("2")),
            "The first 2 accounts that match “ada”; there are more."
        );
    }
}
