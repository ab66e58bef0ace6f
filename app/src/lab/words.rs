//! Names and sentences of the lab that change while one looks. Everything else is in [`prose`](super::prose).

use api_types::lab::{Cell, Defence, Run, Stage, Strategy, Threat, Verdict, Who};

use crate::components::Shape;

/// The head of a column.
pub fn strategy(strategy: Strategy) -> &'static str {
    match strategy {
        Strategy::LocalStorage => "localStorage",
        Strategy::SessionStorage => "sessionStorage",
        Strategy::ReadableCookie => "Cookies that scripts read",
        Strategy::SessionCookie => "Session id in an httpOnly cookie",
        Strategy::Memory => "Memory alone",
        Strategy::Keyturn => "Memory and a rotated httpOnly cookie",
    }
}

/// The head of a row.
pub fn threat(threat: Threat) -> &'static str {
    match threat {
        Threat::Reload => "A reload",
        Threat::NewTab => "A second tab",
        Threat::Restart => "The browser restarts",
        Threat::SingleExecutionTheft => "A script runs once and steals",
        Threat::PersistentTheft => "A script stays and steals",
        Threat::NewTokens => "A script gets tokens of its own",
        Threat::Proxying => "A script acts through the page",
        Threat::CsrfChange => "A form changes something",
        Threat::CsrfLogin => "A form signs in a stranger",
        Threat::CsrfLogout => "A form signs out",
        Threat::AccessAfterSignOut => "Access token after sign-out",
        Threat::RefreshAfterRotation => "Refresh token after its rotation",
        Threat::RefreshBeforeOwner => "Refresh token before its owner",
    }
}

/// What a group of rows has in common. Every threat is in one.
pub const GROUPS: [(&str, &[Threat]); 4] = [
    (
        "What a session should survive",
        &[Threat::Reload, Threat::NewTab, Threat::Restart],
    ),
    (
        "Cross-site scripting",
        &[
            Threat::SingleExecutionTheft,
            Threat::PersistentTheft,
            Threat::NewTokens,
            Threat::Proxying,
        ],
    ),
    (
        "Cross-site request forgery",
        &[Threat::CsrfChange, Threat::CsrfLogin, Threat::CsrfLogout],
    ),
    (
        "Stolen copies",
        &[
            Threat::AccessAfterSignOut,
            Threat::RefreshAfterRotation,
            Threat::RefreshBeforeOwner,
        ],
    ),
];

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

/// The shape beside the word, different for each.
pub fn shape(verdict: Verdict) -> Shape {
    match verdict {
        Verdict::Safe => Shape::Check,
        Verdict::Exposed => Shape::Alert,
        Verdict::Survives => Shape::Turn,
        Verdict::Lost => Shape::Cross,
        Verdict::NotMeasured => Shape::Dot,
    }
}

/// What is missing in a run without it.
pub fn defence(defence: Defence) -> &'static str {
    match defence {
        Defence::HttpOnly => "Without HttpOnly",
        Defence::CrossSite => "Without the cross-site guard",
        Defence::Revocation => "Without revocation",
        Defence::ReuseDetection => "Without reuse detection",
    }
}

/// Who did something.
pub fn who(who: Who) -> &'static str {
    match who {
        Who::Page => "The page",
        Who::SecondTab => "The second tab",
        Who::Attacker => "The attacker’s server",
        Who::Lab => "The lab",
    }
}

/// Where a run is, in a line.
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

/// When something happened after something else.
pub fn after(at_ms: u64, begin_ms: u64) -> String {
    let ms = at_ms.saturating_sub(begin_ms);
    format!("{}.{:03} s", ms / 1000, ms % 1000)
}

/// Longer ones are shortened.
const LONGEST: usize = 72;
const HEAD: usize = 40;
const TAIL: usize = 12;

/// The beginning and the end of a text that is too long to be read, such as a token; `None` if it is not.
pub fn shortened(text: &str) -> Option<String> {
    let length = text.chars().count();
    if length <= LONGEST {
        return None;
    }
    let head: String = text.chars().take(HEAD).collect();
    let tail: String = text.chars().skip(length - TAIL).collect();
    Some(format!("{head}…{tail}"))
}

/// A cell in the query of the page: `memory.reload`.
pub fn cell_name(strategy: Strategy, threat: Threat) -> String {
    format!("{}.{}", strategy.slug(), threat.slug())
}

/// Reads it back.
pub fn cell_of(name: &str) -> Option<(Strategy, Threat)> {
    let (strategy, threat) = name.split_once('.')?;
    Some((Strategy::from_slug(strategy)?, Threat::from_slug(threat)?))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn run(stage: Stage) -> Run {
        let cell = |threat, verdict| Cell {
            strategy: Strategy::Memory,
            threat,
            verdict,
            because: String::new(),
            measured_at_ms: None,
        };
        Run {
            id: "1".into(),
            started_at_ms: 0,
            browser: String::new(),
            without: None,
            stage,
            done: 3,
            steps: 40,
            doing: "reloading the page".into(),
            cells: vec![
                cell(Threat::Reload, Verdict::Lost),
                cell(Threat::NewTab, Verdict::NotMeasured),
            ],
        }
    }

    #[test]
    fn every_threat_is_in_one_group() {
        let grouped: Vec<_> = GROUPS
            .iter()
            .flat_map(|(_, threats)| threats.iter().copied())
            .collect();
        assert_eq!(grouped, Threat::ALL);
    }

    #[test]
    fn no_two_things_have_the_same_name() {
        let names: Vec<&str> = Strategy::ALL
            .iter()
            .map(|one| strategy(*one))
            .chain(Threat::ALL.iter().map(|one| threat(*one)))
            .chain(Verdict::ALL.iter().map(|one| verdict(*one)))
            .chain(Defence::ALL.iter().map(|one| defence(*one)))
            .collect();
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
        let shapes = Verdict::ALL.iter().map(|one| format!("{:?}", shape(*one)));
        assert_eq!(shapes.collect::<HashSet<_>>().len(), Verdict::ALL.len());
    }

    #[test]
    fn progress_says_what_is_going_on() {
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

    #[test]
    fn a_link_to_a_cell_is_read_back() {
        for strategy in Strategy::ALL {
            for threat in Threat::ALL {
                let name = cell_name(*strategy, *threat);
                assert_eq!(cell_of(&name), Some((*strategy, *threat)));
            }
        }
        for name in [
            "",
            "memory",
            "memory.",
            "memory.reload.",
            ".reload",
            "reload.memory",
        ] {
            assert_eq!(cell_of(name), None, "{name:?}");
        }
    }
}
