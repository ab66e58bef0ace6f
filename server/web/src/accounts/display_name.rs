//! Display names: free text, shown as text.

use api_types::problem::FieldError;
use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup},
};
use unicode_normalization::UnicodeNormalization;

use super::refused;

const MAX_CODE_POINTS: usize = 64;

/// Trims and composes a name; an empty name becomes `None`.
///
/// # Errors
/// If the name is too long, displays nothing, or contains characters that hide or reorder the text around them.
pub fn parse(typed: &str) -> Result<Option<String>, FieldError> {
    if typed.len() > 16 * MAX_CODE_POINTS {
        return Err(too_long());
    }
    let name: String = typed.trim().nfc().collect();
    if name.chars().count() > MAX_CODE_POINTS {
        return Err(too_long());
    }
    if name.chars().any(is_hidden) {
        return Err(refused(
            "display_name",
            "invalid",
            "This name holds characters that cannot be seen. Type it again without pasting.",
        ));
    }
    if !name.is_empty() && !name.chars().any(draws) {
        return Err(refused(
            "display_name",
            "invalid",
            "This name shows nothing on the screen. Use at least one letter, digit or symbol, or leave it empty.",
        ));
    }
    Ok((!name.is_empty()).then_some(name))
}

/// Whether a character draws something without another one: a letter, digit, punctuation mark or symbol that is not
/// blank. Combining marks need another character.
fn draws(c: char) -> bool {
    let category = CodePointMapData::<GeneralCategory>::new().get(c);
    let visible = GeneralCategoryGroup::Letter
        .union(GeneralCategoryGroup::Number)
        .union(GeneralCategoryGroup::Punctuation)
        .union(GeneralCategoryGroup::Symbol);
    visible.contains(category) && !is_ignorable(c) && !is_blank(c)
}

/// Characters that belong to a letter or symbol category but have a blank shape.
fn is_blank(c: char) -> bool {
    matches!(
        c,
        // A braille cell without dots, a note without a head, hieroglyphs that fill a space, and the object
        // placeholder.
        '\u{2800}' | '\u{1d159}' | '\u{13441}' | '\u{13442}' | '\u{fffc}'
    )
}

/// Characters that no name may contain: controls, and what hides, reorders or annotates the text around it (Unicode
/// TR36 §3.5).
///
/// Direction overrides are refused rather than balanced: right-to-left names do not need them, because letters have
/// their own direction.
fn is_hidden(c: char) -> bool {
    let category = CodePointMapData::<GeneralCategory>::new().get(c);
    match category {
        GeneralCategory::Control | GeneralCategory::LineSeparator | GeneralCategory::ParagraphSeparator => {
            true
        }
        _ => (is_ignorable(c) || is_annotation(c)) && !joins_or_selects(c),
    }
}

/// Invisible characters that belong to a visible one: joiners (Persian and Indic names, emoji families), variation
/// selectors (Japanese names, coloured emoji, Mongolian) and the tags of flags.
fn joins_or_selects(c: char) -> bool {
    matches!(
        c,
        '\u{200c}' | '\u{200d}' | '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{e0020}'..='\u{e007f}' | '\u{e0100}'..='\u{e01ef}'
    )
}

/// Interlinear annotation: not ignorable by its property, and not displayed.
fn is_annotation(c: char) -> bool {
    matches!(c, '\u{fff9}'..='\u{fffb}')
}

