//! The page of the lab: what it is about, a run, the matrix, the evidence.

use api_types::{
    lab::{Defence, NewRun, Run, Strategy, Threat},
    paths,
};
use leptos::{prelude::*, task::spawn_local};
use leptos_router::{
    NavigateOptions,
    hooks::{use_location, use_navigate, use_query_map},
};
use session_client::ApiError;

use super::{
    evidence::EvidenceSection,
    follow::{Follow, Found, path},
    is_open,
    lifetimes::LifetimesSection,
    live::LiveSection,
    matrix::Matrix,
    prose,
    theatre::{Play, TheatreSection},
    words,
};
use crate::{
    components::{Notice, PageHeading, Tone, list, maybe, text},
    format,
    pages::NotFoundPage,
    routes,
    session_ctx::use_session,
};

/// One measurement's place.
pub type Place = (Strategy, Threat);

/// What the parts of the page share: the run, and what the address says. A link reproduces a view, so the address is the
/// only place where the run and the open cell are kept.
#[derive(Debug, Clone, Copy)]
pub struct Desk {
    pub follow: Follow,
    pub run_id: Memo<Option<String>>,
    pub open: Memo<Option<Place>>,
    pub play: Memo<Play>,
    /// The cell that was just closed, where the keyboard goes on.
    pub closed: RwSignal<Option<Place>>,
    address: RwSignal<Option<String>>,
}

impl Desk {
    fn of_page() -> Self {
        let query = use_query_map();
        let navigate = use_navigate();
        let address = RwSignal::new(None::<String>);
        Effect::new(move |_| {
            if let Some(address) = address.get() {
                let options = NavigateOptions {
                    replace: true,
                    scroll: false,
                    ..NavigateOptions::default()
                };
                navigate(&address, options);
            }
        });
        let run_id = Memo::new(move |_| query.read().get("run"));
        Self {
            follow: Follow::of_page(run_id.with_untracked(Option::is_some)),
            run_id,
            open: Memo::new(move |_| query.read().get("cell").as_deref().and_then(words::cell_of)),
            play: Memo::new(move |_| {
                let query = query.read();
                Play::of_address(query.get_str("design"), query.get_str("steps"))
            }),
            closed: RwSignal::new(None),
            address,
        }
    }

    pub fn open(self, place: Place) {
        self.closed.set(None);
        self.show(self.run_id.get_untracked().as_deref(), Some(place));
    }

    pub fn close(self) {
        self.closed.set(self.open.get_untracked());
        self.show(self.run_id.get_untracked().as_deref(), None);
    }

    fn show(self, run: Option<&str>, place: Option<Place>) {
        self.play.with_untracked(|play| self.go(run, place, play));
    }

    /// Turns to another play.
    pub fn perform(self, play: &Play) {
        let run = self.run_id.get_untracked();
        self.go(run.as_deref(), self.open.get_untracked(), play);
    }

    fn go(self, run: Option<&str>, place: Option<Place>, play: &Play) {
        self.address.try_set(Some(address(run, place, play)));
    }
}

/// The address of a view.
fn address(run: Option<&str>, place: Option<Place>, play: &Play) -> String {
    let run = run.map(|run| format!("run={}", paths::query_value(run)));
    let cell = place.map(|(strategy, threat)| format!("cell={}", words::cell_name(strategy, threat)));
    let query: Vec<String> = run.into_iter().chain(cell).chain(play.address()).collect();
    if query.is_empty() {
        routes::LAB.into()
    } else {
        format!("{}?{}", routes::LAB, query.join("&"))
    }
}

/// The lab, where it is open.
#[component]
pub fn LabPage() -> impl IntoView {
    if !is_open() {
        return view! { <NotFoundPage /> }.into_any();
    }
    let session = use_session();
    if session.is_hydrated_untracked() {
        // Somebody came back from another page without a page load, and most of this one is in the server's HTML alone.
        let location = use_location();
        if let Some(platform) = session.platform() {
            let (path, query) = (location.pathname.get_untracked(), location.search.get_untracked());
            let query = query.trim_start_matches('?');
            platform.visit(&if query.is_empty() {
                path
            } else {
                format!("{path}?{query}")
            });
        }
        return view! { <PageHeading title="Lab" /> }.into_any();
    }
    let desk = Desk::of_page();
    Effect::new(move |_| {
        if session.hydrated() {
            desk.follow.turn_to(desk.run_id.get());
        }
    });
    view! {
        <div class="page lab">
            <PageHeading title="Lab" text="Where should a page keep its tokens?" />
            <div class="lead lab__prose" inner_html=prose::opening()></div>
            <RunCard desk />
            <Matrix desk />
            <EvidenceSection desk />
            <TheatreSection desk />
            <LiveSection />
            <LifetimesSection />
            <div class="lab__prose" inner_html=prose::glossary()></div>
            <div class="lab__prose" inner_html=prose::story()></div>
        </div>
    }
    .into_any()
}

