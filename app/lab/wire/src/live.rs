//! State of a live simulation: one temporary session with the lab's own product, or with a model of another design, and
//! every action so far.
//!
//! A refresh token is identified by its generation, which is unique within a session. In a model, whose token families
//! may fork, it is identified by its position in the order of issue. The server does not disclose the token texts.

use serde::{Deserialize, Serialize};

use api_types::problem::{ProblemCode, RevocationReason};

/// `POST /api/lab/plays`: which simulation to start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NewSimulation {
    pub design: Design,
}

names! {
    /// The issuer of the tokens. Keyturn is the lab's own product with its tables. The others are models of how these
    /// products rotate, the same models as in the simulator, with a grace period as short as the lab's. In the order of
    /// `rotation::designs::Design::ALL`.
    #[derive(Default)]
    Design {
        #[default]
        Keyturn = "keyturn",
        Strict = "strict",
        SimpleJwt = "simple-jwt",
        Supabase = "supabase",
        SuperTokens = "super-tokens",
        Auth0 = "auth0",
    }
}

/// The party that holds a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Actor {
    Owner,
    Thief,
}

/// `POST /api/lab/plays/{id}/acts`: one action. Each is a request to the product, except [`SimulationAction::Steal`], which no server
/// notices.
///
/// Actions without members have braces, because serde ignores unknown members of a unit variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case", deny_unknown_fields)]
pub enum SimulationAction {
    /// Refreshes with this party's refresh token, and uses the new access token.
    Renew { who: Actor },
    /// The owner refreshes, and the response is lost: the owner keeps the old token.
    LoseAnswer {},
    /// The thief copies the owner's cookie jar.
    Steal {},
    /// The thief presents this token, from any source.
    Replay { generation: u32 },
    /// The owner signs out.
    SignOut {},
}

/// The current state of a simulation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SimulationSnapshot {
    pub id: String,
    pub design: Design,
    pub started_at_ms: u64,
    /// The grace period in milliseconds: for how long after a rotation the parent token is accepted again. Zero: never.
    pub grace_ms: u64,
    #[serde(rename = "acts_left")]
    pub actions_left: u32,
    /// The row in the table `sessions`; `None` if it was deleted, and for a model, which has no tables.
    pub session: Option<SessionRow>,
    /// Every refresh token of the session, the oldest first.
    pub tokens: Vec<TokenView>,
    pub owner: HeldTokens,
    pub thief: HeldTokens,
    /// The actions so far, the oldest first. The first is the sign-in.
    pub done: Vec<CompletedAction>,
    /// After the session has ended: every token that a party held until then, tried again.
    pub fallout: Vec<ReplayAttempt>,
    /// The current situation, in a sentence or two.
    pub outcome: String,
}

/// A row of the table `sessions`, with the columns that matter here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRow {
    pub generation: u32,
    /// The last characters, as for all token ids here.
    pub current_jti: String,
    pub previous_jti: Option<String>,
    /// Whether the live token, or its access token, was seen in use. Until then its parent is accepted within the grace
    /// period.
    pub confirmed: bool,
    pub rotated_at_ms: u64,
    pub revoked_at_ms: Option<u64>,
    pub revoke_reason: Option<String>,
}

/// A refresh token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenView {
    pub generation: u32,
    /// The token that was exchanged for this one.
    pub parent: Option<u32>,
    pub jti: String,
    /// `None` if the rows contradict each other. A model reports the state directly.
    pub state: Option<TokenState>,
    /// The reason for its entry in the blacklist, as in the table; `None` if it has no entry.
    pub blacklisted: Option<String>,
    /// How often it was presented while the session was active and the token was no longer live.
    pub replays: u32,
    /// Whether its use ended the session.
    pub gave_away: bool,
    pub holders: Vec<Actor>,
    /// Who lost access when the session ended: holders of this token or of the access token that came with it.
    pub lost_by: Vec<Actor>,
}

/// The state of a refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenState {
    /// It is the session's live token, and no use of it was seen.
    Issued,
    /// It is the session's live token, and its access token was accepted.
    Active,
    /// It was exchanged for the live token.
    Rotated,
    /// It was exchanged, and so was its successor.
    Superseded,
    /// It was live and never exchanged, and another token was issued in its place.
    Displaced,
    /// It was the live token when the session ended, and was added to the blacklist. In a design that records use only
    /// in a blacklist: it was used.
    Blacklisted,
    /// Its session has ended, and it was not the live token then, or the design has no blacklist.
    Ended,
}

/// The tokens that a party holds, by generation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldTokens {
    pub refresh: Option<u32>,
    pub access: Option<u32>,
}

/// An action and its outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompletedAction {
    pub at_ms: u64,
    pub who: Actor,
    /// `None` for the sign-in.
    #[serde(rename = "act")]
    pub action: Option<SimulationAction>,
    /// The refresh token that was sent.
    pub sent: Option<u32>,
    /// The refresh token that was issued, or copied.
    pub given: Option<u32>,
    /// The product's response; `None` if there was no request.
    pub answer: Option<ResponseSummary>,
    /// The product's response to the new access token, if one was issued.
    pub used: Option<ResponseSummary>,
    /// The same in words: the action, and the product's response.
    pub what: String,
    pub said: String,
}

/// The product's response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseSummary {
    pub status: u16,
    pub code: Option<ProblemCode>,
    pub reason: Option<RevocationReason>,
}

/// A token that was tried after the session had ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayAttempt {
    pub who: Actor,
    pub kind: TokenKind,
    pub generation: u32,
    pub answer: ResponseSummary,
}

/// Which of the two kinds of token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenKind {
    Access,
    Refresh,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simulation_runs_the_product_by_default() {
        let read = serde_json::from_str::<NewSimulation>;
        assert_eq!(read("{}").expect("parses").design, Design::Keyturn);
        assert_eq!(
            read(r#"{"design":"super-tokens"}"#).expect("parses").design,
            Design::SuperTokens
        );
        assert!(read(r#"{"design":"SuperTokens"}"#).is_err());
        assert!(read(r#"{"policy":"strict"}"#).is_err());
    }

    #[test]
    fn an_action_has_a_name_and_no_unknown_members() {
        let read = serde_json::from_str::<SimulationAction>;
        let replay = SimulationAction::Replay { generation: 3 };
        assert_eq!(
            serde_json::to_string(&replay).expect("serialises"),
            r#"{"act":"replay","generation":3}"#
        );
        assert_eq!(
            read(r#"{"act":"renew","who":"thief"}"#).expect("parses"),
            SimulationAction::Renew { who: Actor::Thief }
        );
        assert_eq!(
            read(r#"{"act":"sign-out"}"#).expect("parses"),
            SimulationAction::SignOut {}
        );
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
