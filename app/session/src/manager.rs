//! The public handle.

use std::{fmt, future::Future, rc::Rc, time::Duration};

use api_types::{
    auth::{LoginRequest, RegisterRequest, User},
    paths,
};
use futures::channel::{mpsc, oneshot};

use crate::{
    AccessToken, ApiError, ApiRequest, ApiResponse, Method, Ports, SessionView, Traffic, driver,
    event::{Around, Event},
    queue::Job,
    shared::Shared,
    state::{Epoch, Held, Session, State},
};

/// The session of this page. Clones share it.
#[derive(Clone)]
pub struct SessionManager {
    pub(crate) shared: Rc<Shared>,
    traffic: Traffic,
    /// Shared by the handles alone: what listens to the browser must not keep the manager alive.
    queue: Rc<mpsc::UnboundedSender<Job>>,
}

impl SessionManager {
    /// Makes a manager that starts with `initial`, and the future that drives it; spawn that once. It ends when the
    /// last handle is dropped.
    ///
    /// A view holds no token, so an `initial` view of somebody signed in starts as [`SessionView::Restoring`].
    pub fn new(mut ports: Ports, initial: SessionView) -> (Self, impl Future<Output = ()> + 'static) {
        let (queue, jobs) = mpsc::unbounded();
        let traffic = Traffic::new(Rc::clone(&ports.clock));
        ports.transport = traffic.watch(ports.transport);
        let shared = Rc::new(Shared::new(ports, initial));
        let this = Self {
            shared: Rc::clone(&shared),
            traffic,
            queue: Rc::new(queue),
        };
        this.listen_to_the_browser();
        (this, driver::drive(shared, jobs))
    }

    /// The session right now.
    pub fn view(&self) -> SessionView {
        self.shared.read(Session::view)
    }

    /// Calls `listener` after every change of the view, for as long as any handle lives.
    pub fn on_change(&self, listener: impl Fn(SessionView) + 'static) {
        self.shared.listen(Rc::new(listener));
    }

    /// The monotonic clock's time, for countdowns against `SessionView::SignedIn::expires_at`.
    pub fn now(&self) -> Duration {
        self.shared.ports.clock.now()
    }

    /// The last requests of this page, and what became of them.
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// The silent refresh: brings a session back after a page load. Waits until the first attempt has ended; that may
    /// be [`SessionView::Reconnecting`], and then the manager goes on trying by itself.
    ///
    /// Does nothing if the session is known already. In particular it never brings back a session that was signed out
    /// of in this page.
    pub async fn restore(&self) -> SessionView {
        let attempt = self.shared.next_attempt();
        self.apply(Event::RestoreAsked);
        if self
            .shared
            .read(|session| matches!(session.state, State::Refreshing { .. }))
        {
            self.traffic.restoring();
            // If the driver is gone nothing will ever be settled, and the view says so.
            let _ = attempt.await;
        }
        self.view()
    }

    /// Creates an account and signs it in.
    ///
    /// # Errors
    ///
    /// As [`SessionManager::sign_in`]; a [`Problem`](ApiError::Problem) may carry errors of single fields.
    pub async fn register(&self, request: RegisterRequest) -> Result<User, ApiError> {
        self.enter(ApiRequest::new(Method::Post, paths::REGISTER).with_json(&request))
            .await
    }

    /// Signs in. Replaces whatever session there was, once the server has accepted, and leaves it alone otherwise.
    ///
    /// # Errors
    ///
    /// [`ApiError::Problem`] if the server refused, [`ApiError::Offline`] if no answer came,
    /// [`ApiError::Unexpected`] if the answer was not of this API, [`ApiError::SignedOut`] if a sign-out overtook it.
    pub async fn sign_in(&self, request: LoginRequest) -> Result<User, ApiError> {
        self.enter(ApiRequest::new(Method::Post, paths::LOGIN).with_json(&request))
            .await
    }

