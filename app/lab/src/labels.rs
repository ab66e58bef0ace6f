//! Names and short sentences of the lab. Texts that never change are in [`prose`](super::prose).

pub use lab_types::labels::*;
use lab_types::{
    Cell, CellVerdict, Concurrency, Defence, Experiment, Participant, RunSnapshot, RunStatus,
    live::{Actor, TokenState},
};
use session_client::ApiError;
use ui::components::Shape;

/// The conditions of a race run.
pub fn concurrency(concurrency: Concurrency, database: &str) -> String {
    let (tabs, requests) = (concurrency.tabs(), concurrency.requests());
    format!(", {tabs} tabs with {requests} requests each, {database}")
}

/// The name of an experiment.
pub fn title(experiment: Experiment) -> &'static str {
    match experiment {
        Experiment::Storage => "Where tokens are kept",
        Experiment::Forgery => "Forged requests",
        Experiment::Scripts => "Smuggled scripts",
        Experiment::Races => "Races",
    }
}

/// The label of its start button.
pub fn start(experiment: Experiment) -> &'static str {
    match experiment {
        Experiment::Storage => "Run all",
        Experiment::Forgery => "Run the forgeries",
        Experiment::Scripts => "Run the scripts",
        Experiment::Races => "Run the races",
    }
}

/// The caption of its table.
pub fn caption(experiment: Experiment) -> &'static str {
    match experiment {
        Experiment::Storage => "What happens to a session, by where its tokens are kept",
        Experiment::Forgery => "What becomes of a forged request, by what stands guard",
        Experiment::Scripts => "What becomes of something smuggled in, by the page’s policy",
        Experiment::Races => "What becomes of a session, by what keeps its refreshes apart",
    }
}

/// The word in a cell.
pub fn verdict(verdict: CellVerdict) -> &'static str {
    match verdict {
        CellVerdict::Safe => "Safe",
        CellVerdict::Exposed => "Exposed",
        CellVerdict::Survives => "Survives",
        CellVerdict::Lost => "Lost",
        CellVerdict::NotMeasured => "Not measured",
    }
}

/// The shape next to the word, different for each.
pub fn shape(verdict: CellVerdict) -> Shape {
    match verdict {
        CellVerdict::Safe => Shape::Check,
        CellVerdict::Exposed => Shape::Alert,
        CellVerdict::Survives => Shape::Turn,
        CellVerdict::Lost => Shape::Cross,
        CellVerdict::NotMeasured => Shape::Dot,
    }
}

/// A defence that a run can turn off.
pub fn defence(defence: Defence) -> &'static str {
    match defence {
        Defence::HttpOnly => "HttpOnly",
        Defence::CrossSite => "Cross-site guard",
        Defence::Revocation => "Revocation",
        Defence::ReuseDetection => "Reuse detection",
    }
}

/// The actor of an event.
pub fn who(who: Participant) -> &'static str {
    match who {
        Participant::Page => "The page",
        Participant::SecondTab => "The second tab",
        Participant::Attacker => "The attacker’s server",
        Participant::Lab => "The lab",
    }
}

/// A party of a live session, as the first word of a sentence.
pub fn actor(actor: Actor) -> &'static str {
    match actor {
        Actor::Owner => "Owner",
        Actor::Thief => "Thief",
    }
}

/// The state of a token of a live session.
pub fn token_state(state: Option<TokenState>) -> &'static str {
    match state {
        Some(TokenState::Issued) => "issued",
        Some(TokenState::Active) => "active",
        Some(TokenState::Rotated) => "rotated",
        Some(TokenState::Superseded) => "superseded",
        Some(TokenState::Displaced) => "displaced",
        Some(TokenState::Blacklisted) => "blacklisted",
        Some(TokenState::Ended) => "ended",
        None => "not known",
    }
}

/// Why a request failed, and what to do about it.
pub fn failure(error: &ApiError) -> String {
    match error {
        ApiError::Problem(problem) => problem.detail.clone(),
        _ => "The server did not answer as it should. Try again in a moment.".into(),
    }
}

