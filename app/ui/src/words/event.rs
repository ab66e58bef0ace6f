//! Security events of an account, in words.

/// One kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventMessage {
    pub title: &'static str,
    /// What to do, if the person should act.
    pub advice: Option<&'static str>,
    /// Whether it deserves attention.
    pub alarm: bool,
}

/// Describes a kind of event. A kind that this version does not know is shown as unknown, and not hidden.
pub fn event(kind: &str) -> EventMessage {
    let plain = |title| EventMessage {
        title,
        advice: None,
        alarm: false,
    };
    match kind {
        "registered" => plain("The account was created"),
        "signed_in" => plain("Signed in"),
        "signed_out" => plain("Signed out"),
        "signed_out_everywhere" => plain("Signed out everywhere"),
        "session_revoked" => plain("Sessions were ended"),
        "session_limit" => EventMessage {
            title: "Older sessions made room for a new one",
            advice: Some(
                "The account was signed in on more devices than this site allows, so the session that had not been used \
                 for the longest time ended. If you do not recognise the others, end them and change your password.",
            ),
            alarm: false,
        },
        "password_changed" => plain("The password was changed"),
        "role_changed" => plain("The role was changed"),
        "account_disabled" => plain("The account was disabled"),
        "account_enabled" => plain("The account was enabled again"),
        "refresh_reused" => EventMessage {
            title: "A used token was presented again",
            advice: Some(
                "We ended the session as a precaution. This happens after a browser crash, or when someone copied your \
                 cookie. If in doubt, change your password.",
            ),
            alarm: true,
        },
        "sign_in_failed" => plain("Sign-in failed: wrong password"),
        "many_failed_sign_ins" => EventMessage {
            title: "Wrong passwords were tried before a sign-in",
            advice: Some(
                "Before this sign-in, wrong passwords were tried on other browsers. If that was not you, check that your \
                 password is long and used nowhere else.",
            ),
            alarm: true,
        },
        "lost_write_recovered" => plain("The session continued after the server lost its latest data"),
        "alarm_seen" => plain("The warning was marked as seen"),
        _ => plain("Something that this page does not know yet"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_alarms_need_attention_and_give_advice() {
        for kind in ["refresh_reused", "many_failed_sign_ins"] {
            let message = event(kind);
            assert!(message.alarm && message.advice.is_some(), "{kind}");
        }
        for kind in ["signed_in", "sign_in_failed"] {
            assert!(!event(kind).alarm, "{kind}");
        }
        assert_eq!(event("from_the_future").advice, None);
    }
}
