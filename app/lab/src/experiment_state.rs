//! What the parts of an experiment share.

use lab_types::{CellId, Experiment};
use leptos::prelude::*;

use super::{address::Address, follow::Follow};

/// State that the parts of an experiment share.
#[derive(Debug, Clone, Copy)]
pub struct ExperimentState {
    pub bench: Experiment,
    pub follow: Follow,
    pub run_id: Memo<Option<String>>,
    /// The open cell, if it belongs to this experiment.
    pub open: Memo<Option<CellId>>,
    /// The cell that was just closed; the focus returns to it.
    pub closed: RwSignal<Option<CellId>>,
    address: Address,
}

impl ExperimentState {
    pub fn of(bench: Experiment, address: Address) -> Self {
        let run_id = address.part(move |view| view.run(bench).map(str::to_owned));
        Self {
            bench,
            follow: Follow::of_page(run_id.with_untracked(Option::is_some)),
            run_id,
            open: address.part(move |view| view.open.filter(|place| place.experiment() == bench)),
            closed: RwSignal::new(None),
            address,
        }
    }

    pub fn open(self, place: CellId) {
        self.closed.set(None);
        self.address.change(|view| view.open = Some(place));
    }

    pub fn close(self) {
        self.closed.set(self.open.get_untracked());
        self.address.change(|view| view.open = None);
    }

    pub fn show_run(self, id: String) {
        self.address.change(|view| view.set_run(self.bench, id));
    }
}
