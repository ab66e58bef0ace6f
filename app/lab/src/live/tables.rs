//! The live session in tables: the tokens, the steps, what the end of the session revoked, and the row that decided.

use lab_types::live::{
    Actor, HeldTokens, ReplayAttempt, ResponseSummary, SimulationAction, SimulationSnapshot, TokenKind,
    TokenView,
};
use leptos::prelude::*;
use ui::components::{Icon, Notice, Shape, Tone, list, maybe};

use super::{
    name::Name,
    stage::Stage,
    tree::{hands, replays, state},
};
use crate::{steps::steps_table, words};

/// The tokens of an actor.
pub fn holds(play: &SimulationSnapshot, who: Actor) -> String {
    let held = match who {
        Actor::Owner => play.owner,
        Actor::Thief => play.thief,
    };
    let HeldTokens { refresh, access } = held;
    match (refresh, access) {
        (Some(refresh), Some(access)) => format!("Holds refresh token {refresh} and access token {access}."),
        (Some(refresh), None) => format!("Holds refresh token {refresh}."),
        (None, Some(access)) => format!("Holds access token {access}."),
        (None, None) => "Holds no token.".into(),
    }
}

/// The tokens, each with a button to replay it.
#[component]
pub fn Tokens(stage: Stage) -> impl IntoView {
    let rows = move || {
        let tokens = stage.at(|play| play.tokens.clone()).unwrap_or_default();
        list(tokens.into_iter().map(move |token| token_row(stage, &token)))
    };
    view! {
        <div class="table-sheet" tabindex="0" role="group" aria-label="The tokens">
            <table class="table">
                <caption class="sr-only">"The refresh tokens of this session, the oldest first"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Token"</th>
                        <th scope="col">"State"</th>
                        <th scope="col">"Held by"</th>
                        <th scope="col">"Blacklist"</th>
                    </tr>
                </thead>
                <tbody>{move || rows()}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn token_row(stage: Stage, token: &TokenView) -> AnyView {
    let generation = token.generation;
    let replayed = replays(token).map_or_else(String::new, |words| format!(", {words}"));
    let blacklisted = token.blacklisted.clone().unwrap_or_else(|| "no".into());
    let holders = if token.holders.is_empty() {
        "no one".into()
    } else {
        hands(&token.holders)
    };
    view! {
        <tr>
            <th scope="row" class="live__token">
                <button
                    class="button"
                    type="button"
                    aria-disabled=move || stage.is_busy().then_some("true")
                    on:click=move |_| stage.act(SimulationAction::Replay { generation })
                >
                    {format!("Replay {generation}")}
                </button>
                " "
                <code>{token.jti.clone()}</code>
            </th>
            <td>{state(token)} {replayed}</td>
            <td>{holders}</td>
            <td>{blacklisted}</td>
        </tr>
    }
    .into_any()
}

/// What was tested after the end of the session, for each actor, and the results.
#[component]
pub fn Fallout(stage: Stage) -> impl IntoView {
    let fallout = move || {
        let tried = stage.at(|play| play.fallout.clone()).unwrap_or_default();
        maybe((!tried.is_empty()).then(|| {
            let answers = list(tried.into_iter().map(tried_again));
            view! {
                <Notice tone=Tone::Alarm title="What was tried after the end">
                    <p>"Every token held was tried again."</p>
                    <ul class="live__fallout" aria-label="Retried after the session ended">{answers}</ul>
                </Notice>
            }
        }))
    };
    view! { <div>{move || fallout()}</div> }.into_any()
}

fn tried_again(tried: ReplayAttempt) -> AnyView {
    let kind = match tried.kind {
        TokenKind::Access => "access",
        TokenKind::Refresh => "refresh",
    };
    let name = format!("{}, {kind} token {}", Name(tried.who), tried.generation);
    let (class, shape) = match tried.answer.status {
        401 => ("mark", Shape::Cross),
        ..=399 => ("mark mark--exposed", Shape::Alert),
        _ => ("mark mark--none", Shape::Dot),
    };
    view! {
        <li>
            {name}
            " "
            <span class=class>
                <Icon shape=shape />
                {answer(tried.answer)}
            </span>
        </li>
    }
    .into_any()
}

fn answer(answer: ResponseSummary) -> String {
    let status = answer.status.to_string();
    answer
        .code
        .map_or(status.clone(), |code| status + " " + code.as_str())
}

/// The steps, and the product's responses.
#[component]
pub fn Steps(stage: Stage) -> impl IntoView {
    let rows = move || {
        let (begin, done) = stage
            .at(|play| (play.started_at_ms, play.done.clone()))
            .unwrap_or_default();
        list(done.into_iter().map(move |done| {
            view! {
                <tr>
                    <td>{words::after(done.at_ms, begin).replace(' ', "\u{a0}")}</td>
                    <td>{Name(done.who).to_string()}</td>
                    <td>{done.what}</td>
                    <td>{done.said}</td>
                </tr>
            }
        }))
    };
    steps_table("What was done", rows)
}

/// The row that decided, if there is a table.
#[component]
pub fn Row(stage: Stage) -> impl IntoView {
    let is_there = Memo::new(move |_| stage.at(|play| play.session.is_some()) == Some(true));
    let facts = move || {
        let facts = stage.at(columns).unwrap_or_default();
        list(facts.into_iter().map(|(name, value)| {
            view! {
                <div class="facts__row">
                    <dt><code>{name}</code></dt>
                    <dd><code>{value}</code></dd>
                </div>
            }
        }))
    };
    let row = move || {
        view! {
            <details class="details">
                <summary>"The row in the table " <code>"sessions"</code></summary>
                <dl class="facts">{move || facts()}</dl>
            </details>
        }
    };
    view! { <div>{move || maybe(is_there.get().then(row))}</div> }.into_any()
}

/// The relevant columns, by their database names.
fn columns(play: &SimulationSnapshot) -> Vec<(&'static str, String)> {
    let Some(row) = play.session.clone() else {
        return Vec::new();
    };
    let moment = |at_ms| words::after(at_ms, play.started_at_ms);
    let null = || "NULL".to_owned();
    vec![
        ("generation", row.generation.to_string()),
        ("current_jti", format!("…{}", row.current_jti)),
        (
            "previous_jti",
            row.previous_jti.map_or_else(null, |jti| format!("…{jti}")),
        ),
        ("confirmed", row.confirmed.to_string()),
        ("rotated_at", moment(row.rotated_at_ms)),
        ("revoked_at", row.revoked_at_ms.map_or_else(null, moment)),
        ("revoke_reason", row.revoke_reason.unwrap_or_else(null)),
    ]
}

#[cfg(test)]
mod tests {
    use lab_types::live::{Design, SessionRow};

    use super::*;

    fn play() -> SimulationSnapshot {
        SimulationSnapshot {
            id: "a1".into(),
            design: Design::Keyturn,
            started_at_ms: 1_000,
            grace_ms: 2_000,
            actions_left: 39,
            session: Some(SessionRow {
                generation: 2,
                current_jti: "0a1b2c3d".into(),
                previous_jti: None,
                confirmed: false,
                rotated_at_ms: 1_250,
                revoked_at_ms: Some(4_000),
                revoke_reason: Some("logout".into()),
            }),
            tokens: Vec::new(),
            owner: HeldTokens {
                refresh: Some(2),
                access: Some(1),
            },
            thief: HeldTokens::default(),
            done: Vec::new(),
            fallout: Vec::new(),
            outcome: String::new(),
        }
    }

    #[test]
    fn hands_are_full_half_full_or_empty() {
        let play = play();
        assert_eq!(
            holds(&play, Actor::Owner),
            "Holds refresh token 2 and access token 1."
        );
        assert_eq!(holds(&play, Actor::Thief), "Holds no token.");
    }

    #[test]
    fn columns_are_shown_as_the_table_has_them() {
        let columns = columns(&play());
        let value = |wanted| {
            columns
                .iter()
                .find(|(name, _)| *name == wanted)
                .map(|(_, value)| value.as_str())
        };
        assert_eq!(value("current_jti"), Some("…0a1b2c3d"));
        assert_eq!(value("previous_jti"), Some("NULL"));
        assert_eq!(value("rotated_at"), Some("0.250 s"));
        assert_eq!(value("revoke_reason"), Some("logout"));
        let gone = SimulationSnapshot {
            session: None,
            ..play()
        };
        assert!(super::columns(&gone).is_empty());
    }

    #[test]
    fn an_answer_is_its_status_and_its_code() {
        let of = |code| ResponseSummary {
            status: 401,
            code,
            reason: None,
        };
        let revoked = of(Some(api_types::problem::ProblemCode::SessionRevoked));
        assert_eq!(answer(revoked), "401 session_revoked");
        assert_eq!(answer(of(None)), "401");
    }
}
