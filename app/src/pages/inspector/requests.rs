//! Requests as they happen, and buttons that send some.

use api_types::paths;
use leptos::prelude::*;
use session_client::{ApiRequest, Method, request_log::LoggedRequest};
use ui::{
    components::{list, text},
    session_ctx::use_session,
    submission::Submission,
    words::Operation,
};

use super::drawing::{answer, drawing};

/// The number of requests that are drawn, and that are listed.
const DRAWN: usize = 5;
const LISTED: usize = 12;

/// The request of a button.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SampleRequest {
    Plain,
    Refused,
    Renewal,
}

/// Buttons, diagram, table.
#[component]
pub fn RequestsCard() -> impl IntoView {
    let session = use_session();
    let entries = RwSignal::new(Vec::<LoggedRequest>::new());
    Effect::new(move |_| {
        if let Some(manager) = session.manager() {
            let request_log = manager.request_log().clone();
            entries.set(request_log.entries());
            let log = request_log.clone();
            request_log.on_change(move || {
                entries.try_set(log.entries());
            });
        }
    });
    let sending = Submission::new(Operation::LoadSession);
    let send = move |sample: SampleRequest| {
        sending.send(
            async move |manager| {
                let request = ApiRequest::new(Method::Get, paths::SESSION);
                // The diagram shows the result, including a failure.
                match sample {
                    SampleRequest::Plain => drop(manager.send(request).await),
                    SampleRequest::Refused => drop(manager.send_with_invalid_token(request).await),
                    SampleRequest::Renewal => drop(manager.renew().await),
                }
                Ok(())
            },
            drop,
        );
    };
    let button = move |sample: SampleRequest, label: &'static str| {
        view! {
            <button
                class="button"
                type="button"
                disabled=move || !session.hydrated() || session.auth_state().user_id().is_none()
                aria-disabled=move || sending.busy().get().then_some("true")
                on:click=move |_| send(sample)
            >
                {label}
            </button>
        }
    };
    let picture = move || {
        let entries = entries.read();
        drawing(&entries[entries.len().saturating_sub(DRAWN)..])
    };
    let rows = move || {
        let entries = entries.get();
        list(
            entries
                .into_iter()
                .rev()
                .take(LISTED)
                .map(|entry| view! { <Row entry /> }),
        )
    };
    let last = move || {
        let entries = entries.read();
        text(
            entries
                .last()
                .filter(|last| last.outcome.is_some())
                .map_or_else(String::new, |last| {
                    format!("{} {}: {}", last.method.as_str(), last.path, answer(last))
                }),
        )
    };
    view! {
        <section class="card requests" aria-labelledby="requests">
            <h2 class="card__title" id="requests">
                "Requests of this page"
            </h2>
            <div class="requests__buttons">
                {button(SampleRequest::Plain, "Send a request")}
                {button(SampleRequest::Refused, "Send one with a spoiled token")}
                {button(SampleRequest::Renewal, "Renew the token")}
            </div>
            <p class="card__note">
                "A spoiled token has one wrong character in its signature. The server refuses it, the page refreshes once, "
                "and the same request is sent again: this is what happens when a token has ended."
            </p>
            <p class="sr-only" role="status">
                {move || last()}
            </p>
            <div
                class="requests__sheet"
                tabindex="0"
                role="group"
                aria-label="Drawing of the last requests"
                inner_html=picture
            ></div>
            <div class="table-sheet" tabindex="0" role="group" aria-label="Table of the last requests">
                <table class="table">
                    <caption class="sr-only">"The last requests of this page, the newest first"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"No."</th>
                            <th scope="col">"Request"</th>
                            <th scope="col">"Carries"</th>
                            <th scope="col">"Answer"</th>
                        </tr>
                    </thead>
                    <tbody>{move || rows()}</tbody>
                </table>
            </div>
        </section>
    }
    .into_any()
}

#[component]
fn Row(entry: LoggedRequest) -> impl IntoView {
    let carries = match (entry.bearer, entry.uses_cookie()) {
        (true, _) => "access token",
        (false, true) => "refresh cookie",
        (false, false) => "nothing",
    };
    view! {
        <tr>
            <td>{entry.number.to_string()}</td>
            <td class="code">{format!("{} {}", entry.method.as_str(), entry.path)}</td>
            <td>{carries}</td>
            <td class="code">{answer(&entry)}</td>
        </tr>
    }
    .into_any()
}
