//! Passwords: argon2id, off the runtime, a few at a time.

use std::{fmt, sync::Arc, thread::available_parallelism, time::Duration};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc},
};
use store::users::PasswordHash;
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};
use zeroize::Zeroizing;

use crate::{config, random::Random};

const SALT_LEN: usize = 16;

/// A password as it was typed: never trimmed, never normalised, wiped after use.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

/// Hashes and verifies. Cheap to clone.
#[derive(Clone)]
pub struct Passwords {
    argon2: Argon2<'static>,
    /// As many permits as hashes may run at a time: each holds `memory_kib`.
    turns: Arc<Semaphore>,
    queue_timeout: Duration,
    /// Verified in place of an unknown user's, so that the answer takes the same time.
    dummy: PasswordHash,
    random: Arc<dyn Random>,
}

/// Why a password was neither hashed nor verified.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too many are waiting already: the client should come back in a moment.
    #[error("the queue for password hashing is full")]
    Busy,
    #[error("argon2: {0}")]
    Hash(String),
}

impl Password {
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Passwords {
    /// # Errors
    /// If argon2 does not accept the parameters.
    pub fn new(config: &config::Passwords, random: Arc<dyn Random>) -> Result<Self, PasswordError> {
        let params =
            Params::new(config.memory_kib, config.iterations, config.parallelism, None).map_err(failed)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let permits = match config.concurrency {
            0 => available_parallelism().map_or(1, usize::from),
            set => set,
        };
        let dummy = hash_now(&argon2, &Password::new(String::new()), &random.bytes())?;
        Ok(Self {
            argon2,
            turns: Arc::new(Semaphore::new(permits)),
            queue_timeout: config.queue_timeout,
            dummy,
            random,
        })
    }

    /// # Errors
    /// [`PasswordError::Busy`] if no turn came in time.
    pub async fn hash(&self, password: Password) -> Result<PasswordHash, PasswordError> {
        let salt = self.random.bytes();
        self.in_turn(move |argon2| hash_now(argon2, &password, &salt))
            .await?
    }

    /// Whether the password fits the hash. Without a hash (nobody has that address) the answer is no, after the
    /// same work.
    ///
    /// # Errors
    /// [`PasswordError::Busy`] if no turn came in time.
    pub async fn verify(
        &self,
        password: Password,
        hash: Option<&PasswordHash>,
    ) -> Result<bool, PasswordError> {
        let known = hash.is_some();
        let hash = hash.unwrap_or(&self.dummy).clone();
        let fits = self
            .in_turn(move |argon2| verify_now(argon2, &password, &hash))
            .await??;
        Ok(fits && known)
    }

    /// Runs the work on a thread where it may block, when its turn comes.
    ///
    /// The permit moves into the task: a client that gives up must not free a turn whose memory is still in use.
    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Argon2<'static>) -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let permit = timeout(self.queue_timeout, Arc::clone(&self.turns).acquire_owned())
            .await
            .map_err(|_| PasswordError::Busy)?
            .map_err(failed)?;
        let argon2 = self.argon2.clone();
        let span = tracing::Span::current();
        spawn_blocking(move || {
            let _permit = permit;
            span.in_scope(|| work(&argon2))
        })
        .await
        .map_err(failed)
    }
}

fn hash_now(
    argon2: &Argon2<'_>,
    password: &Password,
    salt: &[u8; SALT_LEN],
) -> Result<PasswordHash, PasswordError> {
    let hash: phc::PasswordHash = argon2
        .hash_password_with_salt(password.expose().as_bytes(), salt)
        .map_err(failed)?;
    Ok(PasswordHash::new(hash.to_string()))
}

fn verify_now(argon2: &Argon2<'_>, password: &Password, hash: &PasswordHash) -> Result<bool, PasswordError> {
    let hash = phc::PasswordHash::new(hash.as_str()).map_err(failed)?;
    match argon2.verify_password(password.expose().as_bytes(), &hash) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
        Err(other) => Err(failed(other)),
    }
}

fn failed(error: impl fmt::Display) -> PasswordError {
    PasswordError::Hash(error.to_string())
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passwords")
            .field("queue_timeout", &self.queue_timeout)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    fn passwords(concurrency: usize, queue_timeout: Duration) -> Passwords {
        let config = config::Passwords {
            memory_kib: 64,
            iterations: 1,
            concurrency,
            queue_timeout,
            ..config::Passwords::default()
        };
        Passwords::new(&config, Arc::new(SystemRandom::default())).expect("sound parameters")
    }

    #[tokio::test]
    async fn a_hash_fits_its_own_password_and_no_other() {
        let passwords = passwords(1, Duration::from_secs(5));
        let typed = |text: &str| Password::new(text.to_owned());
        let hash = passwords
            .hash(typed(" two spaces and a ü "))
            .await
            .expect("hashes");
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
        assert!(
            passwords
                .verify(typed(" two spaces and a ü "), Some(&hash))
                .await
                .expect("verifies")
        );
        // Exactly as typed: not trimmed, not composed, not cut.
        assert!(
            !passwords
                .verify(typed("two spaces and a ü"), Some(&hash))
                .await
                .expect("verifies")
        );
        assert!(
            !passwords
                .verify(typed(" two spaces and a u\u{308} "), Some(&hash))
                .await
                .expect("verifies")
        );
        let long = "x".repeat(200);
        let hash = passwords.hash(typed(&format!("{long}a"))).await.expect("hashes");
        assert!(
            !passwords
                .verify(typed(&format!("{long}b")), Some(&hash))
                .await
                .expect("verifies")
        );
    }

    #[tokio::test]
    async fn an_unknown_user_is_refused_even_with_the_dummys_password() {
        let passwords = passwords(1, Duration::from_secs(5));
        assert!(
            !passwords
                .verify(Password::new(String::new()), None)
                .await
                .expect("verifies")
        );
    }

    #[tokio::test]
    async fn the_dummy_costs_what_a_real_hash_costs() {
        let passwords = passwords(1, Duration::from_secs(5));
        let real = passwords
            .hash(Password::new("x".repeat(15)))
            .await
            .expect("hashes");
        let parameters = |hash: &PasswordHash| hash.as_str().rsplitn(3, '$').nth(2).map(str::to_owned);
        assert_eq!(parameters(&passwords.dummy), parameters(&real));
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_too_long_is_told_to_come_back() {
        let passwords = passwords(1, Duration::from_secs(2));
        let _all = Arc::clone(&passwords.turns)
            .acquire_owned()
            .await
            .expect("a permit");
        let answer = passwords.hash(Password::new("x".repeat(15))).await;
        assert!(matches!(answer, Err(PasswordError::Busy)));
    }
}
