//! The live session of this page: started, followed, and continued.

use std::time::Duration;

use lab_types::live::{Design, NewSimulation, SimulationAction, SimulationSnapshot};
use lab_types::paths;
use leptos::{prelude::*, task::spawn_local};
use session_client::{ApiError, ApiRequest, ApiResponse, Method};

use super::name::Name;
use crate::{
    address::Address,
    bench::reason,
    port::Port,
    watch::{Found, Source, Watch, path},
};

/// The endpoints of live sessions.
static PLAYS: Source = Source {
    path: paths::SIMULATION,
    events: paths::SIMULATION_EVENTS,
    event: "play",
};

/// Extra waiting time after the grace period, because the response to a rotation was on its way for a while.
const MARGIN: Duration = Duration::from_millis(200);

/// The current activity of this page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    Nothing,
    /// A request is under way.
    Asking,
    /// It waits for the end of the grace period.
    Waiting,
    /// The wait has ended, and nothing was done since.
    Waited,
}

/// State that the parts of the section share.
#[derive(Debug, Clone, Copy)]
pub struct Stage {
    pub play: RwSignal<Option<SimulationSnapshot>>,
    /// The last failure, and what to do about it.
    pub failure: RwSignal<Option<(&'static str, String)>>,
    pub watch: Watch,
    /// The session id in the URL.
    pub id: Memo<Option<String>>,
    /// The design of the next session.
    pub design: RwSignal<Design>,
    address: Address,
    port: Port,
    doing: RwSignal<Doing>,
    /// Counts the waits, so that the timer of an earlier wait does not end a later one.
    waits: RwSignal<u32>,
}

impl Stage {
    /// Creates the state, which ends with the page.
    pub fn of_page(address: Address) -> Self {
        let id = address.part(|view| view.live.clone());
        let play = RwSignal::new(None::<SimulationSnapshot>);
        let doing = RwSignal::new(Doing::Nothing);
        let waits = RwSignal::new(0_u32);
        let take = move |answer: Option<ApiResponse>| {
            let told: Option<SimulationSnapshot> = answer.map(|answer| answer.json()).transpose()?;
            let goes_on = told.as_ref().is_some_and(|play| play.actions_left > 0);
            if play.with_untracked(|before| *before != told) {
                let grace = told.as_ref().map_or(0, |play| play.grace_ms);
                play.set(told);
                // Another visitor may have continued the session; then the grace period starts again.
                match doing.get_untracked() {
                    Doing::Waited => doing.set(Doing::Nothing),
                    Doing::Waiting => wait_for(grace, doing, waits),
                    Doing::Nothing | Doing::Asking => {}
                }
            }
            Ok(goes_on)
        };
        Self {
            play,
            failure: RwSignal::new(None),
            watch: Watch::of_page(&PLAYS, id.with_untracked(Option::is_some), take),
            id,
            design: RwSignal::new(Design::default()),
            address,
            port: Port::of_page(),
            doing,
            waits,
        }
    }

    /// A value of the session; tracked.
    pub fn at<T>(self, tell: impl FnOnce(&SimulationSnapshot) -> T) -> Option<T> {
        self.play.with(|play| play.as_ref().map(tell))
    }

    /// Whether other actions are blocked at the moment; tracked.
    pub fn is_busy(self) -> bool {
        busy(self.doing.get())
    }

    /// The last step and its result; tracked.
    pub fn last(self) -> String {
        let grace = self.at(|play| play.grace_ms / 1000).unwrap_or_default();
        match (self.doing.get(), self.watch.found()) {
            (Doing::Waiting, _) => format!("Waiting {grace} s."),
            (Doing::Waited, _) => "The grace is over.".into(),
            (_, Found::Nothing) => "Not started yet.".into(),
            (_, Found::Asking) => "Asking for the play.".into(),
            _ => self.at(told).unwrap_or_default(),
        }
    }

    /// The state after the last step; tracked.
    pub fn standing(self) -> String {
        self.at(|play| play.outcome.clone()).unwrap_or_default()
    }

    /// Starts a session, in place of the current one.
    pub fn start(self) {
        let new = NewSimulation {
            design: self.design.get_untracked(),
        };
        let request = ApiRequest::new(Method::Post, paths::SIMULATIONS).with_json(&new);
        self.send(request, move |answer| {
            let play: SimulationSnapshot = answer.json()?;
            self.address.change(|view| view.live = Some(play.id));
            Ok(())
        });
    }

    /// Sends an action. The stream reports the result.
    pub fn act(self, act: SimulationAction) {
        let id = self
            .play
            .with_untracked(|play| play.as_ref().map(|play| play.id.clone()));
        if let Some(id) = id {
            let request = ApiRequest::new(Method::Post, path(paths::SIMULATION_ACTIONS, &id)).with_json(&act);
            self.send(request, |answer| answer.success());
        }
    }

    /// Waits in real time, until every earlier step is past the grace period.
    pub fn wait(self) {
        let grace = self
            .play
            .with_untracked(|play| play.as_ref().map(|play| play.grace_ms));
        let (Some(grace), false) = (grace, busy(self.doing.get_untracked())) else {
            return;
        };
        self.failure.set(None);
        self.doing.set(Doing::Waiting);
        wait_for(grace, self.doing, self.waits);
    }

    fn send(self, request: ApiRequest, take: impl FnOnce(ApiResponse) -> Result<(), ApiError> + 'static) {
        let (Some(port), false) = (self.port.get(), busy(self.doing.get_untracked())) else {
            return;
        };
        self.failure.set(None);
        self.doing.set(Doing::Asking);
        spawn_local(async move {
            let answer = port.send(request).await.map_err(|_| ApiError::Offline);
            // The page may be gone by now.
            if self.doing.try_set(Doing::Nothing).is_some() {
                return;
            }
            if let Err(error) = answer.and_then(take) {
                // Only a refusal is certain: if a response is lost, the action may have been done.
                let title = match &error {
                    ApiError::Problem(problem) if problem.status < 500 => "Nothing was done",
                    _ => "It is not known whether that was done",
                };
                self.failure.set(Some((title, reason(&error))));
            }
        });
    }
}

/// Waits for a grace period that starts now.
fn wait_for(grace_ms: u64, doing: RwSignal<Doing>, waits: RwSignal<u32>) {
    let this = waits.get_untracked().wrapping_add(1);
    waits.set(this);
    let over = move || {
        if waits.try_get_untracked() == Some(this) && doing.try_get_untracked() == Some(Doing::Waiting) {
            doing.set(Doing::Waited);
        }
    };
    set_timeout(over, Duration::from_millis(grace_ms) + MARGIN);
}

fn busy(doing: Doing) -> bool {
    matches!(doing, Doing::Asking | Doing::Waiting)
}

/// The last action, and the response to it.
fn told(play: &SimulationSnapshot) -> String {
    play.done.last().map_or_else(String::new, |done| {
        let (who, what) = (Name(done.who), &done.what);
        if done.said.is_empty() {
            format!("{who} {what}.")
        } else {
            format!("{who} {what}: {}.", done.said)
        }
    })
}
