//! The rotation simulator: the visitor chooses the steps, and the designs in `rotation` determine the results.
//!
//! [`play`] is the simulation, [`words`] describes its steps, [`tree`] draws it. The design and the steps are in the
//! URL.

pub mod play;
pub mod tree;
pub mod words;

use leptos::prelude::*;
use rotation::designs::{Design, Serial};
use ui::{
    components::{Icon, Shape, list, maybe, text},
    session_ctx::use_session,
};

use super::{
    address::Address,
    prose::{self, Prose},
    steps::steps_table,
};

pub use play::Play;
use play::{Frame, MOST_STEPS, Step, TABS, frames};

/// Predefined scenarios.
const SCENARIOS: [(&str, &str); 4] = [
    ("A theft", "s.w5.r1.w3600.t"),
    ("The thief comes first", "s.w5.t.w3600.r1.w5.t"),
    ("A lost answer", "l1.w15.r1"),
    ("Three tabs at once", "r1.r2.r3.w5"),
];
const WAITS: [(&str, u32); 3] = [("+5 s", 5), ("+15 s", 15), ("+1 h", 3600)];

/// State that the parts of the simulator share.
#[derive(Debug, Clone, Copy)]
struct Stage {
    address: Address,
    play: Memo<Play>,
    frames: Memo<Vec<Frame>>,
    /// The frame on display; the last one unless the visitor looks back.
    shown: RwSignal<Option<usize>>,
}

impl Stage {
    fn of(address: Address) -> Self {
        let play = address.part(|view| view.play.clone());
        Self {
            address,
            play,
            frames: Memo::new(move |_| play.with(frames)),
            shown: RwSignal::new(None),
        }
    }

    fn index(self) -> usize {
        let last = self.frames.with(Vec::len).saturating_sub(1);
        self.shown.get().map_or(last, |shown| shown.min(last))
    }

    /// A value of the frame on display; tracked.
    fn at<T>(self, tell: impl FnOnce(&Frame) -> T) -> Option<T> {
        let index = self.index();
        self.frames.with(|frames| frames.get(index).map(tell))
    }

    /// Continues from the frame on display; later frames are discarded.
    fn act(self, step: Step) {
        let index = untrack(move || self.index());
        let mut play = self.play.get_untracked();
        play.steps.truncate(index);
        if play.steps.len() < MOST_STEPS {
            play.steps.push(step);
            self.turn_to(&play);
        }
    }

    fn back(self) {
        let index = untrack(move || self.index());
        let mut play = self.play.get_untracked();
        play.steps.truncate(index.saturating_sub(1));
        self.turn_to(&play);
    }

    fn begin(self, steps: &str) {
        let design = self.play.with_untracked(|play| play.design);
        self.turn_to(&Play::of_address(Some(design.name()), Some(steps)));
    }

    fn turn_to(self, play: &Play) {
        self.shown.set(None);
        self.address.change(|view| view.play = play.clone());
    }
}

/// The complete simulator.
#[component]
pub fn TheatreSection(address: Address) -> impl IntoView {
    let stage = Stage::of(address);
    let scenarios = SCENARIOS
        .iter()
        .map(|&(name, steps)| button(name.into(), move || stage.begin(steps)));
    let picture = move || stage.at(tree::drawing).unwrap_or_default();
    let outcome = move || text(stage.at(words::outcome).unwrap_or_default());
    view! {
        <section class="card" aria-labelledby="theatre">
            <h2 class="card__title" id="theatre">"The rotation theatre"</h2>
            <div class="lab__prose" inner_html=prose::html(Prose::Simulator)></div>
            <div class="form__row" role="group" aria-label="Prepared histories">{list(scenarios)}</div>
            <Designs stage />
            <p role="status"><strong>{move || outcome()}</strong></p>
            <div class="lab__pair">
                <Owner stage />
                <Thief stage />
            </div>
            <Time stage />
            <div class="lab__pair">
                <div class="table-sheet" tabindex="0" role="group" aria-label="The tree" inner_html=picture></div>
                <Steps stage />
            </div>
            <details class="details">
                <summary>"What the designs do with a spent token"</summary>
                <div class="lab__prose" inner_html=prose::html(Prose::Designs)></div>
            </details>
        </section>
    }
    .into_any()
}

fn button(name: String, act: impl Fn() + 'static) -> AnyView {
    let session = use_session();
    view! {
        <button class="button" type="button" disabled=move || !session.hydrated() on:click=move |_| act()>
            {name}
        </button>
    }
    .into_any()
}

