//! Names and sentences of the lab that change while the page is open. All other text is in [`prose`](super::prose).

use api_types::lab::{
    Bench, Cell, Crowd, Defence, Guard, Injection, Load, Place, Policy, Remedy, Run, Source, Stage, Strategy,
    Threat, Vector, Verdict, Who,
};

use crate::components::Shape;

/// The head of a column.
pub fn strategy(strategy: Strategy) -> &'static str {
    match strategy {
        Strategy::LocalStorage => "localStorage",
        Strategy::SessionStorage => "sessionStorage",
        Strategy::ReadableCookie => "Cookies that scripts read",
        Strategy::SessionCookie => "Session id in an httpOnly cookie",
        Strategy::Memory => "Memory alone",
        Strategy::Keyturn => "Memory and a rotated cookie (Keyturn)",
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
        Threat::NewTokens => "A script obtains new tokens",
        Threat::Proxying => "A script acts through the page",
        Threat::CsrfChange => "A form changes something",
        Threat::CsrfLogin => "A form signs in a stranger",
        Threat::CsrfLogout => "A form signs out",
        Threat::AccessAfterSignOut => "Access token after sign-out",
        Threat::RefreshAfterRotation => "Refresh token after its rotation",
        Threat::RefreshBeforeOwner => "Refresh token before its owner, who comes back",
    }
}

/// The head of a column that is a CSRF defence.
pub fn guard(guard: Guard) -> &'static str {
    match guard {
        Guard::None => "No guard",
        Guard::Lax => "SameSite=Lax",
        Guard::Strict => "SameSite=Strict",
        Guard::Origin => "Origin",
        Guard::FetchMetadata => "Fetch Metadata",
        Guard::CustomHeader => "Custom header",
        Guard::DoubleSubmit => "Double submit",
        Guard::HostDoubleSubmit => "Double submit, __Host-",
        Guard::Keyturn => "Keyturn",
    }
}

/// The origin of a forged request.
pub fn source(source: Source) -> &'static str {
    match source {
        Source::OtherSite => "From another site",
        Source::Sibling => "From a sibling host",
    }
}

/// The method of a forged request.
pub fn vector(vector: Vector) -> &'static str {
    match vector {
        Vector::Form => "Form",
        Vector::TextForm => "Form, text/plain",
        Vector::MultipartForm => "Form, multipart",
        Vector::Fetch => "fetch, no-cors",
        Vector::Beacon => "Beacon",
        Vector::Image => "Image",
        Vector::Link => "Link",
    }
}

/// The head of a column that is a Content-Security-Policy.
pub fn policy(policy: Policy) -> &'static str {
    match policy {
        Policy::None => "No policy",
        Policy::Weak => "A weak one",
        Policy::Ours => "Keyturn’s",
        Policy::TrustedTypes => "Keyturn’s and Trusted Types",
    }
}

/// The head of a row that is an injection.
pub fn injection(injection: Injection) -> &'static str {
    match injection {
        Injection::InlineHandler => "Event handler",
        Injection::InlineScript => "Inline script",
        Injection::ForeignScript => "Foreign script",
        Injection::Gadget => "Own host’s echo",
        Injection::ScriptLink => "javascript: link",
        Injection::Base => "Base address",
        Injection::HtmlSink => "innerHTML",
        Injection::UrlSink => "script.src",
        Injection::Eval => "eval",
        Injection::Form => "A form",
        Injection::Style => "A style sheet",
        Injection::FetchHome => "Sends home by fetch",
        Injection::ImageHome => "Sends home by image",
        Injection::LeaveHome => "Leaves for home",
        Injection::Act => "Acts through the page",
    }
}

/// The head of a column that is a refresh strategy.
pub fn remedy(remedy: Remedy) -> &'static str {
    match remedy {
        Remedy::None => "Nothing",
        Remedy::SingleFlight => "Single flight",
        Remedy::Lock => "Web Lock",
        Remedy::CompareAndSet => "Compare and set",
        Remedy::Grace => "… and a grace",
        Remedy::Server => "Keyturn’s server",
        Remedy::Together => "Keyturn, whole",
    }
}

