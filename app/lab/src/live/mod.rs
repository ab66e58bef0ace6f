//! The live session: an owner, an attacker, and one session with the lab's copy of the product, or with a model of
//! another design. The server streams the state as it changes; this page only says who does what.
//!
//! [`stage`] is the session and its controls, [`tree`] draws it, [`tables`] shows the same in words.

pub mod name;
pub mod stage;
pub mod tables;
pub mod tree;

use lab_types::live::{Actor, Design, SimulationAction};
use leptos::prelude::*;
use rotation::designs::Design as Model;
use ui::{
    components::{Notice, Tone, list, maybe, text},
    session_ctx::use_session,
};

use super::{
    address::Address,
    prose,
    watch::{Found, unreachable},
};
use stage::Stage;
use tables::{Fallout, Row, Steps, Tokens};

/// The complete section.
#[component]
pub fn LiveSection(address: Address) -> impl IntoView {
    let session = use_session();
    let stage = Stage::of_page(address);
    Effect::new(move |_| {
        if session.hydrated() {
            stage.watch.turn_to(stage.id.get());
        }
    });
    let is_on = Memo::new(move |_| stage.play.read().is_some());
    let last = move || text(stage.last());
    let standing = move || text(stage.standing());
    let name = move || {
        text(if is_on.get() {
            "Start another play"
        } else {
            "Start a play"
        })
    };
    view! {
        <section class="card" aria-labelledby="live">
            <h2 class="card__title" id="live">"Live, on this server"</h2>
            <div class="lab__prose" inner_html=prose::live()></div>
            <Designs stage />
            <div class="form__row">
                <button
                    class="button button--primary"
                    type="button"
                    disabled=move || !session.hydrated()
                    aria-disabled=move || stage.is_busy().then_some("true")
                    on:click=move |_| stage.start()
                >
                    {move || name()}
                </button>
            </div>
            <p role="status"><strong>{move || last()}</strong> " " {move || standing()}</p>
            <div role="alert">{move || trouble(stage)}</div>
            {move || maybe(is_on.get().then(|| view! { <Performance stage /> }))}
            <details class="details">
                <summary>"What the words in the tree mean"</summary>
                <div class="lab__prose" inner_html=prose::states()></div>
            </details>
        </section>
    }
    .into_any()
}

/// Selects the design.
#[component]
fn Designs(stage: Stage) -> impl IntoView {
    let session = use_session();
    let choice = move |design: Design| {
        view! {
            <label class="check">
                <input
                    class="check__box"
                    type="radio"
                    name="live-design"
                    checked=design == Design::default()
                    prop:checked=move || stage.design.get() == design
                    autocomplete="off"
                    disabled=move || !session.hydrated()
                    on:change=move |_| stage.design.set(design)
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

/// Describes the selected design.
fn cast(design: Design) -> String {
    match design {
        Design::Keyturn => "With Keyturn: the lab’s copy of this server.".into(),
        other => format!(
            "With {}: a model of it, which this server runs.",
            model(other).name()
        ),
    }
}

fn trouble(stage: Stage) -> AnyView {
    if let Some((title, reason)) = stage.failure.get() {
        return view! {
            <Notice tone=Tone::Alarm title=title>
                <p>{reason}</p>
            </Notice>
        }
        .into_any();
    }
    match stage.watch.found() {
        Found::Gone => view! {
            <Notice tone=Tone::Plain title="This play is not there any more">
                <p>"Plays are kept for an hour at most. Start a new one."</p>
            </Notice>
        }
        .into_any(),
        Found::Unreachable => unreachable(),
        _ => ().into_any(),
    }
}

/// The actions and their results.
#[component]
fn Performance(stage: Stage) -> impl IntoView {
    let picture = move || stage.at(tree::drawing).unwrap_or_default();
    let cast = move || text(stage.at(|play| cast(play.design)).unwrap_or_default());
    let forgives = Memo::new(move |_| stage.at(|play| play.grace_ms > 0) == Some(true));
    let time = move || {
        view! {
            <div class="form__row" role="group" aria-label="Time">
                {button(stage, "Wait until the grace is over", move || stage.wait())}
            </div>
        }
    };
    view! {
        <p class="card__note">{move || cast()}</p>
        <div class="lab__pair">
            <Pane stage who=Actor::Owner />
            <Pane stage who=Actor::Thief />
        </div>
        <div>{move || maybe(forgives.get().then(time))}</div>
        <div class="live__family">
            <div class="table-sheet" tabindex="0" role="group" aria-label="The live tree" inner_html=picture></div>
            <Tokens stage />
        </div>
        <Fallout stage />
        <Steps stage />
        <Row stage />
    }
    .into_any()
}

/// A button that does nothing during a request, and keeps the focus.
fn button(stage: Stage, name: &'static str, act: impl Fn() + 'static) -> AnyView {
    view! {
        <button
            class="button"
            type="button"
            aria-disabled=move || stage.is_busy().then_some("true")
            on:click=move |_| act()
        >
            {name}
        </button>
    }
    .into_any()
}

#[component]
fn Pane(stage: Stage, who: Actor) -> impl IntoView {
    let holds = move || text(stage.at(|play| tables::holds(play, who)).unwrap_or_default());
    let does = move |name, act| button(stage, name, move || stage.act(act));
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
    view! {
        <div class="live__pane" role="group" aria-label=title>
            <h3 class="members__title">{title}</h3>
            <p>{move || holds()}</p>
            <div class="form__row">{buttons}</div>
        </div>
    }
    .into_any()
}
