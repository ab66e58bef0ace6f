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
    address::Address, bench::BenchSection, lifetimes::LifetimesSection, live::LiveSection, prose,
    theatre::TheatreSection,
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
    let address = Address::of_page();
    let under_way = RwSignal::new(None);
    view! {
        <div class="page lab">
            <PageHeading title="Lab" text="Where should a page keep its tokens?" />
            <div class="lead lab__prose" inner_html=prose::opening()></div>
            <BenchSection bench=Experiment::Storage address under_way />
            <BenchSection bench=Experiment::Forgery address under_way />
            <BenchSection bench=Experiment::Scripts address under_way />
            <TheatreSection address />
            <LiveSection address />
            <BenchSection bench=Experiment::Races address under_way />
            <LifetimesSection />
            <div class="lab__prose" inner_html=prose::glossary()></div>
            <div class="lab__prose" inner_html=prose::story()></div>
        </div>
    }
    .into_any()
}
