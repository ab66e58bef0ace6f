//! Messages between tabs. They carry no token and only prompt the receiver to ask the server.

use api_types::problem::EndReason;

use crate::EndedBecause;

/// An event in one tab that concerns all tabs.
///
/// A tab that receives one treats it as a hint: it hides data that may no longer belong to the current user, and asks
/// the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// The user signed out.
    SignedOut,
    /// A user signed in.
    SignedIn {
        /// The id of the user.
        user: String,
    },
    /// This tab has a new token, so the session is still active.
    Renewed {
        /// The id of the user.
        user: String,
    },
    /// The server ended the session.
    Ended {
        /// The reason.
        because: EndedBecause,
    },
}

const SIGNED_OUT: &str = "signed-out";
const SIGNED_IN: &str = "signed-in ";
const RENEWED: &str = "renewed ";
const ENDED: &str = "ended ";

/// The names of the reasons in messages. Two pages of different versions may run at the same time. A page ignores a
/// name that it does not know, and learns of the end from the server later.
const ENDINGS: [(&str, EndedBecause); 15] = [
    ("expired", EndedBecause::Expired),
    ("reused", EndedBecause::Reused),
    ("account-disabled", EndedBecause::AccountDisabled),
    ("invalid", EndedBecause::Invalid),
    ("revoked", EndedBecause::Revoked(None)),
    ("logout", EndedBecause::Revoked(Some(EndReason::Logout))),
    ("logout-all", EndedBecause::Revoked(Some(EndReason::LogoutAll))),
    (
        "password-changed",
        EndedBecause::Revoked(Some(EndReason::PasswordChanged)),
    ),
    (
        "reuse-detected",
        EndedBecause::Revoked(Some(EndReason::ReuseDetected)),
    ),
    (
        "revoked-by-user",
        EndedBecause::Revoked(Some(EndReason::RevokedByUser)),
    ),
    (
        "revoked-by-operator",
        EndedBecause::Revoked(Some(EndReason::RevokedByOperator)),
    ),
    ("replaced", EndedBecause::Revoked(Some(EndReason::Replaced))),
    ("deleted", EndedBecause::Revoked(Some(EndReason::Deleted))),
    (
        "session-limit",
        EndedBecause::Revoked(Some(EndReason::SessionLimit)),
    ),
    ("unknown", EndedBecause::Revoked(Some(EndReason::Unknown))),
];

impl News {
    /// Formats the message as one line of text.
    pub fn to_text(&self) -> String {
        match self {
            Self::SignedOut => SIGNED_OUT.into(),
            Self::SignedIn { user } => [SIGNED_IN, user].concat(),
            Self::Renewed { user } => [RENEWED, user].concat(),
            Self::Ended { because } => {
                let name = ENDINGS.iter().find(|(_, known)| known == because);
                [ENDED, name.map_or("", |(name, _)| name)].concat()
            }
        }
    }

    /// Parses the output of [`News::to_text`]. Any other text is `None`.
    pub fn from_text(text: &str) -> Option<Self> {
        if text == SIGNED_OUT {
            return Some(Self::SignedOut);
        }
        if let Some(user) = text.strip_prefix(SIGNED_IN) {
            return (!user.is_empty()).then(|| Self::SignedIn { user: user.into() });
        }
        if let Some(user) = text.strip_prefix(RENEWED) {
            return (!user.is_empty()).then(|| Self::Renewed { user: user.into() });
        }
        let name = text.strip_prefix(ENDED)?;
        let (_, because) = ENDINGS.iter().find(|(known, _)| *known == name)?;
        Some(Self::Ended { because: *because })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_is_read_back_as_it_was_told() {
        let endings = ENDINGS
            .iter()
            .map(|(_, because)| News::Ended { because: *because });
        let others = [
            News::SignedOut,
            News::SignedIn {
                user: "0198-ada".into(),
            },
            News::Renewed {
                user: "0198-ada".into(),
            },
        ];
        for news in endings.chain(others) {
            assert_eq!(News::from_text(&news.to_text()), Some(news));
        }
    }

    #[test]
    fn anything_else_is_no_news() {
        for text in [
            "",
            "signed-in",
            "signed-in ",
            "renewed ",
            "signed-out now",
            "ended ",
            "ended from-the-future",
            "ended",
        ] {
            assert_eq!(News::from_text(text), None, "{text:?}");
        }
    }

    #[test]
    fn what_concerns_one_page_alone_is_not_heard_by_others() {
        for because in [EndedBecause::CookieNotKept, EndedBecause::SignOutUnfinished] {
            assert_eq!(News::from_text(&News::Ended { because }.to_text()), None);
        }
    }
}
