//! The benches of the lab: tables whose cells are measured. A place is a cell of one of them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

names! {
    /// A table of the lab, and the attacks that fill it.
    #[derive(Default)]
    Bench {
        /// Where tokens are kept, against what happens to sessions.
        #[default]
        Storage = "storage",
        /// What stands guard, against requests that other sites' pages have sent (CSRF).
        Forgery = "forgery",
        /// A page's Content-Security-Policy, against what is smuggled into the page (XSS).
        Scripts = "scripts",
        /// What keeps refreshes apart, against many at once and an answer that is lost.
        Races = "races",
    }
}

names! {
    /// Where a page keeps its tokens: the columns of the matrix.
    Strategy {
        /// Both tokens in `localStorage`.
        LocalStorage = "local-storage",
        /// Both tokens in `sessionStorage`.
        SessionStorage = "session-storage",
        /// Both tokens in cookies that scripts can read.
        ReadableCookie = "readable-cookie",
        /// An opaque session id in an httpOnly cookie, and no tokens at all.
        SessionCookie = "session-cookie",
        /// Both tokens in the memory of the page.
        Memory = "memory",
        /// The access token in memory, the refresh token in an httpOnly cookie that is rotated: Keyturn.
        Keyturn = "memory-and-refresh-cookie",
    }
}

names! {
    /// What happens to the session, or is done to it: the rows of the matrix.
    Threat {
        /// The page is reloaded.
        Reload = "reload",
        /// The site is opened in another tab, while the first one is still open.
        NewTab = "new-tab",
        /// The browser is closed and started again.
        Restart = "restart",
        /// A script that runs once takes what it finds (draft-ietf-oauth-browser-based-apps, “Single-Execution Token Theft”).
        SingleExecutionTheft = "single-execution-theft",
        /// A script that stays takes every token that comes by (“Persistent Token Theft”).
        PersistentTheft = "persistent-theft",
        /// A script gets tokens of its own (“Acquisition and Extraction of New Tokens”).
        NewTokens = "acquiring-new-tokens",
        /// A script acts through the page and takes no token at all (“Proxying Requests via the User's Browser”).
        Proxying = "proxying",
        /// Another site's form changes something (CSRF).
        CsrfChange = "csrf-change",
        /// Another site's form signs the visitor in as the attacker (login CSRF).
        CsrfLogin = "csrf-login",
        /// Another site's form signs the visitor out (logout CSRF).
        CsrfLogout = "csrf-logout",
        /// A copy of the access token is used after its owner has signed out.
        AccessAfterSignOut = "access-after-sign-out",
        /// A copy of the refresh token is used after its owner has rotated it.
        RefreshAfterRotation = "refresh-after-rotation",
        /// A copy of the refresh token is used before its owner comes back.
        RefreshBeforeOwner = "refresh-before-owner",
    }
}

names! {
    /// What stands between a forged request and a change: the columns of the bench of forgeries. Each stands alone; the
    /// cookie that signs the visitor in is `SameSite=None` where nothing else is said.
    Guard {
        /// Nothing: what arrives is obeyed.
        None = "no-guard",
        /// The cookie is `SameSite=Lax`.
        Lax = "same-site-lax",
        /// The cookie is `SameSite=Strict`.
        Strict = "same-site-strict",
        /// Unsafe methods need an `Origin` that is the site's own.
        Origin = "origin",
        /// `Sec-Fetch-Site` has to be `same-origin` or `none`, but for a top-level GET (W3C Fetch Metadata).
        FetchMetadata = "fetch-metadata",
        /// Unsafe methods need a header that no form can send.
        CustomHeader = "custom-header",
        /// Unsafe methods need the value of a cookie in the body as well (double submit).
        DoubleSubmit = "double-submit",
        /// The same with a cookie whose name begins with `__Host-`.
        HostDoubleSubmit = "host-double-submit",
        /// Keyturn's own endpoint for refreshing, as it stands.
        Keyturn = "keyturn",
    }
}

names! {
    /// Where the page stands that forges a request.
    Source {
        /// Another site altogether.
        OtherSite = "other-site",
        /// Another host of the same site, such as a forgotten subdomain.
        Sibling = "sibling",
    }
}

