//! The flow of a session as a sequence diagram.
//!
//! The picture is drawn from plain numbers, once, on the server. Its text can be selected. Those who cannot see it
//! have the numbered list beside it, made of the same [`STEPS`].

use leptos::prelude::*;

/// One step, as the list tells it. Its number in the picture is its place in the list.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    pub title: &'static str,
    pub text: &'static str,
}

/// The whole flow.
pub const STEPS: [Step; 6] = [
    Step {
        title: "You sign in",
        text: "The password crosses the wire once and is checked against an argon2id hash. No page keeps it.",
    },
    Step {
        title: "Two tokens come back",
        text: "The access token goes into this page’s memory. The refresh token goes into an httpOnly cookie, \
               which no script can read, ours included.",
    },
    Step {
        title: "Requests carry the access token",
        text: "It is signed, needs no database to check, and is worthless after fifteen minutes.",
    },
    Step {
        title: "A reload empties the memory",
        text: "The access token is gone, as it should be. Nothing was written down that could be found later.",
    },
    Step {
        title: "The key turns",
        text: "The browser sends the cookie by itself. The server spends refresh token 1, sets number 2 in its \
               place, and answers with a new access token. You notice nothing.",
    },
    Step {
        title: "A spent token is an alarm",
        text: "Whoever presents number 1 later, be it a thief or you after a theft, ends this session for both. \
               You are told why at the next sign-in.",
    },
];

/// Where the three lifelines stand.
#[derive(Clone, Copy)]
enum Line {
    Page,
    Cookie,
    Server,
}

