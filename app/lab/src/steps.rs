//! A table of steps: when, who, what, and the server's response.

use leptos::prelude::*;

/// The table. Its rows have four cells, the oldest first.
pub fn steps_table(name: &'static str, rows: impl Fn() -> AnyView + Send + 'static) -> AnyView {
    view! {
        <div class="table-sheet" tabindex="0" role="group" aria-label=name>
            <table class="table">
                <caption class="sr-only">{format!("{name}, the oldest first")}</caption>
                <thead>
                    <tr>
                        <th scope="col">"Time"</th>
                        <th scope="col">"Who"</th>
                        <th scope="col">"What"</th>
                        <th scope="col">"The server’s answer"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}
