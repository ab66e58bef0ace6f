//! The state of a simulation, and its next actions.

use lab_types::live::{
    Actor, CompletedAction, Design, HeldTokens, ReplayAttempt, SimulationAction, SimulationSnapshot,
    TokenKind,
};
use rotation::{Generation, designs::Verdict};
use store::StoreError;

use super::{
    client::{ClientResponse, ClientTokens, IssuedRefresh, PerActor},
    description,
    issuer::{ActionError, ClientHistory, Issuer},
    tree::TokenExchange,
};
use crate::{accounts::Credentials, product::Product};

/// More than a scenario needs, and few enough for a readable tree.
const MAX_ACTIONS: usize = 40;

/// A session and everyone who holds a token of it.
pub(super) struct SimulationState {
    id: String,
    design: Design,
    issuer: Issuer,
    clients: PerActor<ClientTokens>,
    /// Every refresh token that was issued.
    tokens: Vec<IssuedRefresh>,
    exchanges: Vec<TokenExchange>,
    done: Vec<CompletedAction>,
    /// The tokens that everyone held before the last action, until the tables show whether that action ended the
    /// session.
    before: Option<PerActor<ClientTokens>>,
    held_at_end: Option<PerActor<HeldTokens>>,
    fallout: Vec<ReplayAttempt>,
}

impl SimulationState {
    /// Begins with a new account, and a response that arrives.
    pub(super) async fn open(
        product: &Product,
        id: String,
        design: Design,
        account: &Credentials,
    ) -> Result<Self, ActionError> {
        let (issuer, response) = Issuer::open(product, design, account).await?;
        let mut state = Self {
            id,
            design,
            issuer,
            clients: [Actor::Owner, Actor::Thief].map(|who| (who, ClientTokens::default())),
            tokens: Vec::new(),
            exchanges: Vec::new(),
            done: Vec::new(),
            before: None,
            held_at_end: None,
            fallout: Vec::new(),
        };
        let signed_in = started(product, Actor::Owner, None);
        state.receive(product, signed_in, response, true).await?;
        Ok(state)
    }

    /// Performs an action. If it ends the session, all tokens that anyone held are tried.
    pub(super) async fn perform(
        &mut self,
        product: &Product,
        action: SimulationAction,
    ) -> Result<(), ActionError> {
        if self.actions_left() == 0 {
            return Err(ActionError::Full);
        }
        // If the tables could not be read after an earlier action, the tokens held before that action count.
        let before = self.before.take().unwrap_or_else(|| self.clients.clone());
        self.before = Some(before.clone());
        self.act(product, action).await?;
        let has_ended = self.issuer.has_ended(product).await?;
        self.before = None;
        if has_ended && self.held_at_end.is_none() {
            self.held_at_end = Some(held(&before));
            for (who, tokens) in before {
                let tried = try_all(&mut self.issuer, product, who, &tokens).await?;
                self.fallout.extend(tried);
            }
        }
        Ok(())
    }

    /// The current state.
    pub(super) async fn snapshot(&self, product: &Product) -> Result<SimulationSnapshot, StoreError> {
        let held = held(&self.clients);
        let history = ClientHistory {
            exchanges: &self.exchanges,
            held,
            held_at_end: self.held_at_end,
            fallout: &self.fallout,
        };
        let issuer = self.issuer.snapshot(product, history).await?;
        let window = self.issuer.window(product);
        let [(_, owner), (_, thief)] = held;
        Ok(SimulationSnapshot {
            id: self.id.clone(),
            design: self.design,
            started_at_ms: self.done.first().map_or(0, |done| done.at_ms),
            grace_ms: u64::try_from(window.as_millis()).unwrap_or(u64::MAX),
            actions_left: u32::try_from(self.actions_left()).unwrap_or(u32::MAX),
            session: issuer.session,
            tokens: issuer.tokens,
            owner,
            thief,
            done: self.done.clone(),
            fallout: self.fallout.clone(),
            outcome: issuer.outcome,
        })
    }

    fn actions_left(&self) -> usize {
        // The first entry is the sign-in.
        (MAX_ACTIONS + 1).saturating_sub(self.done.len())
    }

    fn client(&mut self, who: Actor) -> &mut ClientTokens {
        let [(_, owner), (_, thief)] = &mut self.clients;
        match who {
            Actor::Owner => owner,
            Actor::Thief => thief,
        }
    }

