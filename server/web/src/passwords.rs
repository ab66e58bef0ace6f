//! Password hashing: argon2id on blocking threads, with a limited number of hashes at a time.
//!
//! # Layout
//! - this file: the service that hashes and verifies
//! - [`Password`] a password in memory; `verification` compares one with a stored hash
//! - [`cost`] the parameters, and which stored hashes are verified at all
//! - [`work_areas`] the memory that hashing works in
//! - [`breached`] passwords known from breaches, in a file that the operator builds

pub mod breached;
pub mod cost;
mod error;
mod password;
mod verification;
mod work_areas;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    thread::available_parallelism,
    time::Duration,
};

use store::users::{PasswordHash, User};
use tokio::{task::spawn_blocking, time::Instant};
use tracing::Span;
use zeroize::Zeroize;

use self::{
    breached::{BreachedFilter, FilterError},
    cost::{Cost, UnusableHash},
    error::hash_error,
    verification::{VerificationPlan, compute},
    work_areas::{WorkArea, WorkAreas},
};
use crate::{config, random::Random};

pub use error::PasswordError;
pub use password::Password;
pub use verification::PasswordCheck;

const SALT_LEN: usize = 16;

/// Hashes and verifies passwords. Cheap to clone.
#[derive(Clone)]
pub struct Passwords {
    /// The parameters of new hashes.
    configured: Cost,
    /// The most expensive parameters that any stored hash is known to have, or those of new hashes.
    most_expensive: Arc<Mutex<Cost>>,
    /// Work areas. Resident memory for hashing is at most the number of permits times the memory of
    /// [`Self::most_expensive`].
    areas: Arc<WorkAreas>,
    /// `None`: no list is configured.
    breached: Option<Arc<BreachedFilter>>,
    queue_timeout: Duration,
    random: Arc<dyn Random>,
}

impl Passwords {
    /// # Errors
    /// If argon2 does not accept the parameters, or the filter of breached passwords is invalid.
    pub fn new(config: &config::Passwords, random: Arc<dyn Random>) -> Result<Self, PasswordError> {
        let configured = Cost {
            memory_kib: config.memory_kib,
            iterations: config.iterations,
            parallelism: config.parallelism,
        };
        configured.argon2()?;
        let permits = match config.concurrency {
            0 => available_parallelism().map_or(1, usize::from),
            set => set,
        };
        let breached = config.breached_filter.as_deref().map(BreachedFilter::open);
        Ok(Self {
            configured,
            breached: breached.transpose()?.map(Arc::new),
            most_expensive: Arc::new(Mutex::new(configured)),
            areas: WorkAreas::new(permits),
            queue_timeout: config.queue_timeout,
            random,
        })
    }

    /// # Errors
    /// [`PasswordError::Busy`] if no permit became free in time.
    pub async fn hash(&self, password: Password) -> Result<PasswordHash, PasswordError> {
        let salt: [u8; SALT_LEN] = self.random.bytes();
        let cost = self.configured;
        self.with_work_area(move |area| {
            let mut output = cost::new_output();
            compute(area, cost, &password, &salt, &mut output)?;
            let hash = cost::encode(cost, &salt, &output);
            output.zeroize();
            hash
        })
        .await
    }

    /// Compares a password with a stored hash. Without a hash (the account does not exist) the password does not match.
    ///
    /// Every result except [`PasswordCheck::Match`] costs as much work as the most expensive hash in use, whatever is
    /// stored. So the response time does not reveal whether an account exists.
    ///
    /// # Errors
    /// [`PasswordError::Busy`] if no permit became free in time.
    pub async fn verify(
        &self,
        password: Password,
        hash: Option<&PasswordHash>,
    ) -> Result<PasswordCheck, PasswordError> {
        let plan = VerificationPlan::new(hash, self.most_expensive());
        let configured = self.configured;
        if let Some(stored) = &plan.stored {
            self.record_cost(stored.cost);
        }
        self.with_work_area(move |area| plan.execute(area, &password, configured))
            .await
    }

    /// Whether a password is in the operator's list of breached passwords; `false` if there is no list.
    ///
    /// # Errors
    /// If the list cannot be read. A password that could not be looked up is not accepted.
    pub async fn is_breached(&self, password: &Password) -> Result<bool, PasswordError> {
        let Some(filter) = &self.breached else {
            return Ok(false);
        };
        let (filter, password) = (Arc::clone(filter), password.clone());
        let found = on_blocking_thread(move || filter.contains(password.expose())).await?;
        Ok(found.map_err(FilterError::Io)?)
    }

