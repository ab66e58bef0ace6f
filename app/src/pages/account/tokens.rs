//! Where your tokens are right now. The panel shows facts, so everything in it is looked up and nothing is assumed.

use std::time::Duration;

use leptos::prelude::*;

use super::{Token, or_shape};
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
    /// The access token.
    token: Memo<Token>,
    /// The manager's clock, ticking.
    now: RwSignal<Duration>,
) -> impl IntoView {
    let session = use_session();
    // Found out in the browser, after hydration; until then there are shapes in their place.
    let report = RwSignal::new(None::<StorageReport>);
    let cookie_kept = RwSignal::new(None::<bool>);
    Effect::new(move |_| cookie_kept.set(session.platform().map(|platform| platform.cookies_kept())));
    // Looked up again every few seconds, so that “just now” stays true.
    let round = Memo::new(move |_| now.get().as_secs() / 5);
    Effect::new(move |_| {
        round.track();
        let news = session.platform().map(|platform| platform.storage_report());
        if *report.read_untracked() != news {
            report.set(news);
        }
    });
    let cookies = Memo::new(move |_| report.read().as_ref().map(StorageReport::cookies));
    let storage = Memo::new(move |_| report.read().as_ref().map(StorageReport::storage));
    let signed_in = Memo::new(move |_| token.get() != Token::Waiting);
    let cookie = move |tell: fn(Jar, &Verdict) -> String| {
        let jar = Jar::of(signed_in.get(), cookie_kept.get()?)?;
        cookies.read().as_ref().map(|cookies| tell(jar, cookies))
    };
    let cookie_state = Signal::derive(move || {
        let jar = Jar::of(signed_in.get(), cookie_kept.get()?)?;
        cookies.read().as_ref().map(|cookies| cookie_mark(jar, cookies))
    });
    view! {
        <section class="card tokens" aria-labelledby="tokens">
            <h2 class="card__title" id="tokens">"Where your tokens are right now"</h2>
            <ul class="tokens__list">
                <li class="tokens__item">
                    <Icon shape=Shape::Memory class="tokens__icon" />
                    <div class="tokens__text">
                        <Head place="This page’s memory" mark=Signal::derive(move || memory_mark(token.get())) />
                        <p>"The access token, in a variable of the running program. Reload, and it is gone."</p>
                        <Countdown token now />
                    </div>
                </li>
                <li class="tokens__item">
                    <Icon shape=Shape::Cookie class="tokens__icon" />
                    <div class="tokens__text">
                        <Head place="httpOnly cookie" mark=cookie_state />
                        <p>"The refresh token. The browser sends it to this site by itself, and no script can read it."</p>
                        <p>{move || or_shape(cookie(cookie_text))}</p>
                    </div>
                </li>
                <li class="tokens__item">
                    <Icon shape=Shape::Drawer class="tokens__icon" />
                    <div class="tokens__text">
                        <Head
                            place="Browser storage"
                            mark=Signal::derive(move || storage.read().as_ref().map(storage_mark))
                        />
                        <p>{move || or_shape(storage.read().as_ref().map(storage_text))}</p>
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
    .into_any()
}

#[component]
fn Head(place: &'static str, mark: Signal<Option<Mark>>) -> impl IntoView {
    let mark = move || {
        let (class, shape, word) = match mark.get() {
            Some(Mark::Safe(word)) => ("mark mark--safe", Shape::Check, word),
            Some(Mark::Exposed(word)) => ("mark mark--exposed", Shape::Alert, word),
            Some(Mark::Neutral(word)) => ("mark", Shape::Dot, word),
            None => ("mark", Shape::Dot, "looking"),
        };
        view! {
            <p class=class>
                <Icon shape />
                {word}
            </p>
        }
    };
    view! {
        <div class="tokens__head">
            <h3 class="tokens__place">{place}</h3>
            {mark}
        </div>
    }
    .into_any()
}

/// Time that the access token has left. A `timer` is not read out by itself (WAI-ARIA), which is right: nobody wants
/// to hear a number every second.
#[component]
fn Countdown(token: Memo<Token>, now: RwSignal<Duration>) -> impl IntoView {
    let left = move || {
        token
            .get()
            .ends()
            .map_or(0, |ends| format::remaining_seconds(ends, now.get()))
    };
    // The most that was ever left of this token, so that the bar starts full.
    let whole = Memo::new(move |before: Option<&(Token, u64)>| {
        let (token, left) = (token.get(), left());
        match before {
            Some((same, most)) if *same == token => (token, left.max(*most)),
            _ => (token, left.max(1)),
        }
    });
    let text = move || {
        token
            .get()
            .ends()
            .map_or("–:––".into(), |ends| format::countdown(ends, now.get()))
    };
    view! {
        <div class="countdown">
            <p class="countdown__label" id="countdown">"Ends in"</p>
            <p class="countdown__time" role="timer" aria-labelledby="countdown">{text}</p>
            <progress
                class="countdown__bar"
                max=move || whole.get().1.to_string()
                value=move || left().to_string()
                aria-hidden="true"
            ></progress>
            <p class="countdown__note">
                {move || match token.get() {
                    Token::Held(_) | Token::Waiting => {
                        "Shortly before that, this page gets a new one without asking you."
                    }
                    Token::OutOfReach => "Whether it still works is known when the server can be reached again.",
                }}
            </p>
        </div>
    }
    .into_any()
}

/// What the cookie jar holds, as far as can be told from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Jar {
    Keeps,
    Refuses,
}

