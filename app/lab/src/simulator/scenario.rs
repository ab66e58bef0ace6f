//! What the visitor chose, as a link has it: a design and the steps.

use rotation::designs::Design;

/// The number of the owner's tabs.
pub const TABS: usize = 3;
/// A longer history is cut off, so that a link cannot keep a browser busy.
pub const MOST_STEPS: usize = 40;
const LONGEST_WAIT: u32 = 24 * 60 * 60;

/// One step of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SimulatorStep {
    /// A tab of the owner refreshes; counted from 0.
    Refresh(usize),
    /// The same, and the response is lost.
    Lose(usize),
    /// The attacker copies the token in the owner's jar.
    Steal,
    /// The attacker refreshes with their newest token.
    Thief,
    /// The attacker presents the token with this number, from any source.
    Replay(u8),
    /// This many seconds pass.
    Wait(u32),
}

impl SimulatorStep {
    /// The step as written in a URL.
    pub fn code(self) -> String {
        match self {
            Self::Refresh(tab) => format!("r{}", tab + 1),
            Self::Lose(tab) => format!("l{}", tab + 1),
            Self::Steal => "s".into(),
            Self::Thief => "t".into(),
            Self::Replay(number) => format!("p{number}"),
            Self::Wait(seconds) => format!("w{seconds}"),
        }
    }

    /// Parses the code of a step.
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "s" => return Some(Self::Steal),
            "t" => return Some(Self::Thief),
            _ => {}
        }
        let (kind, number) = code.split_at_checked(1)?;
        let tab = || {
            let tab = number.parse::<usize>().ok()?.checked_sub(1)?;
            (tab < TABS).then_some(tab)
        };
        match kind {
            "r" => tab().map(Self::Refresh),
            "l" => tab().map(Self::Lose),
            "p" => number.parse().ok().map(Self::Replay),
            "w" => number
                .parse()
                .ok()
                .filter(|seconds| (1..=LONGEST_WAIT).contains(seconds))
                .map(Self::Wait),
            _ => None,
        }
    }
}

/// A design and the steps: all that a URL needs to show the same simulation again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulatorScenario {
    pub design: Design,
    pub steps: Vec<SimulatorStep>,
}

impl SimulatorScenario {
    /// Reads the two values from a URL. Invalid parts are left out.
    pub fn from_query(design: Option<&str>, steps: Option<&str>) -> Self {
        let known = Design::ALL.into_iter().find(|known| Some(known.name()) == design);
        let steps = steps.unwrap_or_default().split('.');
        Self {
            design: known.unwrap_or(Design::KEYTURN),
            steps: steps
                .filter_map(SimulatorStep::from_code)
                .take(MOST_STEPS)
                .collect(),
        }
    }

    /// The two values, unless they are the defaults.
    pub fn query(&self) -> impl Iterator<Item = String> {
        let design = (self.design != Design::KEYTURN).then(|| format!("design={}", self.design.name()));
        let codes: Vec<String> = self.steps.iter().map(|step| step.code()).collect();
        let steps = (!codes.is_empty()).then(|| format!("steps={}", codes.join(".")));
        design.into_iter().chain(steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_read_back() {
        let text = "r1.l3.s.t.p12.w5.w3600";
        let scenario = SimulatorScenario::from_query(Some("SimpleJWT"), Some(text));
        assert_eq!(
            scenario.query().collect::<Vec<_>>(),
            ["design=SimpleJWT", "steps=r1.l3.s.t.p12.w5.w3600"]
        );
        assert_eq!(scenario.steps.len(), 7);
        let plain = SimulatorScenario::from_query(None, None);
        assert_eq!(plain.query().count(), 0);
        let nonsense =
            SimulatorScenario::from_query(Some("no one’s"), Some("r0.r4.x.ö1.w0.w99999999.p.r1..s"));
        assert_eq!(nonsense.steps, [SimulatorStep::Refresh(0), SimulatorStep::Steal]);
        let endless = "r1.".repeat(500);
        assert_eq!(
            SimulatorScenario::from_query(None, Some(&endless)).steps.len(),
            MOST_STEPS
        );
    }
}