    async fn act(&mut self, product: &Product, action: SimulationAction) -> Result<(), ActionError> {
        let mut done = started(product, actor_of(action), Some(action));
        match action {
            SimulationAction::Renew { who } => {
                let token = self.client(who).refresh.clone();
                self.refresh(product, done, token).await
            }
            SimulationAction::LoseAnswer {} => {
                let token = self.client(Actor::Owner).refresh.clone();
                self.refresh(product, done, token).await
            }
            SimulationAction::Replay { generation } => {
                let mut tokens = self.tokens.iter();
                let token = tokens
                    .find(|token| token.generation.number() == generation)
                    .cloned();
                let token = token.ok_or(ActionError::NoSuchToken)?;
                // To present a token is to have it.
                self.client(Actor::Thief)
                    .refresh
                    .get_or_insert_with(|| token.clone());
                self.refresh(product, done, Some(token)).await
            }
            SimulationAction::Steal {} => {
                if let Some(copy) = self.client(Actor::Owner).refresh.clone() {
                    let stolen = copy.generation.number();
                    done.given = Some(stolen);
                    let thief = self.client(Actor::Thief);
                    // A thief who already has a newer one keeps it.
                    if number(thief.refresh.as_ref()).is_none_or(|held| held <= stolen) {
                        thief.refresh = Some(copy);
                    }
                }
                self.record(done, false, None);
                Ok(())
            }
            SimulationAction::SignOut {} => {
                let token = self.client(Actor::Owner).refresh.clone();
                let response = self.issuer.sign_out(product, token.as_ref()).await?;
                done.sent = number(token.as_ref());
                done.answer = Some(response.answer);
                self.store(Actor::Owner, response);
                self.record(done, false, None);
                Ok(())
            }
        }
    }

    /// Without a token the request is sent all the same, as a browser would.
    async fn refresh(
        &mut self,
        product: &Product,
        mut done: CompletedAction,
        token: Option<IssuedRefresh>,
    ) -> Result<(), ActionError> {
        let response = self.issuer.refresh(product, done.who, token.as_ref()).await?;
        done.sent = number(token.as_ref());
        let arrives = done.action != Some(SimulationAction::LoseAnswer {});
        self.receive(product, done, response, arrives).await
    }

    /// Applies a response, and immediately uses the new access token, as a page does. That use confirms that the
    /// response arrived, and ends the grace period of its parent.
    async fn receive(
        &mut self,
        product: &Product,
        mut done: CompletedAction,
        response: ClientResponse,
        arrives: bool,
    ) -> Result<(), ActionError> {
        let mut again = false;
        if let Some(new) = &response.refresh {
            let mut known = self.tokens.iter();
            again = known.any(|token| token.generation == new.generation);
            if !again {
                self.tokens.push(new.clone());
            }
        }
        if let (true, Some(access)) = (arrives, &response.access) {
            let account = self.issuer.read_account(product, done.who, access).await?;
            done.used = Some(account.answer);
        }
        done.given = number(response.refresh.as_ref());
        done.answer = Some(response.answer);
        self.exchanges.push(TokenExchange {
            sent: done.sent.map(Generation::new),
            given: response
                .refresh
                .as_ref()
                .map(|token| (token.generation, token.jti)),
            code: response.answer.code,
            used: done.used.is_some_and(|answer| answer.status == 200),
        });
        let verdict = response.verdict;
        if arrives {
            self.store(done.who, response);
        }
        self.record(done, again, verdict);
        Ok(())
    }

    fn record(&mut self, mut done: CompletedAction, again: bool, verdict: Option<Verdict>) {
        done.what = description::action(&done);
        done.said = description::response(&done, again, verdict);
        self.done.push(done);
    }

    /// A browser deletes the cookie when told to, and its page clears its memory. A thief keeps every copy.
    fn store(&mut self, who: Actor, response: ClientResponse) {
        let tokens = self.client(who);
        if response.clears && who == Actor::Owner {
            *tokens = ClientTokens::default();
        }
        if response.refresh.is_some() {
            tokens.refresh = response.refresh;
        }
        if response.access.is_some() {
            tokens.access = response.access;
        }
    }
}

/// An action that begins now.
fn started(product: &Product, who: Actor, action: Option<SimulationAction>) -> CompletedAction {
    CompletedAction {
        at_ms: product.now_ms(),
        who,
        action,
        sent: None,
        given: None,
        answer: None,
        used: None,
        what: String::new(),
        said: String::new(),
    }
}

fn held(clients: &PerActor<ClientTokens>) -> PerActor<HeldTokens> {
    clients.each_ref().map(|(who, tokens)| (*who, tokens.held()))
}

fn actor_of(action: SimulationAction) -> Actor {
    match action {
        SimulationAction::Renew { who } => who,
        SimulationAction::LoseAnswer {} | SimulationAction::SignOut {} => Actor::Owner,
        SimulationAction::Steal {} | SimulationAction::Replay { .. } => Actor::Thief,
    }
}

fn number(token: Option<&IssuedRefresh>) -> Option<u32> {
    token.map(|token| token.generation.number())
}

/// Tries all tokens that someone held. The session has ended, so this consumes nothing.
async fn try_all(
    issuer: &mut Issuer,
    product: &Product,
    who: Actor,
    tokens: &ClientTokens,
) -> Result<Vec<ReplayAttempt>, ActionError> {
    let mut tried = Vec::new();
    let mut record = |kind, generation: Generation, response: ClientResponse| {
        tried.push(ReplayAttempt {
            who,
            kind,
            generation: generation.number(),
            answer: response.answer,
        });
    };
    if let Some(token) = &tokens.refresh {
        let response = issuer.refresh(product, who, Some(token)).await?;
        record(TokenKind::Refresh, token.generation, response);
    }
    if let Some(token) = &tokens.access {
        let response = issuer.read_account(product, who, token).await?;
        record(TokenKind::Access, token.generation, response);
    }
    Ok(tried)
}