impl Jar {
    /// Nothing is said before a session is known.
    fn of(signed_in: bool, kept: bool) -> Option<Self> {
        signed_in.then_some(if kept { Self::Keeps } else { Self::Refuses })
    }
}

fn memory_mark(token: Token) -> Option<Mark> {
    match token {
        Token::Held(_) => Some(Mark::Neutral("here")),
        Token::OutOfReach => Some(Mark::Neutral("unsure")),
        Token::Waiting => None,
    }
}

fn cookie_mark(jar: Jar, readable: &Verdict) -> Mark {
    match (jar, readable) {
        (_, Verdict::TokenFound { .. }) => Mark::Exposed("a token is readable"),
        (Jar::Refuses, _) => Mark::Neutral("refused"),
        (Jar::Keeps, _) => Mark::Safe("here, unreadable"),
    }
}

fn cookie_text(jar: Jar, readable: &Verdict) -> String {
    match (jar, readable) {
        (_, Verdict::TokenFound { keys }) => {
            format!(
                "A readable cookie holds what looks like a token: {}. Keyturn did not put it there.",
                list(keys)
            )
        }
        (Jar::Refuses, _) => "This browser refuses it, so a reload will sign you out.".into(),
        (Jar::Keeps, Verdict::Empty) => "Asked for its cookies just now, this page was shown none.".into(),
        (Jar::Keeps, Verdict::NoToken { keys }) => {
            format!(
                "Asked for its cookies just now, this page was shown others only: {}.",
                list(keys)
            )
        }
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
                "Checked just now: {} holds what looks like a token. Keyturn did not put it there, and any script can \
                 read it.",
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
        assert!(matches!(cookie_mark(Jar::Keeps, &found), Mark::Exposed(_)));
        assert!(storage_text(&found).contains("jwt"));
        assert!(cookie_text(Jar::Keeps, &found).contains("jwt"));
    }

    #[test]
    fn a_refused_cookie_is_not_claimed_to_be_there() {
        assert_eq!(
            cookie_mark(Jar::Refuses, &Verdict::Empty),
            Mark::Neutral("refused")
        );
        assert!(cookie_text(Jar::Refuses, &Verdict::Empty).contains("reload will sign you out"));
    }

    #[test]
    fn no_cookie_is_claimed_before_a_session_is_known() {
        assert_eq!(Jar::of(false, true), None);
        assert_eq!(memory_mark(Token::Waiting), None);
    }
}
