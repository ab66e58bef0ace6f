//! The application in parts, which the browser fetches on demand. The first part has everything that every page needs,
//! and the sign-in page.
//!
//! A part that cannot be fetched (no network, or a new version since the page was opened) must not stop the app and
//! lose the session in its memory. So this module fetches the parts itself, where Leptos' `#[lazy]` would panic.

#![expect(
    clippy::unnecessary_wraps,
    reason = "what can fail is the fetching, which the macro puts before the body"
)]

use std::pin::Pin;

#[cfg(feature = "lab")]
use lab_ui::LabPage;
use leptos::{
    prelude::*,
    task::spawn_local,
    wasm_split::{SplitLoaderError, wasm_split},
};
use leptos_router::ChooseView;
use ui::routes;

use super::{
    account::{AccountPage, SecurityPage, SessionsPage},
    admin::AdminGuard,
    home::HomePage,
    inspector::InspectorPage,
    missing_part::MissingPart,
    register::RegisterPage,
};

type Part = Result<AnyView, SplitLoaderError>;

/// A page outside the first part, as a route shows it. All of them share one type, because the browser's program
/// contains the router's code for a page once per type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    Home,
    Register,
    Inspector,
    Lab,
    Private(Private),
}

/// The pages of signed-in users. A person who opens one of them will open another, so they are one part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Private {
    Account,
    Sessions,
    Security,
    /// Only its access check: the role is not known before the session is.
    Users,
}

#[wasm_split(private_part, wasm_split_path = ::leptos::wasm_split, preload(fetch_private), fallible)]
fn private(page: Private) -> Part {
    Ok(match page {
        Private::Account => view! { <AccountPage /> }.into_any(),
        Private::Sessions => view! { <SessionsPage /> }.into_any(),
        Private::Security => view! { <SecurityPage /> }.into_any(),
        Private::Users => view! { <AdminGuard /> }.into_any(),
    })
}

#[wasm_split(inspector_part, wasm_split_path = ::leptos::wasm_split, preload(fetch_inspector), fallible)]
fn inspector() -> Part {
    Ok(view! { <InspectorPage /> }.into_any())
}

#[cfg(feature = "lab")]
#[wasm_split(lab_part, wasm_split_path = ::leptos::wasm_split, preload(fetch_lab), fallible)]
fn lab() -> Part {
    Ok(view! { <LabPage /> }.into_any())
}

/// Without the crate of the lab its address leads nowhere.
#[cfg(not(feature = "lab"))]
async fn lab() -> Part {
    Ok(view! { <ui::components::NotFoundPage /> }.into_any())
}

#[cfg(not(feature = "lab"))]
async fn fetch_lab() -> Result<(), SplitLoaderError> {
    Ok(())
}

#[wasm_split(home_part, wasm_split_path = ::leptos::wasm_split, preload(fetch_home), fallible)]
fn home() -> Part {
    Ok(view! { <HomePage /> }.into_any())
}

#[wasm_split(register_part, wasm_split_path = ::leptos::wasm_split, preload(fetch_register), fallible)]
fn register() -> Part {
    Ok(view! { <RegisterPage /> }.into_any())
}

fn or_missing(part: Part, page: Page) -> AnyView {
    part.unwrap_or_else(|_| view! { <Awaited page /> }.into_any())
}

/// A page whose part could not be fetched. It shows an error, and becomes that page when the part is there.
#[component]
fn Awaited(page: Page) -> impl IntoView {
    let arrived = RwSignal::new(false);
    let fetch = Callback::new(move |()| {
        spawn_local(async move {
            if page.fetch().await {
                arrived.try_set(true);
            }
        });
    });
    move || {
        if arrived.get() {
            // Boxed, because a page that is still missing would contain itself.
            let page: Pin<Box<dyn Future<Output = AnyView> + Send>> = Box::pin(page.show());
            Suspend::new(page).into_any()
        } else {
            view! { <MissingPart fetch /> }.into_any()
        }
    }
}

/// Fetches the part that the page at `path` needs, before hydration, which requires the very page that the server
/// wrote. Returns `false` if it did not arrive; call again to retry.
pub async fn fetch_part_of(path: &str) -> bool {
    let page = match path.trim_end_matches('/') {
        "" => Page::Home,
        routes::REGISTER => Page::Register,
        routes::INSPECTOR => Page::Inspector,
        routes::LAB => Page::Lab,
        routes::ACCOUNT => Page::Private(Private::Account),
        routes::ACCOUNT_SESSIONS => Page::Private(Private::Sessions),
        routes::ACCOUNT_SECURITY => Page::Private(Private::Security),
        routes::ADMIN_USERS => Page::Private(Private::Users),
        _ => return true,
    };
    page.fetch().await
}

/// Fetches what a newly signed-in user needs while the sign-in request is on its way. A failure is harmless: the page
/// fetches again.
pub async fn fetch_ahead_of_sign_in() {
    let _ = fetch_private().await;
}

impl Page {
    /// Fetches the part of this page, and returns whether it has arrived.
    async fn fetch(self) -> bool {
        let fetched = match self {
            Self::Home => fetch_home().await,
            Self::Register => fetch_register().await,
            Self::Inspector => fetch_inspector().await,
            Self::Lab => fetch_lab().await,
            Self::Private(_) => fetch_private().await,
        };
        fetched.is_ok()
    }

    async fn show(self) -> AnyView {
        let part = match self {
            Self::Home => home().await,
            Self::Register => register().await,
            Self::Inspector => inspector().await,
            Self::Lab => lab().await,
            Self::Private(page) => private(page).await,
        };
        or_missing(part, self)
    }

    #[cfg(feature = "ssr")]
    fn part(self) -> &'static str {
        match self {
            Self::Home => "home_part",
            Self::Register => "register_part",
            Self::Inspector => "inspector_part",
            Self::Lab => "lab_part",
            Self::Private(_) => "private_part",
        }
    }
}

impl ChooseView for Page {
    async fn choose(self) -> AnyView {
        // So that the server's HTML preloads the part, in parallel with the first one.
        #[cfg(feature = "ssr")]
        leptos::prefetch_lazy_fn_on_server(self.part());
        self.show().await
    }

    async fn preload(&self) {
        self.fetch().await;
    }
}
