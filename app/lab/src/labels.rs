//! Names and short sentences of the lab. Texts that never change are in [`prose`](super::prose).

pub use lab_types::labels::*;
use lab_types::{
    Bench, Cell, Crowd, Defence, Run, Stage, Verdict, Who,
    live::{Hand, State},
};
use session_client::ApiError;
use ui::components::Shape;

/// The conditions of a race run.
pub fn crowd(crowd: Crowd, database: &str) -> String {
    let (tabs, requests) = (crowd.tabs(), crowd.requests());
    format!(", {tabs} tabs with {requests} requests each, {database}")
}

/// The name of an experiment.
pub fn title(bench: Bench) -> &'static str {
    match bench {
        Bench::Storage => "Where tokens are kept",
        Bench::Forgery => "Forged requests",
        Bench::Scripts => "Smuggled scripts",
        Bench::Races => "Races",
    }
}

/// The label of its start button.
pub fn start(bench: Bench) -> &'static str {
    match bench {
        Bench::Storage => "Run all",
        Bench::Forgery => "Run the forgeries",
        Bench::Scripts => "Run the scripts",
        Bench::Races => "Run the races",
    }
}

/// The caption of its table.
pub fn caption(bench: Bench) -> &'static str {
    match bench {
        Bench::Storage => "What happens to a session, by where its tokens are kept",
        Bench::Forgery => "What becomes of a forged request, by what stands guard",
        Bench::Scripts => "What becomes of something smuggled in, by the page’s policy",
        Bench::Races => "What becomes of a session, by what keeps its refreshes apart",
    }
}

/// The word in a cell.
pub fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Safe => "Safe",
        Verdict::Exposed => "Exposed",
        Verdict::Survives => "Survives",
        Verdict::Lost => "Lost",
        Verdict::NotMeasured => "Not measured",
    }
}

/// The shape next to the word, different for each.
pub fn shape(verdict: Verdict) -> Shape {
    match verdict {
        Verdict::Safe => Shape::Check,
        Verdict::Exposed => Shape::Alert,
        Verdict::Survives => Shape::Turn,
        Verdict::Lost => Shape::Cross,
        Verdict::NotMeasured => Shape::Dot,
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
pub fn who(who: Who) -> &'static str {
    match who {
        Who::Page => "The page",
        Who::SecondTab => "The second tab",
        Who::Attacker => "The attacker’s server",
        Who::Lab => "The lab",
    }
}

/// A party of a live session, as the first word of a sentence.
pub fn actor(actor: Hand) -> &'static str {
    match actor {
        Hand::Owner => "Owner",
        Hand::Thief => "Thief",
    }
}

/// The state of a token of a live session.
pub fn token_state(state: Option<State>) -> &'static str {
    match state {
        Some(State::Issued) => "issued",
        Some(State::Active) => "active",
        Some(State::Rotated) => "rotated",
        Some(State::Superseded) => "superseded",
        Some(State::Displaced) => "displaced",
        Some(State::Blacklisted) => "blacklisted",
        Some(State::Ended) => "ended",
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
pub fn progress(run: &Run) -> String {
    let doing = match run.stage {
        Stage::Running => run.doing.as_str(),
        Stage::WantsSecondTab => "waiting for the second tab",
        Stage::Finished => {
            let measured = run.cells.iter().filter(|cell| is_measured(cell)).count();
            return format!("Finished. {measured} of {} cells were measured.", run.cells.len());
        }
    };
    let colon = if doing.is_empty() { "" } else { ": " };
    format!("{} of {} steps{colon}{doing}", run.done, run.steps)
}

fn is_measured(cell: &Cell) -> bool {
    cell.verdict != Verdict::NotMeasured
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

    use lab_types::{Place, Strategy, Threat};

    use super::*;
    use crate::test_run;

    fn run(stage: Stage) -> Run {
        let cell = |threat, verdict| {
            let strategy = Strategy::Memory;
            test_run::cell(Place::Storage { strategy, threat }, verdict)
        };
        let cells = vec![
            cell(Threat::Reload, Verdict::Lost),
            cell(Threat::NewTab, Verdict::NotMeasured),
        ];
        Run {
            done: 3,
            doing: "reloading the page".into(),
            ..test_run::run(Bench::Storage, stage, cells)
        }
    }

    /// The rows of a group are adjacent, so that each group has one head.
    #[test]
    fn rows_of_a_group_are_adjacent() {
        for bench in Bench::ALL {
            let mut heads: Vec<&str> = bench.rows().iter().map(|row| group(row[0])).collect();
            heads.dedup();
            assert_eq!(
                heads.iter().collect::<HashSet<_>>().len(),
                heads.len(),
                "{bench:?}"
            );
        }
    }

    #[test]
    fn names_and_shapes_are_unique() {
        for bench in Bench::ALL {
            let places = bench.rows().concat();
            let names: HashSet<String> = places.iter().map(|one| place(*one)).collect();
            assert_eq!(names.len(), places.len(), "{bench:?}");
        }
        let shapes = Verdict::ALL.iter().map(|one| format!("{:?}", shape(*one)));
        assert_eq!(shapes.collect::<HashSet<_>>().len(), Verdict::ALL.len());
    }

    #[test]
    fn progress_is_one_line() {
        assert_eq!(
            progress(&run(Stage::Running)),
            "3 of 40 steps: reloading the page"
        );
        assert_eq!(
            progress(&run(Stage::WantsSecondTab)),
            "3 of 40 steps: waiting for the second tab"
        );
        assert_eq!(
            progress(&run(Stage::Finished)),
            "Finished. 1 of 2 cells were measured."
        );
        let silent = Run {
            doing: String::new(),
            ..run(Stage::Running)
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
