//! The live session of this page: started, followed, and continued.

use std::time::Duration;

use lab_types::live::{Design, NewSimulation, SimulationAction, SimulationSnapshot};
use lab_types::paths;
use leptos::{prelude::*, task::spawn_local};
use session_client::{ApiError, ApiRequest, ApiResponse, Method};

use crate::{
    components::action_button,
    lab_port::PortHandle,
    labels,
    page_url::PageUrl,
    resource_watch::{Endpoints, LoadStatus, ResourceWatch, path},
};

/// The endpoints of live sessions.
static ENDPOINTS: Endpoints = Endpoints {
    resource: paths::SIMULATION,
    events: paths::SIMULATION_EVENTS,
    event: "play",
};

/// Extra waiting time after the grace period, because the response to a rotation was on its way for a while.
const MARGIN: Duration = Duration::from_millis(200);

/// The current activity of this page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Activity {
    Nothing,
    /// A request is under way.
    Requesting,
    /// It waits for the end of the grace period.
    Waiting,
    /// The wait has ended, and nothing was done since.
    Waited,
}

/// State that the parts of the section share.
#[derive(Debug, Clone, Copy)]
pub struct LiveState {
    pub simulation: RwSignal<Option<SimulationSnapshot>>,
    /// The last failure, and what to do about it.
    pub failure: RwSignal<Option<(&'static str, String)>>,
    pub watch: ResourceWatch,
    /// The session id in the URL.
    pub id: Memo<Option<String>>,
    /// The design of the next session.
    pub design: RwSignal<Design>,
    url: PageUrl,
    port: PortHandle,
    activity: RwSignal<Activity>,
    /// Counts the waits, so that the timer of an earlier wait does not end a later one.
    waits: RwSignal<u32>,
}

impl LiveState {
    /// Creates the state, which ends with the page.
    pub fn of_page(url: PageUrl) -> Self {
        let id = url.part(|page| page.live.clone());
        let simulation = RwSignal::new(None::<SimulationSnapshot>);
        let activity = RwSignal::new(Activity::Nothing);
        let waits = RwSignal::new(0_u32);
        let on_update = move |answer: Option<ApiResponse>| {
            let new: Option<SimulationSnapshot> = answer.map(|answer| answer.json()).transpose()?;
            let goes_on = new.as_ref().is_some_and(|simulation| simulation.actions_left > 0);
            if simulation.with_untracked(|before| *before != new) {
                let grace = new.as_ref().map_or(0, |simulation| simulation.grace_ms);
                simulation.set(new);
                // Another visitor may have continued the session; then the grace period starts again.
                match activity.get_untracked() {
                    Activity::Waited => activity.set(Activity::Nothing),
                    Activity::Waiting => wait_for(grace, activity, waits),
                    Activity::Nothing | Activity::Requesting => {}
                }
            }
            Ok(goes_on)
        };
        Self {
            simulation,
            failure: RwSignal::new(None),
            watch: ResourceWatch::of_page(&ENDPOINTS, id.with_untracked(Option::is_some), on_update),
            id,
            design: RwSignal::new(Design::default()),
            url,
            port: PortHandle::of_page(),
            activity,
            waits,
        }
    }

    /// A value of the session; tracked.
    pub fn at<T>(self, read: impl FnOnce(&SimulationSnapshot) -> T) -> Option<T> {
        self.simulation.with(|simulation| simulation.as_ref().map(read))
    }

    /// Whether other actions are blocked at the moment; tracked.
    pub fn is_busy(self) -> bool {
        busy(self.activity.get())
    }

    /// A button that does nothing during a request.
    pub fn button(self, name: impl Into<String>, act: impl Fn() + 'static) -> AnyView {
        action_button(name, Some(Signal::derive(move || self.is_busy())), act)
    }

