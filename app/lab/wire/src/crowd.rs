//! Number of concurrent refreshes.

use serde::{Deserialize, Serialize};

use super::Load;

/// Tabs of one browser, and the concurrent requests of each tab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Asked")]
pub struct Crowd {
    tabs: u8,
    requests: u8,
}

impl Crowd {
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

    /// The part of it that a load uses.
    #[must_use]
    pub const fn under(self, load: Load) -> Self {
        match load {
            Load::ManyTabs => self,
            Load::OneTab => Self { tabs: 1, ..self },
            Load::LostAnswer => Self { tabs: 1, requests: 1 },
        }
    }
}

impl Default for Crowd {
    fn default() -> Self {
        Self { tabs: 4, requests: 3 }
    }
}

/// The numbers as a request gives them, not validated yet.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    tabs: u8,
    requests: u8,
}

impl TryFrom<Asked> for Crowd {
    type Error = String;

    fn try_from(Asked { tabs, requests }: Asked) -> Result<Self, String> {
        let ([least, most], [fewest, fullest]) = (Self::TABS, Self::REQUESTS);
        Self::new(tabs, requests).ok_or_else(|| {
            format!("a crowd has {least} to {most} tabs with {fewest} to {fullest} requests each")
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
    fn a_crowd_has_its_bounds_on_the_wire_too() {
        let read = serde_json::from_str::<Crowd>;
        let crowd = read(r#"{"tabs":8,"requests":2}"#).expect("parses");
        assert_eq!(Crowd::new(8, 2), Some(crowd));
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
            why.starts_with("a crowd has 2 to 8 tabs with 2 to 4 requests each"),
            "{why}"
        );
        let usual = Crowd::default();
        assert_eq!(Crowd::new(usual.tabs, usual.requests), Some(usual));
    }

    #[test]
    fn a_load_takes_of_it_what_it_needs() {
        let sizes = [Load::OneTab, Load::ManyTabs, Load::LostAnswer].map(|load| {
            let crowd = Crowd::default().under(load);
            (crowd.tabs, crowd.requests)
        });
        assert_eq!(sizes, [(1, 3), (4, 3), (1, 1)]);
    }
}
