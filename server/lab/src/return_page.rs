//! The page that leads the visitor back to the runner.

use axum::response::Html;

use crate::{run::Run, state::Lab};

/// A navigation from another site replaced the runner with this response. This page shows the result and returns to the
/// runner.
pub fn return_page(lab: &Lab, run: &Run, step: Option<usize>, says: &str) -> Html<String> {
    let (victim, run, at) = (&lab.sites.victim, &run.id, step.unwrap_or_default());
    // No untrusted text: the id was looked up, the rest are numbers and names from the configuration.
    Html(format!(
        "<!doctype html><meta charset=utf-8><title>Keyturn lab: on the way back</title>\
         <meta http-equiv=refresh content=\"0; url={victim}/play?run={run}&amp;at={at}&amp;phase=after\">\
         <p>{says}</p>"
    ))
}
