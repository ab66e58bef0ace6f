//! The state of an experiment on the page.

use lab_types::{CellId, Experiment};
use leptos::prelude::*;

use super::run::CurrentRun;
use crate::page_url::PageUrl;

/// State that the parts of an experiment share.
#[derive(Debug, Clone, Copy)]
pub struct ExperimentState {
    pub kind: Experiment,
    pub run: CurrentRun,
    pub run_id: Memo<Option<String>>,
    /// The open cell, if it belongs to this experiment.
    pub open: Memo<Option<CellId>>,
    /// The cell that was just closed; the focus returns to it.
    pub closed: RwSignal<Option<CellId>>,
    url: PageUrl,
}

impl ExperimentState {
    pub fn of(kind: Experiment, url: PageUrl) -> Self {
        let run_id = url.part(move |page| page.run(kind).map(str::to_owned));
        Self {
            kind,
            run: CurrentRun::of_page(run_id.with_untracked(Option::is_some)),
            run_id,
            open: url.part(move |page| page.open.filter(|cell_id| cell_id.experiment() == kind)),
            closed: RwSignal::new(None),
            url,
        }
    }

    pub fn open(self, cell_id: CellId) {
        self.closed.set(None);
        self.url.change(|page| page.open = Some(cell_id));
    }

    pub fn close(self) {
        self.closed.set(self.open.get_untracked());
        self.url.change(|page| page.open = None);
    }

    pub fn show_run(self, id: String) {
        self.url.change(|page| page.set_run(self.kind, id));
    }
}
