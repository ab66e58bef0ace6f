//! Display names: free text, shown as text.

use api_types::problem::FieldError;
use unicode_normalization::UnicodeNormalization;

use super::refused;

const MAX_CODE_POINTS: usize = 64;

/// Trims and composes; an empty name is none.
///
/// # Errors
/// If it is too long or holds characters that nobody can see.
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
    Ok((!name.is_empty()).then_some(name))
}

/// Control characters, and those that reorder or hide the text around them (Unicode TR36 §3.5).
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
            && c != '\u{200d}'
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

    #[test]
    fn names_are_trimmed_and_may_be_absent() {
        assert_eq!(parse("  Ada Lovelace "), Ok(Some("Ada Lovelace".into())));
        assert_eq!(parse("  "), Ok(None));
        assert_eq!(
            parse("<script>alert(1)</script>"),
            Ok(Some("<script>alert(1)</script>".into()))
        );
        // A family emoji is one picture of several people, held together by joiners.
        assert!(parse("\u{1f469}\u{200d}\u{1f467}").is_ok());
    }

    #[test]
    fn long_and_hidden_names_are_refused() {
        assert!(parse(&"x".repeat(64)).is_ok());
        assert_eq!(parse(&"x".repeat(65)).expect_err("long").code, "too_long");
        assert_eq!(parse("Ada\u{202e}evil").expect_err("hidden").code, "invalid");
        assert_eq!(parse("Ada\nLovelace").expect_err("hidden").code, "invalid");
    }
}
