//! An administrator's actions on an account, in words: before, during, and after.

/// The actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    Disable,
    Enable,
    EndSessions,
}

/// The confirmation question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub title: String,
    /// The consequences for the account's owner.
    pub meaning: &'static str,
    /// The label of the confirming button.
    pub confirm: &'static str,
}

impl Deed {
    /// The label of the action's button.
    pub fn label(self) -> &'static str {
        match self {
            Self::Disable => "Disable",
            Self::Enable => "Enable",
            Self::EndSessions => "End sessions",
        }
    }

    /// The accessible name of the action's button, among many with the same label. It begins with the label, so that
    /// voice control finds it by the visible text (WCAG 2.5.3).
    pub fn name(self, email: &str) -> String {
        match self {
            Self::Disable | Self::Enable => format!("{} {email}", self.label()),
            Self::EndSessions => format!("{} of {email}", self.label()),
        }
    }

    /// The button's label during the action.
    pub fn doing(self) -> &'static str {
        match self {
            Self::Disable => "Disabling…",
            Self::Enable => "Enabling…",
            Self::EndSessions => "Ending…",
        }
    }

    /// The question before the action. An action that gives access back needs no confirmation.
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
                meaning: "They’re signed out everywhere within a second, and can sign in again.",
                confirm: "Yes, end them",
            }),
        }
    }

    /// The message after the action.
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