    /// Takes the access token out of use at once, then ends the session on the server. The token goes along with that
    /// request, because the cookie may have been cleared, and is forgotten when the server has confirmed.
    ///
    /// “At once” is meant literally: no request gets the token any more and the view is [`SessionView::Anonymous`] when this function
    /// returns, before its future is first polled, and even if that is dropped the server is told. The
    /// [`SignOutMarker`](crate::SignOutMarker) is made before anything else, and removed when the server has confirmed:
    /// whatever happens in between, a page that is loaded finishes the sign-out before it asks for anything.
    ///
    /// # Errors
    ///
    /// [`ApiError::Offline`] if the server could not be told yet, [`ApiError::Problem`] or [`ApiError::Unexpected`] if
    /// it answered with a failure. Nobody is signed in any more, but the cookie is still in the jar and good; the view
    /// says [`SignOutUnfinished`](crate::EndedBecause::SignOutUnfinished), and the manager goes on trying.
    pub fn sign_out(&self) -> impl Future<Output = Result<(), ApiError>> + use<> {
        self.apply(Event::SignOutAsked);
        let (reply, answer) = oneshot::channel();
        let departures = self.shared.read(|session| session.departures);
        self.enqueue(Job::SignOut { departures, reply });
        async { answer.await.unwrap_or(Err(ApiError::Offline)) }
    }

    /// Sends a request with the access token. If that is refused (401), refreshes once, shared with everybody else who
    /// needs it, and replays the request once.
    ///
    /// Replaying is safe for every method: a request whose token was refused has not been acted upon.
    ///
    /// Any answer of the server is an `Ok`, a second 401 included; see [`ApiResponse::json`]. While the session is
    /// [`SessionView::Reconnecting`] and the last token has ended, this waits for the next attempt to reconnect.
    ///
    /// # Errors
    ///
    /// [`ApiError::SignedOut`] if there is no session, or if it ended or became another's while this was under way;
    /// [`ApiError::Offline`] if no answer came or the next attempt to reconnect failed. The view is then
    /// [`SessionView::Reconnecting`] until the manager, which tries by itself, has reached the server again;
    /// [`ApiError::Unexpected`] with status 0 if the path is not one of this origin.
    pub async fn send(&self, request: ApiRequest) -> Result<ApiResponse, ApiError> {
        self.send_first_with(AccessToken::clone, request).await
    }

    /// As [`SessionManager::send`], with something else than the token at hand the first time.
    pub(crate) async fn send_first_with(
        &self,
        what: impl FnOnce(&AccessToken) -> AccessToken,
        request: ApiRequest,
    ) -> Result<ApiResponse, ApiError> {
        if !request.stays_home() {
            return Err(ApiError::Unexpected { status: 0 });
        }
        let epoch = self.epoch();
        let first = self.token(epoch).await?;
        let answer = self.exchange(&request, what(&first.token), epoch).await?;
        if !answer.refuses_token() || !self.may_try_again(&first) {
            return Ok(answer);
        }
        self.apply(Event::TokenRefused { id: first.id });
        let second = self.token(epoch).await?;
        let answer = self.exchange(&request, second.token.clone(), epoch).await?;
        let mut breaker = self.shared.breaker.borrow_mut();
        if answer.refuses_token() {
            breaker.refused_again(second.id, self.now());
        } else {
            breaker.accepted();
        }
        Ok(answer)
    }

    /// What other tabs and the browser say is acted upon at once, whatever the queue is busy with.
    fn listen_to_the_browser(&self) {
        let step = |what: &Self| {
            let (shared, queue) = (Rc::downgrade(&what.shared), Rc::downgrade(&what.queue));
            move |event: &dyn Fn(Around) -> Event| {
                if let (Some(shared), Some(queue)) = (shared.upgrade(), queue.upgrade()) {
                    // If there is nothing to do, there may be something else to wait for.
                    let job = shared.apply(event(shared.look_around())).unwrap_or(Job::Look);
                    let _ = queue.unbounded_send(job);
                }
            }
        };
        let (hear, wake) = (step(self), step(self));
        self.shared.ports.channel.listen(Box::new(move |news| {
            hear(&|around| Event::Heard {
                news: news.clone(),
                around,
            });
        }));
        self.shared.ports.wakeups.listen(Box::new(move |wakeup| {
            wake(&|around| Event::Woken { wakeup, around });
        }));
    }

