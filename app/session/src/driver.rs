//! The driver: the future that drains the queue and wakes up when a refresh is due.

use std::rc::Rc;

use api_types::{
    auth::{SignedInResponse, User},
    paths,
};
use futures::{
    StreamExt,
    channel::mpsc::UnboundedReceiver,
    future::{self, Either},
};

use crate::{
    ApiError, ApiRequest, BrowserEvent, LockGuard, LockName, Method, Ports,
    event::Event,
    queue::Job,
    refresh_response::Grant,
    renew::{self, Renewal},
    schedule,
    shared::Shared,
    state::{Epoch, SessionMachine, SignOutCount},
};

/// Runs until the last handle is dropped.
pub(crate) async fn drive(shared: Rc<Shared>, mut jobs: UnboundedReceiver<Job>) {
    loop {
        let job = match shared.read(SessionMachine::wake_at) {
            None => jobs.next().await,
            Some(at) => {
                let wait = at.saturating_sub(shared.ports.clock.now());
                let timer = shared.ports.timer.sleep(wait);
                match future::select(jobs.next(), timer).await {
                    Either::Left((job, _timer)) => job,
                    Either::Right(_) => {
                        // After a long sleep the timer fires late, and once: this is one refresh, however many were
                        // missed. A timer that fires early finds nothing due and is set again.
                        let now = shared.ports.clock.now();
                        match shared.apply(Event::TimerFired { now }) {
                            Some(job) => Some(job),
                            None => continue,
                        }
                    }
                }
            }
        };
        match job {
            Some(job) => run(&shared, job).await,
            None => return,
        }
    }
}

async fn run(shared: &Shared, job: Job) {
    match job {
        Job::Reschedule => {}
        Job::Verify { epoch } => verify(shared, epoch).await,
        Job::Refresh { epoch } => refresh(shared, epoch).await,
        Job::SignIn {
            sign_out_count,
            request,
            reply,
        } => {
            // The caller may be gone because its page was closed; the sign-in still counts.
            let _ = reply.send(sign_in(shared, sign_out_count, request).await);
        }
        Job::SignOut {
            sign_out_count,
            reply,
        } => {
            let guard = acquire_lock(&shared.ports).await;
            let (outcome, next) = sign_out(shared, sign_out_count).await;
            drop(guard);
            let _ = reply.send(outcome);
            run_follow_up(shared, next).await;
        }
        Job::RetrySignOut => {
            let guard = acquire_lock(&shared.ports).await;
            let next = if shared.ports.marker.is_set() {
                // The view shows whether it worked.
                let sign_out_count = shared.read(|session| session.sign_out_count);
                sign_out(shared, sign_out_count).await.1
            } else {
                shared.apply(Event::MarkerRemoved)
            };
            drop(guard);
            run_follow_up(shared, next).await;
        }
    }
}

/// Runs the refresh that the end of another job requires.
async fn run_follow_up(shared: &Shared, next: Option<Job>) {
    if let Some(Job::Refresh { epoch }) = next {
        refresh(shared, epoch).await;
    }
}

/// Waits, for a bounded time, until no other tab is about to change the cookie. The lock makes it unlikely that
/// requests of two tabs cross, and the server makes it harmless when they do.
///
/// A wait that times out does not mean that the holder is frozen. On a slow line it may be in the middle of a refresh,
/// and several tabs may be waiting for it. If they all continued at the same time, the last of them would present a
/// token that the first has consumed, which looks like token theft. So they queue at a second lock, and check again
/// whether a refresh is still needed when their turn comes. The tab keeps its place at the first lock meanwhile.
async fn acquire_lock(ports: &Ports) -> Option<LockGuard> {
    let first = ports.lock.acquire(LockName::First);
    let first = match future::select(first, ports.timer.sleep(schedule::LOCK_TIMEOUT)).await {
        Either::Left((guard, _timer)) => return guard,
        Either::Right(((), first)) => first,
    };
    let either = future::select(first, ports.lock.acquire(LockName::Overflow));
    match future::select(either, ports.timer.sleep(schedule::OVERFLOW_LOCK_TIMEOUT)).await {
        Either::Left((Either::Left((guard, _)) | Either::Right((guard, _)), _timer)) => guard,
        Either::Right(_) => None,
    }
}

