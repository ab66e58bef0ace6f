//! The actors of a live session, by name.

use std::fmt;

use lab_types::live::Actor;

/// The actor as the first word of a sentence.
#[derive(Debug, Clone, Copy)]
pub struct Name(pub Actor);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Actor::Owner => "Owner",
            Actor::Thief => "Thief",
        })
    }
}
