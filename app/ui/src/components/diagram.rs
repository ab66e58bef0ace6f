//! The flow of a session as a sequence diagram.
//!
//! The diagram is generated as text from plain numbers: it never changes, and its many small parts would cost more WASM
//! as views than everything else on the page. Its text can be selected. For people who cannot see it, the page has the
//! same steps as a numbered list, made of [`STEPS`].

use leptos::prelude::*;

use super::sequence;

/// One step as the list shows it. Its number in the diagram is its position in the list.
#[derive(Debug, Clone, Copy)]
pub struct FlowStep {
    pub title: &'static str,
    pub text: &'static str,
}

/// The whole flow.
pub const STEPS: [FlowStep; 6] = [
    FlowStep {
        title: "You sign in",
        text: "The password crosses the wire once and is checked against an argon2id hash. No page keeps it.",
    },
    FlowStep {
        title: "Two tokens come back",
        text: "The access token goes into this page’s memory. The refresh token goes into an httpOnly cookie, \
               which no script can read, ours included.",
    },
    FlowStep {
        title: "Requests carry the access token",
        text: "It is signed, needs no database to check, and is worthless after fifteen minutes.",
    },
    FlowStep {
        title: "A reload empties the memory",
        text: "The access token is gone, as it should be. Nothing was written down that could be found later.",
    },
    FlowStep {
        title: "The key turns",
        text: "The browser sends the cookie by itself. The server spends refresh token 1, sets number 2 in its \
               place, and answers with a new access token. You notice nothing.",
    },
    FlowStep {
        title: "A spent token is an alarm",
        text: "If refresh token 1 is used again later, by an attacker or by you, the server revokes the session for \
               both. The sign-in page tells you why.",
    },
];

/// Positions of the three lifelines.
#[derive(Clone, Copy)]
enum Lifeline {
    Page,
    Cookie,
    Server,
}

impl Lifeline {
    const ALL: [Self; 3] = [Self::Page, Self::Cookie, Self::Server];

    fn x(self) -> i32 {
        match self {
            Self::Page => 52,
            Self::Cookie => 176,
            Self::Server => 308,
        }
    }

    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Page => ("This page", "memory"),
            Self::Cookie => ("Cookie jar", "httpOnly"),
            Self::Server => ("Server", "decides"),
        }
    }
}

/// One arrow: its height, start, end and label, and the step's number if it begins a step.
struct Arrow {
    y: i32,
    from: Lifeline,
    to: Lifeline,
    label: &'static str,
    step: Option<u8>,
}

impl Arrow {
    const fn new(y: i32, from: Lifeline, to: Lifeline, label: &'static str, step: Option<u8>) -> Self {
        Self {
            y,
            from,
            to,
            label,
            step,
        }
    }
}

const ARROWS: [Arrow; 7] = [
    Arrow::new(92, Lifeline::Page, Lifeline::Server, "email, password", Some(1)),
    Arrow::new(132, Lifeline::Server, Lifeline::Page, "access token", Some(2)),
    Arrow::new(164, Lifeline::Server, Lifeline::Cookie, "refresh token 1", None),
    Arrow::new(
        204,
        Lifeline::Page,
        Lifeline::Server,
        "request, with token",
        Some(3),
    ),
    Arrow::new(
        300,
        Lifeline::Cookie,
        Lifeline::Server,
        "refresh token 1",
        Some(5),
    ),
    Arrow::new(332, Lifeline::Server, Lifeline::Cookie, "refresh token 2", None),
    Arrow::new(364, Lifeline::Server, Lifeline::Page, "new access token", None),
];

/// Labels are placed between two lifelines and never on one.
const LABEL_LEFT: i32 = 114;
const LABEL_RIGHT: i32 = 242;

/// The times at which the page's memory holds a token, and which token the cookie jar holds.
const RELOAD_Y: i32 = 248;
const ROTATION_Y: i32 = 316;
const ALARM_X: i32 = 200;
const ALARM_Y: i32 = 420;
const END_Y: i32 = 440;

/// The diagram.
#[component]
pub fn FlowDiagram() -> impl IntoView {
    view! { <div class="diagram-sheet" inner_html=drawing()></div> }.into_any()
}

