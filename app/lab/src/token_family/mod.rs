//! What the simulator and the live session share: an owner and a thief, the tree of their tokens, and the table of
//! their steps.

pub mod tree;

use leptos::prelude::*;
use ui::components::{list, text};

use crate::components::sheet_table;
use tree::{TreeNode, drawing};

/// A step, and the server's response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepRow {
    pub time: String,
    pub actor: String,
    pub action: String,
    pub response: String,
    /// Whether the page shows the state after this step.
    pub is_shown: bool,
}

/// The table of steps, the oldest first.
pub fn steps_table(name: &'static str, steps: impl Fn() -> Vec<StepRow> + Send + 'static) -> AnyView {
    let row = |step: StepRow| {
        view! {
            <tr aria-current=step.is_shown.then_some("step")>
                <td>{step.time} {text(if step.is_shown { " (shown)" } else { "" })}</td>
                <td>{step.actor}</td>
                <td>{step.action}</td>
                <td>{step.response}</td>
            </tr>
        }
    };
    sheet_table(
        name,
        format!("{name}, the oldest first"),
        ["Time", "Who", "What", "The server’s answer"],
        move || list(steps().into_iter().map(row)),
    )
}

/// The tree of tokens.
pub fn token_tree(name: &'static str, nodes: impl Fn() -> Vec<TreeNode> + Send + 'static) -> AnyView {
    let picture = move || drawing(&nodes());
    view! { <div class="table-sheet" tabindex="0" role="group" aria-label=name inner_html=picture></div> }
        .into_any()
}

/// The owner or the thief: what it holds, and what it can do.
pub fn actor_pane(title: &'static str, body: AnyView) -> AnyView {
    view! {
        <div class="lab__actor" role="group" aria-label=title>
            <h3 class="members__title">{title}</h3>
            {body}
        </div>
    }
    .into_any()
}

/// The tokens of a holder, and the buttons for its actions.
pub fn holder(holds: impl Fn() -> String + Send + 'static, buttons: Vec<AnyView>) -> AnyView {
    view! {
        <p>{move || text(holds())}</p>
        <div class="form__row">{buttons}</div>
    }
    .into_any()
}
