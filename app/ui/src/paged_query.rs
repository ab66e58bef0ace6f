//! A list of the signed-in user that is loaded a page at a time.

use std::future::Future;

use api_types::{
    account::{EventEntry, SessionEntry},
    admin::UserEntry,
};
use leptos::prelude::*;
use session_client::{ApiError, SessionManager};

use crate::account_query::{AccountQuery, use_account_query};

/// An entry of a list.
pub trait ListEntry: Clone + PartialEq + Send + Sync + 'static {
    /// Unique in the list.
    fn id(&self) -> &str;
}

impl ListEntry for EventEntry {
    fn id(&self) -> &str {
        &self.id
    }
}

impl ListEntry for SessionEntry {
    fn id(&self) -> &str {
        &self.id
    }
}

impl ListEntry for UserEntry {
    fn id(&self) -> &str {
        &self.id
    }
}

/// The pages of one search so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedPages<T> {
    /// What was searched for. Empty for all entries.
    pub search: String,
    pub entries: Vec<T>,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
    /// The id of the entry with which the newest further page begins. It takes the focus, because reading continues
    /// there.
    pub first_new: Option<String>,
    /// Counts the loads of a first page. With it, the rows of two searches differ even for the same entry.
    pub round: u32,
}

/// One page to request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageRequest {
    pub search: String,
    /// The cursor; `None` for the first page.
    pub after: Option<String>,
}

/// The entries of one page, and the cursor of the next.
pub type LoadedPage<T> = (Vec<T>, Option<String>);

/// A list of the signed-in user. Copies share it.
#[derive(Debug)]
pub struct PagedQuery<T: ListEntry> {
    query: AccountQuery<LoadedPages<T>>,
    wanted: StoredValue<PageRequest>,
}

/// Loads the first page like any other data of the signed-in user, and further pages on demand.
pub fn use_paged_query<T, Loading>(
    load: impl Fn(SessionManager, PageRequest) -> Loading + 'static,
) -> PagedQuery<T>
where
    T: ListEntry,
    Loading: Future<Output = Result<LoadedPage<T>, ApiError>> + 'static,
{
    let wanted = StoredValue::new(PageRequest::default());
    let query = use_account_query(move |manager, before: Option<LoadedPages<T>>| {
        let request = wanted.get_value().following(before.as_ref());
        let page = load(manager, request.clone());
        async move {
            let page = page.await?;
            // A reload begins with the first page again.
            wanted.try_update_value(|wanted| wanted.after = None);
            Ok(LoadedPages::with(before, request, page))
        }
    });
    PagedQuery { query, wanted }
}

impl<T: ListEntry> PagedQuery<T> {
    /// The pages so far, with their failure and their state.
    pub fn query(self) -> AccountQuery<LoadedPages<T>> {
        self.query
    }

    /// Whether there is a further page; tracked.
    pub fn has_more(self) -> Memo<bool> {
        let pages = self.query.data();
        Memo::new(move |_| pages.read().as_ref().is_some_and(|pages| pages.next.is_some()))
    }

    /// Loads the first page of another search.
    pub fn search(self, text: &str) {
        self.load(text.trim().to_owned(), None);
    }

    /// Loads the first page again. The page may be gone by then, for example after a request.
    pub fn reload(self) {
        if let Some(search) = self.wanted.try_with_value(|wanted| wanted.search.clone()) {
            self.load(search, None);
        }
    }

    /// Loads the next page. Does nothing while a response is expected.
    pub fn load_more(self) {
        let pages = self.query.data().get_untracked();
        if let Some(pages) = pages.filter(|pages| pages.next.is_some() && !self.query.busy().get_untracked())
        {
            self.load(pages.search, pages.next);
        }
    }

    fn load(self, search: String, after: Option<String>) {
        self.wanted.try_set_value(PageRequest { search, after });
        self.query.reload();
    }
}

impl PageRequest {
    /// A further page can only follow the pages of the same search.
    fn following<T>(self, before: Option<&LoadedPages<T>>) -> Self {
        let after = self
            .after
            .filter(|_| before.is_some_and(|before| before.search == self.search));
        Self { after, ..self }
    }
}

impl<T: ListEntry> LoadedPages<T> {
    /// Adds a page, or begins with it. An entry that was used in between may be in two pages, and is shown once.
    fn with(before: Option<Self>, request: PageRequest, (entries, next): LoadedPage<T>) -> Self {
        let round = before.as_ref().map_or(0, |before| before.round);
        let is_further = request.after.is_some();
        let mut shown = before
            .filter(|_| is_further)
            .map_or(vec![], |before| before.entries);
        let is_new = |entry: &T| shown.iter().all(|shown| shown.id() != entry.id());
        let new: Vec<_> = entries.into_iter().filter(is_new).collect();
        let first_new = new
            .first()
            .filter(|_| is_further)
            .map(|entry| entry.id().to_owned());
        shown.extend(new);
        Self {
            search: request.search,
            entries: shown,
            next,
            first_new,
            round: if is_further { round } else { round.wrapping_add(1) },
        }
    }
}

#[expect(
    clippy::expl_impl_clone_on_copy,
    reason = "derived, it would require that entries are `Copy`"
)]
impl<T: ListEntry> Clone for PagedQuery<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ListEntry> Copy for PagedQuery<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, PartialEq)]
    struct Letter(&'static str);

    impl ListEntry for Letter {
        fn id(&self) -> &str {
            self.0
        }
    }

    fn page(ids: &[&'static str], next: Option<&str>) -> LoadedPage<Letter> {
        (ids.iter().copied().map(Letter).collect(), next.map(str::to_owned))
    }

    fn request(search: &str, after: Option<&str>) -> PageRequest {
        PageRequest {
            search: search.into(),
            after: after.map(str::to_owned),
        }
    }

    fn first() -> LoadedPages<Letter> {
        LoadedPages::with(None, request("", None), page(&["a", "b"], Some("b")))
    }

    fn ids(pages: &LoadedPages<Letter>) -> Vec<&str> {
        pages.entries.iter().map(ListEntry::id).collect()
    }

    #[test]
    fn a_further_page_is_appended_and_its_first_entry_is_known() {
        let both = LoadedPages::with(Some(first()), request("", Some("b")), page(&["c"], None));
        assert_eq!(ids(&both), ["a", "b", "c"]);
        assert_eq!((both.first_new.as_deref(), both.next), (Some("c"), None));
        assert_eq!(both.round, first().round);
    }

    #[test]
    fn an_entry_of_two_pages_is_shown_once() {
        let both = LoadedPages::with(Some(first()), request("", Some("b")), page(&["b", "c"], None));
        assert_eq!(ids(&both), ["a", "b", "c"]);
        assert_eq!(both.first_new.as_deref(), Some("c"));
    }

    #[test]
    fn a_first_page_replaces_the_pages_before() {
        let other = LoadedPages::with(Some(first()), request("x", None), page(&["b"], None));
        assert_eq!((other.search.as_str(), ids(&other)), ("x", vec!["b"]));
        assert_eq!(other.first_new, None);
        assert_ne!(other.round, first().round);
    }

    #[test]
    fn a_further_page_follows_only_its_own_search() {
        let more = request("", Some("b"));
        assert_eq!(more.clone().following(Some(&first())), more);
        assert_eq!(more.clone().following::<Letter>(None), request("", None));
        assert_eq!(
            request("x", Some("b")).following(Some(&first())),
            request("x", None)
        );
    }
}
