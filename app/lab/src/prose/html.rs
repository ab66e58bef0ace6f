//! Paragraphs and sources as HTML.

/// A source with its link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Source {
    pub name: &'static str,
    pub address: &'static str,
}

pub(super) const fn source(name: &'static str, address: &'static str) -> Source {
    Source { name, address }
}

pub(super) const RFC_6265_HTTP_ONLY: Source = source(
    "RFC 6265 §4.1.2.6",
    "https://www.rfc-editor.org/rfc/rfc6265#section-4.1.2.6",
);
pub(super) const RFC_6749_REFRESH: Source = source(
    "RFC 6749 §1.5",
    "https://www.rfc-editor.org/rfc/rfc6749#section-1.5",
);
pub(super) const RFC_6750: Source = source("RFC 6750", "https://www.rfc-editor.org/rfc/rfc6750");
pub(super) const RFC_6750_LIFETIME: Source = source(
    "RFC 6750 §5.3",
    "https://www.rfc-editor.org/rfc/rfc6750#section-5.3",
);
pub(super) const RFC_7009: Source = source("RFC 7009", "https://www.rfc-editor.org/rfc/rfc7009");
pub(super) const RFC_7519: Source = source("RFC 7519", "https://www.rfc-editor.org/rfc/rfc7519");
pub(super) const RFC_9700_ROTATION: Source = source(
    "RFC 9700 §2.2.2",
    "https://www.rfc-editor.org/rfc/rfc9700#section-2.2.2",
);
pub(super) const RFC_9700_PROTECTION: Source = source(
    "RFC 9700 §4.14",
    "https://www.rfc-editor.org/rfc/rfc9700#section-4.14",
);
pub(super) const RFC_9700_REUSE: Source = source(
    "RFC 9700 §4.14.2",
    "https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2",
);
pub(super) const BROWSER_APPS: Source = source(
    "draft-ietf-oauth-browser-based-apps",
    "https://datatracker.ietf.org/doc/draft-ietf-oauth-browser-based-apps/",
);
pub(super) const OWASP_CSRF: Source = source(
    "OWASP Cross-Site Request Forgery Prevention Cheat Sheet",
    "https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html",
);
pub(super) const FETCH_METADATA: Source = source(
    "W3C Fetch Metadata Request Headers",
    "https://www.w3.org/TR/fetch-metadata/",
);
pub(super) const RFC_6265BIS: Source = source(
    "draft-ietf-httpbis-rfc6265bis",
    "https://datatracker.ietf.org/doc/draft-ietf-httpbis-rfc6265bis/",
);
pub(super) const FETCH: Source = source("Fetch Standard", "https://fetch.spec.whatwg.org/");
pub(super) const BEACON: Source = source("W3C Beacon", "https://www.w3.org/TR/beacon/");
pub(super) const FORMS: Source = source(
    "HTML Standard, form submission",
    "https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#form-submission-2",
);
pub(super) const RFC_9110_SAFE: Source = source(
    "RFC 9110 §9.2.1",
    "https://www.rfc-editor.org/rfc/rfc9110#section-9.2.1",
);
pub(super) const CSP: Source = source("Content Security Policy Level 3", "https://www.w3.org/TR/CSP3/");
pub(super) const TRUSTED_TYPES: Source = source("Trusted Types", "https://www.w3.org/TR/trusted-types/");
pub(super) const OWASP_XSS: Source = source(
    "OWASP Cross Site Scripting Prevention Cheat Sheet",
    "https://cheatsheetseries.owasp.org/cheatsheets/Cross_Site_Scripting_Prevention_Cheat_Sheet.html",
);
pub(super) const WEB_LOCKS: Source = source("Web Locks API", "https://www.w3.org/TR/web-locks/");
pub(super) const OWASP_HTML5: Source = source(
    "OWASP HTML5 Security Cheat Sheet",
    "https://cheatsheetseries.owasp.org/cheatsheets/HTML5_Security_Cheat_Sheet.html",
);
pub(super) const OWASP_SESSIONS: Source = source(
    "OWASP Session Management Cheat Sheet",
    "https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html",
);
pub(super) const WEB_STORAGE: Source = source(
    "HTML Standard, Web storage",
    "https://html.spec.whatwg.org/multipage/webstorage.html",
);

pub(super) fn paragraphs(texts: &[&str]) -> String {
    let paragraphs: Vec<String> = texts
        .iter()
        .map(|text| format!("<p>{}</p>", escaped(text)))
        .collect();
    paragraphs.concat()
}

/// Links to the sources, separated by commas.
pub(super) fn sources(sources: &[Source]) -> String {
    let links: Vec<String> = sources
        .iter()
        // Not pages of the application, so the router must leave these links to the browser.
        .map(|Source { name, address }| {
            format!(r#"<a href="{address}" rel="external noreferrer">{name}</a>"#)
        })
        .collect();
    links.join(", ")
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