impl Line {
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

/// One arrow: its height, where it starts and ends, its words, and the step's number if it opens one.
struct Arrow {
    y: i32,
    from: Line,
    to: Line,
    label: &'static str,
    step: Option<u8>,
}

const ARROWS: [Arrow; 7] = [
    Arrow {
        y: 92,
        from: Line::Page,
        to: Line::Server,
        label: "email, password",
        step: Some(1),
    },
    Arrow {
        y: 132,
        from: Line::Server,
        to: Line::Page,
        label: "access token",
        step: Some(2),
    },
    Arrow {
        y: 164,
        from: Line::Server,
        to: Line::Cookie,
        label: "refresh token 1",
        step: None,
    },
    Arrow {
        y: 204,
        from: Line::Page,
        to: Line::Server,
        label: "request, with token",
        step: Some(3),
    },
    Arrow {
        y: 300,
        from: Line::Cookie,
        to: Line::Server,
        label: "refresh token 1",
        step: Some(5),
    },
    Arrow {
        y: 332,
        from: Line::Server,
        to: Line::Cookie,
        label: "refresh token 2",
        step: None,
    },
    Arrow {
        y: 364,
        from: Line::Server,
        to: Line::Page,
        label: "new access token",
        step: None,
    },
];

/// Words stand between two lifelines and never on one.
const LABEL_LEFT: i32 = 114;
const LABEL_RIGHT: i32 = 242;

/// When the memory of the page holds a token, and when the jar holds which.
const RELOAD_Y: i32 = 248;
const TURN_Y: i32 = 316;
const ALARM_X: i32 = 200;
const ALARM_Y: i32 = 420;
const END_Y: i32 = 440;

/// The picture.
#[component]
pub fn FlowDiagram() -> impl IntoView {
    view! {
        <svg class="diagram" viewBox="0 0 360 452" role="img" aria-labelledby="flow-title flow-text">
            <title id="flow-title">"A session from sign-in to rotation, as a sequence diagram"</title>
            <desc id="flow-text">
                "Three lifelines: this page, the cookie jar, the server. The numbered list on this page tells the same."
            </desc>
            {Line::ALL.into_iter().map(lifeline).collect_view()}
            {bar(Line::Page, 132, RELOAD_Y, "diagram__bar")}
            {bar(Line::Page, 364, END_Y, "diagram__bar")}
            {bar(Line::Cookie, 164, TURN_Y, "diagram__bar diagram__bar--spent")}
            {bar(Line::Cookie, 332, END_Y, "diagram__bar")}
            {ARROWS.iter().map(arrow).collect_view()}
            <g class="diagram__reload">
                <path d=format!("M{} {RELOAD_Y}h10l3-5 6 10 6-10 3 5h10", Line::Page.x() - 19)></path>
                <text x=LABEL_LEFT + 6 y=RELOAD_Y + 4>"reload forgets it"</text>
            </g>
            {number(4, Line::Page.x() - 32, RELOAD_Y)}
            <g class="diagram__turn">
                <path d=format!("M{0} {1}a9 9 0 1 1-1.2-8", Line::Server.x() + 31, TURN_Y + 3)></path>
                <path d=format!("M{0} {1}v5.5h-5.5", Line::Server.x() + 30, TURN_Y - 10)></path>
            </g>
            <g class="diagram__alarm">
                <circle cx=ALARM_X cy=ALARM_Y r="3"></circle>
                <path d=format!("M{ALARM_X} {ALARM_Y}H{}", Line::Server.x() - 12)></path>
                <path d=format!("m{0} {1} 9 9m0-9-9 9", Line::Server.x() - 4, ALARM_Y - 5)></path>
                <text x=LABEL_RIGHT + 4 y=ALARM_Y - 8>"number 1, again"</text>
            </g>
            {number(6, Line::Server.x() + 24, ALARM_Y)}
        </svg>
    }
    .into_any()
}

fn lifeline(line: Line) -> impl IntoView {
    let (name, kind) = line.names();
    let x = line.x();
    view! {
        <g class="diagram__line">
            <path d=format!("M{x} 48V{END_Y}")></path>
            <rect x=x - 46 y="6" width="92" height="42" rx="3"></rect>
            <text class="diagram__name" x=x y="24">{name}</text>
            <text class="diagram__kind" x=x y="39">{kind}</text>
        </g>
    }
}

/// A lifeline drawn thick while it holds something.
fn bar(line: Line, from: i32, to: i32, class: &'static str) -> impl IntoView {
    view! { <rect class=class x=line.x() - 3 y=from width="6" height=to - from rx="1"></rect> }
}

fn arrow(arrow: &Arrow) -> impl IntoView + use<> {
    let Arrow {
        y,
        from,
        to,
        label,
        step,
    } = *arrow;
    let right = to.x() > from.x();
    let (start, end) = if right {
        (from.x() + 5, to.x() - 5)
    } else {
        (from.x() - 5, to.x() + 5)
    };
    let (back, forth) = if right { (-7, 7) } else { (7, -7) };
    let from_or_to_page = matches!(from, Line::Page) || matches!(to, Line::Page);
    let middle = if from_or_to_page { LABEL_LEFT } else { LABEL_RIGHT };
    // Outside the lifeline, so that the arrow is whole.
    let beside = if matches!(from, Line::Server) {
        from.x() + 24
    } else {
        from.x() - 19
    };
    view! {
        <g class="diagram__arrow">
            <path d=format!("M{start} {y}H{end}m{back} -4 {forth} 4 {back} 4")></path>
            <text x=middle y=y - 7>{label}</text>
        </g>
        {step.map(|step| number(step, beside, y))}
    }
}

fn number(step: u8, x: i32, y: i32) -> impl IntoView {
    view! {
        <g class="diagram__number">
            <circle cx=x cy=y r="9"></circle>
            <text x=x y=y + 4>{step}</text>
        </g>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_in_the_picture_is_a_step_of_the_list() {
        let mut drawn: Vec<u8> = ARROWS
            .iter()
            .filter_map(|arrow| arrow.step)
            .chain([4, 6])
            .collect();
        drawn.sort_unstable();
        let listed: Vec<u8> = (1..).take(STEPS.len()).collect();
        assert_eq!(drawn, listed);
    }
}
