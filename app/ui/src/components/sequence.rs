//! Parts of sequence diagrams, as text: as views their many small parts would cost more WASM than the rest of a page.

/// The height at which lifelines and labels begin; the heads of the lifelines are above.
pub const HEAD: i32 = 48;

/// A lifeline with its head: a name, and the kind of place.
pub fn lifeline(x: i32, name: &str, kind: &str, end: i32) -> String {
    let left = x - 46;
    format!(
        r#"<g class="diagram__line"><path d="M{x} {HEAD}V{end}"/><rect x="{left}" y="6" width="92" height="42" rx="3"/>
<text class="diagram__name" x="{x}" y="24">{name}</text><text class="diagram__kind" x="{x}" y="39">{kind}</text></g>
"#
    )
}

/// An arrow between two lifelines: it ends next to both, has a head in its direction, and its label above it at
/// `middle`.
pub fn arrow(from: i32, to: i32, y: i32, middle: i32, words: &str) -> String {
    let way = if to > from { 1 } else { -1 };
    let (start, end, back, forth) = (from + 5 * way, to - 5 * way, -7 * way, 7 * way);
    let words = text(middle, y - 7, words);
    format!(r#"<path d="M{start} {y}H{end}m{back} -4 {forth} 4 {back} 4"/>{words}"#)
}

/// Text centred at `x`.
pub fn text(x: i32, y: i32, words: &str) -> String {
    format!(r#"<text x="{x}" y="{y}">{words}</text>"#)
}

/// A number in a circle.
pub fn number(number: u64, x: i32, y: i32, radius: i32) -> String {
    let base = y + 4;
    format!(
        r#"<g class="diagram__number"><circle cx="{x}" cy="{y}" r="{radius}"/><text x="{x}" y="{base}">{number}</text></g>
"#
    )
}
