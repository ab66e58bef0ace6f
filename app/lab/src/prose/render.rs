//! Renders the Markdown files.
//!
//! The headings of most files are keys: names on the wire or in addresses. The page shows the name from
//! [`labels`] instead.

use std::{fmt::Write as _, iter, sync::LazyLock};

use lab_types::{
    CellVerdict, ContentPolicy, CsrfDefence, Defence, Injection, RaceDefence, RaceScenario, Strategy, Threat,
    Vector,
};
use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd, html::push_html};

use super::Prose;
use crate::labels;

type Sections = LazyLock<Vec<Section>>;

static INTRODUCTIONS: Sections = LazyLock::new(|| sections(include_str!("../../prose/introductions.md")));
static DEFENCES: Sections = LazyLock::new(|| sections(include_str!("../../prose/defences.md")));
static DESIGNS: Sections = LazyLock::new(|| sections(include_str!("../../prose/designs.md")));
static TOKEN_STATES: Sections = LazyLock::new(|| sections(include_str!("../../prose/token-states.md")));
static GLOSSARY: Sections = LazyLock::new(|| sections(include_str!("../../prose/glossary.md")));
static STORY: Sections = LazyLock::new(|| sections(include_str!("../../prose/story.md")));

/// A heading, and the HTML below it up to the next heading.
struct Section {
    level: HeadingLevel,
    heading: String,
    body: String,
}

impl Section {
    /// The body inside a text, if it is one paragraph.
    fn inline(&self) -> &str {
        let body = self.body.trim();
        body.strip_prefix("<p>")
            .and_then(|body| body.strip_suffix("</p>"))
            .unwrap_or(body)
    }
}

/// The text as HTML.
pub fn html(text: Prose) -> String {
    match text {
        Prose::Opening => find(&INTRODUCTIONS, "opening").body.clone(),
        Prose::Experiment(experiment) => find(&INTRODUCTIONS, experiment.slug()).body.clone(),
        Prose::Simulator => find(&INTRODUCTIONS, "simulator").body.clone(),
        Prose::LiveSession => find(&INTRODUCTIONS, "live").body.clone(),
        Prose::Lifetimes => find(&INTRODUCTIONS, "lifetimes").body.clone(),
        Prose::Without(defence) => {
            let key = defence.map_or("none", Defence::slug);
            find(&DEFENCES, key).inline().to_owned()
        }
        Prose::Designs => definitions(named(&DESIGNS[1..])),
        Prose::TokenStates => definitions(named(&TOKEN_STATES[1..])),
        Prose::Glossary => glossary(),
        Prose::Story => story(),
    }
}

/// Splits a file, which begins with a heading.
fn sections(markdown: &str) -> Vec<Section> {
    let mut events = Parser::new(markdown).peekable();
    let mut sections = Vec::new();
    while let Some(Event::Start(Tag::Heading { level, .. })) = events.next() {
        let end = Event::End(TagEnd::Heading(level));
        let heading = to_html(events.by_ref().take_while(|event| *event != end));
        let body =
            iter::from_fn(|| events.next_if(|event| !matches!(event, Event::Start(Tag::Heading { .. }))));
        let body = to_html(body);
        sections.push(Section { level, heading, body });
    }
    sections
}

fn to_html<'a>(events: impl Iterator<Item = Event<'a>>) -> String {
    let mut html = String::new();
    push_html(&mut html, events);
    // Sources are not pages of the application, so the router must leave these links to the browser.
    html.replace("<a href=", r#"<a rel="external noreferrer" href="#)
}

/// The tests find every key.
fn find<'a>(sections: &'a [Section], key: &str) -> &'a Section {
    let found = sections.iter().find(|section| section.heading == key);
    found.unwrap_or(&sections[0])
}

fn named(sections: &[Section]) -> impl Iterator<Item = (&str, &Section)> {
    sections.iter().map(|section| (section.heading.as_str(), section))
}

fn definitions<'a>(entries: impl Iterator<Item = (&'a str, &'a Section)>) -> String {
    let mut html = String::from("<dl>");
    for (name, section) in entries {
        let meaning = section.inline();
        let _ = write!(html, "<div><dt>{name}</dt><dd>{meaning}</dd></div>");
    }
    html + "</dl>"
}

/// The key of an entry, and its name on the page.
type Names = Vec<(&'static str, &'static str)>;

/// The entries of each group of the glossary, in its order.
fn glossary_names() -> [Names; 9] {
    fn names<T: Copy>(all: &[T], key: fn(T) -> &'static str, name: fn(T) -> &'static str) -> Names {
        all.iter().map(|&one| (key(one), name(one))).collect()
    }
    [
        names(CellVerdict::ALL, CellVerdict::slug, labels::verdict),
        names(Strategy::ALL, Strategy::slug, labels::strategy),
        names(Threat::ALL, Threat::slug, labels::threat),
        names(CsrfDefence::ALL, CsrfDefence::slug, labels::csrf_defence),
        names(Vector::ALL, Vector::slug, labels::vector),
        names(ContentPolicy::ALL, ContentPolicy::slug, labels::content_policy),
        names(Injection::ALL, Injection::slug, labels::injection),
        names(RaceDefence::ALL, RaceDefence::slug, labels::race_defence),
        names(RaceScenario::ALL, RaceScenario::slug, labels::race_scenario),
    ]
}