/// The progress of a run, in a line.
pub fn progress(run: &RunSnapshot) -> String {
    let doing = match run.status {
        RunStatus::Running => run.doing.as_str(),
        RunStatus::WantsSecondTab => "waiting for the second tab",
        RunStatus::Finished => {
            let measured = run.cells.iter().filter(|cell| is_measured(cell)).count();
            return format!("Finished. {measured} of {} cells were measured.", run.cells.len());
        }
    };
    let colon = if doing.is_empty() { "" } else { ": " };
    format!("{} of {} steps{colon}{doing}", run.done, run.steps)
}

fn is_measured(cell: &Cell) -> bool {
    cell.verdict != CellVerdict::NotMeasured
}

/// The time of an event relative to the beginning.
pub fn after(at_ms: u64, begin_ms: u64) -> String {
    let ms = at_ms.saturating_sub(begin_ms);
    format!("{}.{:03} s", ms / 1000, ms % 1000)
}

/// Longer texts are shortened.
const LONGEST: usize = 72;
const HEAD: usize = 40;
const TAIL: usize = 12;

/// The beginning and the end of a text that is too long to read, such as a token; `None` if it is short enough.
pub fn shortened(text: &str) -> Option<String> {
    let length = text.chars().count();
    if length <= LONGEST {
        return None;
    }
    let head: String = text.chars().take(HEAD).collect();
    let tail: String = text.chars().skip(length - TAIL).collect();
    Some(format!("{head}…{tail}"))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use lab_types::{CellId, Strategy, Threat};

    use super::*;
    use crate::test_run;

    fn run(stage: RunStatus) -> RunSnapshot {
        let cell = |threat, verdict| {
            let strategy = Strategy::Memory;
            test_run::cell(CellId::Storage { strategy, threat }, verdict)
        };
        let cells = vec![
            cell(Threat::Reload, CellVerdict::Lost),
            cell(Threat::NewTab, CellVerdict::NotMeasured),
        ];
        RunSnapshot {
            done: 3,
            doing: "reloading the page".into(),
            ..test_run::run(Experiment::Storage, stage, cells)
        }
    }

    /// The rows of a group are adjacent, so that each group has one head.
    #[test]
    fn rows_of_a_group_are_adjacent() {
        for experiment in Experiment::ALL {
            let mut heads: Vec<&str> = experiment.rows().iter().map(|row| group(row[0])).collect();
            heads.dedup();
            assert_eq!(
                heads.iter().collect::<HashSet<_>>().len(),
                heads.len(),
                "{experiment:?}"
            );
        }
    }

    #[test]
    fn names_and_shapes_are_unique() {
        for experiment in Experiment::ALL {
            let cells = experiment.rows().concat();
            let names: HashSet<String> = cells.iter().map(|one| cell(*one)).collect();
            assert_eq!(names.len(), cells.len(), "{experiment:?}");
        }
        let shapes = CellVerdict::ALL.iter().map(|one| format!("{:?}", shape(*one)));
        assert_eq!(shapes.collect::<HashSet<_>>().len(), CellVerdict::ALL.len());
    }

    #[test]
    fn progress_is_one_line() {
        assert_eq!(
            progress(&run(RunStatus::Running)),
            "3 of 40 steps: reloading the page"
        );
        assert_eq!(
            progress(&run(RunStatus::WantsSecondTab)),
            "3 of 40 steps: waiting for the second tab"
        );
        assert_eq!(
            progress(&run(RunStatus::Finished)),
            "Finished. 1 of 2 cells were measured."
        );
        let silent = RunSnapshot {
            doing: String::new(),
            ..run(RunStatus::Running)
        };
        assert_eq!(progress(&silent), "3 of 40 steps");
    }

    #[test]
    fn times_count_from_the_start() {
        assert_eq!(after(1_250, 200), "1.050 s");
        assert_eq!(after(100, 200), "0.000 s");
    }

    #[test]
    fn only_long_texts_are_shortened() {
        assert_eq!(shortened(&"a".repeat(LONGEST)), None);
        let long = format!("{}{}", "ä".repeat(80), "z".repeat(20));
        let short = shortened(&long).expect("it is long");
        assert_eq!(short, format!("{}…{}", "ä".repeat(HEAD), "z".repeat(TAIL)));
    }
}
