//! What an administrator does to an account, in words: before, meanwhile, and after.

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    Disable,
    Enable,
    EndSessions,
}

/// What is asked before it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub title: String,
    /// What it means for that person.
    pub meaning: &'static str,
    /// The button that does it.
    pub confirm: &'static str,
}

impl Deed {
    /// The text of its button.
    pub fn label(self) -> &'static str {
        match self {
            Self::Disable => "Disable",
            Self::Enable => "Enable",
            Self::EndSessions => "End sessions",
        }
    }

    /// The name of its button for those who hear it among many of the same text. It begins with that text, so that
    /// saying what one sees finds it (WCAG 2.5.3).
    pub fn name(self, email: &str) -> String {
        match self {
            Self::Disable | Self::Enable => format!("{} {email}", self.label()),
            Self::EndSessions => format!("{} of {email}", self.label()),
        }
    }

    /// What its button says while it is being done.
    pub fn doing(self) -> &'static str {
        match self {
            Self::Disable => "Disabling…",
            Self::Enable => "Enabling…",
            Self::EndSessions => "Ending…",
        }
    }

    /// What is to be confirmed first. Giving something back needs no second thought.
    pub fn question(self, email: &str) -> Option<Question> {
        match self {
            Self::Enable => None,
            Self::Disable => Some(Question {
                title: format!("Disable {email}?"),
                meaning: "Its sessions end within a second, and signing in is refused until you enable it again. \
                          Nothing is deleted.",
                confirm: "Yes, disable",
            }),
            Self::EndSessions => Some(Question {
                title: format!("End all sessions of {email}?"),
                meaning: "It is signed out wherever it is signed in, within a second. It can sign in again at once.",
                confirm: "Yes, end them",
            }),
        }
    }

    /// What has happened.
    pub fn done(self, email: &str) -> String {
        match self {
            Self::Disable => format!("{email} is disabled, and its sessions have ended."),
            Self::Enable => format!("{email} can sign in again. Its old sessions stay ended."),
            Self::EndSessions => format!("All sessions of {email} have ended."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Deed; 3] = [Deed::Disable, Deed::Enable, Deed::EndSessions];

    #[test]
    fn whoever_hears_a_button_or_its_result_hears_whom_it_is_about() {
        for deed in ALL {
            let name = deed.name("ada@example.com");
            assert!(
                name.starts_with(deed.label()) && name.contains("ada@example.com"),
                "{name}"
            );
            assert!(deed.done("ada@example.com").contains("ada@example.com"));
        }
    }

    #[test]
    fn only_what_takes_something_away_is_asked_about() {
        for deed in ALL {
            let asked = deed.question("ada@example.com");
            assert_eq!(asked.is_some(), deed != Deed::Enable);
            assert!(asked.is_none_or(|question| question.title.contains("ada@example.com")));
        }
    }
}