    pub(crate) fn epoch(&self) -> Epoch {
        self.shared.read(|session| session.epoch)
    }

    pub(crate) fn apply(&self, event: Event) {
        if let Some(job) = self.shared.apply(event) {
            self.enqueue(job);
        }
    }

    pub(crate) async fn enter(&self, request: ApiRequest) -> Result<User, ApiError> {
        let (reply, answer) = oneshot::channel();
        let departures = self.shared.read(|session| session.departures);
        self.enqueue(Job::SignIn {
            departures,
            request,
            reply,
        });
        answer.await.unwrap_or(Err(ApiError::Offline))
    }

    /// Without a driver the job is dropped, and with it the reply: the caller hears `Offline`.
    fn enqueue(&self, job: Job) {
        let _ = self.queue.unbounded_send(job);
    }

    /// A token of this epoch's session: the one in memory, or else the one that the next attempt brings.
    pub(crate) async fn token(&self, epoch: Epoch) -> Result<Held, ApiError> {
        self.same_session(epoch)?;
        let now = self.now();
        let at_hand = self
            .shared
            .read(|session| session.held().filter(|held| held.is_usable(now)).cloned());
        if let Some(held) = at_hand {
            return Ok(held);
        }
        if self.shared.read(Session::is_over) {
            return Err(ApiError::SignedOut);
        }
        let attempt = self.shared.next_attempt();
        self.apply(Event::TokenWanted);
        attempt.await.map_err(|_| ApiError::Offline)?;
        self.same_session(epoch)?;
        // A token that just came is used even if its lifetime is so short that it seems to have ended: the server
        // decides, and this ends here either way.
        self.shared.read(|session| match &session.state {
            State::SignedIn { held, .. } => Ok(held.clone()),
            State::Anonymous { .. } | State::Leaving { .. } => Err(ApiError::SignedOut),
            State::Unknown { .. } | State::Refreshing { .. } | State::Reconnecting { .. } => {
                Err(ApiError::Offline)
            }
        })
    }

    async fn exchange(
        &self,
        request: &ApiRequest,
        token: AccessToken,
        epoch: Epoch,
    ) -> Result<ApiResponse, ApiError> {
        let request = ApiRequest {
            bearer: Some(token),
            ..request.clone()
        };
        let answer = self.shared.ports.transport.send(request).await;
        self.same_session(epoch)?;
        answer.map_err(|_| {
            let (now, jitter) = (self.now(), self.shared.ports.jitter.next());
            let event = Event::SendFailed { epoch, now, jitter };
            // If there is nothing to do, there is an attempt to reconnect to wait for.
            self.enqueue(self.shared.apply(event).unwrap_or(Job::Look));
            ApiError::Offline
        })
    }

    /// What was asked for by one session is answered to that session alone.
    fn same_session(&self, epoch: Epoch) -> Result<(), ApiError> {
        if self.epoch() == epoch {
            Ok(())
        } else {
            Err(ApiError::SignedOut)
        }
    }

    /// Trying a newer token costs nothing; getting one is subject to the brake.
    pub(crate) fn may_try_again(&self, refused: &Held) -> bool {
        let is_current = self
            .shared
            .read(|session| session.held().is_some_and(|held| held.id == refused.id));
        !is_current || self.shared.breaker.borrow().permits(self.now())
    }
}

impl fmt::Debug for SessionManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionManager")
            .field("shared", &self.shared)
            .finish_non_exhaustive()
    }
}
