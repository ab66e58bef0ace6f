//! Number of concurrent refreshes.

use serde::{Deserialize, Serialize};

use super::RaceScenario;

/// Tabs of one browser, and the concurrent requests of each tab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RequestedConcurrency")]
pub struct Concurrency {
    tabs: u8,
    requests: u8,
}

impl Concurrency {
    /// Minimum and maximum of tabs. One tab does not compete; with more than the maximum, a browser's limit of six
    /// connections per host makes most requests wait.
    pub const TABS: [u8; 2] = [2, 8];
    /// Minimum and maximum of requests in each tab, for the same reasons.
    pub const REQUESTS: [u8; 2] = [2, 4];

    /// `None` if either number is out of bounds.
    pub const fn new(tabs: u8, requests: u8) -> Option<Self> {
        if is_within(tabs, Self::TABS) && is_within(requests, Self::REQUESTS) {
            Some(Self { tabs, requests })
        } else {
            None
        }
    }

    pub const fn tabs(self) -> u8 {
        self.tabs
    }

    /// The requests of one tab.
    pub const fn requests(self) -> u8 {
        self.requests
    }

    /// The part of it that a scenario uses.
    #[must_use]
    pub const fn for_scenario(self, scenario: RaceScenario) -> Self {
        match scenario {
            RaceScenario::ManyTabs => self,
            RaceScenario::OneTab => Self { tabs: 1, ..self },
            RaceScenario::LostAnswer => Self { tabs: 1, requests: 1 },
        }
    }
}

impl Default for Concurrency {
    fn default() -> Self {
        Self { tabs: 4, requests: 3 }
    }
}

/// The numbers as a request gives them, not validated yet.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestedConcurrency {
    tabs: u8,
    requests: u8,
}

impl TryFrom<RequestedConcurrency> for Concurrency {
    type Error = String;

    fn try_from(RequestedConcurrency { tabs, requests }: RequestedConcurrency) -> Result<Self, String> {
        let ([least, most], [fewest, fullest]) = (Self::TABS, Self::REQUESTS);
        Self::new(tabs, requests).ok_or_else(|| {
            format!("a race has {least} to {most} tabs with {fewest} to {fullest} requests each")
        })
    }
}

const fn is_within(number: u8, [least, most]: [u8; 2]) -> bool {
    least <= number && number <= most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_apply_on_the_wire_too() {
        let read = serde_json::from_str::<Concurrency>;
        let concurrency = read(r#"{"tabs":8,"requests":2}"#).expect("parses");
        assert_eq!(Concurrency::new(8, 2), Some(concurrency));
        for refused in [
            r#"{"tabs":1,"requests":3}"#,
            r#"{"tabs":9,"requests":3}"#,
            r#"{"tabs":4,"requests":1}"#,
            r#"{"tabs":4,"requests":5}"#,
            r#"{"tabs":4}"#,
            r#"{"tabs":4,"requests":3,"seconds":1}"#,
        ] {
            assert!(read(refused).is_err(), "{refused}");
        }
        let why = read(r#"{"tabs":9,"requests":3}"#)
            .expect_err("too many")
            .to_string();
        assert!(
            why.starts_with("a race has 2 to 8 tabs with 2 to 4 requests each"),
            "{why}"
        );
        let usual = Concurrency::default();
        assert_eq!(Concurrency::new(usual.tabs, usual.requests), Some(usual));
    }

    #[test]
    fn a_scenario_uses_its_part_of_the_tabs_and_requests() {
        let sizes = [
            RaceScenario::OneTab,
            RaceScenario::ManyTabs,
            RaceScenario::LostAnswer,
        ]
        .map(|scenario| {
            let concurrency = Concurrency::default().for_scenario(scenario);
            (concurrency.tabs, concurrency.requests)
        });
        assert_eq!(sizes, [(1, 3), (4, 3), (1, 1)]);
    }
}
