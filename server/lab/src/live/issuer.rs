//! The token issuer of a simulation: the product, or a model of another design.

use std::time::Duration;

use api_types::paths;
use lab_types::live::{Actor, Design, HeldTokens, ReplayAttempt, ResponseSummary, SessionRow, TokenView};
use rotation::{Session, SessionId, designs};
use store::StoreError;

use super::{
    client::{self, ClientResponse, IssuedAccess, IssuedRefresh, PerActor},
    description,
    model::DesignModel,
    tree::{self, SessionEvidence, TokenExchange, short},
};
use crate::{accounts::Credentials, product::Product, registry::millis};

/// Why an action was not performed.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    #[error("the simulation has had all its actions")]
    Full,
    #[error("the sign-in failed: {0:?}")]
    NotSignedIn(ResponseSummary),
    #[error("no token of the simulation has this generation")]
    NoSuchToken,
    #[error("the lab's own tables: {0}")]
    Store(#[from] StoreError),
    #[error("the request could not be made: {0}")]
    Request(#[from] axum::http::Error),
}

/// The issuer of one simulation.
pub(super) enum Issuer {
    /// The lab's product, and the session at it.
    Product(SessionId),
    Model(Box<DesignModel>),
}

/// What a simulation knows in addition to its issuer.
pub(super) struct ClientHistory<'a> {
    pub(super) exchanges: &'a [TokenExchange],
    pub(super) held: PerActor<HeldTokens>,
    pub(super) held_at_end: Option<PerActor<HeldTokens>>,
    pub(super) fallout: &'a [ReplayAttempt],
}

/// The state of the session.
pub(super) struct IssuerSnapshot {
    pub(super) session: Option<SessionRow>,
    pub(super) tokens: Vec<TokenView>,
    pub(super) outcome: String,
}

impl Issuer {
    /// Signs in a new account.
    pub(super) async fn open(
        product: &Product,
        design: Design,
        account: &Credentials,
    ) -> Result<(Self, ClientResponse), ActionError> {
        if design == Design::Keyturn {
            let response = client::register(product, account).await?;
            return match &response.refresh {
                Some(token) => Ok((Self::Product(token.session), response)),
                None => Err(ActionError::NotSignedIn(response.answer)),
            };
        }
        let (model, response) = DesignModel::open(
            designs::Design::ALL[design as usize].with_grace_period(product.app.config.policy.reuse_grace),
            product.app.config.policy.lifetimes.access,
            product.app.clock.now(),
            &*product.random,
        );
        Ok((Self::Model(Box::new(model)), response))
    }

    /// How long the grace period lasts after a rotation.
    pub(super) fn window(&self, product: &Product) -> Duration {
        match self {
            Self::Product(_) => product.app.config.policy.reuse_grace,
            Self::Model(model) => model.design().grace_period(),
        }
    }

    /// Exchanges a refresh token; without one the request is sent all the same.
    pub(super) async fn refresh(
        &mut self,
        product: &Product,
        who: Actor,
        token: Option<&IssuedRefresh>,
    ) -> Result<ClientResponse, ActionError> {
        match self {
            Self::Product(_) => Ok(client::send_cookie(product, who, paths::REFRESH, token).await?),
            Self::Model(model) => Ok(model.refresh(token, product.app.clock.now(), &*product.random)),
        }
    }

    /// Uses an access token.
    pub(super) async fn read_account(
        &mut self,
        product: &Product,
        who: Actor,
        token: &IssuedAccess,
    ) -> Result<ClientResponse, ActionError> {
        match self {
            Self::Product(_) => Ok(client::read_account(product, who, token).await?),
            Self::Model(model) => Ok(model.read_account(token, product.app.clock.now())),
        }
    }

    /// Signs the owner out.
    pub(super) async fn sign_out(
        &mut self,
        product: &Product,
        token: Option<&IssuedRefresh>,
    ) -> Result<ClientResponse, ActionError> {
        match self {
            Self::Product(_) => Ok(client::send_cookie(product, Actor::Owner, paths::LOGOUT, token).await?),
            Self::Model(model) => Ok(model.sign_out(token, product.app.clock.now())),
        }
    }

    /// Whether the session has ended.
    pub(super) async fn has_ended(&self, product: &Product) -> Result<bool, StoreError> {
        match self {
            Self::Product(session) => {
                let row = product.app.store.session(*session).await?;
                Ok(row.is_some_and(|row| row.revocation.is_some()))
            }
            Self::Model(model) => Ok(model.has_ended()),
        }
    }

    /// The current state.
    pub(super) async fn snapshot(
        &self,
        product: &Product,
        known: ClientHistory<'_>,
    ) -> Result<IssuerSnapshot, StoreError> {
        match self {
            Self::Product(session) => from_tables(product, *session, known).await,
            Self::Model(model) => Ok(from_model(product, model, &known)),
        }
    }
}

async fn from_tables(
    product: &Product,
    session: SessionId,
    known: ClientHistory<'_>,
) -> Result<IssuerSnapshot, StoreError> {
    let store = &product.app.store;
    // Confirmed uses are written in batches; here the row must show them now.
    store.flush_confirmations().await?;
    let row = store.session(session).await?;
    let blacklist = store.blacklisted_tokens(session).await?;
    let tokens = tree::tokens(&SessionEvidence {
        exchanges: known.exchanges,
        row: row.as_ref(),
        blacklist: &blacklist,
        held: known.held,
        held_at_end: known.held_at_end,
    });
    let outcome = description::outcome(
        row.as_ref(),
        &tokens,
        known.held.map(|(_, held)| held),
        known.fallout,
    );
    Ok(IssuerSnapshot {
        session: row.as_ref().map(session_row),
        tokens,
        outcome,
    })
}

fn from_model(product: &Product, model: &DesignModel, known: &ClientHistory<'_>) -> IssuerSnapshot {
    let now = product.app.clock.now();
    let outcome = if model.has_ended() {
        description::ended(None, known.fallout)
    } else {
        let forecasts = known.held.map(|(who, held)| {
            let forecast = held.refresh.and_then(|token| model.forecast(token, now));
            (who, forecast)
        });
        description::forecasts(forecasts)
    };
    IssuerSnapshot {
        session: None,
        tokens: model.tokens(known.held, known.held_at_end, now),
        outcome,
    }
}

fn session_row(row: &Session) -> SessionRow {
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
