//! The application in parts, which the browser fetches when it needs them. What every page has, and the sign-in page, is
//! in the first one.
//!
//! A part that cannot be fetched (no network, or a new version since the page was opened) must not end the program, and
//! with it the session in its memory. So this asks for the parts itself, where Leptos' `#[lazy]` would panic.

#![expect(
    clippy::unnecessary_wraps,
    reason = "what can fail is the fetching, which the macro puts before the body"
)]

use leptos::{
    prelude::*,
    wasm_split::{SplitLoaderError, wasm_split},
};
use leptos_router::LazyRoute;

use super::{
    account::{AccountPage, SecurityPage, SessionsPage},
    admin::{AdminDoor, UsersPage},
    home::HomePage,
    inspector::InspectorPage,
    missing_part::MissingPart,
    register::RegisterPage,
};
use crate::{lab::LabPage, routes};

type Part = Result<AnyView, SplitLoaderError>;

/// The pages of people who are signed in. Whoever opens one of them will open another, so they are one part.
#[derive(Debug, Clone, Copy)]
enum Private {
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

#[wasm_split(lab_part, wasm_split_path = ::leptos::wasm_split, preload(fetch_lab), fallible)]
fn lab() -> Part {
    Ok(view! { <LabPage /> }.into_any())
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
pub(super) async fn admin_page() -> AnyView {
    or_missing(admin().await)
}

fn or_missing(part: Part) -> AnyView {
    part.unwrap_or_else(|_| view! { <MissingPart /> }.into_any())
}

/// Fetches the part that the page at `path` is made of: before hydration, which needs the very page that the server
/// wrote. `false` if it did not arrive; to ask again is to try again.
pub async fn fetch_part_of(path: &str) -> bool {
    let fetched = match path.trim_end_matches('/') {
        "" => fetch_home().await,
        routes::REGISTER => fetch_register().await,
        routes::INSPECTOR => fetch_inspector().await,
        routes::LAB => fetch_lab().await,
        routes::ACCOUNT | routes::ACCOUNT_SESSIONS | routes::ACCOUNT_SECURITY | routes::ADMIN_USERS => {
            fetch_private().await
        }
        _ => return true,
    };
    fetched.is_ok()
}

/// Fetches what somebody needs who has just signed in, while that is on its way. It is no loss if it fails: the page
/// asks again.
pub async fn fetch_ahead_of_sign_in() {
    let _ = fetch_private().await;
}

macro_rules! routes {
    ($($route:ident is $view:expr, in $part:literal, fetched by $fetch:ident;)*) => {
        $(
            #[derive(Debug)]
            pub struct $route;

            impl LazyRoute for $route {
                fn data() -> Self {
                    Self
                }

                async fn view(_: Self) -> AnyView {
                    // So that the server's HTML asks for the part too, and it comes at the same time as the first one.
                    #[cfg(feature = "ssr")]
                    leptos::prefetch_lazy_fn_on_server($part);
                    or_missing($view.await)
                }

                async fn preload() {
                    let _ = $fetch().await;
                }
            }
        )*
    };
}

routes! {
    HomeRoute is home(), in "home_part", fetched by fetch_home;
    RegisterRoute is register(), in "register_part", fetched by fetch_register;
    AccountRoute is private(Private::Account), in "private_part", fetched by fetch_private;
    SessionsRoute is private(Private::Sessions), in "private_part", fetched by fetch_private;
    SecurityRoute is private(Private::Security), in "private_part", fetched by fetch_private;
    InspectorRoute is inspector(), in "inspector_part", fetched by fetch_inspector;
    LabRoute is lab(), in "lab_part", fetched by fetch_lab;
    UsersRoute is private(Private::Users), in "private_part", fetched by fetch_private;
}
