//! The administrators' page as a part of the app that only they fetch.

#![expect(
    clippy::unnecessary_wraps,
    reason = "what can fail is the fetching, which the macro puts before the body"
)]

use leptos::{
    prelude::*,
    wasm_split::{SplitLoaderError, wasm_split},
};

use super::UsersPage;

/// The page of the administrators. No route leads here, so the server's HTML never asks for it.
#[wasm_split(admin_part, wasm_split_path = ::leptos::wasm_split, preload(fetch_admin), fallible)]
fn admin() -> Result<AnyView, SplitLoaderError> {
    Ok(view! { <UsersPage /> }.into_any())
}

/// Fetches the administrators' part, and returns whether it has arrived.
pub(super) async fn fetch_admin_page() -> bool {
    fetch_admin().await.is_ok()
}

/// The page of the administrators, after [`fetch_admin_page`] has fetched its part.
pub(super) async fn admin_page() -> Option<AnyView> {
    admin().await.ok()
}
