//! The state of the lab page in its URL: the run of each experiment, the open cell, the simulator's steps, the live
//! session. A link reproduces a view, so this state is kept only in the URL.

use api_types::paths;
use lab_types::{CellId, Experiment};
use leptos::prelude::*;
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
    params::ParamsMap,
};
use ui::routes;

use super::{labels, simulator::scenario::SimulatorScenario};

/// The state that a URL describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageState {
    /// In the order of [`Experiment::ALL`].
    runs: [Option<String>; Experiment::ALL.len()],
    pub open: Option<CellId>,
    pub scenario: SimulatorScenario,
    /// The live session.
    pub live: Option<String>,
}

impl PageState {
    fn from_query(query: &ParamsMap) -> Self {
        let mut runs = [const { None }; Experiment::ALL.len()];
        for (run, experiment) in runs.iter_mut().zip(Experiment::ALL) {
            *run = query.get(labels::run_key(*experiment));
        }
        Self {
            runs,
            open: query.get_str("cell").and_then(|name| name.parse().ok()),
            scenario: SimulatorScenario::from_query(query.get_str("design"), query.get_str("steps")),
            live: query.get("live"),
        }
    }

    pub fn run(&self, experiment: Experiment) -> Option<&str> {
        self.runs[experiment as usize].as_deref()
    }

    pub fn set_run(&mut self, experiment: Experiment, id: String) {
        self.runs[experiment as usize] = Some(id);
    }

    fn address(&self) -> String {
        let runs = Experiment::ALL.iter().filter_map(|experiment| {
            let id = paths::query_value(self.run(*experiment)?);
            Some(format!("{}={id}", labels::run_key(*experiment)))
        });
        let cell = self.open.map(|place| format!("cell={place}"));
        let live = self.live.as_deref();
        let live = live.map(|id| format!("live={}", paths::query_value(id)));
        let query: Vec<String> = runs
            .chain(cell)
            .chain(self.scenario.query())
            .chain(live)
            .collect();
        if query.is_empty() {
            routes::LAB.into()
        } else {
            format!("{}?{}", routes::LAB, query.join("&"))
        }
    }
}

/// The URL of this page. Copies share it.
#[derive(Debug, Clone, Copy)]
pub struct PageUrl {
    state: Memo<PageState>,
    /// The state to which the page is about to navigate.
    next: RwSignal<Option<PageState>>,
}

impl PageUrl {
    pub fn of_page() -> Self {
        let query = use_query_map();
        let navigate = use_navigate();
        let next = RwSignal::new(None::<PageState>);
        Effect::new(move |_| {
            if let Some(state) = next.get() {
                let options = NavigateOptions {
                    replace: true,
                    scroll: false,
                    ..NavigateOptions::default()
                };
                navigate(&state.address(), options);
                next.set(None);
            }
        });
        Self {
            state: Memo::new(move |_| PageState::from_query(&query.read())),
            next,
        }
    }

    /// A part of the state; tracked.
    pub fn part<T: Clone + PartialEq + Send + Sync + 'static>(
        self,
        part: impl Fn(&PageState) -> T + Send + Sync + 'static,
    ) -> Memo<T> {
        Memo::new(move |_| self.state.with(&part))
    }

    /// Navigates to a changed state.
    pub fn change(self, change: impl FnOnce(&mut PageState)) {
        // Changes in the same moment become one navigation.
        let next = self.next.try_get_untracked().flatten();
        if let Some(mut state) = next.or_else(|| self.state.try_get_untracked()) {
            change(&mut state);
            self.next.try_set(Some(state));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(query: &[(&str, &str)]) -> PageState {
        let mut params = ParamsMap::new();
        for (name, value) in query {
            params.insert((*name).to_owned(), (*value).to_owned());
        }
        PageState::from_query(&params)
    }

    #[test]
    fn a_page_state_has_one_address() {
        for (query, address) in [
            (&[][..], "/lab"),
            (&[("run", "a1")][..], "/lab?run=a1"),
            (&[("cell", "memory.reload")][..], "/lab?cell=memory.reload"),
            (&[("cell", "memory.form")][..], "/lab"),
            (
                &[("run", "a&b"), ("cell", "our-policy.act")][..],
                "/lab?run=a%26b&cell=our-policy.act",
            ),
            (
                &[("scripts", "2"), ("forgery", "1")][..],
                "/lab?forgery=1&scripts=2",
            ),
            (
                &[("design", "SimpleJWT"), ("steps", "s.t")][..],
                "/lab?design=SimpleJWT&steps=s.t",
            ),
            (
                &[("live", "d4"), ("design", "SimpleJWT")][..],
                "/lab?design=SimpleJWT&live=d4",
            ),
        ] {
            assert_eq!(state(query).address(), address);
        }
    }

    #[test]
    fn each_experiment_has_its_own_run() {
        let mut state = state(&[("run", "a1")]);
        state.set_run(Experiment::Scripts, "b2".into());
        assert_eq!(state.run(Experiment::Storage), Some("a1"));
        assert_eq!(state.run(Experiment::Forgery), None);
        assert_eq!(state.run(Experiment::Scripts), Some("b2"));
    }
}
