//! The rotation simulator: the visitor chooses the steps, and the designs in `rotation` determine the results.
//!
//! [`scenario`] is the design and the steps, which are in the URL. [`simulation`] calculates the results,
//! [`descriptions`] puts them into words, [`tree`] draws them.

pub mod descriptions;
pub mod scenario;
pub mod simulation;
pub mod tree;

use leptos::prelude::*;
use rotation::designs::{Design, Serial};
use ui::{
    components::{Icon, Shape, list, maybe, text},
    session_ctx::use_session,
};

use super::{
    components::{Slider, action_button, mark},
    page_url::PageUrl,
    prose::{self, Prose},
    token_family::{StepRow, actor_pane, holder, steps_table, token_tree},
};
use scenario::{MOST_STEPS, SimulatorScenario, SimulatorStep, TABS};
use simulation::{Frame, frames};

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
struct SimulatorState {
    url: PageUrl,
    scenario: Memo<SimulatorScenario>,
    frames: Memo<Vec<Frame>>,
    /// The frame on display; the last one unless the visitor looks back.
    shown: RwSignal<Option<usize>>,
}

impl SimulatorState {
    fn of(url: PageUrl) -> Self {
        let scenario = url.part(|page| page.scenario.clone());
        Self {
            url,
            scenario,
            frames: Memo::new(move |_| scenario.with(frames)),
            shown: RwSignal::new(None),
        }
    }

    fn index(self) -> usize {
        let last = self.frames.with(Vec::len).saturating_sub(1);
        self.shown.get().map_or(last, |shown| shown.min(last))
    }

    /// A value of the frame on display; tracked.
    fn at<T>(self, read: impl FnOnce(&Frame) -> T) -> Option<T> {
        let index = self.index();
        self.frames.with(|frames| frames.get(index).map(read))
    }

    /// Continues from the frame on display; later frames are discarded.
    fn add(self, step: SimulatorStep) {
        let index = untrack(move || self.index());
        let mut scenario = self.scenario.get_untracked();
        scenario.steps.truncate(index);
        if scenario.steps.len() < MOST_STEPS {
            scenario.steps.push(step);
            self.show(&scenario);
        }
    }

    fn undo(self) {
        let index = untrack(move || self.index());
        let mut scenario = self.scenario.get_untracked();
        scenario.steps.truncate(index.saturating_sub(1));
        self.show(&scenario);
    }

    fn restart(self, steps: &str) {
        let design = self.scenario.with_untracked(|scenario| scenario.design);
        self.show(&SimulatorScenario::from_query(Some(design.name()), Some(steps)));
    }

    fn show(self, scenario: &SimulatorScenario) {
        self.shown.set(None);
        self.url.change(|page| page.scenario = scenario.clone());
    }
}

/// The complete simulator.
#[component]
pub fn SimulatorSection(url: PageUrl) -> impl IntoView {
    let state = SimulatorState::of(url);
    let scenarios = SCENARIOS
        .iter()
        .map(|&(name, steps)| button(name, move || state.restart(steps)));
    let outcome = move || text(state.at(descriptions::outcome).unwrap_or_default());
    view! {
        <section class="card" aria-labelledby="simulator">
            <h2 class="card__title" id="simulator">
                "The rotation theatre"
            </h2>
            <div class="lab__prose" inner_html=prose::html(Prose::Simulator)></div>
            <div class="form__row" role="group" aria-label="Prepared histories">
                {list(scenarios)}
            </div>
            {designs(state)}
            <p role="status">
                <strong>{move || outcome()}</strong>
            </p>
            <div class="lab__pair">{owner(state)} {thief(state)}</div>
            {time(state)}
            <div class="lab__pair">
                {token_tree("The tree", move || state.at(tree::nodes).unwrap_or_default())} {steps(state)}
            </div>
            <details class="details">
                <summary>"What the designs do with a spent token"</summary>
                <div class="lab__prose" inner_html=prose::html(Prose::Designs)></div>
            </details>
        </section>
    }
    .into_any()
}

fn button(name: impl Into<String>, act: impl Fn() + 'static) -> AnyView {
    action_button(name, None, act)
}

