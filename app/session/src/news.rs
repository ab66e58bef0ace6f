//! What tabs tell each other. No token, and nothing that is worth more than a look at the server.

use api_types::problem::EndReason;

use crate::EndedBecause;

/// Something that happened in one tab and concerns all.
///
/// A tab that hears of it takes it for a hint: it stops showing what may be another's by now, and asks the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// The person signed out.
    SignedOut,
    /// Somebody signed in.
    SignedIn {
        /// Whose id this is.
        user: String,
    },
    /// This tab has a new token, and so the session lives on.
    Renewed {
        /// Whose id this is.
        user: String,
    },
    /// The server ended the session.
    Ended {
        /// Why.
        because: EndedBecause,
    },
}

const SIGNED_OUT: &str = "signed-out";
const SIGNED_IN: &str = "signed-in ";
const RENEWED: &str = "renewed ";
const ENDED: &str = "ended ";

/// The names under which endings travel between tabs. Two pages of different versions may meet; what one of them does
/// not know, it does not hear, and finds out by itself later.
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
    /// As one line of text.
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

    /// Reads what [`News::to_text`] wrote. Anything else is no news.
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
