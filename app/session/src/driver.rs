//! The future that does the work: it drains the queue and wakes up when it is time to refresh.

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
    ApiError, ApiRequest, Method,
    event::Event,
    queue::Job,
    renew::{self, Renewal},
    shared::Shared,
    state::{Epoch, Session},
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
                        // missed. A timer that fires early finds nothing due and is armed again.
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
        Job::Refresh { epoch } => refresh(shared, epoch).await,
        Job::SignIn { request, reply } => {
            // The caller may be gone, its page closed: the sign-in counts all the same.
            let _ = reply.send(sign_in(shared, request).await);
        }
        Job::SignOut { reply } => {
            let _ = reply.send(sign_out(shared).await);
        }
    }
}

async fn refresh(shared: &Shared, epoch: Epoch) {
    let wanted = || shared.read(|session| session.epoch) == epoch;
    let renewal = if wanted() {
        renew::renew(&shared.ports, wanted).await
    } else {
        Renewal::Dropped
    };
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
            Renewal::Dropped => Event::RenewalDropped,
        },
    );
}

async fn sign_in(shared: &Shared, request: ApiRequest) -> Result<User, ApiError> {
    let epoch = shared.read(|session| session.epoch);
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
    if shared.read(|session| session.epoch) != epoch {
        // Signed out while this was under way. The sign-out stands behind us in the queue and ends what we began.
        return Err(ApiError::SignedOut);
    }
    let jitter = shared.ports.jitter.next();
    conclude(
        shared,
        Event::SignedIn {
            epoch,
            grant,
            user: user.clone(),
            jitter,
        },
    );
    Ok(user)
}

/// The cookie says which session; the access token is forgotten already and is not needed.
async fn sign_out(shared: &Shared) -> Result<(), ApiError> {
    let request = ApiRequest::new(Method::Post, paths::LOGOUT);
    shared
        .ports
        .transport
        .send(request)
        .await
        .map_err(|_| ApiError::Offline)?
        .success()
}

fn conclude(shared: &Shared, event: Event) {
    let job = shared.apply(event);
    debug_assert!(
        job.is_none(),
        "the end of a job asks for no refresh: the timer does"
    );
}
