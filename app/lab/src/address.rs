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

use super::{theatre::Play, words};

/// The view that a URL describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// In the order of [`Experiment::ALL`].
    runs: [Option<String>; Experiment::ALL.len()],
    pub open: Option<CellId>,
    pub play: Play,
    /// The live session.
    pub live: Option<String>,
}

impl View {
    fn of_query(query: &ParamsMap) -> Self {
        let mut runs = [const { None }; Experiment::ALL.len()];
        for (run, bench) in runs.iter_mut().zip(Experiment::ALL) {
            *run = query.get(words::run_key(*bench));
        }
        Self {
            runs,
            open: query.get_str("cell").and_then(|name| name.parse().ok()),
            play: Play::of_address(query.get_str("design"), query.get_str("steps")),
            live: query.get("live"),
        }
    }

    pub fn run(&self, bench: Experiment) -> Option<&str> {
        self.runs[bench as usize].as_deref()
    }

    pub fn set_run(&mut self, bench: Experiment, id: String) {
        self.runs[bench as usize] = Some(id);
    }

    fn address(&self) -> String {
        let runs = Experiment::ALL.iter().filter_map(|bench| {
            let id = paths::query_value(self.run(*bench)?);
            Some(format!("{}={id}", words::run_key(*bench)))
        });
        let cell = self.open.map(|place| format!("cell={place}"));
        let live = self.live.as_deref();
        let live = live.map(|id| format!("live={}", paths::query_value(id)));
        let query: Vec<String> = runs.chain(cell).chain(self.play.address()).chain(live).collect();
        if query.is_empty() {
            routes::LAB.into()
        } else {
            format!("{}?{}", routes::LAB, query.join("&"))
        }
    }
}

/// The URL of this page. Copies share it.
#[derive(Debug, Clone, Copy)]
pub struct Address {
    view: Memo<View>,
    /// The view to which the page is about to navigate.
    next: RwSignal<Option<View>>,
}

impl Address {
    pub fn of_page() -> Self {
        let query = use_query_map();
        let navigate = use_navigate();
        let next = RwSignal::new(None::<View>);
        Effect::new(move |_| {
            if let Some(view) = next.get() {
                let options = NavigateOptions {
                    replace: true,
                    scroll: false,
                    ..NavigateOptions::default()
                };
                navigate(&view.address(), options);
                next.set(None);
            }
        });
        Self {
            view: Memo::new(move |_| View::of_query(&query.read())),
            next,
        }
    }

    /// A part of the view; tracked.
    pub fn part<T: Clone + PartialEq + Send + Sync + 'static>(
        self,
        part: impl Fn(&View) -> T + Send + Sync + 'static,
    ) -> Memo<T> {
        Memo::new(move |_| self.view.with(&part))
    }

    /// Navigates to a changed view.
    pub fn change(self, change: impl FnOnce(&mut View)) {
        // Changes in the same moment become one navigation.
        let next = self.next.try_get_untracked().flatten();
        if let Some(mut view) = next.or_else(|| self.view.try_get_untracked()) {
            change(&mut view);
            self.next.try_set(Some(view));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(query: &[(&str, &str)]) -> View {
        let mut params = ParamsMap::new();
        for (name, value) in query {
            params.insert((*name).to_owned(), (*value).to_owned());
        }
        View::of_query(&params)
    }

    #[test]
    fn a_view_has_one_address() {
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
            assert_eq!(view(query).address(), address);
        }
    }

    #[test]
    fn each_bench_has_a_run_of_its_own() {
        let mut view = view(&[("run", "a1")]);
        view.set_run(Experiment::Scripts, "b2".into());
        assert_eq!(view.run(Experiment::Storage), Some("a1"));
        assert_eq!(view.run(Experiment::Forgery), None);
        assert_eq!(view.run(Experiment::Scripts), Some("b2"));
    }
}