fn drawing() -> String {
    let parts = [
        Lifeline::ALL.map(lifeline).concat(),
        bar(Lifeline::Page, 132, RELOAD_Y, "diagram__bar"),
        bar(Lifeline::Page, 364, END_Y, "diagram__bar"),
        bar(
            Lifeline::Cookie,
            164,
            ROTATION_Y,
            "diagram__bar diagram__bar--spent",
        ),
        bar(Lifeline::Cookie, 332, END_Y, "diagram__bar"),
        ARROWS.iter().map(arrow).collect(),
        reload(),
        rotation_mark(),
        alarm(),
    ];
    format!(
        r#"<svg class="diagram" viewBox="0 0 360 452" role="img" aria-labelledby="flow-title flow-text">
<title id="flow-title">A session from sign-in to rotation, as a sequence diagram</title>
<desc id="flow-text">Three lifelines: this page, the cookie jar, the server. The numbered list on this page tells the same.</desc>
{}</svg>"#,
        parts.concat()
    )
}

fn lifeline(line: Lifeline) -> String {
    let (name, kind) = line.names();
    sequence::lifeline(line.x(), name, kind, END_Y)
}

/// A lifeline, drawn thick while it holds a token.
fn bar(line: Lifeline, from: i32, to: i32, class: &str) -> String {
    let (left, height) = (line.x() - 3, to - from);
    format!(
        r#"<rect class="{class}" x="{left}" y="{from}" width="6" height="{height}" rx="1"/>
"#
    )
}

fn arrow(arrow: &Arrow) -> String {
    let Arrow {
        y,
        from,
        to,
        label,
        step,
    } = *arrow;
    let at_page = matches!(from, Lifeline::Page) || matches!(to, Lifeline::Page);
    let middle = if at_page { LABEL_LEFT } else { LABEL_RIGHT };
    // Outside the lifeline, so that the whole arrow is visible.
    let beside = if matches!(from, Lifeline::Server) {
        from.x() + 24
    } else {
        from.x() - 19
    };
    let number = step.map(|step| number(step, beside, y)).unwrap_or_default();
    let arrow = sequence::arrow(from.x(), to.x(), y, middle, label);
    format!("<g>{arrow}</g>\n{number}")
}

fn number(step: u8, x: i32, y: i32) -> String {
    sequence::number(step.into(), x, y, 9)
}

/// The interrupted lifeline of the page: a reload.
fn reload() -> String {
    let (start, words, base) = (Lifeline::Page.x() - 19, LABEL_LEFT + 6, RELOAD_Y + 4);
    let number = number(4, Lifeline::Page.x() - 32, RELOAD_Y);
    format!(
        r#"<g><path d="M{start} {RELOAD_Y}h10l3-5 6 10 6-10 3 5h10"/><text x="{words}" y="{base}">reload forgets it</text></g>
{number}"#
    )
}

/// Rotation of the refresh token at the server.
fn rotation_mark() -> String {
    let (x, y, head_x, head_y) = (
        Lifeline::Server.x() + 31,
        ROTATION_Y + 3,
        Lifeline::Server.x() + 30,
        ROTATION_Y - 10,
    );
    format!(
        r#"<g class="diagram__turn"><path d="M{x} {y}a9 9 0 1 1-1.2-8"/><path d="M{head_x} {head_y}v5.5h-5.5"/></g>
"#
    )
}

/// Someone, from anywhere, presents a used token.
fn alarm() -> String {
    let (end, cross_x, cross_y) = (Lifeline::Server.x() - 12, Lifeline::Server.x() - 4, ALARM_Y - 5);
    let (words, above) = (LABEL_RIGHT + 4, ALARM_Y - 8);
    let number = number(6, Lifeline::Server.x() + 24, ALARM_Y);
    format!(
        r#"<g class="diagram__alarm"><circle cx="{ALARM_X}" cy="{ALARM_Y}" r="3"/><path d="M{ALARM_X} {ALARM_Y}H{end}"/>
<path d="m{cross_x} {cross_y} 9 9m0-9-9 9"/><text x="{words}" y="{above}">number 1, again</text></g>
{number}"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_in_the_diagram_is_a_listed_step() {
        let drawing = drawing();
        let numbers = drawing.matches("diagram__number").count();
        assert_eq!(numbers, STEPS.len());
        for step in 1..=STEPS.len() {
            assert!(drawing.contains(&format!(">{step}</text>")), "{step}");
        }
    }

    #[test]
    fn every_tag_is_closed() {
        let drawing = drawing();
        for tag in ["svg", "g", "text", "title", "desc"] {
            let opened =
                drawing.matches(&format!("<{tag} ")).count() + drawing.matches(&format!("<{tag}>")).count();
            assert_eq!(opened, drawing.matches(&format!("</{tag}>")).count(), "{tag}");
        }
    }
}
