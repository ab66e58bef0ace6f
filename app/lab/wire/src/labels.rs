//! What columns and rows are called, on the pages and in the evidence.

use crate::{Bench, Guard, Injection, Load, Place, Policy, Remedy, Source, Strategy, Threat, Vector};

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

/// The name of its run in the query of the page.
pub fn run_key(bench: Bench) -> &'static str {
    match bench {
        Bench::Storage => "run",
        Bench::Forgery => "forgery",
        Bench::Scripts => "scripts",
        Bench::Races => "races",
    }
}
