//! The browser: a cookie jar that stores what it receives, and the client's rules.

use crate::{
    guard::Guard,
    model::Keyturn,
    state::{Answer, Ask, Exchange, Refusal, World},
};

impl Keyturn {
    /// A response arrives at a tab. `Set-Cookie` takes effect when it arrives, whatever the jar holds by then.
    pub(crate) fn receive(&self, world: &mut World, exchange: &Exchange) {
        let crate::state::Phase::Answered(answer) = exchange.phase else {
            return;
        };
        match answer {
            Answer::Granted(token) => {
                world.browser.jar = Some(token);
                if !world.browser.signed_out {
                    world.browser.newest = Some(token);
                }
            }
            Answer::SignedIn(token) => {
                world.browser.jar = Some(token);
                world.browser.newest = Some(token);
                world.browser.session = world.token(token).session;
                world.browser.signed_out = false;
            }
            Answer::SignedOut => {
                world.browser.jar = None;
                world.browser.newest = None;
                world.browser.signed_out = true;
            }
            // A wrong password says nothing about the existing session.
            Answer::Refused(Refusal::WrongPassword) | Answer::Failed => {}
            Answer::Refused(_) => {
                world.browser.jar = None;
                world.browser.newest = None;
            }
            Answer::Stale => {
                if self.missing.has(Guard::StaleKeepsCookie) {
                    world.browser.jar = None;
                } else if !exchange.retry {
                    ask_again(world, exchange);
                }
            }
            Answer::Unavailable => {
                if self.missing.has(Guard::UnavailableKeepsCookie) {
                    world.browser.jar = None;
                }
            }
        }
    }
}

/// Retries once, with the current content of the jar.
fn ask_again(world: &mut World, exchange: &Exchange) {
    if let Some(token) = world.browser.jar {
        world.net.push(Exchange {
            retry: true,
            ..Exchange::new(exchange.who, Ask::Refresh(token))
        });
    }
}
