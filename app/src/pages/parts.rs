//! The application in parts, which the browser fetches when it needs them. What every page has, and the sign-in page, is
//! in the first one.
//!
//! A part that cannot be fetched (no network, or a new version since the page was opened) must not end the program, and
//! with it the session in its memory. So this asks for the parts itself, where Leptos' `#[lazy]` would panic.

#![expect(
    clippy::unnecessary_wraps,
    reason = "what can fail is the fetching, which the macro puts before the body"
)]

use std::pin::Pin;

use leptos::{
    prelude::*,
    task::spawn_local,
    wasm_split::{SplitLoaderError, wasm_split},
};
use leptos_router::ChooseView;

use super::{
    account::{AccountPage, SecurityPage, SessionsPage},
    admin::{AdminDoor, UsersPage},
    home::HomePage,
    inspector::InspectorPage,
    missing_part::MissingPart,
    register::RegisterPage,
};
#[cfg(feature = "lab")]
use lab_ui::LabPage;
use ui::{
    routes,
    strength::{self, Person, Verdict},
};

type Part = Result<AnyView, SplitLoaderError>;

/// A page that is not in the first part, as a route shows it. One type for all of them: the program in the browser has
/// what the router does with a page once for each type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    Home,
    Register,
    Inspector,
    Lab,
    Private(Private),
}

/// The pages of people who are signed in. Whoever opens one of them will open another, so they are one part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Private {
    Account,
    Sessions,
    Security,
    /// Only its door: who has the role is not known before the session is.
    Users,
}

#[wasm_split(private_part, wasm_split_path = ::leptos::wasm_split, preload(fetch_private), fallible)]
fn private(page: Private) -> Part {
    Ok(match page {
        Private::Account => view! { <AccountPage /> }.into_any(),
        Private::Sessions => view! { <SessionsPage /> }.into_any(),
        Private::Security => view! { <SecurityPage /> }.into_any(),
        Private::Users => view! { <AdminDoor /> }.into_any(),
    })
}

#[wasm_split(inspector_part, wasm_split_path = ::leptos::wasm_split, preload(fetch_inspector), fallible)]
fn inspector() -> Part {
    Ok(view! { <InspectorPage /> }.into_any())
}

/// What lies behind the door. No route leads here, so the server's HTML never asks for it.
#[wasm_split(admin_part, wasm_split_path = ::leptos::wasm_split, preload(fetch_admin), fallible)]
fn admin() -> Part {
    Ok(view! { <UsersPage /> }.into_any())
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

/// Fetches the part of the administrators, and answers whether it is here.
pub(super) async fn fetch_admin_part() -> bool {
    fetch_admin().await.is_ok()
}

/// The page of the administrators, whose part [`fetch_admin_part`] has fetched.
pub(super) async fn admin_page() -> Option<AnyView> {
    admin().await.ok()
}

fn or_missing(part: Part, page: Page) -> AnyView {
    part.unwrap_or_else(|_| view! { <Awaited page /> }.into_any())
}

/// A page whose part could not be fetched: it says so, and becomes that page when the part is there.
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

/// Fetches the part that the page at `path` is made of: before hydration, which needs the very page that the server
/// wrote. `false` if it did not arrive; to ask again is to try again.
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

/// Judges a new password. What that takes is three times as large as the rest of the program.
#[wasm_split(strength_part, wasm_split_path = ::leptos::wasm_split, preload(fetch_strength), fallible)]
pub fn judge(password: String, person: Person, min_length: usize) -> Result<Verdict, SplitLoaderError> {
    Ok(strength::judge(&password, &person, min_length))
}

/// Fetches what judges a new password. It is no loss if it fails: the first estimate asks again.
pub async fn fetch_ahead_of_typing() {
    let _ = fetch_strength().await;
}

/// Fetches what somebody needs who has just signed in, while that is on its way. It is no loss if it fails: the page
/// asks again.
pub async fn fetch_ahead_of_sign_in() {
    let _ = fetch_private().await;
}

impl Page {
    /// Fetches its part, and answers whether that is here.
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
        // So that the server's HTML asks for the part too, and it comes at the same time as the first one.
        #[cfg(feature = "ssr")]
        leptos::prefetch_lazy_fn_on_server(self.part());
        self.show().await
    }

    async fn preload(&self) {
        self.fetch().await;
    }
}
