//! Two small plots, as text like all diagrams: requests and exposure, each against the access token's lifetime. All
//! scales are logarithmic. The table next to them shows the same.

use std::time::Duration;

use ui::components::sequence::text;

use super::estimate::{ACCESS, count, span, tenths_a_day};

const LEFT: f64 = 56.0;
const RIGHT: f64 = 304.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 176.0;

/// A value, and its label.
type Tick = (f64, &'static str);

const LIVES: [Tick; 4] = [
    (60.0, "1 min"),
    (900.0, "15 min"),
    (7_200.0, "2 h"),
    (86_400.0, "24 h"),
];
const RATES: [Tick; 4] = [(1.0, "1"), (10.0, "10"), (100.0, "100"), (1_000.0, "1000")];
const WINDOWS: [Tick; 4] = [
    (1.0, "1 s"),
    (60.0, "1 min"),
    (3_600.0, "1 h"),
    (86_400.0, "24 h"),
];

/// How often an open tab refreshes.
pub fn requests(access: Duration) -> String {
    let at = |access: f64, rate: f64| (across(access), up(rate, 1.0, 2_000.0));
    let rate = |access: u64| float(tenths_a_day(Duration::from_secs(access))) / 10.0;
    let curve = line(ACCESS.iter().map(|&life| at(float(life), rate(life))));
    let chosen = tenths_a_day(access);
    let (x, y) = at(access.as_secs_f64(), float(chosen) / 10.0);
    let words = count(chosen);
    let body = format!(
        r#"<g class="diagram__turn"><path d="{curve}"/></g>{}"#,
        point(x, y, &words)
    );
    frame(
        "Refreshes a day of one open tab, by the lifetime of the access token",
        "Refreshes a day",
        &RATES.map(|(rate, name)| (up(rate, 1.0, 2_000.0), name)),
        &body,
    )
}

/// How long an attacker can use a stolen access token.
pub fn damage(access: Duration) -> String {
    let height = |window: f64| up(window, 1.0, 86_400.0);
    let stateless = line(
        ACCESS
            .iter()
            .map(|&life| (across(float(life)), height(float(life)))),
    );
    let ours = height(1.0);
    let (left, right) = (px(LEFT), px(RIGHT));
    let seconds = access.as_secs_f64();
    let (x, y) = (across(seconds), height(seconds));
    let body = format!(
        r#"<g class="diagram__alarm"><path d="{stateless}"/>{}</g><g class="diagram__turn"><path d="M{left} {floor}H{right}"/></g>{}{}{}"#,
        text(px(LEFT) + 64, px(TOP) + 26, "session cannot be ended"),
        text(px(RIGHT) - 70, px(ours) - 10, "Keyturn, once ended"),
        point(x, y, &span(access)),
        point(x, ours, ""),
        floor = px(ours),
    );
    frame(
        "For how long a stolen access token is good, by its lifetime",
        "Good for a thief, at most",
        &WINDOWS.map(|(window, name)| (height(window), name)),
        &body,
    )
}

fn frame(label: &str, title: &str, ticks: &[Tick], body: &str) -> String {
    let (left, right, top, bottom) = (px(LEFT), px(RIGHT), px(TOP), px(BOTTOM));
    let life = |&(life, name): &Tick| {
        let x = px(across(life));
        let mark = format!(r#"<path d="M{x} {top}V{}"/>"#, bottom + 5);
        mark + &text(x, bottom + 20, name)
    };
    let tick = |&(y, name): &Tick| {
        let y = px(y);
        let mark = format!(r#"<path d="M{} {y}H{right}"/>"#, left - 5);
        mark + &text(left - 28, y + 4, name)
    };
    let across: String = LIVES.iter().map(life).collect();
    let upward: String = ticks.iter().map(tick).collect();
    format!(
        r#"<svg class="diagram" viewBox="0 0 330 216" role="img" aria-label="{label}. The table below tells the same."><g class="diagram__line">{across}{upward}</g>{}{}{body}</svg>"#,
        text(180, 16, title),
        text(180, bottom + 37, "lifetime of the access token"),
    )
}

/// The selected point, with its value above.
fn point(x: f64, y: f64, words: &str) -> String {
    let (x, y) = (px(x), px(y));
    let ring = format!(r#"<g class="diagram__number"><circle cx="{x}" cy="{y}" r="5"/></g>"#);
    // Near the edges the text stays inside.
    let middle = x.clamp(px(LEFT) + 24, px(RIGHT) - 8);
    format!("{ring}{}", text(middle, y - 12, words))
}

fn line(points: impl Iterator<Item = (f64, f64)>) -> String {
    let points: Vec<String> = points.map(|(x, y)| format!("{} {}", px(x), px(y))).collect();
    format!("M{}", points.join("L"))
}

fn across(life: f64) -> f64 {
    LEFT + (RIGHT - LEFT) * share(life, 60.0, 86_400.0)
}

fn up(value: f64, least: f64, most: f64) -> f64 {
    BOTTOM - (BOTTOM - TOP) * share(value, least, most)
}

/// The position of a value between two others, on a logarithmic scale.
fn share(value: f64, least: f64, most: f64) -> f64 {
    (value / least).ln() / (most / least).ln()
}

fn float(number: u64) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

/// To the nearest pixel. Formatting fractions would add code to the program.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a place in a drawing a few hundred units wide"
)]
fn px(place: f64) -> i32 {
    place.round() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scales_are_logarithmic() {
        let near = |one: f64, other: f64| (one - other).abs() < 0.01;
        assert!(near(share(10.0, 1.0, 100.0), 0.5));
        assert!(near(share(1.0, 1.0, 100.0), 0.0));
        assert!(near(share(100.0, 1.0, 100.0), 1.0));
    }

    #[test]
    fn curves_stay_inside_their_frame() {
        for access in ACCESS.map(Duration::from_secs) {
            let seconds = access.as_secs_f64();
            let rate = float(tenths_a_day(access)) / 10.0;
            assert!(
                (LEFT - 0.1..=RIGHT + 0.1).contains(&across(seconds)),
                "{access:?}"
            );
            let height = up(rate, 1.0, 2_000.0);
            assert!((TOP - 0.1..=BOTTOM + 0.1).contains(&height), "{access:?}");
        }
    }

    #[test]
    fn the_chosen_point_has_its_value() {
        assert!(requests(Duration::from_mins(15)).contains(">103<"));
        let damage = damage(Duration::from_mins(10));
        assert!(damage.contains(">10 min<") && damage.contains("Keyturn, once ended"));
    }
}
