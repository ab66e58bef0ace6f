//! A checksum of the structure of a page's HTML: its elements, texts and comments, in their order.
//!
//! Hydration walks the document and expects exactly what the server wrote. Between server and page there are proxies
//! that strip comments and whitespace, password managers that insert icons, and translators that wrap text. If one of
//! them changed the document, hydration panics, or binds the app to the wrong elements. So the server writes the
//! checksum of what it sends, and the browser compares it with what it received. Then it decides: hydrate, or render
//! the page again.
//!
//! The *content* of texts and attributes is left out. Hydration does not read it. A dark-mode extension that writes
//! attributes, or a translator that only replaces words, changes nothing that matters.

/// The attribute of `<html>` that holds the checksum.
pub const ATTRIBUTE: &str = "data-shape";

/// The element after the application's own in `<body>`. Elements that an extension appends after it do no harm.
pub const END: &str = "noscript";

/// The checksum while it is computed (FNV-1a, 32 bits): it detects accidents, not attacks.
#[derive(Debug, Clone, Copy)]
pub struct Checksum(u32);

impl Default for Checksum {
    fn default() -> Self {
        Self(0x811c_9dc5)
    }
}

impl Checksum {
    /// An element begins. The case of its name is ignored.
    pub fn open(&mut self, name: &str) {
        self.add(b'<');
        for byte in name.bytes() {
            self.add(byte.to_ascii_lowercase());
        }
    }

    /// An element ends.
    pub fn close(&mut self) {
        self.add(b'>');
    }

    /// A text node.
    pub fn text(&mut self) {
        self.add(b't');
    }

    /// A comment, such as the markers that Leptos puts between texts.
    pub fn comment(&mut self) {
        self.add(b'!');
    }

    /// The value of [`ATTRIBUTE`].
    pub fn finish(self) -> String {
        format!("{:08x}", self.0)
    }

    fn add(&mut self, byte: u8) {
        self.0 = (self.0 ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    }
}

#[cfg(feature = "ssr")]
mod html {
    use super::{ATTRIBUTE, Checksum, END};

    /// Elements without content and without an end tag.
    const VOID: [&str; 13] = [
        "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr",
    ];

    /// Elements whose content is text, even if it looks like markup.
    const RAW: [&str; 3] = ["script", "style", "textarea"];