/// Default ignorable characters, which are not displayed whether or not a system supports them.
fn is_ignorable(c: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

fn too_long() -> FieldError {
    refused(
        "display_name",
        "too_long",
        format!("Use at most {MAX_CODE_POINTS} characters."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(typed: &str) -> Option<String> {
        parse(typed).err().map(|error| error.code)
    }

    #[test]
    fn names_are_trimmed_and_may_be_absent() {
        assert_eq!(parse("  Ada Lovelace "), Ok(Some("Ada Lovelace".into())));
        assert_eq!(parse("  "), Ok(None));
        assert_eq!(
            parse("<script>alert(1)</script>"),
            Ok(Some("<script>alert(1)</script>".into()))
        );
    }

    #[test]
    fn long_and_hidden_names_are_refused() {
        assert!(parse(&"x".repeat(64)).is_ok());
        assert_eq!(code(&"x".repeat(65)).as_deref(), Some("too_long"));
        assert_eq!(code("Ada\u{202e}evil").as_deref(), Some("invalid"));
        assert_eq!(code("Ada\nLovelace").as_deref(), Some("invalid"));
    }

    #[test]
    fn names_of_all_scripts_are_accepted() {
        for name in [
            "Ada",
            "7",
            "!",
            "Zoë",
            "Zoe\u{308}",
            "李小龙",
            "葛\u{e0100}城",
            "علی\u{200c}رضا",
            "ශ\u{dca}\u{200d}රී",
            "שָׁלוֹם",
            "नरेंद्र",
            "한국",
            "👩\u{200d}👧",
            "❤\u{fe0f}",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            "⠠⠁⠙⠁",
            "⠁\u{2800}⠃",
            "\u{600}١",
        ] {
            assert_eq!(parse(name).map(|name| name.is_some()), Ok(true), "{name}");
        }
    }

    /// Characters that draw nothing, listed by hand from the Unicode Character Database.
    const INVISIBLE: [char; 40] = [
        '\u{ad}',
        '\u{34f}',
        '\u{61c}',
        '\u{115f}',
        '\u{1160}',
        '\u{17b4}',
        '\u{17b5}',
        '\u{180b}',
        '\u{180e}',
        '\u{180f}',
        '\u{200b}',
        '\u{200c}',
        '\u{200d}',
        '\u{200e}',
        '\u{200f}',
        '\u{2028}',
        '\u{2029}',
        '\u{202a}',
        '\u{202d}',
        '\u{202e}',
        '\u{2060}',
        '\u{2061}',
        '\u{2064}',
        '\u{2066}',
        '\u{2069}',
        '\u{206f}',
        '\u{2800}',
        '\u{3164}',
        '\u{fe00}',
        '\u{fe0f}',
        '\u{feff}',
        '\u{ffa0}',
        '\u{fff9}',
        '\u{fffc}',
        '\u{13441}',
        '\u{1bca0}',
        '\u{1d159}',
        '\u{1d173}',
        '\u{e0001}',
        '\u{e01ef}',
    ];

    #[test]
    fn names_that_show_nothing_are_refused() {
        let spaces = ['\u{20}', '\u{a0}', '\u{1680}', '\u{2003}', '\u{202f}', '\u{3000}'];
        let marks = [
            '\u{301}', '\u{483}', '\u{5b7}', '\u{64b}', '\u{93e}', '\u{20dd}', '\u{1ab0}',
        ];
        for c in INVISIBLE.into_iter().chain(marks) {
            for name in [
                c.to_string(),
                c.to_string().repeat(12),
                format!(" {c} "),
                spaces.iter().flat_map(|space| [c, *space, c]).collect(),
                format!("{c}\u{200d}\u{2800}\u{301}"),
            ] {
                // White space is trimmed, and then no name is left.
                let is_shown = matches!(parse(&name), Ok(Some(_)));
                assert!(!is_shown, "U+{:04X} in {name:?}", u32::from(c));
            }
        }
    }

    #[test]
    fn ignorable_characters_alone_are_invisible() {
        let mut seen = 0;
        for c in (0..=0x0010_ffff)
            .filter_map(char::from_u32)
            .filter(|c| is_ignorable(*c))
        {
            assert_eq!(
                code(&c.to_string()).as_deref(),
                Some("invalid"),
                "U+{:04X}",
                u32::from(c)
            );
            seen += 1;
        }
        assert!(seen > 4_000, "{seen}");
        assert!(
            INVISIBLE.iter().filter(|c| is_ignorable(**c)).count() > 25,
            "the property is the right one"
        );
    }

    #[test]
    fn hidden_and_reordering_characters_are_refused_inside_names() {
        let inside = |c: char| code(&format!("Ada{c}Lovelace"));
        for c in INVISIBLE {
            let allowed = joins_or_selects(c) || is_blank(c);
            assert_eq!(inside(c).is_some(), !allowed, "U+{:04X}", u32::from(c));
        }
        let bidi = ('\u{202a}'..='\u{202e}')
            .chain('\u{2066}'..='\u{2069}')
            .chain(['\u{61c}', '\u{200e}', '\u{200f}']);
        for c in bidi.chain('\0'..='\u{1f}').chain('\u{7f}'..='\u{9f}') {
            assert_eq!(inside(c).as_deref(), Some("invalid"), "U+{:04X}", u32::from(c));
        }
    }
}
