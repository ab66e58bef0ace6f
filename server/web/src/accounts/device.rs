//! Device names: “Firefox on Windows 10”, from a `User-Agent`.
//!
//! For people who review their sessions. The text is what the browser claims, and no decision depends on it.

use woothee::{parser::Parser, woothee::VALUE_UNKNOWN};

/// The names of the browser and the system, or the text itself if it contains neither.
pub fn name_of(user_agent: &str) -> String {
    let Some(found) = Parser::new().parse(user_agent) else {
        return first_product(user_agent);
    };
    match (known(found.name), known(found.os)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(name), None) | (None, Some(name)) => name.to_owned(),
        (None, None) => first_product(user_agent),
    }
}

/// The same with the browser's version: “Chrome 149.0.0.0 on Linux”.
pub fn name_and_version_of(user_agent: &str) -> String {
    let name = name_of(user_agent);
    let version = Parser::new()
        .parse(user_agent)
        .and_then(|found| known(found.version).map(str::to_owned));
    match (name.split_once(" on "), version) {
        (Some((browser, system)), Some(version)) => format!("{browser} {version} on {system}"),
        _ => name,
    }
}

fn known(name: &str) -> Option<&str> {
    Some(name).filter(|name| !name.is_empty() && *name != VALUE_UNKNOWN)
}

/// `curl` of `curl/8.5.0` (RFC 9110 §10.1.5).
fn first_product(user_agent: &str) -> String {
    let end = user_agent.find('/').unwrap_or(user_agent.len());
    user_agent[..end].trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_have_names() {
        for (user_agent, name) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/149.0.0.0 Safari/537.36",
                "Chrome on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:148.0) Gecko/20100101 Firefox/148.0",
                "Firefox on Windows 10",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/19.0 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            ("curl/8.5.0", "HTTP Library"),
            ("keyturn, the command line", "keyturn, the command line"),
            ("", ""),
        ] {
            assert_eq!(name_of(user_agent), name, "{user_agent}");
        }
    }
}
