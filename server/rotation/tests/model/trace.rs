//! Prints a path through the model as a readable story.

use std::{fmt::Write, hash::Hash};

use stateright::{Checker, Model, Path};

use crate::{
    endpoint::TokenKind,
    model::{Keyturn, ModelAction},
    server::ModelNode,
    state::{
        ClientKind, ClientRequest, ModelAnswer, ModelRefusal, PendingExchange, RequestPhase, TokenNo, World,
    },
};

/// The shortest way to break a property, always the same one: a single thread goes one step deeper in each round. (In
/// one run the checker keeps the last path that it finds, not the first.)
pub(crate) fn shortest<M>(model: &M, property: &'static str) -> Option<Path<M::State, M::Action>>
where
    M: Model + Clone + Send + Sync + 'static,
    M::State: Clone + std::fmt::Debug + Hash + PartialEq + Send + Sync,
    M::Action: Clone + std::fmt::Debug + PartialEq + Send + Sync,
{
    for depth in 2.. {
        let checker = model.clone().checker().target_max_depth(depth).spawn_bfs().join();
        let found = checker.discovery(property);
        if found.is_some() || checker.max_depth() < depth {
            return found;
        }
    }
    None
}

/// One sentence per step.
pub(crate) fn story(model: &Keyturn, path: Path<World, ModelAction>) -> String {
    let mut text = String::new();
    for (number, (world, action)) in path.into_vec().into_iter().enumerate() {
        let Some(action) = action else {
            continue;
        };
        let after = model.next_state(&world, action);
        let sentence = sentence(&world, action, after.as_ref());
        let _ = writeln!(text, "{:>2}. {sentence}", number + 1);
    }
    text
}

fn sentence(world: &World, action: ModelAction, after: Option<&World>) -> String {
    let exchange = |index: usize| &world.net[index];
    let what = |index: usize| request(world, exchange(index));
    match action {
        ModelAction::Refresh(tab) => format!(
            "tab {} asks for a refresh with {}",
            tab + 1,
            world
                .browser
                .jar
                .map_or("nothing".into(), |token| name(world, token))
        ),
        ModelAction::SignIn(tab) => format!("the user signs in again in tab {}", tab + 1),
        ModelAction::SignOut(tab) => format!("the user signs out in tab {}", tab + 1),
        ModelAction::Use => {
            "a tab uses its access token: the server knows that its refresh token arrived".into()
        }
        ModelAction::Steal => format!(
            "the thief copies the cookie: {}",
            world
                .browser
                .jar
                .map_or("nothing".into(), |token| name(world, token))
        ),
        ModelAction::Present(token, node) => {
            let place = if node == ModelNode::Second {
                " to another process"
            } else {
                ""
            };
            let got = after.map_or(String::new(), |after| outcome(world, after));
            format!("the thief presents {}{place}{got}", name(world, token))
        }
        ModelAction::Forge(token) => format!("the thief presents a forged {}", name(world, token)),
        ModelAction::Confuse(token, TokenKind::Access) => format!(
            "the thief presents the access token that came with {} as a refresh token",
            name(world, token)
        ),
        ModelAction::Confuse(token, TokenKind::Refresh) => {
            format!("the thief presents {} as an access token", name(world, token))
        }
        ModelAction::Lose(index) => match exchange(index).phase {
            RequestPhase::Answered(_) => format!("the answer to {} is lost", what(index)),
            _ => format!("{} is lost", what(index)),
        },
        ModelAction::HangUp(index) => format!(
            "the page that sent {} goes away; the request does not",
            what(index)
        ),
        ModelAction::Repeat(index) => format!("the network sends {} twice", what(index)),
        ModelAction::Deliver(index) | ModelAction::DeliverTwice(index) => {
            let again = if matches!(action, ModelAction::DeliverTwice(_)) {
                ", and will arrive again"
            } else {
                ""
            };
            let answer = match &exchange(index).phase {
                RequestPhase::Answered(answer) => reply(world, *answer),
                _ => String::new(),
            };
            format!("the answer to {} arrives: {answer}{again}", what(index))
        }
        ModelAction::Load(index, node) => {
            let place = if node == ModelNode::Second {
                "another process"
            } else {
                "the server"
            };
            let got = after.map_or(String::new(), |after| outcome(world, after));
            format!("{place} reads the row for {}{got}", what(index))
        }
        ModelAction::Finish(index) => {
            let got = after.map_or(String::new(), |after| outcome(world, after));
            format!("the server writes and commits for {}{got}", what(index))
        }
        ModelAction::Fail(index) => format!("the database is unavailable for {}", what(index)),
        ModelAction::Flush => "the confirmations that are pending are written".into(),
        ModelAction::Save => "what was answered is committed".into(),
        ModelAction::Crash => "the server is killed and starts again".into(),
        ModelAction::NewKey => "a new key signs from now on".into(),
        ModelAction::Prune => "the blacklist is pruned".into(),
        ModelAction::EpochBump => "the user signs out everywhere from another device".into(),
        ModelAction::Disable => "the account is disabled".into(),
        ModelAction::Restore => "the session's row is restored from a copy made at sign-in".into(),
        ModelAction::Replicate => "the replica catches up".into(),
        ModelAction::FailOver => "the replica takes over: what was committed since is lost".into(),
        ModelAction::Minute => "a minute passes".into(),
        ModelAction::Days => "four days pass".into(),
        ModelAction::StepBack => "the server's clock is set back by an hour".into(),
        ModelAction::StepForth => "the server's clock is set forward by an hour".into(),
    }
}

/// The visible changes.
fn outcome(before: &World, after: &World) -> String {
    let mut text = String::new();
    for (number, row) in after.sessions.iter().enumerate() {
        match before.sessions.get(number) {
            None => {
                let _ = write!(text, "; session {} begins", number + 1);
            }
            Some(old) if old.ended.is_none() => {
                if let Some(reason) = row.ended {
                    let reason = reason.reason().as_str();
                    let _ = write!(text, "; session {} ends ({reason})", number + 1);
                }
            }
            Some(_) => {}
        }
    }
    for number in before.next_token()..after.next_token() {
        let _ = write!(text, "; {} is made", name(after, number));
    }
    let new = |exchange: &&PendingExchange| !before.net.contains(exchange);
    for exchange in after.net.iter().filter(new) {
        if let RequestPhase::Answered(answer) = exchange.phase {
            let _ = write!(text, "; the answer: {}", reply(after, answer));
        }
        if matches!(exchange.phase, RequestPhase::Sent { lost_rounds: 1.. }) {
            text.push_str("; another was faster, it starts over");
        }
    }
    for &token in after.loot.difference(&before.loot) {
        let _ = write!(text, "; the thief gets {}", name(after, token));
    }
    text
}

fn request(world: &World, exchange: &PendingExchange) -> String {
    let who = match exchange.who {
        ClientKind::Tab(tab) => format!("tab {}'s", tab + 1),
        ClientKind::Thief => "the thief's".into(),
    };
    match exchange.ask {
        ClientRequest::Refresh(token) if exchange.retry => {
            format!("{who} second try with {}", name(world, token))
        }
        ClientRequest::Refresh(token) => format!("{who} request with {}", name(world, token)),
        ClientRequest::SignIn(_) => format!("{who} sign-in"),
        ClientRequest::SignOut(_) => format!("{who} sign-out"),
        ClientRequest::Forged(token) => format!("{who} forgery of {}", name(world, token)),
    }
}

fn reply(world: &World, answer: ModelAnswer) -> String {
    match answer {
        ModelAnswer::Granted(token) | ModelAnswer::SignedIn(token) => name(world, token),
        ModelAnswer::Stale => "409, ask again".into(),
        ModelAnswer::Refused(ModelRefusal::Invalid) => "401, the token is no good".into(),
        ModelAnswer::Refused(ModelRefusal::Reuse) => "401, the token was used before".into(),
        ModelAnswer::Refused(ModelRefusal::Over) => "401, the session is over".into(),
        ModelAnswer::Refused(ModelRefusal::OverAfterReuse) => {
            "401, the session ended because a token was used twice".into()
        }
        ModelAnswer::Refused(ModelRefusal::WrongPassword) => "401, the password is wrong".into(),
        ModelAnswer::Unavailable => "503, later".into(),
        ModelAnswer::Failed => "500".into(),
        ModelAnswer::SignedOut => "204".into(),
    }
}

/// “token 3 of session 1”; the first session is omitted.
fn name(world: &World, token: TokenNo) -> String {
    let number = world.tokens[..usize::from(token)]
        .iter()
        .filter(|each| each.session == world.token(token).session)
        .count()
        + 1;
    match world.token(token).session {
        0 => format!("token {number}"),
        session => format!("token {number} of session {}", session + 1),
    }
}

/// Compares a story with the recorded one. `KEEP_STORIES=1` records the new one.
pub(crate) fn assert_story(file: &str, found: Option<&str>) {
    let found = found.expect("the checker finds a counterexample");
    let path = format!("{}/tests/model/stories/{file}.txt", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("KEEP_STORIES").is_some() {
        std::fs::write(&path, found).expect("the story can be written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, kept, "{path}: KEEP_STORIES=1 keeps the new story");
}
