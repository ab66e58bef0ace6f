//! What `keyturn config check` found.

use std::fmt;

/// A problem that would make `serve` fail or that it would ignore: the key, the reason and the remedy in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) key: String,
    pub(super) why: String,
}

impl Finding {
    pub(super) fn new(key: impl Into<String>, why: impl fmt::Display) -> Self {
        Self {
            key: key.into(),
            why: why.to_string(),
        }
    }
}

/// At least one finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings(pub(super) Vec<Finding>);

/// One line each; the first continues the line that begins with the program's name.
impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self
            .0
            .iter()
            .map(|finding| format!("{}: {}", finding.key, finding.why));
        f.write_str(&lines.collect::<Vec<_>>().join("\nkeyturn: configuration: "))
    }
}