async fn refresh(shared: &Shared, epoch: Epoch) {
    let is_needed = || shared.read(|session| session.epoch) == epoch && !shared.ports.marker.is_set();
    // Held until the other tabs have been notified, so that the next tab knows that nothing is left to do.
    let _guard = if is_needed() {
        acquire_lock(&shared.ports).await
    } else {
        None
    };
    let renewal = if is_needed() && shared.needs_refresh() {
        renew::renew(&shared.ports, is_needed).await
    } else {
        Renewal::Dropped
    };
    if shared.ports.marker.is_set() {
        // Another tab signed out, before or during the request. Whatever the server granted is discarded.
        let environment = shared.environment();
        let browser_event = BrowserEvent::MarkerChanged;
        apply_outcome(
            shared,
            Event::Browser {
                browser_event,
                environment,
            },
        );
    }
    let jitter = shared.ports.jitter.next();
    apply_outcome(
        shared,
        match renewal {
            Renewal::Granted(grant, user) => Event::Renewed {
                epoch,
                grant,
                user,
                jitter,
            },
            Renewal::Ended(cause) => Event::Ended { epoch, cause },
            Renewal::Unreachable { retry_after } => {
                let now = shared.ports.clock.now();
                Event::RenewalFailed {
                    epoch,
                    now,
                    jitter,
                    retry_after,
                }
            }
            Renewal::Dropped => Event::RenewalDropped { epoch },
        },
    );
}

/// Checks whether the session is still active, at little cost for the server. If it has ended, the response is a 401,
/// and the following refresh returns the reason or the new user.
async fn verify(shared: &Shared, epoch: Epoch) {
    let held = shared.read(|session| session.held().filter(|_| session.epoch == epoch).cloned());
    let Some(held) = held else { return };
    let mut request = ApiRequest::new(Method::Get, paths::SESSION);
    request.bearer = Some(held.token);
    let requested_at = shared.ports.clock.now();
    let event = match shared.ports.transport.send(request).await {
        Ok(response) if response.refuses_token() => Event::TokenRefused { id: held.id },
        Ok(response) if response.success().is_ok() => Event::Verified {
            id: held.id,
            now: requested_at,
        },
        // No response proves nothing.
        _ => return,
    };
    run_follow_up(shared, shared.apply(event)).await;
}

async fn sign_in(
    shared: &Shared,
    sign_out_count: SignOutCount,
    request: ApiRequest,
) -> Result<User, ApiError> {
    let was_signed_out = || shared.read(|session| session.sign_out_count) != sign_out_count;
    let _guard = acquire_lock(&shared.ports).await;
    if was_signed_out() {
        return Err(ApiError::SignedOut);
    }
    let requested_at = shared.ports.clock.now();
    let response = shared
        .ports
        .transport
        .send(request)
        .await
        .map_err(|_| ApiError::Offline)?;
    let status = response.status;
    let SignedInResponse { token, user } = response.into_secret_json()?;
    let grant = Grant::new(token, requested_at).ok_or(ApiError::Unexpected { status })?;
    if was_signed_out() {
        // The user signed out while this was under way. That sign-out is behind us in the queue and ends the new
        // session.
        return Err(ApiError::SignedOut);
    }
    let jitter = shared.ports.jitter.next();
    apply_outcome(
        shared,
        Event::SignedIn {
            sign_out_count,
            grant,
            user: user.clone(),
            jitter,
        },
    );
    Ok(user)
}

/// Sends the sign-out. Both the cookie and the access token identify the session, because the cookies may have been
/// cleared since the sign-in. Without the token, that session would then stay active, and this page could no longer end
/// it.
async fn sign_out(shared: &Shared, sign_out_count: SignOutCount) -> (Result<(), ApiError>, Option<Job>) {
    let mut request = ApiRequest::new(Method::Post, paths::LOGOUT);
    request.bearer = shared.read(SessionMachine::sign_out_bearer);
    let response = shared.ports.transport.send(request).await;
    let retry_after = response.as_ref().ok().and_then(|response| response.retry_after);
    let outcome = response
        .map_err(|_| ApiError::Offline)
        .and_then(|response| response.success());
    let next = shared.apply(match outcome {
        Ok(()) => Event::SignOutDone { sign_out_count },
        Err(_) => Event::SignOutFailed {
            sign_out_count,
            now: shared.ports.clock.now(),
            jitter: shared.ports.jitter.next(),
            retry_after,
        },
    });
    (outcome, next)
}

fn apply_outcome(shared: &Shared, event: Event) {
    let job = shared.apply(event);
    debug_assert!(
        job.is_none(),
        "the end of a job asks for no refresh: the timer does"
    );
}