/// Every design, and the result of the same steps under it.
fn designs(state: SimulatorState) -> AnyView {
    let session = use_session();
    let row = move |design: Design| {
        let is_chosen = move || state.scenario.with(|scenario| scenario.design == design);
        let with_design = move || SimulatorScenario {
            design,
            steps: state.scenario.with(|scenario| scenario.steps.clone()),
        };
        let flaws = move || match frames(&with_design()).last().and_then(descriptions::flaws) {
            Some(flaws) => mark("mark mark--exposed", Shape::Alert, flaws),
            None => mark("mark mark--safe", Shape::Check, "Nothing"),
        };
        view! {
            <tr>
                <th scope="row">
                    <button
                        class="button"
                        type="button"
                        disabled=move || !session.hydrated()
                        aria-pressed=move || if is_chosen() { "true" } else { "false" }
                        on:click=move |_| state.show(&untrack(with_design))
                    >
                        {design.name()}
                        {move || maybe(is_chosen().then(|| view! { <Icon shape=Shape::Check /> }))}
                    </button>
                </th>
                <td>{move || flaws()}</td>
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

fn owner(state: SimulatorState) -> AnyView {
    let tab = move |tab: usize| {
        let held = move || state.at(|frame| frame.tabs.get(tab).copied().flatten()).flatten();
        let buttons = vec![
            button("Refresh", move || state.add(SimulatorStep::Refresh(tab))),
            button("Refresh, and lose the answer", move || {
                state.add(SimulatorStep::Lose(tab));
            }),
        ];
        let holds = move || descriptions::holds(&descriptions::tab_name(tab), held());
        view! {
            <div class="field" role="group" aria-label=descriptions::tab_name(tab)>
                {holder(holds, buttons)}
            </div>
        }
    };
    let tabs = list((0..TABS).map(tab));
    actor_pane(
        "The owner",
        view! { <div class="lab__pair">{tabs}</div> }.into_any(),
    )
}

fn thief(state: SimulatorState) -> AnyView {
    let holds = move || descriptions::holds("The thief", state.at(|frame| frame.thief).flatten());
    let buttons = vec![
        button("Steal now", move || state.add(SimulatorStep::Steal)),
        button("Thief refreshes", move || state.add(SimulatorStep::Thief)),
    ];
    let tokens = Memo::new(move |_| {
        let tokens = state.at(|frame| frame.family.serials().map(Serial::number).collect::<Vec<_>>());
        tokens.unwrap_or_default()
    });
    let replays = move || {
        list(tokens.get().into_iter().map(|number| {
            button(format!("Replay token {number}"), move || {
                state.add(SimulatorStep::Replay(number));
            })
        }))
    };
    let body = view! {
        <div class="field">{holder(holds, buttons)}</div>
        <div class="form__row" role="group" aria-label="Replay">
            {move || replays()}
        </div>
    };
    actor_pane("The thief", body.into_any())
}

/// The controls for time, and for going back.
fn time(state: SimulatorState) -> AnyView {
    let waits = WAITS
        .iter()
        .map(|&(name, seconds)| button(name, move || state.add(SimulatorStep::Wait(seconds))));
    let last = move || state.frames.with(Vec::len).saturating_sub(1);
    let spoken = move || {
        let step =
            state.at(|frame| format!("{} {}", descriptions::who(frame.step), descriptions::what(frame)));
        step.unwrap_or_default()
    };
    view! {
        <div class="form__row" role="group" aria-label="Time">
            {list(waits)}
            {button("Back one step", move || state.undo())}
            {button("Begin again", move || state.restart(""))}
        </div>
        <Slider
            id="simulator-step"
            name="Look back"
            range=Signal::derive(move || [0, last()])
            value=Signal::derive(move || state.index())
            shown=Signal::derive(move || format!("Step {} of {}", state.index(), last()))
            spoken=Signal::derive(spoken)
            on_input=move |index| state.shown.set(Some(index))
        />
    }
    .into_any()
}

/// The steps as a table.
fn steps(state: SimulatorState) -> AnyView {
    steps_table("The steps", move || {
        let shown = state.index();
        let row = |(index, frame): (usize, &Frame)| StepRow {
            time: descriptions::clock(frame.after),
            actor: descriptions::who(frame.step),
            action: descriptions::what(frame),
            response: descriptions::answer(frame),
            is_shown: index == shown,
        };
        state
            .frames
            .with(|frames| frames.iter().enumerate().map(row).collect())
    })
}
