//! Prints a path through the model as a readable story.

use std::{fmt::Write, hash::Hash};

use stateright::{Checker, Model, Path};

use crate::{
    door::Kind,
    model::{Action, Keyturn},
    server::Node,
    state::{Answer, Ask, Exchange, Phase, Refusal, TokenNo, Who, World},
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
pub(crate) fn story(model: &Keyturn, path: Path<World, Action>) -> String {
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

fn sentence(world: &World, action: Action, after: Option<&World>) -> String {
    let exchange = |index: usize| &world.net[index];
    let what = |index: usize| request(world, exchange(index));
    match action {
        Action::Refresh(tab) => format!(
            "tab {} asks for a refresh with {}",
            tab + 1,
            world
                .browser
                .jar
                .map_or("nothing".into(), |token| name(world, token))
        ),
        Action::SignIn(tab) => format!("the user signs in again in tab {}", tab + 1),
        Action::SignOut(tab) => format!("the user signs out in tab {}", tab + 1),
        Action::Use => "a tab uses its access token: the server knows that its refresh token arrived".into(),
        Action::Steal => format!(
            "the thief copies the cookie: {}",
            world
                .browser
                .jar
                .map_or("nothing".into(), |token| name(world, token))
        ),
        Action::Present(token, node) => {
            let place = if node == Node::Second {
                " to another process"
            } else {
                ""
            };
            let got = after.map_or(String::new(), |after| outcome(world, after));
            format!("the thief presents {}{place}{got}", name(world, token))
        }
        Action::Forge(token) => format!("the thief presents a forged {}", name(world, token)),
        Action::Confuse(token, Kind::Access) => format!(
            "the thief presents the access token that came with {} as a refresh token",
            name(world, token)
        ),
        Action::Confuse(token, Kind::Refresh) => {
            format!("the thief presents {} as an access token", name(world, token))
        }
        Action::Lose(index) => match exchange(index).phase {
            Phase::Answered(_) => format!("the answer to {} is lost", what(index)),
            _ => format!("{} is lost", what(index)),
        },
        Action::HangUp(index) => format!(
            "the page that sent {} goes away; the request does not",
            what(index)
        ),
        Action::Repeat(index) => format!("the network sends {} twice", what(index)),
        Action::Deliver(index) | Action::DeliverTwice(index) => {
            let again = if matches!(action, Action::DeliverTwice(_)) {
                ", and will arrive again"
            } else {
                ""
            };
            let answer = match &exchange(index).phase {
                Phase::Answered(answer) => reply(world, *answer),
                _ => String::new(),
            };
            format!("the answer to {} arrives: {answer}{again}", what(index))
        }
        Action::Load(index, node) => {
            let place = if node == Node::Second {
                "another process"
            } else {
                "the server"
            };
            let got = after.map_or(String::new(), |after| outcome(world, after));
            format!("{place} reads the row for {}{got}", what(index))
        }
        Action::Finish(index) => {
            let got = after.map_or(String::new(), |after| outcome(world, after));
            format!("the server writes and commits for {}{got}", what(index))
        }
        Action::Fail(index) => format!("the database is unavailable for {}", what(index)),
        Action::Flush => "the confirmations that are pending are written".into(),
        Action::Save => "what was answered is committed".into(),
        Action::Crash => "the server is killed and starts again".into(),
        Action::NewKey => "a new key signs from now on".into(),
        Action::Prune => "the blacklist is pruned".into(),
        Action::EpochBump => "the user signs out everywhere from another device".into(),
        Action::Disable => "the account is disabled".into(),
        Action::Restore => "the session's row is restored from a copy made at sign-in".into(),
        Action::Replicate => "the replica catches up".into(),
        Action::FailOver => "the replica takes over: what was committed since is lost".into(),
        Action::Minute => "a minute passes".into(),
        Action::Days => "four days pass".into(),
        Action::StepBack => "the server's clock is set back by an hour".into(),
        Action::StepForth => "the server's clock is set forward by an hour".into(),
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
    let new = |exchange: &&Exchange| !before.net.contains(exchange);
    for exchange in after.net.iter().filter(new) {
        if let Phase::Answered(answer) = exchange.phase {
            let _ = write!(text, "; the answer: {}", reply(after, answer));
        }
        if matches!(exchange.phase, Phase::Sent { lost_rounds: 1.. }) {
            text.push_str("; another was faster, it starts over");
        }
    }
    for &token in after.loot.difference(&before.loot) {
        let _ = write!(text, "; the thief gets {}", name(after, token));
    }
    text
}

fn request(world: &World, exchange: &Exchange) -> String {
    let who = match exchange.who {
        Who::Tab(tab) => format!("tab {}'s", tab + 1),
        Who::Thief => "the thief's".into(),
    };
    match exchange.ask {
        Ask::Refresh(token) if exchange.retry => format!("{who} second try with {}", name(world, token)),
        Ask::Refresh(token) => format!("{who} request with {}", name(world, token)),
        Ask::SignIn(_) => format!("{who} sign-in"),
        Ask::SignOut(_) => format!("{who} sign-out"),
        Ask::Forged(token) => format!("{who} forgery of {}", name(world, token)),
    }
}

fn reply(world: &World, answer: Answer) -> String {
    match answer {
        Answer::Granted(token) | Answer::SignedIn(token) => name(world, token),
        Answer::Stale => "409, ask again".into(),
        Answer::Refused(Refusal::Invalid) => "401, the token is no good".into(),
        Answer::Refused(Refusal::Reuse) => "401, the token was used before".into(),
        Answer::Refused(Refusal::Over) => "401, the session is over".into(),
        Answer::Refused(Refusal::OverAfterReuse) => {
            "401, the session ended because a token was used twice".into()
        }
        Answer::Refused(Refusal::WrongPassword) => "401, the password is wrong".into(),
        Answer::Unavailable => "503, later".into(),
        Answer::Failed => "500".into(),
        Answer::SignedOut => "204".into(),
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