names! {
    /// How a page has a request sent without being allowed to read its answer.
    Vector {
        /// A form, `application/x-www-form-urlencoded`.
        Form = "form",
        /// A form, `text/plain`.
        TextForm = "text-form",
        /// A form, `multipart/form-data`.
        MultipartForm = "multipart-form",
        /// `fetch` with `mode: "no-cors"`.
        Fetch = "fetch",
        /// `navigator.sendBeacon`.
        Beacon = "beacon",
        /// An image: a GET in the background.
        Image = "image",
        /// A link: a GET that the visitor goes along with.
        Link = "link",
    }
}

names! {
    /// The Content-Security-Policy of a page with holes: the columns of the bench of scripts.
    Policy {
        /// There is none.
        None = "no-policy",
        /// One that allows `unsafe-inline` and says nothing of where data may go.
        Weak = "weak-policy",
        /// The one that Keyturn's pages have.
        Ours = "our-policy",
        /// The same with Trusted Types on top.
        TrustedTypes = "trusted-types",
    }
}

names! {
    /// What is smuggled into the page.
    Injection {
        /// Markup with an event handler, written by the server.
        InlineHandler = "inline-handler",
        /// A script element with its code inside.
        InlineScript = "inline-script",
        /// A script element that names a script of the attacker's host.
        ForeignScript = "foreign-script",
        /// A script element that names something on the page's own host which echoes what it is asked (JSONP).
        Gadget = "gadget",
        /// A link whose address is `javascript:`.
        ScriptLink = "script-link",
        /// A `base` element, in front of a script with a relative address.
        Base = "base",
        /// Text that the page's own script writes to `innerHTML`.
        HtmlSink = "html-sink",
        /// Text that the page's own script takes for the address of a script.
        UrlSink = "url-sink",
        /// Text that the page's own script evaluates.
        Eval = "eval",
        /// A form that sends what is typed to the attacker. No script at all.
        Form = "form",
        /// A style sheet that tells the attacker what a field contains. No script at all.
        Style = "style",
        /// A script that the page trusts reads the profile and sends it away by `fetch`.
        FetchHome = "fetch-home",
        /// The same, as the address of an image.
        ImageHome = "image-home",
        /// The same, by leading the visitor away.
        LeaveHome = "leave-home",
        /// A script that the page trusts acts in the visitor's name.
        Act = "act",
    }
}

names! {
    /// What helps against refreshes that meet: the columns of the bench of races. Each stands alone, but for the
    /// last.
    Remedy {
        /// Nothing: the page refreshes for each request, and the server reads, thinks and writes.
        None = "no-remedy",
        /// The page lets all requests that need a token wait for one refresh.
        SingleFlight = "single-flight",
        /// The pages of the browser take turns (Web Locks).
        Lock = "web-lock",
        /// The server spends a token only if nobody else has, and takes a second use for theft.
        CompareAndSet = "compare-and-set",
        /// The same, and for a moment the second use is given the first one's successor again.
        Grace = "grace",
        /// Keyturn's own endpoint, and a page that does nothing.
        Server = "keyturn-server",
        /// The same, with single flight and lock in front of it.
        Together = "all-together",
    }
}

names! {
    /// What refreshes have to cope with.
    Load {
        /// Several requests of one page find out at once that the access token has ended.
        OneTab = "one-tab",
        /// The same in several tabs.
        ManyTabs = "many-tabs",
        /// The server has rotated, and its answer never arrives.
        LostAnswer = "lost-answer",
    }
}

/// A cell of a bench.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Place {
    Storage {
        strategy: Strategy,
        threat: Threat,
    },
    Forgery {
        guard: Guard,
        source: Source,
        vector: Vector,
    },
    Script {
        policy: Policy,
        injection: Injection,
    },
    Race {
        remedy: Remedy,
        load: Load,
    },
}

impl Place {
    pub const fn bench(self) -> Bench {
        match self {
            Self::Storage { .. } => Bench::Storage,
            Self::Forgery { .. } => Bench::Forgery,
            Self::Script { .. } => Bench::Scripts,
            Self::Race { .. } => Bench::Races,
        }
    }

