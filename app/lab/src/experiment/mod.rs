//! An experiment: its description and its run, its table, and the evidence of the open cell.
//!
//! [`state`] is what its parts share; [`run`] starts a run and follows it.

pub mod combined_defences;
pub mod evidence;
pub mod http_exchange;
pub mod matrix;
pub mod options;
pub mod run;
pub mod run_card;
pub mod state;
pub mod verdict_mark;

use lab_types::Experiment;
use leptos::prelude::*;
use ui::{components::maybe, session_ctx::use_session};

use super::page_url::PageUrl;
use combined_defences::CombinedDefences;
use evidence::EvidenceSection;
use matrix::Matrix;
use run_card::{RunCard, RunningExperiment};
use state::ExperimentState;

/// A complete experiment.
#[component]
pub fn ExperimentSection(kind: Experiment, url: PageUrl, running: RunningExperiment) -> impl IntoView {
    let session = use_session();
    let experiment = ExperimentState::of(kind, url);
    Effect::new(move |_| {
        if session.hydrated() {
            experiment.run.switch_to(experiment.run_id.get());
        }
    });
    let is_forgery = kind == Experiment::Forgery;
    view! {
        <div class="lab__experiment">
            <RunCard experiment running />
            <Matrix experiment />
            {maybe(is_forgery.then(|| view! { <CombinedDefences run=experiment.run.latest() /> }))}
            <EvidenceSection experiment />
        </div>
    }
    .into_any()
}
