//! Refresh token reuse, as shown to the account's owner at the next sign-in.

use api_types::account::EventEntry;

use super::Message;

/// What happened. It accuses no one: a browser that restores an older state looks like an attacker.
pub fn reuse() -> Message {
    Message {
        title: "A used key of your session was presented again",
        body: "Each refresh token works once. One of yours was used a second time. Someone may have copied it, or your \
               browser may have restored an older copy after a crash or from a backup. To be safe, we ended that session \
               for both; your other sessions are unaffected.",
    }
}

/// The sentence above the possible actions.
pub const WHAT_TO_DO_ABOUT_REUSE: &str = "If you can’t explain it, treat it as theft: change your \
     password from a device you trust.";

/// The origin of an event that was not done with the account's own password or session; otherwise the browser and the
/// address, as far as they are known.
pub fn origin(entry: &EventEntry) -> Option<String> {
    match entry.actor.as_deref() {
        None => {}
        Some("administrator") => return Some("by an administrator".into()),
        Some("operator") => return Some("by the people who run this site".into()),
        Some(_) => return Some("by the server".into()),
    }
    let known: Vec<_> = [&entry.device, &entry.ip]
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .map(String::as_str)
        .collect();
    (!known.is_empty()).then(|| known.join(" · "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(device: Option<&str>, ip: Option<&str>) -> EventEntry {
        EventEntry {
            id: "1".into(),
            kind: "refresh_reused".into(),
            at: 0,
            session_id: None,
            device: device.map(Into::into),
            count: None,
            ip: ip.map(Into::into),
            actor: None,
        }
    }

    #[test]
    fn actions_of_others_show_the_actor_only() {
        for (actor, told) in [
            ("administrator", "by an administrator"),
            ("operator", "by the people who run this site"),
            ("system", "by the server"),
        ] {
            let entry = EventEntry {
                actor: Some(actor.into()),
                ..entry(Some("Firefox on Linux"), Some("192.0.2.1"))
            };
            assert_eq!(origin(&entry).as_deref(), Some(told));
        }
    }

    #[test]
    fn origin_lists_the_known_parts() {
        assert_eq!(
            origin(&entry(Some("Firefox on Linux"), Some("192.0.2.1"))).as_deref(),
            Some("Firefox on Linux · 192.0.2.1")
        );
        assert_eq!(origin(&entry(Some(""), Some("::1"))).as_deref(), Some("::1"));
        assert_eq!(origin(&entry(Some(""), None)), None);
    }

    #[test]
    fn the_text_accuses_no_one() {
        let message = reuse();
        assert!(!message.title.contains("omeone"), "it accuses no one");
        assert!(message.body.contains("after a crash") && message.body.contains("ended that session"));
        assert!(!format!("{message:?}{WHAT_TO_DO_ABOUT_REUSE}").contains('!'));
    }
}
