//! Names and sentences of the lab that change while the page is open. All other text is in [`prose`](super::prose).

pub use lab_types::labels::*;
use lab_types::{Cell, CellVerdict, Concurrency, Defence, Experiment, Participant, RunSnapshot, RunStatus};

use ui::components::Shape;

/// The conditions of a race run.
pub fn crowd(crowd: Concurrency, database: &str) -> String {
    let (tabs, requests) = (crowd.tabs(), crowd.requests());
    format!(", {tabs} tabs with {requests} requests each, {database}")
}

/// The name of an experiment.
pub fn title(bench: Experiment) -> &'static str {
    match bench {
        Experiment::Storage => "Where tokens are kept",
        Experiment::Forgery => "Forged requests",
        Experiment::Scripts => "Smuggled scripts",
        Experiment::Races => "Races",
    }
}

/// The label of its start button.
pub fn start(bench: Experiment) -> &'static str {
    match bench {
        Experiment::Storage => "Run all",
        Experiment::Forgery => "Run the forgeries",
        Experiment::Scripts => "Run the scripts",
        Experiment::Races => "Run the races",
    }
}

/// The caption of its table.
pub fn caption(bench: Experiment) -> &'static str {
    match bench {
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

    fn run(stage: RunStatus) -> RunSnapshot {
        let cell = |threat, verdict| Cell {
            id: CellId::Storage {
                strategy: Strategy::Memory,
                threat,
            },
            verdict,
            because: String::new(),
            measured_at_ms: None,
        };
        RunSnapshot {
            id: "1".into(),
            experiment: Experiment::Storage,
            started_at_ms: 0,
            browser: String::new(),
            database: String::new(),
            without: None,
            concurrency: None,
            status: stage,
            done: 3,
            steps: 40,
            doing: "reloading the page".into(),
            cells: vec![
                cell(Threat::Reload, CellVerdict::Lost),
                cell(Threat::NewTab, CellVerdict::NotMeasured),
            ],
        }
    }

    /// The rows of a group are adjacent, so that each group has one head.
    #[test]
    fn a_group_is_not_interrupted() {
        for bench in Experiment::ALL {
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
    fn no_two_things_have_the_same_name() {
        for bench in Experiment::ALL {
            let places = bench.rows().concat();
            let names: HashSet<String> = places.iter().map(|one| cell(*one)).collect();
            assert_eq!(names.len(), places.len(), "{bench:?}");
        }
        let shapes = CellVerdict::ALL.iter().map(|one| format!("{:?}", shape(*one)));
        assert_eq!(shapes.collect::<HashSet<_>>().len(), CellVerdict::ALL.len());
    }

    #[test]
    fn progress_says_what_is_going_on() {
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
    fn a_moment_is_told_from_the_beginning() {
        assert_eq!(after(1_250, 200), "1.050 s");
        assert_eq!(after(100, 200), "0.000 s");
    }

    #[test]
    fn only_what_is_too_long_is_shortened() {
        assert_eq!(shortened(&"a".repeat(LONGEST)), None);
        let long = format!("{}{}", "ä".repeat(80), "z".repeat(20));
        let short = shortened(&long).expect("it is long");
        assert_eq!(short, format!("{}…{}", "ä".repeat(HEAD), "z".repeat(TAIL)));
    }
}
