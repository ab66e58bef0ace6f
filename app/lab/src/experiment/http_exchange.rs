//! A request with its response, as the victim's server saw them.

use lab_types::RecordedExchange;
use leptos::prelude::*;
use ui::components::{list, maybe};

use crate::labels;

/// One line, with all details behind a disclosure.
#[component]
pub fn ExchangeDetails(exchange: RecordedExchange) -> impl IntoView {
    let RecordedExchange {
        who,
        method,
        path,
        headers,
        body,
        status,
        answer_headers,
        answer,
        ..
    } = exchange;
    view! {
        <details class="details">
            <summary>
                <span>
                    <strong>{labels::who(who)}</strong>
                    ": "
                    <code>{method} " " {path}</code>
                    " → "
                    <code>{status.to_string()}</code>
                </span>
            </summary>
            <HttpMessage title="Request" headers body />
            <HttpMessage title="Answer" headers=answer_headers body=answer />
        </details>
    }
    .into_any()
}

#[component]
fn HttpMessage(title: &'static str, headers: Vec<(String, String)>, body: String) -> impl IntoView {
    let headers = headers.into_iter().map(|(name, value)| {
        view! {
            <div class="members__row">
                <dt>
                    <code>{name}</code>
                </dt>
                <dd>{long(value)}</dd>
            </div>
        }
    });
    let body = (!body.is_empty()).then(|| view! { <pre class="lab__pre">{body}</pre> });
    view! {
        <div>
            <h4 class="kicker">{title}</h4>
            <dl>{list(headers)}</dl>
            {maybe(body)}
        </div>
    }
    .into_any()
}

/// A value, shortened if it is long. It can be expanded to its full length.
pub fn long(value: String) -> AnyView {
    match labels::shortened(&value) {
        None => view! { <code>{value}</code> }.into_any(),
        Some(short) => view! {
            <details class="long">
                <summary>
                    <code>{short}</code>
                </summary>
                <code>{value}</code>
            </details>
        }
        .into_any(),
    }
}
