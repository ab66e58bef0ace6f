//! The start page: the whole flow on one screen.

use leptos::prelude::*;

use ui::{
    components::{
        FlowDiagram, PageHeading,
        diagram::{FlowStep, STEPS},
        list,
    },
    routes,
    session_ctx::{AuthState, use_session},
};

/// Explains what this software does, and offers to try it.
#[component]
pub fn HomePage() -> impl IntoView {
    view! {
        <div class="page home">
            <section class="home__intro">
                <p class="kicker">"JWT and a rotating refresh token, in a browser"</p>
                <PageHeading title="Browser sessions that turn their own key" />
                <p class="lead">
                    "Keyturn keeps you signed in with two tokens. A short-lived one lives in the memory of this page. "
                    "A long-lived one lies in a cookie that no script can read, and is replaced each time it is used."
                </p>
                <Calls />
            </section>
            <figure class="home__figure">
                <FlowDiagram />
                <figcaption>
                    <span class="kicker">"Fig. 1"</span>
                    " A thick line holds a token: the page until it is reloaded, the jar until the key turns."
                </figcaption>
            </figure>
            <section class="home__steps" aria-labelledby="steps">
                <h2 id="steps" class="section-title">
                    "Step by step"
                </h2>
                <ol class="steps">{list(STEPS.iter().map(step))}</ol>
            </section>
            <TwoTokens />
            <Limits />
        </div>
    }
    .into_any()
}

fn step(step: &FlowStep) -> impl IntoView + use<> {
    view! {
        <li class="steps__item">
            <h3 class="steps__title">{step.title}</h3>
            <p>{step.text}</p>
        </li>
    }
}

/// The next step, which depends on whether someone is signed in.
#[component]
fn Calls() -> impl IntoView {
    let session = use_session();
    let calls = move || match session.auth_state() {
        AuthState::Anonymous => view! {
            <a class="button button--primary" href=routes::REGISTER>
                "Create account"
            </a>
            <a class="button" href=routes::LOGIN>
                "Sign in"
            </a>
        }
        .into_any(),
        AuthState::SignedIn(_) | AuthState::Pending { likely: true } => view! {
            <a class="button button--primary" href=routes::ACCOUNT>
                "See where your tokens are"
            </a>
        }
        .into_any(),
        AuthState::Pending { likely: false } => {
            view! { <span class="placeholder placeholder--button" aria-hidden="true"></span> }.into_any()
        }
    };
    view! { <p class="home__calls">{move || calls()}</p> }
}

#[component]
fn TwoTokens() -> impl IntoView {
    view! {
        <section class="home__wide" aria-labelledby="two-tokens">
            <h2 id="two-tokens" class="section-title">
                "Two tokens, side by side"
            </h2>
            <table class="table">
                <thead>
                    <tr>
                        <td></td>
                        <th scope="col">"Access token"</th>
                        <th scope="col">"Refresh token"</th>
                    </tr>
                </thead>
                <tbody>
                    <tr>
                        <th scope="row">"Where it is"</th>
                        <td>"In this page’s memory"</td>
                        <td>"In an httpOnly cookie, sent to this site only"</td>
                    </tr>
                    <tr>
                        <th scope="row">"Who can read it"</th>
                        <td>"The running program"</td>
                        <td>"The browser and the server; no script"</td>
                    </tr>
                    <tr>
                        <th scope="row">"How long it works"</th>
                        <td>"15 minutes"</td>
                        <td>"Once. Unused, 7 days"</td>
                    </tr>
                    <tr>
                        <th scope="row">"What a reload does"</th>
                        <td>"Forgets it"</td>
                        <td>"Uses it, and gets the next one"</td>
                    </tr>
                    <tr>
                        <th scope="row">"If it is stolen"</th>
                        <td>"Ends by itself"</td>
                        <td>"Its second use ends the session"</td>
                    </tr>
                </tbody>
            </table>
            <p class="table__note">"With the settings as they come."</p>
        </section>
    }
    .into_any()
}

#[component]
fn Limits() -> impl IntoView {
    view! {
        <section class="home__wide home__limits" aria-labelledby="limits">
            <h2 id="limits" class="section-title">
                "What this does not do"
            </h2>
            <p>
                "A malicious script running in this page can’t read the refresh token, but it can act as you while the page "
                "is open. The Content-Security-Policy exists to keep such scripts out. Anyone with access to your unlocked "
                "computer is, to any server, you."
            </p>
        </section>
    }
    .into_any()
}