    /// The last step and its result; tracked.
    pub fn last(self) -> String {
        let grace = self
            .at(|simulation| simulation.grace_ms / 1000)
            .unwrap_or_default();
        match (self.activity.get(), self.watch.status()) {
            (Activity::Waiting, _) => format!("Waiting {grace} s."),
            (Activity::Waited, _) => "The grace is over.".into(),
            (_, LoadStatus::Nothing) => "Not started yet.".into(),
            (_, LoadStatus::Loading) => "Asking for the play.".into(),
            _ => self.at(last_step).unwrap_or_default(),
        }
    }

    /// The state after the last step; tracked.
    pub fn outcome(self) -> String {
        self.at(|simulation| simulation.outcome.clone())
            .unwrap_or_default()
    }

    /// Starts a session, in place of the current one.
    pub fn start(self) {
        let new = NewSimulation {
            design: self.design.get_untracked(),
        };
        let request = ApiRequest::new(Method::Post, paths::SIMULATIONS).with_json(&new);
        self.send(request, move |answer| {
            let simulation: SimulationSnapshot = answer.json()?;
            self.url.change(|page| page.live = Some(simulation.id));
            Ok(())
        });
    }

    /// Sends an action. The stream reports the result.
    pub fn act(self, act: SimulationAction) {
        let id = self
            .simulation
            .with_untracked(|simulation| simulation.as_ref().map(|simulation| simulation.id.clone()));
        if let Some(id) = id {
            let request = ApiRequest::new(Method::Post, path(paths::SIMULATION_ACTIONS, &id)).with_json(&act);
            self.send(request, |answer| answer.success());
        }
    }

    /// Waits in real time, until every earlier step is past the grace period.
    pub fn wait(self) {
        let grace = self
            .simulation
            .with_untracked(|simulation| simulation.as_ref().map(|simulation| simulation.grace_ms));
        let (Some(grace), false) = (grace, busy(self.activity.get_untracked())) else {
            return;
        };
        self.failure.set(None);
        self.activity.set(Activity::Waiting);
        wait_for(grace, self.activity, self.waits);
    }

    fn send(self, request: ApiRequest, take: impl FnOnce(ApiResponse) -> Result<(), ApiError> + 'static) {
        let (Some(port), false) = (self.port.get(), busy(self.activity.get_untracked())) else {
            return;
        };
        self.failure.set(None);
        self.activity.set(Activity::Requesting);
        spawn_local(async move {
            let answer = port.send(request).await.map_err(|_| ApiError::Offline);
            // The page may be gone by now.
            if self.activity.try_set(Activity::Nothing).is_some() {
                return;
            }
            if let Err(error) = answer.and_then(take) {
                // Only a refusal is certain: if a response is lost, the action may have been done.
                let title = match &error {
                    ApiError::Problem(problem) if problem.status < 500 => "Nothing was done",
                    _ => "It is not known whether that was done",
                };
                self.failure.set(Some((title, labels::failure(&error))));
            }
        });
    }
}

/// Waits for a grace period that starts now.
fn wait_for(grace_ms: u64, activity: RwSignal<Activity>, waits: RwSignal<u32>) {
    let this = waits.get_untracked().wrapping_add(1);
    waits.set(this);
    let end = move || {
        if waits.try_get_untracked() == Some(this) && activity.try_get_untracked() == Some(Activity::Waiting)
        {
            activity.set(Activity::Waited);
        }
    };
    set_timeout(end, Duration::from_millis(grace_ms) + MARGIN);
}

fn busy(activity: Activity) -> bool {
    matches!(activity, Activity::Requesting | Activity::Waiting)
}

/// The last action, and the response to it.
fn last_step(simulation: &SimulationSnapshot) -> String {
    simulation.done.last().map_or_else(String::new, |done| {
        let (who, what) = (labels::actor(done.who), &done.what);
        if done.said.is_empty() {
            format!("{who} {what}.")
        } else {
            format!("{who} {what}: {}.", done.said)
        }
    })
}
