//! The browser: a cookie jar that stores what it receives, and the client's rules.

use crate::{
    guard::Guard,
    model::Keyturn,
    state::{ClientRequest, ModelAnswer, ModelRefusal, PendingExchange, World},
};

impl Keyturn {
    /// A response arrives at a tab. `Set-Cookie` takes effect when it arrives, whatever the jar holds by then.
    pub(crate) fn receive(&self, world: &mut World, exchange: &PendingExchange) {
        let crate::state::RequestPhase::Answered(answer) = exchange.phase else {
            return;
        };
        match answer {
            ModelAnswer::Granted(token) => {
                world.browser.jar = Some(token);
                if !world.browser.signed_out {
                    world.browser.newest = Some(token);
                }
            }
            ModelAnswer::SignedIn(token) => {
                world.browser.jar = Some(token);
                world.browser.newest = Some(token);
                world.browser.session = world.token(token).session;
                world.browser.signed_out = false;
            }
            ModelAnswer::SignedOut => {
                world.browser.jar = None;
                world.browser.newest = None;
                world.browser.signed_out = true;
            }
            // A wrong password says nothing about the existing session.
            ModelAnswer::Refused(ModelRefusal::WrongPassword) | ModelAnswer::Failed => {}
            ModelAnswer::Refused(_) => {
                world.browser.jar = None;
                world.browser.newest = None;
            }
            ModelAnswer::Stale => {
                if self.missing.has(Guard::StaleKeepsCookie) {
                    world.browser.jar = None;
                } else if !exchange.retry {
                    ask_again(world, exchange);
                }
            }
            ModelAnswer::Unavailable => {
                if self.missing.has(Guard::UnavailableKeepsCookie) {
                    world.browser.jar = None;
                }
            }
        }
    }
}

/// Retries once, with the current content of the jar.
fn ask_again(world: &mut World, exchange: &PendingExchange) {
    if let Some(token) = world.browser.jar {
        world.net.push(PendingExchange {
            retry: true,
            ..PendingExchange::new(exchange.who, ClientRequest::Refresh(token))
        });
    }
}
