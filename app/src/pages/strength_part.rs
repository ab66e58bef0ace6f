//! The part of the app that judges new passwords. It is fetched when a new password is typed, and never to sign in.

#![expect(
    clippy::unnecessary_wraps,
    reason = "what can fail is the fetching, which the macro puts before the body"
)]

use leptos::wasm_split::{SplitLoaderError, wasm_split};
use ui::strength::{self, PasswordContext, PasswordVerdict};

/// Judges a new password. This part is three times as large as the rest of the app.
#[wasm_split(strength_part, wasm_split_path = ::leptos::wasm_split, preload(fetch_strength), fallible)]
pub fn judge(
    password: String,
    person: PasswordContext,
    min_length: usize,
) -> Result<PasswordVerdict, SplitLoaderError> {
    Ok(strength::judge(&password, &person, min_length))
}

/// Fetches the password estimator early. A failure is harmless: the first estimate fetches again.
pub async fn fetch_ahead_of_typing() {
    let _ = fetch_strength().await;
}
