//! Messages between tabs. They carry no token and only prompt the receiver to ask the server.

use api_types::problem::RevocationReason;

use crate::SignedOutReason;

/// An event in one tab that concerns all tabs.
///
/// A tab that receives one treats it as a hint: it hides data that may no longer belong to the current user, and asks
/// the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TabMessage {
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
        reason: SignedOutReason,
    },
}

const SIGNED_OUT: &str = "signed-out";
const SIGNED_IN: &str = "signed-in ";
const RENEWED: &str = "renewed ";
const ENDED: &str = "ended ";

/// The names of the reasons in messages. Two pages of different versions may run at the same time. A page ignores a
/// name that it does not know, and learns of the end from the server later.
const REASON_NAMES: [(&str, SignedOutReason); 15] = [
    ("expired", SignedOutReason::Expired),
    ("reused", SignedOutReason::Reused),
    ("account-disabled", SignedOutReason::AccountDisabled),
    ("invalid", SignedOutReason::Invalid),
    ("revoked", SignedOutReason::Revoked(None)),
    ("logout", SignedOutReason::Revoked(Some(RevocationReason::Logout))),
    (
        "logout-all",
        SignedOutReason::Revoked(Some(RevocationReason::LogoutAll)),
    ),
    (
        "password-changed",
        SignedOutReason::Revoked(Some(RevocationReason::PasswordChanged)),
    ),
    (
        "reuse-detected",
        SignedOutReason::Revoked(Some(RevocationReason::ReuseDetected)),
    ),
    (
        "revoked-by-user",
        SignedOutReason::Revoked(Some(RevocationReason::RevokedByUser)),
    ),
    (
        "revoked-by-operator",
        SignedOutReason::Revoked(Some(RevocationReason::RevokedByOperator)),
    ),
    (
        "replaced",
        SignedOutReason::Revoked(Some(RevocationReason::Replaced)),
    ),
    (
        "deleted",
        SignedOutReason::Revoked(Some(RevocationReason::Deleted)),
    ),
    (
        "session-limit",
        SignedOutReason::Revoked(Some(RevocationReason::SessionLimit)),
    ),
    (
        "unknown",
        SignedOutReason::Revoked(Some(RevocationReason::Unknown)),
    ),
];

impl TabMessage {
    /// Formats the message as one line of text.
    pub fn to_text(&self) -> String {
        match self {
            Self::SignedOut => SIGNED_OUT.into(),
            Self::SignedIn { user } => [SIGNED_IN, user].concat(),
            Self::Renewed { user } => [RENEWED, user].concat(),
            Self::Ended { reason } => {
                let name = REASON_NAMES.iter().find(|(_, known)| known == reason);
                [ENDED, name.map_or("", |(name, _)| name)].concat()
            }
        }
    }

    /// Parses the output of [`TabMessage::to_text`]. Any other text is `None`.
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
        let (_, reason) = REASON_NAMES.iter().find(|(known, _)| *known == name)?;
        Some(Self::Ended { reason: *reason })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tabs of different versions of the application run at the same time, so these texts must never change.
    #[test]
    fn messages_keep_their_wire_format() {
        use RevocationReason as Revocation;
        use SignedOutReason::{AccountDisabled, Expired, Invalid, Reused, Revoked};
        let user = || "0198-ada".to_owned();
        let ended = |reason| TabMessage::Ended { reason };
        let revoked = |reason| ended(Revoked(Some(reason)));
        let table = [
            ("signed-out", TabMessage::SignedOut),
            ("signed-in 0198-ada", TabMessage::SignedIn { user: user() }),
            ("renewed 0198-ada", TabMessage::Renewed { user: user() }),
            ("ended expired", ended(Expired)),
            ("ended reused", ended(Reused)),
            ("ended account-disabled", ended(AccountDisabled)),
            ("ended invalid", ended(Invalid)),
            ("ended revoked", ended(Revoked(None))),
            ("ended logout", revoked(Revocation::Logout)),
            ("ended logout-all", revoked(Revocation::LogoutAll)),
            ("ended password-changed", revoked(Revocation::PasswordChanged)),
            ("ended reuse-detected", revoked(Revocation::ReuseDetected)),
            ("ended revoked-by-user", revoked(Revocation::RevokedByUser)),
            (
                "ended revoked-by-operator",
                revoked(Revocation::RevokedByOperator),
            ),
            ("ended replaced", revoked(Revocation::Replaced)),
            ("ended deleted", revoked(Revocation::Deleted)),
            ("ended session-limit", revoked(Revocation::SessionLimit)),
            ("ended unknown", revoked(Revocation::Unknown)),
        ];
        assert_eq!(table.len(), 3 + REASON_NAMES.len());
        for (text, message) in table {
            assert_eq!(message.to_text(), text);
            assert_eq!(TabMessage::from_text(text), Some(message));
        }
    }

    #[test]
    fn other_texts_are_not_messages() {
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
            assert_eq!(TabMessage::from_text(text), None, "{text:?}");
        }
    }

    #[test]
    fn reasons_of_one_page_are_not_broadcast() {
        for reason in [SignedOutReason::CookieNotKept, SignedOutReason::SignOutUnfinished] {
            assert_eq!(
                TabMessage::from_text(&TabMessage::Ended { reason }.to_text()),
                None
            );
        }
    }
}
