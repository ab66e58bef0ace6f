//! An administrator's actions on an account, in words: before, during, and after.

/// The actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdminAction {
    Disable,
    Enable,
    EndSessions,
}

/// The confirmation question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    pub title: String,
    /// The consequences for the account's owner.
    pub meaning: &'static str,
    /// The label of the confirming button.
    pub confirm: &'static str,
}

impl AdminAction {
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
    pub fn busy_label(self) -> &'static str {
        match self {
            Self::Disable => "Disabling…",
            Self::Enable => "Enabling…",
            Self::EndSessions => "Ending…",
        }
    }

    /// The question before the action. An action that gives access back needs no confirmation.
    pub fn question(self, email: &str) -> Option<Confirmation> {
        match self {
            Self::Enable => None,
            Self::Disable => Some(Confirmation {
                title: format!("Disable {email}?"),
                meaning: "Its sessions end within a second, and signing in is refused until you enable it again. \
                          Nothing is deleted.",
                confirm: "Yes, disable",
            }),
            Self::EndSessions => Some(Confirmation {
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

    const ALL: [AdminAction; 3] = [
        AdminAction::Disable,
        AdminAction::Enable,
        AdminAction::EndSessions,
    ];

    #[test]
    fn names_and_results_include_the_email() {
        for action in ALL {
            let name = action.name("ada@example.com");
            assert!(
                name.starts_with(action.label()) && name.contains("ada@example.com"),
                "{name}"
            );
            assert!(action.done("ada@example.com").contains("ada@example.com"));
        }
    }

    #[test]
    fn only_destructive_actions_need_confirmation() {
        for action in ALL {
            let confirmation = action.question("ada@example.com");
            assert_eq!(confirmation.is_some(), action != AdminAction::Enable);
            assert!(confirmation.is_none_or(|question| question.title.contains("ada@example.com")));
        }
    }
}
