//! What columns and rows are called, on the pages and in the evidence.

use crate::{
    CellId, ContentPolicy, CsrfDefence, Experiment, Injection, RaceDefence, RaceScenario, RequestSource,
    Strategy, Threat, Vector,
};

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
pub fn csrf_defence(defence: CsrfDefence) -> &'static str {
    match defence {
        CsrfDefence::None => "No guard",
        CsrfDefence::Lax => "SameSite=Lax",
        CsrfDefence::Strict => "SameSite=Strict",
        CsrfDefence::Origin => "Origin",
        CsrfDefence::FetchMetadata => "Fetch Metadata",
        CsrfDefence::CustomHeader => "Custom header",
        CsrfDefence::DoubleSubmit => "Double submit",
        CsrfDefence::HostDoubleSubmit => "Double submit, __Host-",
        CsrfDefence::Keyturn => "Keyturn",
    }
}

/// The origin of a forged request.
pub fn source(source: RequestSource) -> &'static str {
    match source {
        RequestSource::OtherSite => "From another site",
        RequestSource::Sibling => "From a sibling host",
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
pub fn content_policy(policy: ContentPolicy) -> &'static str {
    match policy {
        ContentPolicy::None => "No policy",
        ContentPolicy::Weak => "A weak one",
        ContentPolicy::Ours => "Keyturn’s",
        ContentPolicy::TrustedTypes => "Keyturn’s and Trusted Types",
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
pub fn race_defence(defence: RaceDefence) -> &'static str {
    match defence {
        RaceDefence::None => "Nothing",
        RaceDefence::SingleFlight => "Single flight",
        RaceDefence::Lock => "Web Lock",
        RaceDefence::CompareAndSet => "Compare and set",
        RaceDefence::Grace => "… and a grace",
        RaceDefence::Server => "Keyturn’s server",
        RaceDefence::Together => "Keyturn, whole",
    }
}

/// The head of a row that is a race scenario.
pub fn race_scenario(scenario: RaceScenario) -> &'static str {
    match scenario {
        RaceScenario::OneTab => "One tab, several requests at once",
        RaceScenario::ManyTabs => "Several tabs at once",
        RaceScenario::LostAnswer => "The answer is lost",
    }
}

/// The head of a cell's column.
pub fn column(cell: CellId) -> &'static str {
    match cell {
        CellId::Storage { strategy: one, .. } => strategy(one),
        CellId::Forgery { guard: one, .. } => csrf_defence(one),
        CellId::Script { policy: one, .. } => content_policy(one),
        CellId::Race { remedy: one, .. } => race_defence(one),
    }
}

/// The head of a cell's row.
pub fn row(cell: CellId) -> &'static str {
    match cell {
        CellId::Storage { threat: one, .. } => threat(one),
        CellId::Forgery { vector: one, .. } => vector(one),
        CellId::Script { injection: one, .. } => injection(one),
        CellId::Race { load: one, .. } => race_scenario(one),
    }
}

/// A cell in words.
pub fn cell(cell: CellId) -> String {
    match cell {
        CellId::Forgery { source: from, .. } => {
            format!("{}, {} · {}", row(cell), source(from), column(cell))
        }
        _ => format!("{} · {}", row(cell), column(cell)),
    }
}

/// The head of the group to which a row belongs.
pub fn group(cell: CellId) -> &'static str {
    match cell {
        CellId::Storage { threat, .. } => match threat {
            Threat::Reload | Threat::NewTab | Threat::Restart => "What a session should survive",
            Threat::SingleExecutionTheft | Threat::PersistentTheft | Threat::NewTokens | Threat::Proxying => {
                "Cross-site scripting"
            }
            Threat::CsrfChange | Threat::CsrfLogin | Threat::CsrfLogout => "Cross-site request forgery",
            Threat::AccessAfterSignOut | Threat::RefreshAfterRotation | Threat::RefreshBeforeOwner => {
                "Stolen copies"
            }
        },
        CellId::Forgery { source: from, .. } => source(from),
        CellId::Script { injection, .. } => match injection {
            Injection::Form | Injection::Style => "Without a script",
            Injection::FetchHome | Injection::ImageHome | Injection::LeaveHome | Injection::Act => {
                "A script that the page trusts"
            }
            Injection::HtmlSink | Injection::UrlSink | Injection::Eval => "Text that the page’s script runs",
            _ => "Markup that the server wrote",
        },
        CellId::Race { .. } => "Refreshes that meet",
    }
}

/// The name of its run in the query of the page.
pub fn run_key(experiment: Experiment) -> &'static str {
    match experiment {
        Experiment::Storage => "run",
        Experiment::Forgery => "forgery",
        Experiment::Scripts => "scripts",
        Experiment::Races => "races",
    }
}
