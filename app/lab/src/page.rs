//! The page of the lab: introduction, experiments, simulator, live session, lifetimes.

use lab_types::Experiment;
use leptos::prelude::*;
use leptos_router::hooks::use_location;
use ui::{
    components::{NotFoundPage, PageHeading},
    lab_open::lab_is_open,
    session_ctx::use_session,
};

use super::{
    experiment::ExperimentSection,
    lifetimes::LifetimesSection,
    live::LiveSection,
    page_url::PageUrl,
    prose::{self, Prose},
    simulator::SimulatorSection,
};

/// The lab, if it is open.
#[component]
pub fn LabPage() -> impl IntoView {
    if !lab_is_open() {
        return view! { <NotFoundPage /> }.into_any();
    }
    let session = use_session();
    if session.is_hydrated_untracked() {
        // The visitor came from another page without a page load, and most of this page is in the server's HTML alone.
        let location = use_location();
        if let Some(platform) = session.platform() {
            let (path, query) = (location.pathname.get_untracked(), location.search.get_untracked());
            let query = query.trim_start_matches('?');
            platform.load_page(&if query.is_empty() {
                path
            } else {
                format!("{path}?{query}")
            });
        }
        return view! { <PageHeading title="Lab" /> }.into_any();
    }
    let url = PageUrl::of_page();
    let running = RwSignal::new(None);
    view! {
        <div class="page lab">
            <PageHeading title="Lab" text="Where should a page keep its tokens?" />
            <div class="lead lab__prose" inner_html=prose::html(Prose::Opening)></div>
            <ExperimentSection kind=Experiment::Storage url running />
            <ExperimentSection kind=Experiment::Forgery url running />
            <ExperimentSection kind=Experiment::Scripts url running />
            <SimulatorSection url />
            <LiveSection url />
            <ExperimentSection kind=Experiment::Races url running />
            <LifetimesSection />
            <div class="lab__prose" inner_html=prose::html(Prose::Glossary)></div>
            <div class="lab__prose" inner_html=prose::html(Prose::Story)></div>
        </div>
    }
    .into_any()
}
