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
    ApiError, ApiRequest, Method, Ports, Queue, Turn, Wakeup,
    event::Event,
    queue::Job,
    renew::{self, Renewal},
    schedule,
    shared::Shared,
    state::{Departures, Epoch, Session},
    verdict::Grant,
};

/// Runs until the last handle is dropped.
pub(crate) async fn drive(shared: Rc<Shared>, mut jobs: UnboundedReceiver<Job>) {
    loop {
        let job = match shared.read(Session::wake_at) {
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
        Job::Look => {}
        Job::Verify { epoch } => verify(shared, epoch).await,
        Job::Refresh { epoch } => refresh(shared, epoch).await,
        Job::SignIn {
            departures,
            request,
            reply,
        } => {
            // The caller may be gone because its page was closed; the sign-in still counts.
            let _ = reply.send(sign_in(shared, departures, request).await);
        }
        Job::SignOut { departures, reply } => {
            let turn = turn(&shared.ports).await;
            let (outcome, next) = sign_out(shared, departures).await;
            drop(turn);
            let _ = reply.send(outcome);
            go_on(shared, next).await;
        }
        Job::SignOutAgain => {
            let turn = turn(&shared.ports).await;
            let next = if shared.ports.marker.is_set() {
                // The view shows whether it worked.
                let departures = shared.read(|session| session.departures);
                sign_out(shared, departures).await.1
            } else {
                shared.apply(Event::SignOutSettled)
            };
            drop(turn);
            go_on(shared, next).await;
        }
    }
}

/// Runs the refresh that the end of another job requires.
async fn go_on(shared: &Shared, next: Option<Job>) {
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
async fn turn(ports: &Ports) -> Option<Turn> {
    let first = ports.lock.turn(Queue::First);
    let first = match future::select(first, ports.timer.sleep(schedule::LOCK_PATIENCE)).await {
        Either::Left((turn, _timer)) => return turn,
        Either::Right(((), first)) => first,
    };
    let either = future::select(first, ports.lock.turn(Queue::Overflow));
    match future::select(either, ports.timer.sleep(schedule::OVERFLOW_PATIENCE)).await {
        Either::Left((Either::Left((turn, _)) | Either::Right((turn, _)), _timer)) => turn,
        Either::Right(_) => None,
    }
}

async fn refresh(shared: &Shared, epoch: Epoch) {
    let wanted = || shared.read(|session| session.epoch) == epoch && !shared.ports.marker.is_set();
    // Held until the other tabs have been notified, so that the next tab knows that nothing is left to do.
    let _turn = if wanted() { turn(&shared.ports).await } else { None };
    let renewal = if wanted() && shared.needs_refresh() {
        renew::renew(&shared.ports, wanted).await
    } else {
        Renewal::Dropped
    };
    if shared.ports.marker.is_set() {
        // Another tab signed out, before or during the request. Whatever the server granted is discarded.
        let around = shared.look_around();
        let wakeup = Wakeup::Marked;
        conclude(shared, Event::Woken { wakeup, around });
    }
    let jitter = shared.ports.jitter.next();
    conclude(
        shared,
        match renewal {
            Renewal::Granted(grant, user) => Event::Renewed {
                epoch,
                grant,
                user,
                jitter,
            },
            Renewal::Ended(ending) => Event::Ended { epoch, ending },
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
    let asked_at = shared.ports.clock.now();
    let event = match shared.ports.transport.send(request).await {
        Ok(answer) if answer.refuses_token() => Event::TokenRefused { id: held.id },
        Ok(answer) if answer.success().is_ok() => Event::Verified {
            id: held.id,
            now: asked_at,
        },
        // No response proves nothing.
        _ => return,
    };
    go_on(shared, shared.apply(event)).await;
}

async fn sign_in(shared: &Shared, departures: Departures, request: ApiRequest) -> Result<User, ApiError> {
    let overtaken = || shared.read(|session| session.departures) != departures;
    let _turn = turn(&shared.ports).await;
    if overtaken() {
        return Err(ApiError::SignedOut);
    }
    let asked_at = shared.ports.clock.now();
    let answer = shared
        .ports
        .transport
        .send(request)
        .await
        .map_err(|_| ApiError::Offline)?;
    let status = answer.status;
    let SignedInResponse { token, user } = answer.into_secret_json()?;
    let grant = Grant::new(token, asked_at).ok_or(ApiError::Unexpected { status })?;
    if overtaken() {
        // The user signed out while this was under way. That sign-out is behind us in the queue and ends the new
        // session.
        return Err(ApiError::SignedOut);
    }
    let jitter = shared.ports.jitter.next();
    conclude(
        shared,
        Event::SignedIn {
            departures,
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
async fn sign_out(shared: &Shared, departures: Departures) -> (Result<(), ApiError>, Option<Job>) {
    let mut request = ApiRequest::new(Method::Post, paths::LOGOUT);
    request.bearer = shared.read(Session::sign_out_bearer);
    let answer = shared.ports.transport.send(request).await;
    let retry_after = answer.as_ref().ok().and_then(|answer| answer.retry_after);
    let outcome = answer
        .map_err(|_| ApiError::Offline)
        .and_then(|answer| answer.success());
    let next = shared.apply(match outcome {
        Ok(()) => Event::SignOutDone { departures },
        Err(_) => Event::SignOutFailed {
            departures,
            now: shared.ports.clock.now(),
            jitter: shared.ports.jitter.next(),
            retry_after,
        },
    });
    (outcome, next)
}

fn conclude(shared: &Shared, event: Event) {
    let job = shared.apply(event);
    debug_assert!(
        job.is_none(),
        "the end of a job asks for no refresh: the timer does"
    );
}
