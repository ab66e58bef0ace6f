//! The reasons why a session ended, as shown at the next sign-in.

use api_types::problem::RevocationReason;
use session_client::SignedOutReason;

use super::Message;

/// Explains the reason, without blame and without guessing more than the server knows.
pub fn signed_out_reason(reason: SignedOutReason) -> Message {
    match reason {
        SignedOutReason::Expired => Message {
            title: "Your session ran out",
            body: "A session ends when it has not been used for some time, and in any case after a fixed number of \
                   days. Sign in to start a new one.",
        },
        SignedOutReason::Revoked(Some(reason)) => of_revocation(reason),
        SignedOutReason::Revoked(None) => Message {
            title: "The server ended your session",
            body: "Nothing is wrong with your account as far as this page knows. Sign in to start a new session.",
        },
        SignedOutReason::Reused => of_reuse(),
        SignedOutReason::AccountDisabled => Message {
            title: "This account is disabled",
            body: "Its sessions have ended, and signing in will not work for now. Ask the people who run this site.",
        },
        SignedOutReason::Invalid => Message {
            title: "The server did not recognise this browser’s session",
            body: "That happens when the server’s keys were replaced, or when a cookie was damaged. \
                   Sign in to start a new session.",
        },
        SignedOutReason::SignOutUnfinished => Message {
            title: "Signing out is not finished yet",
            body: "This browser has forgotten its access token, and nothing will be shown here any more. The server \
                   could not be reached, so it still has to end the session; it will be told as soon as it can be \
                   reached, also after a reload. You can close this page, or sign in again at any time.",
        },
        SignedOutReason::CookieNotKept => Message {
            title: "This browser did not keep your session",
            body: "You signed in, but the browser did not store the session cookie, so nothing was left to \
                   continue with. Allow cookies for this site, or open it over https, and sign in again.",
        },
    }
}

fn of_revocation(reason: RevocationReason) -> Message {
    match reason {
        RevocationReason::Logout => Message {
            title: "You signed out",
            body: "This session was ended with “Sign out”, perhaps in another tab. Sign in to start a new one.",
        },
        RevocationReason::LogoutAll => Message {
            title: "You signed out everywhere",
            body: "All sessions of your account were ended at once, this one too. Sign in to start a new one.",
        },
        RevocationReason::PasswordChanged => Message {
            title: "Your password was changed",
            body: "A new password ends every older session. Sign in with the new one. If it was not you who \
                   changed it, tell the people who run this site.",
        },
        RevocationReason::ReuseDetected => of_reuse(),
        RevocationReason::RevokedByUser => Message {
            title: "This session was ended from your account",
            body: "Someone signed in to your account ended it in the list of sessions. If that was not you, sign in \
                   and change your password.",
        },
        RevocationReason::RevokedByOperator => Message {
            title: "This session was ended by the people who run this site",
            body: "They end sessions when something about an account changes, such as its role. Sign in to start a \
                   new one; if that does not work, ask them.",
        },
        RevocationReason::Replaced => Message {
            title: "A newer sign-in took over",
            body: "A newer sign-in in this browser replaced this session. Sign in to continue as yourself.",
        },
        RevocationReason::Deleted => Message {
            title: "This account was deleted",
            body: "Its sessions ended with it. You can create a new account at any time.",
        },
        RevocationReason::SessionLimit => Message {
            title: "This session made room for a newer one",
            body: "Your account was signed in on more devices than this site allows, so the session that had not been \
                   used for the longest time ended. Sign in to start a new one. If you do not recognise the other \
                   sessions in your list, end them and change your password.",
        },
        RevocationReason::Unknown => Message {
            title: "The server does not know this session",
            body: "The site may have been restored from a backup that is older than your session, or your account was \
                   deleted, or the session was ended for a reason that this page does not know. Sign in to start a new \
                   session.",
        },
    }
}

/// Deliberately not “you were robbed”: a browser that crashed and restored an older cookie looks the same.
fn of_reuse() -> Message {
    Message {
        title: "A used token was presented again",
        body: "A refresh token was used twice. Either your browser restored an old cookie after a crash, or someone \
               copied it. To be safe, the session was ended. Sign in again. If you didn’t restart or restore your \
               browser, change your password.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_reports_of_reuse_have_the_same_text() {
        assert_eq!(
            signed_out_reason(SignedOutReason::Reused),
            signed_out_reason(SignedOutReason::Revoked(Some(RevocationReason::ReuseDetected)))
        );
    }

    #[test]
    fn every_reason_says_what_to_do_next() {
        let reasons = [
            RevocationReason::Logout,
            RevocationReason::LogoutAll,
            RevocationReason::PasswordChanged,
            RevocationReason::ReuseDetected,
            RevocationReason::RevokedByUser,
            RevocationReason::RevokedByOperator,
            RevocationReason::Replaced,
            RevocationReason::Deleted,
            RevocationReason::SessionLimit,
            RevocationReason::Unknown,
        ];
        let causes = [
            SignedOutReason::Expired,
            SignedOutReason::Revoked(None),
            SignedOutReason::Reused,
            SignedOutReason::AccountDisabled,
            SignedOutReason::Invalid,
            SignedOutReason::CookieNotKept,
            SignedOutReason::SignOutUnfinished,
        ];
        for reason in reasons
            .into_iter()
            .map(|reason| SignedOutReason::Revoked(Some(reason)))
            .chain(causes)
        {
            let message = signed_out_reason(reason);
            assert!(
                message.body.ends_with('.') && !message.title.ends_with('.'),
                "{message:?}"
            );
            assert!(
                !message.body.contains('!') && !message.title.contains('!'),
                "{message:?}"
            );
            let next = ["Sign in", "sign in", "Ask", "create a new account"];
            assert!(next.iter().any(|step| message.body.contains(step)), "{message:?}");
        }
    }
}
