//! The decoded access token.

use std::time::Duration;

use leptos::prelude::*;
use session_client::{Claim, ClaimValue, TokenContent};
use ui::{
    components::{Placeholder, list, maybe},
    format,
    session_ctx::use_session,
    token_state::TokenState,
    words::claims::meaning,
};

use crate::pages::account::Countdown;

/// The token as it is sent, and its claims.
#[component]
pub fn AccessCard(
    /// The content of the token.
    inspected: RwSignal<Option<TokenContent>>,
    /// Whether there is one.
    token: Memo<TokenState>,
    /// The manager's clock, ticking.
    now: RwSignal<Duration>,
) -> impl IntoView {
    let encoded = move || match inspected.get() {
        Some(inspected) => view! { <Encoded inspected /> }.into_any(),
        None => view! { <Placeholder /> }.into_any(),
    };
    let claims = move || match inspected.get() {
        Some(TokenContent { header, claims, .. }) => view! {
            <Members caption="Header" members=header />
            <Members caption="Claims" members=claims />
        }
        .into_any(),
        None => view! { <Placeholder /> }.into_any(),
    };
    view! {
        <section class="card inspector__access" aria-labelledby="access">
            <h2 class="card__title" id="access">
                "Access token"
            </h2>
            <p class="card__note">
                "Held only in this page’s memory. Signed, not encrypted: anyone who has it can read it."
            </p>
            <Countdown token now />
            {move || encoded()}
            {move || claims()}
        </section>
    }
    .into_any()
}

/// The token's text without its signature; without the signature it grants no access.
#[component]
fn Encoded(inspected: TokenContent) -> impl IntoView {
    view! {
        <p
            class="encoded code"
            tabindex="0"
            role="group"
            aria-label="The token as it is sent, without its signature"
        >
            <span class="encoded__header">{inspected.header_text}</span>
            "."
            <span class="encoded__claims">{inspected.claims_text}</span>
            "."
            <span class="encoded__signature">
                {format!("signature of {} characters, not shown", inspected.signature)}
            </span>
        </p>
    }
    .into_any()
}

#[component]
fn Members(caption: &'static str, members: Vec<Claim>) -> impl IntoView {
    let row = |claim: Claim| view! { <Member claim /> };
    view! {
        <section class="members" aria-label=caption>
            <h3 class="members__title">{caption}</h3>
            <dl class="members__list">{list(members.into_iter().map(row))}</dl>
        </section>
    }
    .into_any()
}

#[component]
fn Member(claim: Claim) -> impl IntoView {
    let session = use_session();
    let meaning = meaning(&claim.name);
    let (value, moment) = match claim.value {
        ClaimValue::Text(text) => (text, None),
        ClaimValue::Number(number) => (number.to_string(), meaning.moment.then_some(number)),
    };
    let moment = moment.map(|at| {
        let offset = session
            .platform()
            .map_or(0, |platform| platform.utc_offset_minutes(at));
        view! {
            <time class="members__moment" datetime=format::rfc3339(at)>
                {format::date_time(at, offset)}
            </time>
        }
    });
    let source = (!meaning.source.is_empty()).then(|| view! { <cite>{meaning.source}</cite> });
    view! {
        <div class="members__row">
            <dt class="members__name code">{claim.name}</dt>
            <dd class="members__value">
                <span class="code">{value}</span>
                {maybe(moment)}
            </dd>
            <dd class="members__meaning">{meaning.text} " " {maybe(source)}</dd>
        </div>
    }
    .into_any()
}