    /// Writes the checksum of a document into its `<html>` tag. A document without a body stays as it is.
    pub fn sign(html: &str) -> Option<String> {
        let begin = html.find("<html")? + "<html".len();
        let checksum = of_body(html)?.finish();
        let (before, after) = html.split_at(begin);
        Some(format!(r#"{before} {ATTRIBUTE}="{checksum}"{after}"#))
    }

    /// Parses HTML as Leptos writes it. Every element that is not void has an end tag or, in a drawing, closes itself,
    /// and `<` has no other meaning.
    fn of_body(html: &str) -> Option<Checksum> {
        let body = html.find("<body")?;
        let mut rest = &html[body..];
        rest = &rest[rest.find('>')? + 1..];
        let mut checksum = Checksum::default();
        let mut depth = 0_usize;
        while !rest.is_empty() {
            if let Some(comment) = rest.strip_prefix("<!") {
                checksum.comment();
                rest = match comment.strip_prefix("--") {
                    Some(text) => &text[text.find("-->")? + 3..],
                    None => &comment[comment.find('>')? + 1..],
                };
            } else if let Some(end) = rest.strip_prefix("</") {
                if depth == 0 {
                    return Some(checksum);
                }
                depth -= 1;
                checksum.close();
                rest = &end[end.find('>')? + 1..];
            } else if let Some(tag) = rest.strip_prefix('<') {
                let length = tag.find(|c: char| c.is_ascii_whitespace() || c == '>' || c == '/')?;
                let name = &tag[..length];
                if depth == 0 && name == END {
                    return Some(checksum);
                }
                checksum.open(name);
                let end = end_of_tag(tag)?;
                rest = &tag[end..];
                // Drawings that are copied into a page as text close their elements in this way, as SVG allows.
                if VOID.contains(&name) || tag[..end].ends_with("/>") {
                    checksum.close();
                } else if RAW.contains(&name) {
                    let end = rest.find(&format!("</{name}"))?;
                    if end > 0 {
                        checksum.text();
                    }
                    checksum.close();
                    rest = &rest[end..];
                    rest = &rest[rest.find('>')? + 1..];
                } else {
                    depth += 1;
                }
            } else {
                checksum.text();
                rest = &rest[rest.find('<').unwrap_or(rest.len())..];
            }
        }
        Some(checksum)
    }

    /// The length of a start tag up to the `>` that ends it; the value of an attribute may contain one as well.
    fn end_of_tag(tag: &str) -> Option<usize> {
        let mut quoted = false;
        tag.bytes()
            .position(|byte| {
                quoted ^= byte == b'"';
                byte == b'>' && !quoted
            })
            .map(|at| at + 1)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        fn page(body: &str) -> String {
            format!(
                r#"<!DOCTYPE html><html lang="en"><head><title>x</title></head><body>{body}<noscript><p>No</p></noscript></body></html>"#
            )
        }

        fn checksum(body: &str) -> String {
            of_body(&page(body)).expect("a body").finish()
        }

        #[test]
        fn the_checksum_is_written_into_the_first_tag() {
            let body = r#"<main id="main"><p>Hello<!>you</p><input name="a>b"></main>"#;
            let signed = sign(&page(body)).expect("signed");
            let wanted = format!(
                r#"<!DOCTYPE html><html data-shape="{}" lang="en">"#,
                checksum(body)
            );
            assert!(signed.starts_with(&wanted), "{signed}");
        }

        #[test]
        fn it_is_the_one_that_a_browser_computes() {
            let mut wanted = Checksum::default();
            wanted.open("MAIN");
            wanted.open("p");
            wanted.text();
            wanted.comment();
            wanted.text();
            wanted.close();
            wanted.open("input");
            wanted.close();
            wanted.open("script");
            wanted.text();
            wanted.close();
            wanted.close();
            let body = r#"<main id="main"><p>Hello<!>you</p><input name="a>b"><script>if(a<b)c="</p>"</script></main>"#;
            assert_eq!(checksum(body), wanted.finish());
        }

        #[test]
        fn what_changes_the_structure_changes_it() {
            let original = "<main><p>Hello <!>you</p> <form><input></form></main>";
            for changed in [
                "<main><p>Hello you</p> <form><input></form></main>",
                "<main><p>Hello <!>you</p><form><input></form></main>",
                "<main><p><font>Hello</font> <!>you</p> <form><input></form></main>",
                "<main><p>Hello <!>you</p> <form><input><span></span></form></main>",
                "<main><p>Hello <!>you</p> <form><div><input></div></form></main>",
                "<div></div><main><p>Hello <!>you</p> <form><input></form></main>",
                "<main><p>Hello <!>you</p> <form><input></form></main><div></div>",
            ] {
                assert_ne!(checksum(changed), checksum(original), "{changed}");
            }
        }

        #[test]
        fn a_drawing_may_end_its_elements_at_once() {
            assert_eq!(
                checksum(r#"<svg><g><path d="M0 0"/><rect /></g></svg><p title="/">x</p>"#),
                checksum(r#"<svg><g><path d="M0 0"></path><rect></rect></g></svg><p title="/">x</p>"#)
            );
        }

        #[test]
        fn what_texts_and_attributes_say_does_not() {
            assert_eq!(
                checksum(r"<main><p>Hello<!>you</p></main>"),
                checksum(r#"<main style="color: red" data-dark="&lt;1"><p>Salut<!-- x -->toi</p></main>"#)
            );
        }

        #[test]
        fn what_stands_behind_the_application_does_not_count() {
            let (one, other) = (
                page("<main></main>"),
                page("<main></main>").replace("</body>", "<div></div></body>"),
            );
            assert_eq!(
                of_body(&one).map(Checksum::finish),
                of_body(&other).map(Checksum::finish)
            );
        }

        #[test]
        fn what_is_no_document_stays_as_it_is() {
            for text in ["", "<html>", "<p>fragment</p>", "<html><body><p unfinished"] {
                assert_eq!(sign(text), None, "{text:?}");
            }
        }
    }
}

#[cfg(feature = "ssr")]
pub use html::sign;