    /// The name of its column in addresses.
    pub const fn column(self) -> &'static str {
        match self {
            Self::Storage { strategy, .. } => strategy.slug(),
            Self::Forgery { guard, .. } => guard.slug(),
            Self::Script { policy, .. } => policy.slug(),
            Self::Race { remedy, .. } => remedy.slug(),
        }
    }

    /// The name of its row in addresses.
    pub fn row(self) -> String {
        match self {
            Self::Storage { threat, .. } => threat.slug().into(),
            Self::Forgery { source, vector, .. } => format!("{}-{}", source.slug(), vector.slug()),
            Self::Script { injection, .. } => injection.slug().into(),
            Self::Race { load, .. } => load.slug().into(),
        }
    }

    /// The columns' names of a bench lead to the places of one row.
    fn named(column: &str, row: &str) -> Option<Self> {
        if let Some(strategy) = Strategy::from_slug(column) {
            let threat = Threat::from_slug(row)?;
            return Some(Self::Storage { strategy, threat });
        }
        if let Some(guard) = Guard::from_slug(column) {
            let (source, vector) = Source::ALL.iter().find_map(|source| {
                let vector = row.strip_prefix(source.slug())?.strip_prefix('-')?;
                Some((*source, Vector::from_slug(vector)?))
            })?;
            return Some(Self::Forgery {
                guard,
                source,
                vector,
            });
        }
        if let Some(remedy) = Remedy::from_slug(column) {
            let load = Load::from_slug(row)?;
            return Some(Self::Race { remedy, load });
        }
        let (policy, injection) = (Policy::from_slug(column)?, Injection::from_slug(row)?);
        Some(Self::Script { policy, injection })
    }
}

impl Bench {
    /// Its table: rows, each with a place for every column.
    pub fn rows(self) -> Vec<Vec<Place>> {
        match self {
            Self::Storage => {
                let row = |threat: &Threat| {
                    let cell = |strategy: &Strategy| Place::Storage {
                        strategy: *strategy,
                        threat: *threat,
                    };
                    Strategy::ALL.iter().map(cell).collect()
                };
                Threat::ALL.iter().map(row).collect()
            }
            Self::Forgery => {
                let row = |source: Source, vector: Vector| {
                    let cell = |guard: &Guard| Place::Forgery {
                        guard: *guard,
                        source,
                        vector,
                    };
                    Guard::ALL.iter().map(cell).collect()
                };
                Source::ALL
                    .iter()
                    .flat_map(|source| Vector::ALL.iter().map(move |vector| row(*source, *vector)))
                    .collect()
            }
            Self::Scripts => {
                let row = |injection: &Injection| {
                    let cell = |policy: &Policy| Place::Script {
                        policy: *policy,
                        injection: *injection,
                    };
                    Policy::ALL.iter().map(cell).collect()
                };
                Injection::ALL.iter().map(row).collect()
            }
            Self::Races => {
                let row = |load: &Load| {
                    let cell = |remedy: &Remedy| Place::Race {
                        remedy: *remedy,
                        load: *load,
                    };
                    Remedy::ALL.iter().map(cell).collect()
                };
                Load::ALL.iter().map(row).collect()
            }
        }
    }
}

/// `local-storage.reload`: the column, then the row.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.column(), self.row())
    }
}

/// There is no such place in any bench.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoSuchPlace;

impl FromStr for Place {
    type Err = NoSuchPlace;

    fn from_str(name: &str) -> Result<Self, NoSuchPlace> {
        let (column, row) = name.split_once('.').ok_or(NoSuchPlace)?;
        Self::named(column, row).ok_or(NoSuchPlace)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn all() -> impl Iterator<Item = Place> {
        Bench::ALL.iter().flat_map(|bench| bench.rows()).flatten()
    }

    #[test]
    fn every_place_has_a_name_of_its_own_and_is_found_by_it() {
        let names: HashSet<String> = all().map(|place| place.to_string()).collect();
        assert_eq!(names.len(), 13 * 6 + 14 * 9 + 15 * 4 + 3 * 7);
        for place in all() {
            assert_eq!(place.to_string().parse(), Ok(place));
            let json = serde_json::to_string(&place).expect("JSON");
            assert_eq!(serde_json::from_str::<Place>(&json).expect("a place"), place);
        }
    }

    #[test]
    fn a_bench_has_no_places_of_another() {
        for bench in Bench::ALL {
            assert!(bench.rows().concat().iter().all(|place| place.bench() == *bench));
        }
    }

    #[test]
    fn other_names_lead_nowhere() {
        for name in [
            "",
            ".",
            "memory",
            "memory.",
            "memory.reload.",
            "reload.memory",
            "memory.form",
            "origin.form",
            "origin.sibling-",
            "our-policy.reload",
        ] {
            assert_eq!(name.parse::<Place>(), Err(NoSuchPlace), "{name:?}");
        }
    }
}