/// The button, and how the run goes.
#[component]
fn RunCard(desk: Desk) -> impl IntoView {
    let session = use_session();
    let follow = desk.follow;
    let run = follow.run();
    let without = RwSignal::new(None::<Defence>);
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<String>);
    let start = move |_| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        failure.set(None);
        spawn_local(async move {
            let new = NewRun {
                without: without.get_untracked(),
            };
            match follow.start(new).await {
                Ok(id) => desk.show(Some(&id), desk.open.get_untracked()),
                Err(error) => {
                    failure.try_set(Some(reason(&error)));
                }
            }
            busy.try_set(false);
        });
    };
    let line = move || {
        text(match follow.found() {
            Found::Nothing => "Not run yet.".into(),
            Found::Asking => "Asking for the run.".into(),
            _ => run.with(|run| run.as_ref().map(words::progress).unwrap_or_default()),
        })
    };
    let steps = move || {
        maybe(run.read().as_ref().filter(|run| run.steps > 0).map(|run| {
            view! {
                <progress
                    class="meter__bar"
                    aria-label="Steps of the run"
                    max=run.steps.to_string()
                    value=run.done.to_string()
                ></progress>
            }
        }))
    };
    view! {
        <section class="card lab__run" aria-labelledby="run">
            <h2 class="card__title" id="run">"The measurement"</h2>
            <div class="lab__prose" inner_html=prose::procedure()></div>
            <Defences without />
            <div class="form__row">
                <button
                    class="button button--primary"
                    type="button"
                    disabled=move || !session.hydrated()
                    aria-disabled=move || busy.get().then_some("true")
                    on:click=start
                >
                    "Run all"
                </button>
                {move || maybe(desk.run_id.get().filter(|_| run.read().is_some()).map(|id| download(&id)))}
            </div>
            <div class="lab__progress">
                <p role="status">{move || line()}</p>
                {move || steps()}
            </div>
            {move || maybe(run.get().map(|run| view! { <Facts run /> }))}
            <div role="alert">{move || trouble(failure.get(), follow)}</div>
        </section>
    }
    .into_any()
}

fn download(id: &str) -> impl IntoView + use<> {
    view! {
        <a class="button" href=path(paths::LAB_REPORT, id) download="" rel="external">
            "Download the results (JSON)"
        </a>
    }
}

/// Which defence of ours to do without. What each is good for is said by the server's HTML.
#[component]
fn Defences(without: RwSignal<Option<Defence>>) -> impl IntoView {
    let choice = move |defence: Option<Defence>| {
        let id = defence.map_or("none", Defence::slug);
        view! {
            <div class="check">
                <input
                    class="check__box"
                    type="radio"
                    name="without"
                    id=format!("without-{id}")
                    value=id
                    checked=defence.is_none()
                    on:change=move |_| without.set(defence)
                />
                <label for=format!("without-{id}")>{defence.map_or("None: all of them are on", words::defence)}</label>
                <p class="check__hint" inner_html=prose::defence(defence)></p>
            </div>
        }
    };
    let all = std::iter::once(None).chain(Defence::ALL.iter().copied().map(Some));
    view! {
        <details class="details">
            <summary>
                "Without a defence: "
                {move || text(without.get().map_or("none", words::defence))}
            </summary>
            <fieldset class="lab__defences">
                <legend class="sr-only">"Without a defence"</legend>
                {list(all.map(choice))}
            </fieldset>
        </details>
    }
    .into_any()
}

/// Where and when it ran.
#[component]
fn Facts(run: Run) -> impl IntoView {
    let at = run.started_at_ms / 1000;
    let offset = use_session()
        .platform()
        .map_or(0, |platform| platform.utc_offset_minutes(at));
    view! {
        <p class="card__note">
            <time datetime=format::rfc3339(at)>{format::date_time(at, offset)}</time>
            ", "
            {run.browser}
            {text(run.without.map_or_else(String::new, |one| format!(". Without: {}.", words::defence(one))))}
        </p>
    }
    .into_any()
}

/// What keeps a run from being seen, and what to do about it.
fn trouble(failure: Option<String>, follow: Follow) -> AnyView {
    if let Some(reason) = failure {
        return view! {
            <Notice tone=Tone::Alarm title="The run could not be started">
                <p>{reason}</p>
            </Notice>
        }
        .into_any();
    }
    if let Some(runner) = follow.blocked_runner() {
        return view! {
            <Notice tone=Tone::Plain title="The window has not reported yet">
                <p>"Your browser may have kept it from opening. Open it yourself; it closes when it is done."</p>
                <p>
                    <a class="button" href=runner target="_blank" rel="noopener external">"Open the runner"</a>
                </p>
            </Notice>
        }
        .into_any();
    }
    match follow.found() {
        Found::Gone => view! {
            <Notice tone=Tone::Plain title="This run is not there any more">
                <p>"Runs are kept for an hour, in the server’s memory. Start a new one."</p>
            </Notice>
        }
        .into_any(),
        Found::Unreachable => view! {
            <Notice tone=Tone::Plain title="The server does not answer">
                <p>"What is shown may be old. This page asks again every second."</p>
            </Notice>
        }
        .into_any(),
        Found::Here if follow.waits_elsewhere() => view! {
            <Notice tone=Tone::Plain title="This run waits for the tab that began it">
                <p>"If that tab is gone, start a new run."</p>
            </Notice>
        }
        .into_any(),
        _ => ().into_any(),
    }
}

pub(super) fn reason(error: &ApiError) -> String {
    match error {
        ApiError::Problem(problem) => problem.detail.clone(),
        _ => "The server did not answer as it should. Try again in a moment.".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_has_one_address() {
        let place = Some((Strategy::Memory, Threat::Reload));
        let none = Play::of_address(None, None);
        assert_eq!(address(None, None, &none), "/lab");
        assert_eq!(address(Some("a1"), None, &none), "/lab?run=a1");
        assert_eq!(address(None, place, &none), "/lab?cell=memory.reload");
        assert_eq!(
            address(Some("a&b"), place, &none),
            "/lab?run=a%26b&cell=memory.reload"
        );
        let play = Play::of_address(Some("SimpleJWT"), Some("s.t"));
        assert_eq!(address(None, None, &play), "/lab?design=SimpleJWT&steps=s.t");
    }
}