    /// Records the parameters of a stored hash. Unknown accounts must not be answered faster than known ones.
    pub fn record_cost(&self, cost: Cost) {
        let mut most = self.most_expensive.lock().unwrap_or_else(PoisonError::into_inner);
        if cost.exceeds(*most) {
            *most = cost;
        }
    }

    fn most_expensive(&self) -> Cost {
        *self.most_expensive.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the work on a blocking thread as soon as a permit is free.
    ///
    /// The permit moves into the task: a client that disconnects must not free memory that is still in use.
    async fn with_work_area<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut WorkArea) -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let mut area = self.areas.acquire(self.queue_timeout).await?;
        on_blocking_thread(move || {
            let started = Instant::now();
            let result = work(&mut area);
            let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
            tracing::debug!(micros, "password hashing: finished");
            result
        })
        .await?
    }
}

/// Runs work on a blocking thread, inside the caller's span: its log lines carry the request's id.
async fn on_blocking_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, PasswordError> {
    let span = Span::current();
    spawn_blocking(move || span.in_scope(work))
        .await
        .map_err(hash_error)
}

/// Logs an account whose stored hash cannot be verified, and how the owner can sign in again.
pub(crate) fn log_unusable_hash(user: &User, why: UnusableHash) {
    tracing::error!(
        user = %user.id,
        %why,
        "stored password hash refused; the account needs a new password: keyturn users set-password"
    );
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passwords")
            .field("configured", &self.configured)
            .field("queue_timeout", &self.queue_timeout)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    const PATIENCE: Duration = Duration::from_mins(5);
    const MATCH: PasswordCheck = PasswordCheck::Match { is_outdated: false };

    fn passwords_with(change: impl FnOnce(&mut config::Passwords)) -> Passwords {
        let mut config = config::Passwords {
            memory_kib: 64,
            iterations: 1,
            concurrency: 1,
            queue_timeout: PATIENCE,
            ..config::Passwords::default()
        };
        change(&mut config);
        Passwords::new(&config, Arc::new(SystemRandom::default())).expect("sound parameters")
    }

    fn passwords() -> Passwords {
        passwords_with(|_| {})
    }

    fn typed(text: &str) -> Password {
        Password::new(text.to_owned())
    }

    async fn verify(passwords: &Passwords, text: &str, hash: &PasswordHash) -> PasswordCheck {
        passwords.verify(typed(text), Some(hash)).await.expect("verifies")
    }

    #[tokio::test]
    async fn a_hash_fits_its_own_password_and_no_other() {
        let passwords = passwords();
        let hash = passwords
            .hash(typed(" two spaces and a ü "))
            .await
            .expect("hashes");
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
        assert_eq!(verify(&passwords, " two spaces and a ü ", &hash).await, MATCH);
        // Exactly as typed: not trimmed, not composed, not truncated.
        for other in ["two spaces and a ü", " two spaces and a u\u{308} "] {
            assert_eq!(
                verify(&passwords, other, &hash).await,
                PasswordCheck::Mismatch,
                "{other}"
            );
        }
        let long = "x".repeat(200);
        let hash = passwords.hash(typed(&format!("{long}a"))).await.expect("hashes");
        let other = format!("{long}b");
        assert_eq!(verify(&passwords, &other, &hash).await, PasswordCheck::Mismatch);
    }

    #[tokio::test]
    async fn hashes_of_other_argon2_programs_are_verified() {
        // Made by the reference implementation: echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1 -l 32
        // (RFC 9106's authors publish it as a test vector).
        let reference =
            "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        let hash = PasswordHash::new(reference.into());
        let passwords = passwords();
        assert_eq!(verify(&passwords, "password", &hash).await, MATCH);
        assert_eq!(
            verify(&passwords, "passwort", &hash).await,
            PasswordCheck::Mismatch
        );
    }

    #[tokio::test]
    async fn an_unknown_user_is_refused_whatever_is_typed() {
        for text in ["", "password", "\0\0\0\0"] {
            let check = passwords().verify(typed(text), None).await.expect("verifies");
            assert_eq!(check, PasswordCheck::Mismatch);
        }
    }

    #[tokio::test]
    async fn a_hash_is_outdated_if_it_is_weaker_than_those_made_now() {
        let weak = passwords().hash(typed("the same")).await.expect("hashes");
        let raised = passwords_with(|config| config.iterations = 2);
        assert_eq!(
            verify(&raised, "the same", &weak).await,
            PasswordCheck::Match { is_outdated: true }
        );
        assert_eq!(verify(&raised, "another", &weak).await, PasswordCheck::Mismatch);
        let strong = raised.hash(typed("the same")).await.expect("hashes");
        assert_eq!(verify(&raised, "the same", &strong).await, MATCH);
        assert_eq!(
            verify(&passwords(), "the same", &strong).await,
            MATCH,
            "lowered: it stays"
        );
    }

    #[tokio::test]
    async fn foreign_hashes_are_refused() {
        let passwords = passwords();
        for (stored, why) in [
            (
                "$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
                UnusableHash::Parameters,
            ),
            (
                "$argon2id$v=19$m=64,t=2000,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
                UnusableHash::Parameters,
            ),
            (
                "$argon2d$v=19$m=64,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
                UnusableHash::Algorithm,
            ),
            ("not a hash", UnusableHash::Format),
        ] {
            let hash = PasswordHash::new(stored.into());
            assert_eq!(
                verify(&passwords, "password", &hash).await,
                PasswordCheck::Unusable(why),
                "{stored}"
            );
        }
        // None of these parameters was used.
        assert_eq!(passwords.most_expensive(), passwords.configured);
        assert_eq!(passwords.areas.free_blocks(), [64]);
    }

    #[tokio::test]
    async fn sign_ins_record_the_most_expensive_hash() {
        let passwords = passwords();
        let raised = passwords_with(|config| config.memory_kib = 128);
        let hash = raised.hash(typed("a password")).await.expect("hashes");
        assert_eq!(passwords.most_expensive(), passwords.configured);
        verify(&passwords, "another password", &hash).await;
        assert_eq!(passwords.most_expensive(), raised.configured);
        // Cheaper parameters change nothing.
        passwords.record_cost(passwords.configured);
        assert_eq!(passwords.most_expensive(), raised.configured);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn there_are_as_many_areas_as_permits_and_they_are_wiped() {
        let passwords = passwords_with(|config| config.concurrency = 3);
        assert_eq!(
            passwords.areas.free_blocks(),
            [0, 0, 0],
            "nothing before it is needed"
        );
        let hash = passwords.hash(typed("a password")).await.expect("hashes");
        let mut running = tokio::task::JoinSet::new();
        for number in 0..40 {
            let (passwords, hash) = (passwords.clone(), hash.clone());
            running.spawn(async move {
                let hash = (number % 2 == 0).then_some(&hash);
                passwords.verify(typed("another password"), hash).await
            });
        }
        while let Some(check) = running.join_next().await {
            assert_eq!(
                check.expect("no panic").expect("verifies"),
                PasswordCheck::Mismatch
            );
        }
        let blocks = passwords.areas.free_blocks();
        assert_eq!(blocks.len(), 3);
        assert!(blocks.iter().all(|blocks| [0, 64].contains(blocks)), "{blocks:?}");
        assert!(passwords.areas.are_wiped());
    }

    #[tokio::test]
    async fn a_panic_returns_the_work_area() {
        let passwords = passwords();
        let panicked = passwords
            .with_work_area(|area| {
                area.blocks(64)?[0].as_mut().fill(7);
                panic!("in the middle of a hash");
                #[expect(unreachable_code, reason = "it names the type")]
                Ok(())
            })
            .await;
        assert!(matches!(panicked, Err(PasswordError::Hash(_))));
        assert_eq!(passwords.areas.free_blocks(), [64]);
        assert!(passwords.areas.are_wiped());
        passwords.hash(typed("a password")).await.expect("hashes");
    }

    #[tokio::test]
    async fn a_cancelled_request_keeps_its_work_area() {
        let passwords = passwords_with(|config| config.queue_timeout = Duration::from_millis(1));
        let (release, released) = std::sync::mpsc::channel::<()>();
        let given_up = tokio::spawn({
            let passwords = passwords.clone();
            async move {
                passwords
                    .with_work_area(move |_| {
                        let _ = released.recv();
                        Ok(())
                    })
                    .await
            }
        });
        while !passwords.areas.free_blocks().is_empty() {
            tokio::task::yield_now().await;
        }
        // The client disconnected; the thread is still working.
        given_up.abort();
        let _ = given_up.await;
        let answer = passwords.hash(typed("a password")).await;
        assert!(matches!(answer, Err(PasswordError::Busy)));
        release.send(()).expect("it waits");
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_queue_times_out_as_busy() {
        let passwords = passwords_with(|config| config.queue_timeout = Duration::from_secs(2));
        let _turn = passwords.areas.acquire(PATIENCE).await.expect("an area");
        let answer = passwords.hash(typed("a password")).await;
        assert!(matches!(answer, Err(PasswordError::Busy)));
    }
}
