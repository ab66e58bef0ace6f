//! The header of every page.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::{brand::BrandMark, erase::maybe, theme_switch::ThemeSwitch};
use crate::{
    lab_open, routes,
    session_ctx::{AuthState, use_session},
    sign_out::use_sign_out,
};

/// Logo, navigation and theme switch.
#[component]
pub fn SiteHeader() -> impl IntoView {
    view! {
        <header class="site-header">
            <div class="site-header__inner">
                <a class="brand" href=routes::HOME>
                    <BrandMark />
                    <span class="brand__name">"Keyturn"</span>
                </a>
                <nav class="site-nav" aria-label="Main">
                    {maybe(lab_open::lab_is_open().then(lab_link))}
                    <SessionLinks />
                </nav>
                <ThemeSwitch />
            </div>
        </header>
    }
    .into_any()
}

/// The link loads a document, because most of the lab is in the server's HTML alone.
fn lab_link() -> impl IntoView {
    let path = use_location().pathname;
    view! {
        <a
            class="site-nav__link site-nav__link--spare"
            href=routes::LAB
            rel="external"
            aria-current=move || (*path.read() == routes::LAB).then_some("page")
        >
            "Lab"
        </a>
    }
}

/// The state that the navigation shows. Coarser than [`AuthState`], so that a confirmed guess redraws nothing and a
/// focused link keeps the focus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NavState {
    Nothing,
    SignIn,
    Account,
}

impl NavState {
    fn of(auth_state: &AuthState) -> Self {
        match auth_state {
            AuthState::Pending { likely: false } => Self::Nothing,
            AuthState::Anonymous => Self::SignIn,
            AuthState::Pending { likely: true } | AuthState::SignedIn(_) => Self::Account,
        }
    }
}

#[component]
fn SessionLinks() -> impl IntoView {
    let session = use_session();
    let nav_state = Memo::new(move |_| NavState::of(&session.auth_state()));
    let sign_out = use_sign_out();
    let links = move || match nav_state.get() {
        NavState::Nothing => view! { <span class="site-nav__wait" aria-hidden="true"></span> }.into_any(),
        NavState::SignIn => view! {
            <NavLink href=routes::LOGIN text="Sign in" class="site-nav__link" />
            <NavLink
                href=routes::REGISTER
                text="Create account"
                class="site-nav__link site-nav__link--strong"
            />
        }
        .into_any(),
        NavState::Account => {
            let sign_out = sign_out.clone();
            view! {
                <NavLink href=routes::ACCOUNT text="Account" class="site-nav__link" />
                <button
                    class="site-nav__link site-nav__button"
                    type="button"
                    disabled=move || !session.hydrated()
                    on:click=move |_| sign_out()
                >
                    "Sign out"
                </button>
            }
            .into_any()
        }
    };
    view! { {move || links()} }
}

#[component]
fn NavLink(href: &'static str, text: &'static str, class: &'static str) -> impl IntoView {
    let path = use_location().pathname;
    view! {
        <a class=class href=href aria-current=move || (*path.read() == href).then_some("page")>
            {text}
        </a>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_likely_session_shows_the_account_link() {
        assert_eq!(
            NavState::of(&AuthState::Pending { likely: true }),
            NavState::Account
        );
        assert_eq!(
            NavState::of(&AuthState::Pending { likely: false }),
            NavState::Nothing
        );
        assert_eq!(NavState::of(&AuthState::Anonymous), NavState::SignIn);
    }
}