/// The conditions of a race run.
pub fn crowd(crowd: Crowd, database: &str) -> String {
    let (tabs, requests) = (crowd.tabs(), crowd.requests());
    format!(", {tabs} tabs with {requests} requests each, {database}")
}

/// The head of a row that is a race scenario.
pub fn load(load: Load) -> &'static str {
    match load {
        Load::OneTab => "One tab, several requests at once",
        Load::ManyTabs => "Several tabs at once",
        Load::LostAnswer => "The answer is lost",
    }
}

/// The head of a place's column.
pub fn column(place: Place) -> &'static str {
    match place {
        Place::Storage { strategy: one, .. } => strategy(one),
        Place::Forgery { guard: one, .. } => guard(one),
        Place::Script { policy: one, .. } => policy(one),
        Place::Race { remedy: one, .. } => remedy(one),
    }
}

/// The head of a place's row.
pub fn row(place: Place) -> &'static str {
    match place {
        Place::Storage { threat: one, .. } => threat(one),
        Place::Forgery { vector: one, .. } => vector(one),
        Place::Script { injection: one, .. } => injection(one),
        Place::Race { load: one, .. } => load(one),
    }
}

/// A place in words.
pub fn place(place: Place) -> String {
    match place {
        Place::Forgery { source: from, .. } => {
            format!("{}, {} · {}", row(place), source(from), column(place))
        }
        _ => format!("{} · {}", row(place), column(place)),
    }
}

/// The head of the group to which a row belongs.
pub fn group(place: Place) -> &'static str {
    match place {
        Place::Storage { threat, .. } => match threat {
            Threat::Reload | Threat::NewTab | Threat::Restart => "What a session should survive",
            Threat::SingleExecutionTheft | Threat::PersistentTheft | Threat::NewTokens | Threat::Proxying => {
                "Cross-site scripting"
            }
            Threat::CsrfChange | Threat::CsrfLogin | Threat::CsrfLogout => "Cross-site request forgery",
            Threat::AccessAfterSignOut | Threat::RefreshAfterRotation | Threat::RefreshBeforeOwner => {
                "Stolen copies"
            }
        },
        Place::Forgery { source: from, .. } => source(from),
        Place::Script { injection, .. } => match injection {
            Injection::Form | Injection::Style => "Without a script",
            Injection::FetchHome | Injection::ImageHome | Injection::LeaveHome | Injection::Act => {
                "A script that the page trusts"
            }
            Injection::HtmlSink | Injection::UrlSink | Injection::Eval => "Text that the page’s script runs",
            _ => "Markup that the server wrote",
        },
        Place::Race { .. } => "Refreshes that meet",
    }
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

/// The name of its run in the query of the page.
pub fn run_key(bench: Bench) -> &'static str {
    match bench {
        Bench::Storage => "run",
        Bench::Forgery => "forgery",
        Bench::Scripts => "scripts",
        Bench::Races => "races",
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

    use super::*;

    fn run(stage: Stage) -> Run {
        let cell = |threat, verdict| Cell {
            place: Place::Storage {
                strategy: Strategy::Memory,
                threat,
            },
            verdict,
            because: String::new(),
            measured_at_ms: None,
        };
        Run {
            id: "1".into(),
            bench: Bench::Storage,
            started_at_ms: 0,
            browser: String::new(),
            database: String::new(),
            without: None,
            crowd: None,
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

    /// The rows of a group are adjacent, so that each group has one head.
    #[test]
    fn a_group_is_not_interrupted() {
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
    fn no_two_things_have_the_same_name() {
        for bench in Bench::ALL {
            let places = bench.rows().concat();
            let names: HashSet<String> = places.iter().map(|one| place(*one)).collect();
            assert_eq!(names.len(), places.len(), "{bench:?}");
        }
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
}
