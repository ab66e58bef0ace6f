//! Describes the steps and their results.

use std::time::Duration;

use rotation::designs::{Serial, Verdict};

use super::{
    scenario::{SimulatorStep, TABS},
    simulation::{Frame, SimulatedTokenStatus},
};

/// The actor of a step.
pub fn who(step: Option<SimulatorStep>) -> String {
    match step {
        None => "Owner".into(),
        Some(SimulatorStep::Refresh(tab) | SimulatorStep::Lose(tab)) => tab_name(tab),
        Some(SimulatorStep::Steal | SimulatorStep::Thief | SimulatorStep::Replay(_)) => "Thief".into(),
        Some(SimulatorStep::Wait(_)) => "Clock".into(),
    }
}

pub fn tab_name(tab: usize) -> String {
    format!("Tab {}", tab + 1)
}

/// The action of a step.
pub fn what(frame: &Frame) -> String {
    let with = |sent: &str| match frame.sent {
        Some(sent_now) => format!("{sent} with token {}", sent_now.token.number()),
        None => format!("{sent}, with nothing to send"),
    };
    match frame.step {
        None => "signs in".into(),
        Some(SimulatorStep::Refresh(_) | SimulatorStep::Thief) => with("refreshes"),
        Some(SimulatorStep::Lose(_)) => format!("{}; the answer is lost", with("refreshes")),
        Some(SimulatorStep::Steal) => match frame.jar {
            Some(token) => format!("copies token {}", token.number()),
            None => "finds nothing to copy".into(),
        },
        Some(SimulatorStep::Replay(number)) if frame.sent.is_none() => {
            format!("would present token {number}, which does not exist")
        }
        Some(SimulatorStep::Replay(_)) => with("comes"),
        Some(SimulatorStep::Wait(seconds)) => format!("moves on by {}", span(u64::from(seconds))),
    }
}

/// The server's response.
pub fn answer(frame: &Frame) -> String {
    let Some(sent) = frame.sent else {
        return match frame.step {
            None => "gives token 1".into(),
            Some(_) => String::new(),
        };
    };
    let given = sent.given.map_or(0, Serial::number);
    match sent.verdict {
        Verdict::Rotate => format!("Rotated: gives token {given}"),
        Verdict::Displace => {
            format!("Forgiven: token {given} takes the place of the current one, which dies")
        }
        Verdict::Fork => format!("Forgiven: gives token {given} beside the others"),
        Verdict::Again(_) => format!("Forgiven: gives token {given} again"),
        Verdict::Later => "Neither here nor there: ask again later".into(),
        Verdict::Refuse => "Refused: signed out".into(),
        Verdict::Kill => "Reuse: the session ends for everybody".into(),
    }
}

/// The state after a step, in a sentence or two.
pub fn outcome(frame: &Frame) -> String {
    let (owner, thief) = (frame.owner_is_in(), frame.thief_is_in());
    let mut sentences = Vec::new();
    if frame.flaws.parasite {
        sentences.push("Parasite: a spent token came back, and the thief keeps a good one.".to_owned());
    }
    if frame.flaws.orphan {
        sentences.push("Orphan: nothing was stolen, and the owner was signed out.".to_owned());
    }
    if frame.flaws.fork {
        sentences.push(format!(
            "Fork: one login had several live tokens; now it has {}.",
            frame.live()
        ));
    }
    sentences.push(
        match (owner, thief) {
            (true, true) => "The thief is in, and so is the owner, who knows nothing of it.",
            (false, true) => "The thief is in, and the owner is signed out.",
            (true, false) if frame.loot.is_empty() => "Only the owner is signed in.",
            (true, false) => "The owner is in, and what the thief has is worth nothing.",
            (false, false) if frame.loot.is_empty() => "The owner has to sign in again.",
            (false, false) if frame.family.is_revoked() => {
                "The theft was noticed: the session is over, for the thief too."
            }
            (false, false) => "Both are signed out, and nothing says that there was a thief.",
        }
        .to_owned(),
    );
    sentences.join(" ")
}

/// The failures alone, for a table; `None` if there are none.
pub fn flaws(frame: &Frame) -> Option<String> {
    let flaws = frame.flaws;
    let named = [
        (flaws.parasite, "Parasite"),
        (flaws.orphan, "Orphan"),
        (flaws.fork, "Fork"),
    ];
    let named: Vec<&str> = named
        .into_iter()
        .filter_map(|(is, name)| is.then_some(name))
        .collect();
    (!named.is_empty()).then(|| named.join(", "))
}

