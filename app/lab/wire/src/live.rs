//! What the lab tells of a live play: one throw-away session with the lab's own product, or with a model of another
//! design, and everything that was done to it.
//!
//! Refresh tokens are named by their generation, which no two of a session share; with a model, whose families may fork,
//! by their place in the order in which they were given out. Their texts stay with the server.

use serde::{Deserialize, Serialize};

use api_types::problem::{EndReason, ProblemCode};

/// `POST /api/lab/plays`: what kind of play begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NewPlay {
    pub design: Design,
}

/// Who gives out the tokens. Keyturn is the lab's own product with its tables; the others are models of how these rotate,
/// the same that the simulator runs, with a window of forgiveness that is as short as the lab's. In the order of
/// `rotation::designs::Design::ALL`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Design {
    #[default]
    Keyturn,
    Strict,
    SimpleJwt,
    Supabase,
    SuperTokens,
    Auth0,
}

impl Design {
    pub const ALL: [Self; 6] = [
        Self::Keyturn,
        Self::Strict,
        Self::SimpleJwt,
        Self::Supabase,
        Self::SuperTokens,
        Self::Auth0,
    ];
}

/// Whose hands tokens are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hand {
    Owner,
    Thief,
}

/// `POST /api/lab/plays/{id}/acts`: what somebody does. Each is a request to the product, but for [`Act::Steal`], which
/// no server notices.
///
/// Acts without members have braces, because serde ignores unknown members of a unit variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Act {
    /// Renews with the refresh token that this hand holds, and uses the access token that comes.
    Renew { who: Hand },
    /// The owner renews, and the answer is lost on its way: the owner goes on with the old token.
    LoseAnswer {},
    /// The thief copies what is in the owner's cookie jar.
    Steal {},
    /// The thief presents this token, wherever they have it from.
    Replay { generation: u32 },
    /// The owner signs out.
    SignOut {},
}

/// A play as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Play {
    pub id: String,
    pub design: Design,
    pub started_at_ms: u64,
    /// For how long after a rotation it is forgiven that the parent is presented again. Zero: never.
    pub grace_ms: u64,
    pub acts_left: u32,
    /// What the table `sessions` says; `None` if the row is gone, and with a model, which has no tables.
    pub session: Option<SessionRow>,
    /// Every refresh token of the session, the oldest first.
    pub tokens: Vec<Token>,
    pub owner: Held,
    pub thief: Held,
    /// What was done, the oldest first. The first is the sign-in.
    pub done: Vec<Done>,
    /// Once the session is over: everything that was in somebody's hands until then, tried out again.
    pub fallout: Vec<Tried>,
    /// Where things stand, in a sentence or two.
    pub outcome: String,
}

/// A row of the table `sessions`, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRow {
    pub generation: u32,
    /// The end of it, as all token ids here.
    pub current_jti: String,
    pub previous_jti: Option<String>,
    /// Whether the live token, or its access token, was seen in use. Until then its parent is forgiven.
    pub confirmed: bool,
    pub rotated_at_ms: u64,
    pub revoked_at_ms: Option<u64>,
    pub revoke_reason: Option<String>,
}

/// A refresh token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    pub generation: u32,
    /// The token for which it was given.
    pub parent: Option<u32>,
    pub jti: String,
    /// `None` if the rows say nothing that fits together. A model says it itself.
    pub state: Option<State>,
    /// Why it is on the blacklist, as the table says; `None` if it is not.
    pub blacklisted: Option<String>,
    /// How often it was presented when it was not live any more, while the session lasted.
    pub replays: u32,
    /// Whether presenting it was what ended the session.
    pub gave_away: bool,
    pub holders: Vec<Hand>,
    /// Who lost something when the session ended: this token, or the access token that came with it.
    pub lost_by: Vec<Hand>,
}

/// How a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It is the session's live token, and nothing was seen of its being used.
    Issued,
    /// It is the session's live token, and its access token was accepted.
    Active,
    /// It was exchanged for the live token.
    Rotated,
    /// It was exchanged, and so was its successor.
    Superseded,
    /// It was live and never exchanged, and another one was given out in its place.
    Displaced,
    /// It was the live token when the session ended, and went on the blacklist with it; or it was used where nothing but a
    /// blacklist remembers that.
    Blacklisted,
    /// Its session is over, and it was not the live token then, or nobody keeps a blacklist.
    Ended,
}

/// What somebody holds, by generation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    pub refresh: Option<u32>,
    pub access: Option<u32>,
}

/// Something that was done, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    pub at_ms: u64,
    pub who: Hand,
    /// `None` for the sign-in.
    pub act: Option<Act>,
    /// The refresh token that was sent.
    pub sent: Option<u32>,
    /// The refresh token that was given, or copied.
    pub given: Option<u32>,
    /// The product's answer; `None` if it was not asked.
    pub answer: Option<Answer>,
    /// What the product answered to the access token that came, if it came.
    pub used: Option<Answer>,
    /// The same in words: what was done, and what the product said to it.
    pub what: String,
    pub said: String,
}

/// What the product answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub status: u16,
    pub code: Option<ProblemCode>,
    pub reason: Option<EndReason>,
}

/// A token that was tried out after the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    pub who: Hand,
    pub kind: Kind,
    pub generation: u32,
    pub answer: Answer,
}

/// Which of the two tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Access,
    Refresh,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_play_is_one_with_the_product_unless_something_else_is_asked_for() {
        let read = serde_json::from_str::<NewPlay>;
        assert_eq!(read("{}").expect("parses").design, Design::Keyturn);
        assert_eq!(
            read(r#"{"design":"super-tokens"}"#).expect("parses").design,
            Design::SuperTokens
        );
        assert!(read(r#"{"design":"SuperTokens"}"#).is_err());
        assert!(read(r#"{"policy":"strict"}"#).is_err());
    }

    #[test]
    fn an_act_is_named_and_takes_nothing_more() {
        let read = serde_json::from_str::<Act>;
        let replay = Act::Replay { generation: 3 };
        assert_eq!(
            serde_json::to_string(&replay).expect("serialises"),
            r#"{"act":"replay","generation":3}"#
        );
        assert_eq!(
            read(r#"{"act":"renew","who":"thief"}"#).expect("parses"),
            Act::Renew { who: Hand::Thief }
        );
        assert_eq!(read(r#"{"act":"sign-out"}"#).expect("parses"), Act::SignOut {});
        for nonsense in [
            r#"{"act":"wait"}"#,
            r#"{"act":"renew"}"#,
            r#"{"act":"renew","who":"judge"}"#,
            r#"{"act":"replay","generation":3,"token":"a.b.c"}"#,
            r#"{"act":"renew","who":"thief","generation":3}"#,
            r#"{"act":"lose-answer","who":"thief"}"#,
            r#"{"act":"steal","generation":3}"#,
            r#"{"act":"sign-out","who":"owner"}"#,
            r#"{"act":"sign-out","act":"steal"}"#,
        ] {
            assert!(read(nonsense).is_err(), "{nonsense}");
        }
    }
}