fn groups(sections: &[Section]) -> impl Iterator<Item = &[Section]> {
    sections.chunk_by(|_, next| next.level == HeadingLevel::H3)
}

fn glossary() -> String {
    let mut html = title(&GLOSSARY[0]);
    for (group, names) in groups(&GLOSSARY[1..]).zip(glossary_names()) {
        let entries = names.iter().map(|&(key, name)| (name, find(group, key)));
        let _ = write!(html, "<h3>{}</h3>{}", group[0].heading, definitions(entries));
    }
    html
}

fn story() -> String {
    let mut html = title(&STORY[0]);
    for Section { heading, body, .. } in &STORY[1..] {
        let _ = write!(html, "<section><h3>{heading}</h3>{body}</section>");
    }
    html
}

fn title(section: &Section) -> String {
    format!(r#"<h2 class="section-title">{}</h2>"#, section.heading)
}

#[cfg(test)]
mod tests {
    use lab_types::{Experiment, live::TokenState};
    use rotation::designs::Design;

    use super::*;
    use crate::labels::token_state;

    fn keys(sections: &[Section]) -> Vec<&str> {
        let keys = sections[1..].iter();
        keys.map(|section| section.heading.as_str()).collect()
    }

    fn all() -> impl Iterator<Item = &'static Section> {
        let files: [&'static Sections; 6] = [
            &INTRODUCTIONS,
            &DEFENCES,
            &DESIGNS,
            &TOKEN_STATES,
            &GLOSSARY,
            &STORY,
        ];
        files.into_iter().flat_map(|file| file.iter())
    }

    #[test]
    fn every_part_of_the_page_has_an_introduction() {
        let experiments = Experiment::ALL.iter().map(|experiment| experiment.slug());
        let expected: Vec<&str> = iter::once("opening")
            .chain(experiments)
            .chain(["simulator", "live", "lifetimes"])
            .collect();
        assert_eq!(keys(&INTRODUCTIONS), expected);
    }

    #[test]
    fn every_defence_design_and_state_has_its_text() {
        let defences = iter::once("none").chain(Defence::ALL.iter().map(|one| one.slug()));
        assert_eq!(keys(&DEFENCES), defences.collect::<Vec<_>>());
        assert_eq!(keys(&DESIGNS), Design::ALL.map(Design::name));
        let states = [
            TokenState::Issued,
            TokenState::Active,
            TokenState::Rotated,
            TokenState::Superseded,
            TokenState::Displaced,
            TokenState::Blacklisted,
            TokenState::Ended,
        ];
        let mut states = states.map(|state| token_state(Some(state))).to_vec();
        // Not a state, but a word of the tree too.
        states.insert(5, "replayed");
        assert_eq!(keys(&TOKEN_STATES), states);
    }

    #[test]
    fn the_glossary_has_every_column_row_and_verdict_and_no_other() {
        let groups: Vec<&[Section]> = groups(&GLOSSARY[1..]).collect();
        let names = glossary_names();
        assert_eq!(groups.len(), names.len());
        for (group, names) in groups.iter().zip(&names) {
            let expected: Vec<&str> = names.iter().map(|(key, _)| *key).collect();
            assert_eq!(keys(group), expected, "{}", group[0].heading);
        }
        let shown = glossary();
        for cell_id in Experiment::ALL
            .iter()
            .flat_map(|experiment| experiment.rows().concat())
        {
            for name in [labels::column(cell_id), labels::row(cell_id)] {
                assert!(shown.contains(&format!("<dt>{name}</dt>")), "{name}");
            }
        }
    }

    #[test]
    fn texts_are_calm_sentences_and_their_links_are_defined() {
        for Section { heading, body, .. } in all() {
            assert!(!body.contains(['!', '[', ']']), "{heading}: {body}");
            let text = body.replace("<p>", " ").replace("</p>", " ");
            let text = text.split("<small>").next().unwrap_or_default().trim();
            assert!(text.is_empty() || text.ends_with(['.', '?']), "{heading}: {text}");
        }
    }

    #[test]
    fn claims_about_the_world_have_a_source() {
        let verdicts = groups(&GLOSSARY[1..]).next().unwrap_or_default();
        let claims = GLOSSARY[1 + verdicts.len()..]
            .iter()
            .filter(|section| section.level == HeadingLevel::H3);
        for section in claims
            .chain(&DESIGNS[1..])
            .chain(&DEFENCES[2..])
            .chain(&STORY[1..])
        {
            let source = r#"<small><a rel="external noreferrer" href="https://"#;
            assert!(section.body.contains(source), "{}", section.heading);
        }
    }

    #[test]
    fn markdown_becomes_the_html_of_the_page() {
        let sections =
            sections("# a\n\n## b\n\nOne & two\n<small>[RFC 1]</small>\n\n[RFC 1]: https://x.example/\n");
        assert_eq!(sections.len(), 2);
        assert_eq!(
            sections[1].inline(),
            "One &amp; two\n<small><a rel=\"external noreferrer\" href=\"https://x.example/\">RFC 1</a></small>"
        );
    }
}