/// The state of a token.
pub fn status(status: SimulatedTokenStatus) -> &'static str {
    match status {
        SimulatedTokenStatus::Live => "live",
        SimulatedTokenStatus::Forgiven => "spent, forgiven",
        SimulatedTokenStatus::Spent => "spent",
        SimulatedTokenStatus::Displaced => "displaced",
        SimulatedTokenStatus::Dead => "dead",
    }
}

/// The actors who would send this token.
pub fn holders(frame: &Frame, token: Serial) -> String {
    let tabs: Vec<usize> = (0..TABS)
        .filter(|&tab| frame.tabs.get(tab) == Some(&Some(token)))
        .collect();
    let tabs = match tabs.as_slice() {
        [] => None,
        all if all.len() == TABS => Some("all tabs".to_owned()),
        [one] => Some(tab_name(*one)),
        some => {
            let names: Vec<String> = some.iter().map(|tab| (tab + 1).to_string()).collect();
            Some(format!("Tabs {}", names.join(", ")))
        }
    };
    let thief = (frame.thief == Some(token)).then(|| "thief".to_owned());
    tabs.into_iter().chain(thief).collect::<Vec<_>>().join(", ")
}

/// The token that an actor holds.
pub fn holds(who: &str, token: Option<Serial>) -> String {
    token.map_or_else(
        || format!("{who} has no token"),
        |token| format!("{who} has token {}", token.number()),
    )
}

/// The time since the login: `1:00:05`.
pub fn clock(after: Duration) -> String {
    let seconds = after.as_secs();
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn span(seconds: u64) -> String {
    crate::lifetimes::estimate::span(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use rotation::designs::Design;

    use super::*;
    use crate::simulator::{scenario::SimulatorScenario, simulation::frames};

    fn history(design: Design, steps: &str) -> Vec<String> {
        let scenario = SimulatorScenario::from_query(Some(design.name()), Some(steps));
        let lines = frames(&scenario).into_iter().map(|frame| {
            format!(
                "{} {} {}: {}",
                clock(frame.after),
                who(frame.step),
                what(&frame),
                answer(&frame)
            )
        });
        lines.collect()
    }

    fn outcome_of(design: Design, steps: &str) -> String {
        let scenario = SimulatorScenario::from_query(Some(design.name()), Some(steps));
        outcome(frames(&scenario).last().expect("there is always a first one"))
    }

    #[test]
    fn each_step_is_described_with_its_response() {
        assert_eq!(
            history(Design::KEYTURN, "s.t.w3600.r1"),
            [
                "0:00:00 Owner signs in: gives token 1",
                "0:00:00 Thief copies token 1: ",
                "0:00:00 Thief refreshes with token 1: Rotated: gives token 2",
                "1:00:00 Clock moves on by 1 h: ",
                "1:00:00 Tab 1 refreshes with token 1: Reuse: the session ends for everybody",
            ]
        );
        assert_eq!(
            history(Design::STRICT, "t.p7")[1..],
            [
                "0:00:00 Thief refreshes, with nothing to send: ",
                "0:00:00 Thief would present token 7, which does not exist: ",
            ]
        );
    }

    #[test]
    fn outcomes_name_what_the_model_checker_finds() {
        for (design, steps, name) in [
            (Design::SimpleJwt, "s.t.w3600.r1", "Parasite: "),
            (Design::STRICT, "l1.w15.r1", "Orphan: "),
            (Design::AUTH0, "r1.r2.r3", "Fork: "),
            (Design::KEYTURN, "s.t.w3600.r1", "The theft was noticed"),
            (Design::KEYTURN, "l1.w15.r1", "Only the owner is signed in."),
        ] {
            let outcome = outcome_of(design, steps);
            assert!(outcome.starts_with(name), "{}: {outcome}", design.name());
        }
        let simple = outcome_of(Design::SimpleJwt, "s.t.w3600.r1");
        assert!(simple.ends_with("The thief is in, and the owner is signed out."));
    }

    #[test]
    fn holders_of_a_token_are_named() {
        let scenario = SimulatorScenario::from_query(None, Some("s.r1"));
        let frames = frames(&scenario);
        let at = |frame: usize, token: usize| {
            let frame = &frames[frame];
            let token = frame.family.serials().nth(token);
            holders(frame, token.expect("it was minted"))
        };
        assert_eq!(at(0, 0), "all tabs");
        assert_eq!(at(1, 0), "all tabs, thief");
        assert_eq!(at(2, 0), "Tabs 2, 3, thief");
        assert_eq!(at(2, 1), "Tab 1");
    }
}
