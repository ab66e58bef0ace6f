//! The live session: an owner, an attacker, and one session with the lab's copy of the product, or with a model of
//! another design. The server streams the state as it changes; this page only says who does what.
//!
//! [`state`] is the session and its controls, [`tree`] draws it, [`tables`] shows the same in words.

pub mod state;
pub mod tables;
pub mod tree;

use lab_types::live::{Actor, Design, SimulationAction};
use leptos::prelude::*;
use rotation::designs::Design as Model;
use ui::{
    components::{Tone, list, maybe, text},
    session_ctx::use_session,
};

use super::{
    components::notice,
    page_url::PageUrl,
    prose::{self, Prose},
    resource_watch::{LoadStatus, unreachable},
    token_family::{actor_pane, holder, token_tree},
};
use state::LiveState;

/// The complete section.
#[component]
pub fn LiveSection(url: PageUrl) -> impl IntoView {
    let session = use_session();
    let state = LiveState::of_page(url);
    Effect::new(move |_| {
        if session.hydrated() {
            state.watch.switch_to(state.id.get());
        }
    });
    let is_on = Memo::new(move |_| state.simulation.read().is_some());
    let last = move || text(state.last());
    let outcome = move || text(state.outcome());
    let name = move || {
        text(if is_on.get() {
            "Start another play"
        } else {
            "Start a play"
        })
    };
    view! {
        <section class="card" aria-labelledby="live">
            <h2 class="card__title" id="live">
                "Live, on this server"
            </h2>
            <div class="lab__prose" inner_html=prose::html(Prose::LiveSession)></div>
            {design_choice(state)}
            <div class="form__row">
                <button
                    class="button button--primary"
                    type="button"
                    disabled=move || !session.hydrated()
                    aria-disabled=move || state.is_busy().then_some("true")
                    on:click=move |_| state.start()
                >
                    {move || name()}
                </button>
            </div>
            <p role="status">
                <strong>{move || last()}</strong>
                " "
                {move || outcome()}
            </p>
            <div role="alert">{move || trouble(state)}</div>
            {move || maybe(is_on.get().then(|| running_session(state)))}
            <details class="details">
                <summary>"What the words in the tree mean"</summary>
                <div class="lab__prose" inner_html=prose::html(Prose::TokenStates)></div>
            </details>
        </section>
    }
    .into_any()
}

/// Selects the design.
fn design_choice(state: LiveState) -> AnyView {
    let session = use_session();
    let choice = move |design: Design| {
        view! {
            <label class="check">
                <input
                    class="check__box"
                    type="radio"
                    name="live-design"
                    checked=design == Design::default()
                    prop:checked=move || state.design.get() == design
                    autocomplete="off"
                    disabled=move || !session.hydrated()
                    on:change=move |_| state.design.set(design)
                />
                {model(design).name()}
            </label>
        }
    };
    view! {
        <fieldset class="lab__switches">
            <legend class="field__label">"Who gives out the tokens"</legend>
            {list(Design::ALL.iter().copied().map(choice))}
        </fieldset>
    }
    .into_any()
}

/// The design as the simulator has it.
pub fn model(design: Design) -> Model {
    Model::ALL[design as usize]
}

/// The issuer of the tokens, in words.
fn issuer(design: Design) -> String {
    match design {
        Design::Keyturn => "With Keyturn: the lab’s copy of this server.".into(),
        other => format!(
            "With {}: a model of it, which this server runs.",
            model(other).name()
        ),
    }
}

fn trouble(state: LiveState) -> AnyView {
    if let Some((title, reason)) = state.failure.get() {
        return notice(Tone::Alarm, title, reason);
    }
    match state.watch.status() {
        LoadStatus::Gone => notice(
            Tone::Plain,
            "This play is not there any more",
            "Plays are kept for an hour at most. Start a new one.",
        ),
        LoadStatus::Unreachable => unreachable(),
        _ => ().into_any(),
    }
}

/// The actions and their results.
fn running_session(state: LiveState) -> AnyView {
    let tree = move || {
        let tokens = state.at(|simulation| simulation.tokens.iter().map(tree::node).collect());
        tokens.unwrap_or_default()
    };
    let issuer = move || {
        text(
            state
                .at(|simulation| issuer(simulation.design))
                .unwrap_or_default(),
        )
    };
    let has_grace = Memo::new(move |_| state.at(|simulation| simulation.grace_ms > 0) == Some(true));
    let time = move || {
        view! {
            <div class="form__row" role="group" aria-label="Time">
                {state.button("Wait until the grace is over", move || state.wait())}
            </div>
        }
    };
    view! {
        <p class="card__note">{move || issuer()}</p>
        <div class="lab__pair">{actor(state, Actor::Owner)} {actor(state, Actor::Thief)}</div>
        <div>{move || maybe(has_grace.get().then(time))}</div>
        <div class="live__family">{token_tree("The live tree", tree)} {tables::tokens(state)}</div>
        {tables::retried_tokens(state)}
        {tables::steps(state)}
        {tables::session_row(state)}
    }
    .into_any()
}

fn actor(state: LiveState, who: Actor) -> AnyView {
    let holds = move || {
        state
            .at(|simulation| tables::holds(simulation, who))
            .unwrap_or_default()
    };
    let does = move |name: &str, act| state.button(name, move || state.act(act));
    let renew = SimulationAction::Renew { who };
    let (title, buttons) = match who {
        Actor::Owner => (
            "The owner",
            vec![
                does("Renew", renew),
                does("Renew, and lose the answer", SimulationAction::LoseAnswer {}),
                does("Sign out", SimulationAction::SignOut {}),
            ],
        ),
        Actor::Thief => (
            "The thief",
            vec![
                does("Steal now", SimulationAction::Steal {}),
                does("Thief renews", renew),
            ],
        ),
    };
    actor_pane(title, holder(holds, buttons))
}
