//! The experiments of the lab: tables whose cells are measured, and what their columns and rows stand for.

use serde::{Deserialize, Serialize};

names! {
    /// A table of the lab, and the attacks that produce its results.
    #[derive(Default)]
    Experiment {
        /// Where tokens are stored, against what happens to sessions.
        #[default]
        Storage = "storage",
        /// CSRF defences, against requests from pages of other sites.
        Forgery = "forgery",
        /// A page's Content-Security-Policy, against injected content (XSS).
        Scripts = "scripts",
        /// Coordination of refreshes, against concurrent requests and a lost response.
        Races = "races",
    }
}

names! {
    /// Where a page stores its tokens: the columns of the matrix.
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
        /// Keyturn: the access token in memory, and a rotated refresh token in an httpOnly cookie.
        Keyturn = "memory-and-refresh-cookie",
    }
}

names! {
    /// Threats to the session: the rows of the matrix.
    Threat {
        /// The page is reloaded.
        Reload = "reload",
        /// The site is opened in another tab while the first one is still open.
        NewTab = "new-tab",
        /// The browser is closed and started again.
        Restart = "restart",
        /// A script that runs once takes the tokens that it finds (draft-ietf-oauth-browser-based-apps,
        /// “Single-Execution Token Theft”).
        SingleExecutionTheft = "single-execution-theft",
        /// A script that keeps running takes every new token (“Persistent Token Theft”).
        PersistentTheft = "persistent-theft",
        /// A script acquires new tokens (“Acquisition and Extraction of New Tokens”).
        NewTokens = "acquiring-new-tokens",
        /// A script acts through the page and takes no token (“Proxying Requests via the User's Browser”).
        Proxying = "proxying",
        /// A form of another site changes something (CSRF).
        CsrfChange = "csrf-change",
        /// A form of another site signs the visitor in as the attacker (login CSRF).
        CsrfLogin = "csrf-login",
        /// A form of another site signs the visitor out (logout CSRF).
        CsrfLogout = "csrf-logout",
        /// A copy of the access token is used after its owner has signed out.
        AccessAfterSignOut = "access-after-sign-out",
        /// A copy of the refresh token is used after its owner has rotated it.
        RefreshAfterRotation = "refresh-after-rotation",
        /// A copy of the refresh token is used before its owner uses it again.
        RefreshBeforeOwner = "refresh-before-owner",
    }
}

names! {
    /// CSRF defences: the columns of the experiment with forged requests. Each is tested alone. The cookie that signs
    /// the visitor in is `SameSite=None` unless stated otherwise.
    CsrfDefence {
        /// No defence: the server accepts every request.
        None = "no-guard",
        /// The cookie is `SameSite=Lax`.
        Lax = "same-site-lax",
        /// The cookie is `SameSite=Strict`.
        Strict = "same-site-strict",
        /// Unsafe methods require an `Origin` equal to the site's own.
        Origin = "origin",
        /// `Sec-Fetch-Site` must be `same-origin` or `none`, except for a top-level GET (W3C Fetch Metadata).
        FetchMetadata = "fetch-metadata",
        /// Unsafe methods require a header that no form can send.
        CustomHeader = "custom-header",
        /// Unsafe methods require the value of a cookie in the body as well (double submit).
        DoubleSubmit = "double-submit",
        /// Double submit with a cookie whose name begins with `__Host-`.
        HostDoubleSubmit = "host-double-submit",
        /// Keyturn's own refresh endpoint, unmodified.
        Keyturn = "keyturn",
    }
}

names! {
    /// The origin of the page that forges a request.
    RequestSource {
        /// A different site.
        OtherSite = "other-site",
        /// Another host of the same site, such as a forgotten subdomain.
        Sibling = "sibling",
    }
}

names! {
    /// How a page sends a request whose response it may not read.
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
        /// A link: a GET by navigation.
        Link = "link",
    }
}

names! {
    /// The Content-Security-Policy of a vulnerable page: the columns of the experiment with scripts.
    ContentPolicy {
        /// No policy.
        None = "no-policy",
        /// A policy that allows `unsafe-inline` and does not restrict where data may go.
        Weak = "weak-policy",
        /// The policy of Keyturn's pages.
        Ours = "our-policy",
        /// The policy of Keyturn's pages with Trusted Types.
        TrustedTypes = "trusted-types",
    }
}

names! {
    /// What is injected into the page.
    Injection {
        /// Markup with an event handler, written by the server.
        InlineHandler = "inline-handler",
        /// A script element with inline code.
        InlineScript = "inline-script",
        /// A script element that loads a script from the attacker's host.
        ForeignScript = "foreign-script",
        /// A script element that loads an endpoint of the page's own host that echoes its parameters (JSONP).
        Gadget = "gadget",
        /// A link with a `javascript:` address.
        ScriptLink = "script-link",
        /// A `base` element before a script with a relative address.
        Base = "base",
        /// Text that the page's own script writes to `innerHTML`.
        HtmlSink = "html-sink",
        /// Text that the page's own script uses as the address of a script.
        UrlSink = "url-sink",
        /// Text that the page's own script evaluates.
        Eval = "eval",
        /// A form that sends the visitor's input to the attacker, without any script.
        Form = "form",
        /// A style sheet that leaks a field's content to the attacker, without any script.
        Style = "style",
        /// A script that the page trusts reads the profile and exfiltrates it by `fetch`.
        FetchHome = "fetch-home",
        /// The same by the address of an image.
        ImageHome = "image-home",
        /// The same by navigation.
        LeaveHome = "leave-home",
        /// A script that the page trusts acts as the visitor.
        Act = "act",
    }
}

names! {
    /// Measures against concurrent refreshes: the columns of the experiment with races. Each is tested alone, except
    /// the last.
    RaceDefence {
        /// None: the page refreshes for each request, and the server reads, waits and writes.
        None = "no-remedy",
        /// Single flight: all requests of the page that need a token wait for one refresh.
        SingleFlight = "single-flight",
        /// The pages of the browser take turns (Web Locks).
        Lock = "web-lock",
        /// The server consumes a token only if it was not consumed before, and treats a second use as theft.
        CompareAndSet = "compare-and-set",
        /// The same with a grace period, in which a second use gets the successor of the first use again.
        Grace = "grace",
        /// Keyturn's own endpoint, with a page that coordinates nothing.
        Server = "keyturn-server",
        /// Keyturn's own endpoint, with single flight and the lock in the page.
        Together = "all-together",
    }
}

names! {
    /// The load on the refresh endpoint.
    RaceScenario {
        /// Several requests of one page notice at the same time that the access token has expired.
        OneTab = "one-tab",
        /// The same in several tabs.
        ManyTabs = "many-tabs",
        /// The server has rotated the token, and its response is lost.
        LostAnswer = "lost-answer",
    }
}