/// Every design, and the result of the same steps under it.
#[component]
fn Designs(stage: Stage) -> impl IntoView {
    let session = use_session();
    let row = move |design: Design| {
        let chosen = move || stage.play.with(|play| play.design == design);
        let found = move || {
            let play = Play {
                design,
                steps: stage.play.with(|play| play.steps.clone()),
            };
            match frames(&play).last().and_then(words::flaws) {
                Some(flaws) => mark("mark mark--exposed", Shape::Alert, flaws),
                None => mark("mark mark--safe", Shape::Check, "Nothing".into()),
            }
        };
        view! {
            <tr>
                <th scope="row">
                    <button
                        class="button"
                        type="button"
                        disabled=move || !session.hydrated()
                        aria-pressed=move || if chosen() { "true" } else { "false" }
                        on:click=move |_| {
                            let steps = stage.play.with_untracked(|play| play.steps.clone());
                            stage.turn_to(&Play { design, steps });
                        }
                    >
                        {design.name()}
                        {move || maybe(chosen().then(|| view! { <Icon shape=Shape::Check /> }))}
                    </button>
                </th>
                <td>{move || found()}</td>
            </tr>
        }
    };
    view! {
        <table class="table">
            <caption class="sr-only">"What goes wrong in these steps, by design"</caption>
            <thead>
                <tr>
                    <th scope="col">"Design"</th>
                    <th scope="col">"What goes wrong in these steps"</th>
                </tr>
            </thead>
            <tbody>{list(Design::ALL.into_iter().map(row))}</tbody>
        </table>
    }
    .into_any()
}

fn mark(class: &'static str, shape: Shape, words: String) -> AnyView {
    view! {
        <span class=class>
            <Icon shape=shape />
            {words}
        </span>
    }
    .into_any()
}

#[component]
fn Owner(stage: Stage) -> impl IntoView {
    let tab = move |tab: usize| {
        let holds = move || {
            let held = stage.at(|frame| frame.tabs.get(tab).copied().flatten()).flatten();
            text(words::holds(held))
        };
        view! {
            <div class="field" role="group" aria-label=words::tab_name(tab)>
                <p>{words::tab_name(tab)} " " {move || holds()}</p>
                <div class="form__row">
                    {button("Refresh".into(), move || stage.act(Step::Refresh(tab)))}
                    {button("Refresh, and lose the answer".into(), move || stage.act(Step::Lose(tab)))}
                </div>
            </div>
        }
    };
    view! {
        <div class="lab__pair">
            <h3 class="members__title">"The owner"</h3>
            {list((0..TABS).map(tab))}
        </div>
    }
    .into_any()
}

#[component]
fn Thief(stage: Stage) -> impl IntoView {
    let holds = move || text(words::holds(stage.at(|frame| frame.thief).flatten()));
    let tokens = Memo::new(move |_| {
        stage
            .at(|frame| frame.family.serials().collect::<Vec<_>>())
            .unwrap_or_default()
    });
    let replays = move || {
        list(tokens.get().into_iter().map(|token: Serial| {
            let number = token.number();
            button(format!("Replay token {number}"), move || {
                stage.act(Step::Replay(number));
            })
        }))
    };
    view! {
        <div class="lab__pair">
            <h3 class="members__title">"The thief"</h3>
            <div class="field">
                <p>"The thief " {move || holds()}</p>
                <div class="form__row">
                    {button("Steal now".into(), move || stage.act(Step::Steal))}
                    {button("Thief refreshes".into(), move || stage.act(Step::Thief))}
                </div>
            </div>
            <div class="form__row" role="group" aria-label="Replay">{move || replays()}</div>
        </div>
    }
    .into_any()
}

/// The controls for time, and for going back.
#[component]
fn Time(stage: Stage) -> impl IntoView {
    let session = use_session();
    let waits = WAITS
        .iter()
        .map(|&(name, seconds)| button(name.into(), move || stage.act(Step::Wait(seconds))));
    let said = move || {
        stage
            .at(|frame| format!("{} {}", words::who(frame.step), words::what(frame)))
            .unwrap_or_default()
    };
    let place = move || {
        let last = stage.frames.with(Vec::len).saturating_sub(1);
        text(format!("{} of {last}", stage.index()))
    };
    view! {
        <div class="form__row" role="group" aria-label="Time">
            {list(waits)}
            {button("Back one step".into(), move || stage.back())}
            {button("Begin again".into(), move || stage.begin(""))}
        </div>
        <div class="field">
            <div class="field__head">
                <label for="theatre-step">"Look back"</label>
                <span class="field__aside">"Step " {move || place()}</span>
            </div>
            <input
                type="range"
                id="theatre-step"
                min="0"
                max=move || stage.frames.with(Vec::len).saturating_sub(1).to_string()
                value=untrack(move || stage.index()).to_string()
                prop:value=move || stage.index().to_string()
                autocomplete="off"
                aria-valuetext=said
                disabled=move || !session.hydrated()
                on:input=move |event| stage.shown.set(event_target_value(&event).parse().ok())
            />
        </div>
    }
    .into_any()
}

/// The same as a table.
#[component]
fn Steps(stage: Stage) -> impl IntoView {
    let rows = move || {
        let shown = stage.index();
        list(
            stage
                .frames
                .get()
                .into_iter()
                .enumerate()
                .map(move |(index, frame)| {
                    let here = index == shown;
                    view! {
                        <tr aria-current=here.then_some("step")>
                            <td>{words::clock(frame.after)} {text(if here { " (shown)" } else { "" })}</td>
                            <td>{words::who(frame.step)}</td>
                            <td>{words::what(&frame)}</td>
                            <td>{words::answer(&frame)}</td>
                        </tr>
                    }
                }),
        )
    };
    steps_table("The steps", rows)
}
