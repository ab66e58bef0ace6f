//! Where your tokens are right now. The panel shows facts, so everything in it is looked up and nothing is assumed.

use std::time::Duration;

use leptos::prelude::*;

use crate::{
    components::{Icon, Shape},
    format,
    session_ctx::use_session,
    storage::{StorageReport, Verdict},
};

/// How the state of a place is marked. The mark is a word with a shape; the colour only repeats it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Safe(&'static str),
    Exposed(&'static str),
    Neutral(&'static str),
}

/// Memory, cookie, storage.
#[component]
pub fn TokenPanel(
    /// When the access token ends, `None` while there is none that works.
    expires: Memo<Option<Duration>>,
    /// The manager's clock, ticking.
    now: RwSignal<Duration>,
) -> impl IntoView {
    let session = use_session();
    let report = RwSignal::new(StorageReport::default());
    // Looked up again every few seconds, so that “just now” stays true.
    let round = Memo::new(move |_| now.get().as_secs() / 5);
    Effect::new(move |_| {
        round.track();
        if let Some(platform) = session.platform() {
            let news = platform.storage_report();
            if *report.read_untracked() != news {
                report.set(news);
            }
        }
    });
    let cookie_kept = session.platform().is_none_or(|platform| platform.cookies_kept());
    view! {
        <section class="card tokens" aria-labelledby="tokens">
            <h2 class="card__title" id="tokens">"Where your tokens are right now"</h2>
            <ul class="tokens__list">
                <li class="tokens__item">
                    <Icon shape=Shape::Memory class="tokens__icon" />
                    <div class="tokens__text">
                        <Head
                            place="This page’s memory"
                            mark=Signal::derive(move || memory_mark(expires.get().is_some()))
                        />
                        <p>"The access token, in a variable of the running program. Reload, and it is gone."</p>
                        <Countdown expires now />
                    </div>
                </li>
                <li class="tokens__item">
                    <Icon shape=Shape::Cookie class="tokens__icon" />
                    <div class="tokens__text">
                        <Head
                            place="httpOnly cookie"
                            mark=Signal::derive(move || cookie_mark(cookie_kept, &report.read().cookies()))
                        />
                        <p>{move || cookie_text(cookie_kept, &report.read().cookies())}</p>
                    </div>
                </li>
                <li class="tokens__item">
                    <Icon shape=Shape::Drawer class="tokens__icon" />
                    <div class="tokens__text">
                        <Head
                            place="Browser storage"
                            mark=Signal::derive(move || storage_mark(&report.read().storage()))
                        />
                        <p>{move || storage_text(&report.read().storage())}</p>
                    </div>
                </li>
            </ul>
            <details class="details">
                <summary>"How this page knows"</summary>
                <p>
                    "It holds the access token itself, so it can count down. It cannot see the refresh token: it only "
                    "knows that the server accepts what the browser sends. Cookies and storage it asks every five seconds, "
                    "through the same doors that a hostile script would use. Put something that looks like a token into "
                    <code>"localStorage"</code> " from your browser’s console, and this panel will say so."
                </p>
            </details>
        </section>
    }
}

#[component]
fn Head(place: &'static str, mark: Signal<Mark>) -> impl IntoView {
    view! {
        <div class="tokens__head">
            <h3 class="tokens__place">{place}</h3>
            {move || {
                let (class, shape, word) = match mark.get() {
                    Mark::Safe(word) => ("mark mark--safe", Shape::Check, word),
                    Mark::Exposed(word) => ("mark mark--exposed", Shape::Alert, word),
                    Mark::Neutral(word) => ("mark", Shape::Info, word),
                };
                view! {
                    <p class=class>
                        <Icon shape />
                        {word}
                    </p>
                }
            }}
        </div>
    }
}

/// Time that the access token has left. A `timer` is not read out by itself (WAI-ARIA), which is right: nobody wants
/// to hear a number every second.
#[component]
fn Countdown(expires: Memo<Option<Duration>>, now: RwSignal<Duration>) -> impl IntoView {
    // The most that was ever left of this token, so that the bar starts full.
    let whole = Memo::new(move |_| {
        expires.get().map_or(1, |expires| {
            format::remaining_seconds(expires, now.get_untracked()).max(1)
        })
    });
    let left = move || {
        expires
            .get()
            .map_or(0, |expires| format::remaining_seconds(expires, now.get()))
    };
    let text = move || {
        expires
            .get()
            .map_or_else(|| "–:––".to_owned(), |ends| format::countdown(ends, now.get()))
    };
    view! {
        <div class="countdown">
            <p class="countdown__label" id="countdown">"Ends in"</p>
            <p class="countdown__time" role="timer" aria-labelledby="countdown">{text}</p>
            <progress
                class="countdown__bar"
                max=move || whole.get().to_string()
                value=move || left().to_string()
                aria-hidden="true"
            ></progress>
            <p class="countdown__note">
                {move || match expires.get() {
                    Some(_) => "Shortly before that, this page gets a new one without asking you.",
                    None => "There is none that works until the server can be reached again.",
                }}
            </p>
        </div>
    }
}

fn memory_mark(held: bool) -> Mark {
    if held {
        Mark::Neutral("here")
    } else {
        Mark::Neutral("waiting")
    }
}

fn cookie_mark(kept: bool, readable: &Verdict) -> Mark {
    match (kept, readable) {
        (_, Verdict::TokenFound { .. }) => Mark::Exposed("a token is readable"),
        (false, _) => Mark::Neutral("refused"),
        (true, _) => Mark::Safe("here, unreadable"),
    }
}

fn cookie_text(kept: bool, readable: &Verdict) -> String {
    let seen = match readable {
        Verdict::Empty => "Asked for all cookies just now, the browser showed this page none.".to_owned(),
        Verdict::NoToken { keys } => {
            format!(
                "Asked for all cookies just now, the browser showed this page others, but not that one: {}.",
                list(keys)
            )
        }
        Verdict::TokenFound { keys } => {
            format!(
                "A readable cookie holds what looks like a token: {}. Keyturn did not put it there.",
                list(keys)
            )
        }
    };
    if kept {
        format!("The refresh token. The browser sends it to this site, and no script can read it. {seen}")
    } else {
        format!(
            "This browser refuses the cookie, so there is no refresh token, and a reload will sign you out. {seen}"
        )
    }
}

fn storage_mark(found: &Verdict) -> Mark {
    match found {
        Verdict::Empty => Mark::Safe("empty"),
        Verdict::NoToken { .. } => Mark::Safe("no token"),
        Verdict::TokenFound { .. } => Mark::Exposed("a token is readable"),
    }
}

fn storage_text(found: &Verdict) -> String {
    match found {
        Verdict::Empty => "localStorage and sessionStorage are empty, checked just now.".into(),
        Verdict::NoToken { keys } => {
            let keys: Vec<_> = keys.iter().map(|key| known_key(key)).collect();
            format!("Checked just now: no token, only {}.", list(&keys))
        }
        Verdict::TokenFound { keys } => {
            format!(
                "Checked just now: {} holds what looks like a token. Keyturn did not put it there, and any script can read it.",
                list(keys)
            )
        }
    }
}

/// Says what an entry of ours is for; an unknown one is shown by its key.
fn known_key(key: &str) -> String {
    match key {
        crate::platform::COLOR_SCHEME_KEY => "the colours that you chose".into(),
        "keyturn.pending_logout" => "a note that a sign-out has to be finished".into(),
        other => other.to_owned(),
    }
}

fn list(items: &[String]) -> String {
    items.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_is_said_only_of_what_is_empty() {
        assert_eq!(storage_mark(&Verdict::Empty), Mark::Safe("empty"));
        let colours = Verdict::NoToken {
            keys: vec!["keyturn.color_scheme".into()],
        };
        assert_eq!(storage_mark(&colours), Mark::Safe("no token"));
        assert_eq!(
            storage_text(&colours),
            "Checked just now: no token, only the colours that you chose."
        );
    }

    #[test]
    fn a_token_that_script_can_read_is_an_alarm_wherever_it_is() {
        let found = Verdict::TokenFound {
            keys: vec!["jwt".into()],
        };
        assert!(matches!(storage_mark(&found), Mark::Exposed(_)));
        assert!(matches!(cookie_mark(true, &found), Mark::Exposed(_)));
        assert!(storage_text(&found).contains("jwt"));
    }

    #[test]
    fn a_refused_cookie_is_not_claimed_to_be_there() {
        assert_eq!(cookie_mark(false, &Verdict::Empty), Mark::Neutral("refused"));
        assert!(cookie_text(false, &Verdict::Empty).contains("reload will sign you out"));
    }
}
