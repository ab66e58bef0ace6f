//! The live session in tables: the tokens, the steps, what the end of the session revoked, and the row that decided.

use lab_types::live::{
    Actor, CompletedAction, HeldTokens, ReplayAttempt, ResponseSummary, SimulationAction, SimulationSnapshot,
    TokenKind, TokenView,
};
use leptos::prelude::*;
use ui::components::{Notice, Shape, Tone, list, maybe};

use super::{
    state::LiveState,
    tree::{holders, replays},
};
use crate::{
    components::{mark, sheet_table},
    labels,
    token_family::{StepRow, steps_table},
};

/// The tokens of an actor.
pub fn holds(simulation: &SimulationSnapshot, who: Actor) -> String {
    let held = match who {
        Actor::Owner => simulation.owner,
        Actor::Thief => simulation.thief,
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
pub fn tokens(state: LiveState) -> AnyView {
    let rows = move || {
        let tokens = state
            .at(|simulation| simulation.tokens.clone())
            .unwrap_or_default();
        list(tokens.into_iter().map(move |token| token_row(state, &token)))
    };
    sheet_table(
        "The tokens",
        "The refresh tokens of this session, the oldest first",
        ["TokenView", "State", "HeldTokens by", "Blacklist"],
        rows,
    )
}

fn token_row(state: LiveState, token: &TokenView) -> AnyView {
    let generation = token.generation;
    let replayed = replays(token).map_or_else(String::new, |words| format!(", {words}"));
    let blacklisted = token.blacklisted.clone().unwrap_or_else(|| "no".into());
    let held_by = if token.holders.is_empty() {
        "no one".into()
    } else {
        holders(&token.holders)
    };
    view! {
        <tr>
            <th scope="row" class="live__token">
                {state
                    .button(
                        format!("Replay {generation}"),
                        move || {
                            state
                                .act(SimulationAction::Replay {
                                    generation,
                                });
                        },
                    )}
                " "
                <code>{token.jti.clone()}</code>
            </th>
            <td>{labels::token_state(token.state)} {replayed}</td>
            <td>{held_by}</td>
            <td>{blacklisted}</td>
        </tr>
    }
    .into_any()
}

/// What was tested after the end of the session, for each actor, and the results.
pub fn retried_tokens(state: LiveState) -> AnyView {
    let fallout = move || {
        let tried = state
            .at(|simulation| simulation.fallout.clone())
            .unwrap_or_default();
        maybe((!tried.is_empty()).then(|| {
            let answers = list(tried.into_iter().map(tried_again));
            view! {
                <Notice tone=Tone::Alarm title="What was tried after the end">
                    <p>"Every token held was tried again."</p>
                    <ul class="live__fallout" aria-label="Retried after the session ended">
                        {answers}
                    </ul>
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
    let name = format!("{}, {kind} token {}", labels::actor(tried.who), tried.generation);
    let (class, shape) = match tried.answer.status {
        401 => ("mark", Shape::Cross),
        ..=399 => ("mark mark--exposed", Shape::Alert),
        _ => ("mark mark--none", Shape::Dot),
    };
    view! { <li>{name} " " {mark(class, shape, answer(tried.answer))}</li> }.into_any()
}

fn answer(answer: ResponseSummary) -> String {
    let status = answer.status.to_string();
    answer
        .code
        .map_or(status.clone(), |code| status + " " + code.as_str())
}

/// The steps, and the product's responses.
pub fn steps(state: LiveState) -> AnyView {
    let rows = move || {
        let (begin, done) = state
            .at(|simulation| (simulation.started_at_ms, simulation.done.clone()))
            .unwrap_or_default();
        let row = |done: CompletedAction| StepRow {
            time: labels::after(done.at_ms, begin).replace(' ', "\u{a0}"),
            actor: labels::actor(done.who).into(),
            action: done.what,
            response: done.said,
            is_shown: false,
        };
        done.into_iter().map(row).collect()
    };
    steps_table("What was done", rows)
}

/// The row that decided, if there is a table.
pub fn session_row(state: LiveState) -> AnyView {
    let is_there = Memo::new(move |_| state.at(|simulation| simulation.session.is_some()) == Some(true));
    let facts = move || {
        let facts = state.at(columns).unwrap_or_default();
        list(facts.into_iter().map(|(name, value)| {
            view! {
                <div class="facts__row">
                    <dt>
                        <code>{name}</code>
                    </dt>
                    <dd>
                        <code>{value}</code>
                    </dd>
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
fn columns(simulation: &SimulationSnapshot) -> Vec<(&'static str, String)> {
    let Some(row) = simulation.session.clone() else {
        return Vec::new();
    };
    let moment = |at_ms| labels::after(at_ms, simulation.started_at_ms);
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

    fn simulation() -> SimulationSnapshot {
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
    fn held_tokens_are_named() {
        let simulation = simulation();
        assert_eq!(
            holds(&simulation, Actor::Owner),
            "Holds refresh token 2 and access token 1."
        );
        assert_eq!(holds(&simulation, Actor::Thief), "Holds no token.");
    }

    #[test]
    fn columns_have_their_database_names_and_values() {
        let columns = columns(&simulation());
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
            ..simulation()
        };
        assert!(super::columns(&gone).is_empty());
    }

    #[test]
    fn a_response_is_shown_as_status_and_code() {
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
