//! State of the user list: the last search, and its results so far.

use api_types::admin::{UserEntry, UserPage};

/// A search and its pages. The results stay on the page until a newer search is answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Counts the searches. A response compares it to find out whether it is still expected.
    turn: u32,
    found: Option<Found>,
}

/// The results of one search so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub turn: u32,
    pub search: String,
    pub users: Vec<UserEntry>,
    pub next: Option<String>,
}

/// A request to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    turn: u32,
    pub search: String,
    pub after: Option<String>,
}

impl Listing {
    pub fn found(&self) -> Option<&Found> {
        self.found.as_ref()
    }

    /// Starts a new search, which invalidates every older response.
    pub fn ask(&mut self, typed: &str) -> Ask {
        self.turn += 1;
        Ask {
            turn: self.turn,
            search: typed.trim().to_owned(),
            after: None,
        }
    }

    /// The request for the next page of the current search, if there is one.
    pub fn ask_more(&self) -> Option<Ask> {
        let found = self.found.as_ref().filter(|found| found.turn == self.turn)?;
        Some(Ask {
            turn: self.turn,
            search: found.search.clone(),
            after: Some(found.next.clone()?),
        })
    }

    /// Whether the response to this request is still expected.
    pub fn waits_for(&self, ask: &Ask) -> bool {
        self.turn == ask.turn
    }

    /// Stores an expected response.
    pub fn take(&mut self, ask: Ask, page: UserPage) {
        match &mut self.found {
            Some(found) if ask.after.is_some() => {
                found.users.extend(page.users);
                found.next = page.next;
            }
            found => {
                *found = Some(Found {
                    turn: ask.turn,
                    search: ask.search,
                    users: page.users,
                    next: page.next,
                });
            }
        }
    }

    /// Clears everything, because no one with access is signed in.
    pub fn forget(&mut self) {
        self.turn += 1;
        self.found = None;
    }
}

impl Found {
    /// The number of results, as a sentence.
    pub fn summary(&self) -> String {
        let Self { search, .. } = self;
        let matching = |verb: &str| match search.as_str() {
            "" => String::new(),
            search => format!(" {verb} “{search}”"),
        };
        match (self.users.len(), self.next.is_some()) {
            (0, _) => format!("No account{}.", matching("matches")),
            (1, false) => format!("1 account{}.", matching("matches")),
            (count, false) => format!("{count} accounts{}.", matching("match")),
            (count, true) => format!(
                "The first {count} accounts{}; there are more.",
                matching("that match")
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(ids: &[&str], next: Option<&str>) -> UserPage {
        let entry = |id: &&str| UserEntry {
            id: (*id).into(),
            email: format!("{id}@example.com"),
            display_name: None,
            role: "user".into(),
            disabled_at: None,
            created_at: 0,
        };
        UserPage {
            users: ids.iter().map(entry).collect(),
            next: next.map(str::to_owned),
        }
    }

    fn ids(listing: &Listing) -> Vec<&str> {
        let found = listing.found().expect("something was found");
        found.users.iter().map(|user| user.id.as_str()).collect()
    }

    #[test]
    fn pages_of_one_search_follow_one_another() {
        let mut listing = Listing::default();
        assert_eq!(listing.ask_more(), None);
        let ask = listing.ask(" ada ");
        assert_eq!((ask.search.as_str(), &ask.after), ("ada", &None));
        listing.take(ask, page(&["1", "2"], Some("2")));
        let more = listing.ask_more().expect("a further page");
        assert_eq!((more.search.as_str(), more.after.as_deref()), ("ada", Some("2")));
        assert!(listing.waits_for(&more));
        listing.take(more, page(&["3"], None));
        assert_eq!(ids(&listing), ["1", "2", "3"]);
        assert_eq!(listing.ask_more(), None);
    }

    #[test]
    fn an_answer_to_an_older_search_is_not_waited_for() {
        let mut listing = Listing::default();
        let first = listing.ask("a");
        listing.take(first.clone(), page(&["1"], Some("1")));
        let more = listing.ask_more().expect("a further page");
        let second = listing.ask("b");
        assert!(!listing.waits_for(&first) && !listing.waits_for(&more));
        assert_eq!(ids(&listing), ["1"], "shown until the newer answer is there");
        assert_eq!(
            listing.ask_more(),
            None,
            "a page of the old search would follow the new one's"
        );
        listing.take(second, page(&["9"], None));
        assert_eq!(ids(&listing), ["9"]);
    }

    #[test]
    fn what_is_forgotten_does_not_come_back_with_a_late_answer() {
        let mut listing = Listing::default();
        let ask = listing.ask("");
        listing.forget();
        assert!(!listing.waits_for(&ask));
        assert_eq!(listing.found(), None);
    }

    #[test]
    fn the_number_is_told_in_a_sentence() {
        let told = |search: &str, ids: &[&str], next: Option<&str>| {
            let mut listing = Listing::default();
            let ask = listing.ask(search);
            listing.take(ask, page(ids, next));
            listing.found().expect("found").summary()
        };
        assert_eq!(told("", &["1"], None), "1 account.");
        assert_eq!(told("", &["1", "2"], None), "2 accounts.");
        assert_eq!(
            told("", &["1", "2"], Some("2")),
            "The first 2 accounts; there are more."
        );
        assert_eq!(told("ada", &[], None), "No account matches “ada”.");
        assert_eq!(told("ada", &["1"], None), "1 account matches “ada”.");
        assert_eq!(told("ada", &["1", "2"], None), "2 accounts match “ada”.");
        assert_eq!(
            told("ada", &["1", "2"], Some("2")),
            "The first 2 accounts that match “ada”; there are more."
        );
    }
}
