//! The throw-away accounts of runs and simulations.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use lab_types::Strategy;
use serde::Serialize;
use web::random::Random;

const VICTIM: &str = "ada";
const ATTACKER: &str = "mallory";

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Credentials {
    pub email: String,
    pub password: String,
}

impl Credentials {
    /// A new account of the victim.
    pub fn generate(id: &str, random: &dyn Random) -> Self {
        Self {
            email: format!("{VICTIM}@live.{id}.example"),
            password: password(random),
        }
    }
}

/// The accounts of a run: a victim for each strategy, and an attacker with a separate account.
#[derive(Debug)]
pub struct RunAccounts {
    run: String,
    password: String,
}

impl RunAccounts {
    pub fn new(run: String, random: &dyn Random) -> Self {
        Self {
            run,
            password: password(random),
        }
    }

    pub fn victim(&self, strategy: Strategy) -> Credentials {
        self.account(VICTIM, strategy)
    }

    pub fn attacker(&self, strategy: Strategy) -> Credentials {
        self.account(ATTACKER, strategy)
    }

    fn account(&self, name: &str, strategy: Strategy) -> Credentials {
        Credentials {
            email: format!("{name}@{}.{}.example", strategy.slug(), self.run),
            password: self.password.clone(),
        }
    }

    /// The account with this address and password, among those of the naive server.
    pub fn authenticate(&self, strategy: Strategy, email: &str, password: &str) -> Option<Credentials> {
        [self.victim(strategy), self.attacker(strategy)]
            .into_iter()
            .find(|account| account.email == email && account.password == password)
    }
}

/// Whether an address is of an account of the attacker.
pub fn is_attackers(email: &str) -> bool {
    email.split('@').next() == Some(ATTACKER)
}

fn password(random: &dyn Random) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(random.bytes::<18>())
}
