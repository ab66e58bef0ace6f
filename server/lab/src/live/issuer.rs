//! The token issuer of a play: the product, or a model of another design.

use std::time::Duration;

use lab_types::live::{Design, Hand, Held, SessionRow, Token, Tried};
use rotation::{Session, SessionId, designs};
use store::StoreError;

use super::{
    NoAct,
    browser::{self, Access, Refresh, Reply},
    millis,
    model::Model,
    tree::{self, Evidence, Exchange, short},
    words,
};
use crate::{Lab, runs::Person};

/// The issuer of one play.
pub(super) enum Issuer {
    /// The lab's product, and the session at it.
    Product(SessionId),
    Model(Box<Model>),
}

/// What a play knows in addition to its issuer.
pub(super) struct Known<'a> {
    pub(super) exchanges: &'a [Exchange],
    pub(super) held: [(Hand, Held); 2],
    pub(super) held_at_the_end: Option<[(Hand, Held); 2]>,
    pub(super) fallout: &'a [Tried],
}

/// The state of the session.
pub(super) struct Told {
    pub(super) session: Option<SessionRow>,
    pub(super) tokens: Vec<Token>,
    pub(super) outcome: String,
}

impl Issuer {
    /// Signs in a new account.
    ///
    /// # Errors
    /// If the sign-in fails.
    pub(super) async fn open(lab: &Lab, design: Design, person: &Person) -> Result<(Self, Reply), NoAct> {
        if design == Design::Keyturn {
            let reply = browser::register(lab, person).await?;
            return match &reply.refresh {
                Some(token) => Ok((Self::Product(token.session), reply)),
                None => Err(NoAct::NotSignedIn(reply.answer)),
            };
        }
        let (model, reply) = Model::open(
            designs::Design::ALL[design as usize].with_grace_period(lab.ours.config.policy.reuse_grace),
            lab.ours.config.policy.lifetimes.access,
            lab.ours.clock.now(),
            &*lab.random,
        );
        Ok((Self::Model(Box::new(model)), reply))
    }

    /// How long the grace period lasts after a rotation.
    pub(super) fn window(&self, lab: &Lab) -> Duration {
        match self {
            Self::Product(_) => lab.ours.config.policy.reuse_grace,
            Self::Model(model) => model.design().grace_period(),
        }
    }

    /// Exchanges a refresh token; without one the request is sent all the same.
    ///
    /// # Errors
    /// Why the request could not be made.
    pub(super) async fn renew(
        &mut self,
        lab: &Lab,
        who: Hand,
        token: Option<&Refresh>,
    ) -> Result<Reply, NoAct> {
        match self {
            Self::Product(_) => Ok(browser::renew(lab, who, token).await?),
            Self::Model(model) => Ok(model.renew(token, lab.ours.clock.now(), &*lab.random)),
        }
    }

    /// Uses an access token.
    ///
    /// # Errors
    /// Why the request could not be made.
    pub(super) async fn read_account(
        &mut self,
        lab: &Lab,
        who: Hand,
        token: &Access,
    ) -> Result<Reply, NoAct> {
        match self {
            Self::Product(_) => Ok(browser::read_account(lab, who, token).await?),
            Self::Model(model) => Ok(model.read_account(token, lab.ours.clock.now())),
        }
    }

    /// Signs the owner out.
    ///
    /// # Errors
    /// Why the request could not be made.
    pub(super) async fn sign_out(&mut self, lab: &Lab, token: Option<&Refresh>) -> Result<Reply, NoAct> {
        match self {
            Self::Product(_) => Ok(browser::sign_out(lab, Hand::Owner, token).await?),
            Self::Model(model) => Ok(model.sign_out(token, lab.ours.clock.now())),
        }
    }

    /// Whether the session has ended.
    ///
    /// # Errors
    /// If the tables cannot be read.
    pub(super) async fn has_ended(&self, lab: &Lab) -> Result<bool, StoreError> {
        match self {
            Self::Product(session) => {
                let row = lab.ours.store.session(*session).await?;
                Ok(row.is_some_and(|row| row.revocation.is_some()))
            }
            Self::Model(model) => Ok(model.is_over()),
        }
    }

    /// The current state.
    ///
    /// # Errors
    /// If the tables cannot be read.
    pub(super) async fn tell(&self, lab: &Lab, known: Known<'_>) -> Result<Told, StoreError> {
        match self {
            Self::Product(session) => by_the_tables(lab, *session, known).await,
            Self::Model(model) => Ok(by_the_model(lab, model, &known)),
        }
    }
}

async fn by_the_tables(lab: &Lab, session: SessionId, known: Known<'_>) -> Result<Told, StoreError> {
    let store = &lab.ours.store;
    // Confirmed uses are written in batches; here the row must show them now.
    store.flush_confirmations().await?;
    let row = store.session(session).await?;
    let blacklist = store.blacklisted_tokens(session).await?;
    let tokens = tree::tokens(&Evidence {
        exchanges: known.exchanges,
        row: row.as_ref(),
        blacklist: &blacklist,
        held: known.held,
        held_at_the_end: known.held_at_the_end,
    });
    let outcome = words::outcome(
        row.as_ref(),
        &tokens,
        known.held.map(|(_, held)| held),
        known.fallout,
    );
    Ok(Told {
        session: row.as_ref().map(row_on_the_wire),
        tokens,
        outcome,
    })
}

fn by_the_model(lab: &Lab, model: &Model, known: &Known<'_>) -> Told {
    let now = lab.ours.clock.now();
    let outcome = if model.is_over() {
        words::ended(None, known.fallout)
    } else {
        let prospects = known.held.map(|(who, held)| {
            let prospect = held.refresh.and_then(|token| model.prospect(token, now));
            (who, prospect)
        });
        words::prospects(prospects)
    };
    Told {
        session: None,
        tokens: model.tokens(known.held, known.held_at_the_end, now),
        outcome,
    }
}

fn row_on_the_wire(row: &Session) -> SessionRow {
    SessionRow {
        generation: row.live_token.generation.number(),
        current_jti: short(row.live_token.jti),
        previous_jti: row.previous_jti.map(short),
        confirmed: row.confirmed_at.is_some(),
        rotated_at_ms: millis(row.rotated_at),
        revoked_at_ms: row.revocation.map(|ended| millis(ended.at)),
        revoke_reason: row.revocation.map(|ended| ended.reason.as_str().to_owned()),
    }
}
