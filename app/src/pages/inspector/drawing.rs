//! The last requests as a sequence diagram, drawn from what was really sent and answered.
//!
//! It is generated as text, like the diagram of the start page. Its text can be selected, and the table below it shows
//! the same for people who cannot see it.

use api_types::paths;
use session_client::request_log::LoggedRequest;

use ui::components::sequence::{arrow, lifeline, number, text};

const PAGE: i32 = 76;
const JAR: i32 = 316;
const SERVER: i32 = 556;
const WIDTH: i32 = 632;
/// The position of the labels: between two lifelines, never on one.
const LEFT: i32 = 196;
const RIGHT: i32 = 436;
const TOP: i32 = 64;
const ROW: i32 = 92;

/// The diagram of these requests, the oldest on top.
pub fn drawing(entries: &[LoggedRequest]) -> String {
    let rows = i32::try_from(entries.len()).unwrap_or(0).max(1);
    let end = TOP + rows * ROW;
    let height = end + 8;
    let lines: String = [
        (PAGE, "This page", "memory"),
        (JAR, "Cookie jar", "httpOnly"),
        (SERVER, "Server", "decides"),
    ]
    .into_iter()
    .map(|(x, name, kind)| lifeline(x, name, kind, end))
    .collect();
    let last = entries.len().saturating_sub(1);
    let drawn: String = entries
        .iter()
        .enumerate()
        .map(|(index, entry)| {
            row(
                entry,
                TOP + 28 + ROW * i32::try_from(index).unwrap_or(0),
                index == last,
            )
        })
        .collect();
    format!(
        r#"<svg class="diagram diagram--live" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="The last requests of this page, as a sequence diagram. The table below tells the same.">
{lines}{drawn}</svg>"#
    )
}

fn row(entry: &LoggedRequest, y: i32, newest: bool) -> String {
    let mut class = String::from("diagram__exchange");
    class.push_str(match (&entry.outcome, entry.status()) {
        (None, _) => " diagram__exchange--pending",
        (_, Some(200..300)) => "",
        _ => " diagram__exchange--refused",
    });
    if newest {
        class.push_str(" diagram__exchange--new");
    }
    let label = escape(&format!("{} {}", entry.method.as_str(), entry.path));
    let mut parts = vec![
        number(entry.number, PAGE - 34, y, 12),
        arrow(PAGE, SERVER, y, LEFT, &label),
    ];
    if entry.bearer {
        parts.push(text(RIGHT, y - 7, "access token"));
    }
    if entry.uses_cookie() {
        parts.push(arrow(JAR, SERVER, y + 22, RIGHT, "refresh token"));
    }
    if entry.outcome.is_some() {
        parts.push(arrow(SERVER, PAGE, y + 50, LEFT, &escape(&answer(entry))));
        if let Some(change) = jar_change(entry) {
            parts.push(arrow(SERVER, JAR, y + 50, RIGHT, change));
        }
    }
    format!("<g class=\"{class}\">{}</g>\n", parts.concat())
}

/// The response, in a few words.
pub fn answer(entry: &LoggedRequest) -> String {
    let Some(outcome) = &entry.outcome else {
        return "under way".into();
    };
    let took = outcome.duration.as_millis();
    match &outcome.response {
        None => format!("no answer after {took} ms"),
        Some(response) => match &response.code {
            Some(code) => format!("{} {code}, {took} ms", response.status),
            None => format!("{}, {took} ms", response.status),
        },
    }
}

/// The response's effect on the cookie, derived from the protocol's rules, because no script can see the cookie.
fn jar_change(entry: &LoggedRequest) -> Option<&'static str> {
    match (entry.path.as_str(), entry.status()?) {
        (paths::REFRESH, 200) => Some("next refresh token"),
        (paths::LOGIN | paths::REGISTER | paths::ACCOUNT_PASSWORD, 200..300) => Some("first refresh token"),
        (paths::REFRESH, 401) | (paths::LOGOUT | paths::LOGOUT_ALL | paths::ACCOUNT, 200..300) => {
            Some("cookie deleted")
        }
        _ => None,
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use session_client::{
        Method,
        request_log::{LoggedResponse, RequestOutcome},
    };

    use super::*;

    fn entry(path: &str, status: Option<u16>) -> LoggedRequest {
        LoggedRequest {
            number: 3,
            method: Method::Post,
            path: path.into(),
            bearer: false,
            sent_at: Duration::ZERO,
            outcome: Some(RequestOutcome {
                duration: Duration::from_millis(12),
                response: status.map(|status| LoggedResponse { status, code: None }),
            }),
        }
    }

    #[test]
    fn a_refresh_takes_the_cookie_along_and_brings_the_next() {
        let drawing = drawing(&[entry(paths::REFRESH, Some(200))]);
        for words in [">refresh token<", "200, 12 ms", "next refresh token"] {
            assert!(drawing.contains(words), "{words}");
        }
    }

    #[test]
    fn nothing_is_drawn_that_did_not_happen() {
        let pending = LoggedRequest {
            outcome: None,
            ..entry(paths::REFRESH, None)
        };
        let drawing = drawing(&[pending, entry(paths::REFRESH, Some(401))]);
        assert!(!drawing.contains("next refresh token"));
        assert_eq!(answer(&entry(paths::ME, None)), "no answer after 12 ms");
    }

    #[test]
    fn what_stands_in_a_path_is_no_markup() {
        let drawing = drawing(&[entry("/api/<b>&amp;", Some(200))]);
        assert!(!drawing.contains("<b>"));
    }
}
