//! The current places of the tokens. The panel shows facts, so it checks everything and assumes nothing.

use std::time::Duration;

use leptos::prelude::*;
use ui::{
    components::{Icon, Shape, or_skeleton, text},
    format,
    session_ctx::use_session,
    storage::StorageReport,
    token_state::TokenState,
};

use super::findings::{CookieState, Mark, cookie_mark, cookie_text, memory_mark, storage_mark, storage_text};

/// Memory, cookie, storage.
#[component]
pub fn TokenPanel(
    /// The access token.
    token: Memo<TokenState>,
    /// The manager's clock, ticking.
    now: RwSignal<Duration>,
) -> impl IntoView {
    let session = use_session();
    // Collected in the browser after hydration; until then the page shows placeholders.
    let report = RwSignal::new(None::<StorageReport>);
    let cookie_kept = RwSignal::new(None::<bool>);
    Effect::new(move |_| cookie_kept.set(session.platform().map(|platform| platform.keeps_cookies())));
    // Checked every few seconds, so that “just now” remains true.
    let round = Memo::new(move |_| now.get().as_secs() / 5);
    Effect::new(move |_| {
        let _ = round.get();
        let news = session.platform().map(|platform| platform.storage_report());
        if *report.read_untracked() != news {
            report.set(news);
        }
    });
    let cookies = Memo::new(move |_| report.read().as_ref().map(StorageReport::cookies));
    let storage = Memo::new(move |_| report.read().as_ref().map(StorageReport::storage));
    let cookie = Memo::new(move |_| {
        cookie_kept
            .get()
            .and_then(|kept| CookieState::of(token.get(), kept))
    });
    let cookie_state = Signal::derive(move || Some(cookie_mark(cookie.get()?, cookies.read().as_ref()?)));
    let cookie_finding = move || {
        let text = || Some(cookie_text(cookie.get()?, cookies.read().as_ref()?));
        or_skeleton(text())
    };
    view! {
        <section class="card tokens" aria-labelledby="tokens">
            <h2 class="card__title" id="tokens">
                "Where your tokens are right now"
            </h2>
            <ul class="tokens__list">
                <li class="tokens__item">
                    <Icon shape=Shape::Memory class="tokens__icon" />
                    <div class="tokens__text">
                        <Head
                            place="This page’s memory"
                            mark=Signal::derive(move || memory_mark(token.get()))
                        />
                        <p>
                            "The access token, in a variable of the running program. Reload, and it is gone."
                        </p>
                        <Countdown token now />
                    </div>
                </li>
                <li class="tokens__item">
                    <Icon shape=Shape::Cookie class="tokens__icon" />
                    <div class="tokens__text">
                        <Head place="httpOnly cookie" mark=cookie_state />
                        <p>
                            "The refresh token. The browser sends it to this site by itself, and no script can read it."
                        </p>
                        <p>{move || cookie_finding()}</p>
                    </div>
                </li>
                <li class="tokens__item">
                    <Icon shape=Shape::Drawer class="tokens__icon" />
                    <div class="tokens__text">
                        <Head
                            place="Browser storage"
                            mark=Signal::derive(move || storage.read().as_ref().map(storage_mark))
                        />
                        <p>{move || or_skeleton(storage.read().as_ref().map(storage_text))}</p>
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
        .into_any()
    };
    view! {
        <div class="tokens__head">
            <h3 class="tokens__place">{place}</h3>
            {move || mark()}
        </div>
    }
    .into_any()
}

/// Remaining lifetime of the access token. Screen readers do not announce a `timer` on their own (WAI-ARIA). That is
/// right, because no one wants to hear a number every second.
#[component]
pub fn Countdown(
    /// The access token.
    token: Memo<TokenState>,
    /// The manager's clock, ticking.
    now: RwSignal<Duration>,
) -> impl IntoView {
    let left = move || {
        token
            .get()
            .expires_at()
            .map_or(0, |ends| format::remaining_seconds(ends, now.get()))
    };
    // The longest remaining lifetime seen for this token, so that the bar starts full.
    let whole = Memo::new(move |before: Option<&(TokenState, u64)>| {
        let (token, left) = (token.get(), left());
        match before {
            Some((same, most)) if *same == token => (token, left.max(*most)),
            _ => (token, left.max(1)),
        }
    });
    let time = move || {
        token
            .get()
            .expires_at()
            .map_or("–:––".into(), |ends| format::countdown(ends, now.get()))
    };
    view! {
        <div class="countdown">
            <p class="countdown__label" id="countdown">
                "Ends in"
            </p>
            <p class="countdown__time" role="timer" aria-labelledby="countdown">
                {move || text(time())}
            </p>
            <progress
                class="countdown__bar"
                max=move || whole.get().1.to_string()
                value=move || left().to_string()
                aria-hidden="true"
            ></progress>
            <p class="countdown__note">{move || text(note(token.get(), left()))}</p>
        </div>
    }
    .into_any()
}

fn note(token: TokenState, left: u64) -> &'static str {
    match token {
        TokenState::Held(_) if left == 0 => {
            "It has ended. Another tab keeps your session alive; this page gets a new one with its next request."
        }
        TokenState::Held(_) | TokenState::Pending => {
            "Shortly before that, this page or another tab gets a new one without asking you."
        }
        TokenState::Unreachable => "Whether it still works is known when the server can be reached again.",
        TokenState::Absent => "There is none yet. This page gets one when the server can be reached.",
    }
}
