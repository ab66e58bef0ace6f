//! The public handle of the session manager.

use std::{fmt, future::Future, rc::Rc, time::Duration};

use api_types::{
    auth::{LoginRequest, RegisterRequest, User},
    paths,
};
use futures::channel::{mpsc, oneshot};

use crate::{
    AccessToken, ApiError, ApiRequest, ApiResponse, Method, Ports, RequestLog, SessionView, driver,
    event::{Environment, Event},
    queue::Job,
    shared::Shared,
    state::{Epoch, HeldToken, SessionMachine, SessionState},
};

/// The session of this page. Clones share it.
#[derive(Clone)]
pub struct SessionManager {
    pub(crate) shared: Rc<Shared>,
    request_log: RequestLog,
    /// Shared by the handles alone: the browser's listeners must not keep the manager alive.
    queue: Rc<mpsc::UnboundedSender<Job>>,
}

impl SessionManager {
    /// Creates a manager that starts with `initial`, and the future that drives it, which the caller spawns once. The
    /// future ends when the last handle is dropped.
    ///
    /// A view holds no token, so an `initial` view of a signed-in user starts as [`SessionView::Restoring`].
    pub fn new(mut ports: Ports, initial: SessionView) -> (Self, impl Future<Output = ()> + 'static) {
        let (queue, jobs) = mpsc::unbounded();
        let request_log = RequestLog::new(Rc::clone(&ports.clock));
        ports.transport = request_log.watch(ports.transport);
        let shared = Rc::new(Shared::new(ports, initial));
        let this = Self {
            shared: Rc::clone(&shared),
            request_log,
            queue: Rc::new(queue),
        };
        this.subscribe();
        (this, driver::drive(shared, jobs))
    }

    /// The current view of the session.
    pub fn view(&self) -> SessionView {
        self.shared.read(SessionMachine::view)
    }

    /// Calls `listener` after every change of the view, for as long as any handle lives.
    pub fn on_change(&self, listener: impl Fn(SessionView) + 'static) {
        self.shared.listen(Rc::new(listener));
    }

    /// The monotonic clock's time, for countdowns against `SessionView::SignedIn::expires_at`.
    pub fn now(&self) -> Duration {
        self.shared.ports.clock.now()
    }

    /// The most recent requests of this page, and their outcomes.
    pub fn request_log(&self) -> &RequestLog {
        &self.request_log
    }

    /// The silent refresh: restores the session after a page load. Waits until the first attempt has ended. The result
    /// may be [`SessionView::Reconnecting`]; then the manager continues to retry automatically.
    ///
    /// Does nothing if the session is already known. In particular it never restores a session that was signed out in
    /// this page.
    pub async fn restore(&self) -> SessionView {
        let attempt = self.shared.next_attempt();
        self.apply(Event::RestoreRequested);
        if self
            .shared
            .read(|session| matches!(session.state, SessionState::Refreshing { .. }))
        {
            self.request_log.mark_restoring();
            // If the driver was dropped, the attempt never completes, and the view shows that.
            let _ = attempt.await;
        }
        self.view()
    }

    /// Creates an account and signs it in.
    ///
    /// # Errors
    ///
    /// As [`SessionManager::sign_in`]; a [`Problem`](ApiError::Problem) may carry errors of individual fields.
    pub async fn register(&self, request: RegisterRequest) -> Result<User, ApiError> {
        self.submit_sign_in(ApiRequest::new(Method::Post, paths::REGISTER).with_json(&request))
            .await
    }

    /// Signs in. Replaces the current session after the server has accepted, and otherwise leaves it unchanged.
    ///
    /// # Errors
    ///
    /// [`ApiError::Problem`] if the server refused, [`ApiError::Offline`] if there was no response,
    /// [`ApiError::Unexpected`] if the response was not from this API, [`ApiError::SignedOut`] if a sign-out overtook
    /// it.
    pub async fn sign_in(&self, request: LoginRequest) -> Result<User, ApiError> {
        self.submit_sign_in(ApiRequest::new(Method::Post, paths::LOGIN).with_json(&request))
            .await
    }

    /// Takes the access token out of use immediately, then ends the session on the server. The sign-out request carries
    /// the token, because the cookie may have been cleared. The token is forgotten when the server has confirmed.
    ///
    /// The first part happens before this function returns, even before its future is polled: no request gets the token
    /// from then on, and the view is [`SessionView::Anonymous`]. The request to the server is sent even if the future
    /// is dropped. The [`SignOutMarker`](crate::SignOutMarker) is set before anything else, and removed when the server
    /// has confirmed. A page that is loaded in between finishes the sign-out before it sends anything else.
    ///
    /// # Errors
    ///
    /// [`ApiError::Offline`] if the server could not be reached yet, [`ApiError::Problem`] or [`ApiError::Unexpected`]
    /// if it answered with a failure. In these cases no one is signed in, but the jar still holds a valid cookie. The
    /// view shows [`SignOutUnfinished`](crate::SignedOutReason::SignOutUnfinished), and the manager continues to retry.
    pub fn sign_out(&self) -> impl Future<Output = Result<(), ApiError>> + use<> {
        self.apply(Event::SignOutRequested);
        let (reply, response) = oneshot::channel();
        let sign_out_count = self.shared.read(|session| session.sign_out_count);
        self.enqueue(Job::SignOut {
            sign_out_count,
            reply,
        });
        async { response.await.unwrap_or(Err(ApiError::Offline)) }
    }

    /// Sends a request with the access token. If the token is refused (401), refreshes once, shared with all other
    /// requests that need it, and repeats the request once.
    ///
    /// Sending it again is safe for every method, because the server has not acted on a request whose token it refused.
    ///
    /// Any response of the server is an `Ok`, including a second 401; see [`ApiResponse::json`]. While the session is
    /// [`SessionView::Reconnecting`] and the last token has expired, this waits for the next attempt to reconnect.
    ///
    /// # Errors
    ///
    /// [`ApiError::SignedOut`] if there is no session, or if it ended or was replaced meanwhile; [`ApiError::Offline`]
    /// if there was no response or the next attempt to reconnect failed. The view is then [`SessionView::Reconnecting`]
    /// until the manager, which retries automatically, has reached the server again; [`ApiError::Unexpected`] with
    /// status 0 if the path leads to another origin.
    pub async fn send(&self, request: ApiRequest) -> Result<ApiResponse, ApiError> {
        self.send_with_first_token(AccessToken::clone, request).await
    }

    /// As [`SessionManager::send`], but `first_token` chooses the token of the first attempt.
    pub(crate) async fn send_with_first_token(
        &self,
        first_token: impl FnOnce(&AccessToken) -> AccessToken,
        request: ApiRequest,
    ) -> Result<ApiResponse, ApiError> {
        if !request.is_same_origin() {
            return Err(ApiError::Unexpected { status: 0 });
        }
        let epoch = self.epoch();
        let first = self.token(epoch).await?;
        let response = self
            .send_with_token(&request, first_token(&first.token), epoch)
            .await?;
        if !response.refuses_token() || !self.may_retry(&first) {
            return Ok(response);
        }
        self.apply(Event::TokenRefused { id: first.id });
        let second = self.token(epoch).await?;
        let response = self
            .send_with_token(&request, second.token.clone(), epoch)
            .await?;
        let mut breaker = self.shared.breaker.borrow_mut();
        if response.refuses_token() {
            breaker.refused_again(second.id, self.now());
        } else {
            breaker.accepted();
        }
        Ok(response)
    }

    /// Subscribes to messages from other tabs and to browser events. They are handled immediately, whatever job is
    /// running.
    fn subscribe(&self) {
        let handler = |manager: &Self| {
            let (shared, queue) = (Rc::downgrade(&manager.shared), Rc::downgrade(&manager.queue));
            move |event: &dyn Fn(Environment) -> Event| {
                if let (Some(shared), Some(queue)) = (shared.upgrade(), queue.upgrade()) {
                    // Without a job, the driver must still check its next wake-up time.
                    let job = shared
                        .apply(event(shared.environment()))
                        .unwrap_or(Job::Reschedule);
                    let _ = queue.unbounded_send(job);
                }
            }
        };
        let (on_message, on_browser_event) = (handler(self), handler(self));
        self.shared.ports.channel.listen(Box::new(move |message| {
            on_message(&|environment| Event::MessageReceived {
                message: message.clone(),
                environment,
            });
        }));
        self.shared
            .ports
            .browser_events
            .listen(Box::new(move |browser_event| {
                on_browser_event(&|environment| Event::Browser {
                    browser_event,
                    environment,
                });
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

    pub(crate) async fn submit_sign_in(&self, request: ApiRequest) -> Result<User, ApiError> {
        let (reply, response) = oneshot::channel();
        let sign_out_count = self.shared.read(|session| session.sign_out_count);
        self.enqueue(Job::SignIn {
            sign_out_count,
            request,
            reply,
        });
        response.await.unwrap_or(Err(ApiError::Offline))
    }

    /// Without a driver the job is dropped together with its reply channel, and the caller gets `Offline`.
    fn enqueue(&self, job: Job) {
        let _ = self.queue.unbounded_send(job);
    }

    /// A token of this epoch's session: the one in memory, or else the one from the next attempt.
    pub(crate) async fn token(&self, epoch: Epoch) -> Result<HeldToken, ApiError> {
        self.ensure_same_session(epoch)?;
        let now = self.now();
        let usable = self
            .shared
            .read(|session| session.held().filter(|held| held.is_usable(now)).cloned());
        if let Some(held) = usable {
            return Ok(held);
        }
        if self.shared.read(SessionMachine::is_signed_out) {
            return Err(ApiError::SignedOut);
        }
        let attempt = self.shared.next_attempt();
        self.apply(Event::TokenNeeded);
        attempt.await.map_err(|_| ApiError::Offline)?;
        self.ensure_same_session(epoch)?;
        // A new token is used even if its lifetime is so short that it seems to have expired. The server decides, and
        // this ends here either way.
        self.shared.read(|session| match &session.state {
            SessionState::SignedIn { held, .. } => Ok(held.clone()),
            SessionState::Anonymous { .. } | SessionState::SigningOut { .. } => Err(ApiError::SignedOut),
            SessionState::Unknown { .. }
            | SessionState::Refreshing { .. }
            | SessionState::Reconnecting { .. } => Err(ApiError::Offline),
        })
    }

    async fn send_with_token(
        &self,
        request: &ApiRequest,
        token: AccessToken,
        epoch: Epoch,
    ) -> Result<ApiResponse, ApiError> {
        let request = ApiRequest {
            bearer: Some(token),
            ..request.clone()
        };
        let response = self.shared.ports.transport.send(request).await;
        self.ensure_same_session(epoch)?;
        response.map_err(|_| {
            let (now, jitter) = (self.now(), self.shared.ports.jitter.next());
            let event = Event::SendFailed { epoch, now, jitter };
            // Without a job, the driver must still check when to reconnect.
            self.enqueue(self.shared.apply(event).unwrap_or(Job::Reschedule));
            ApiError::Offline
        })
    }

    /// Fails if the session has changed: a response may only reach the session that sent the request.
    fn ensure_same_session(&self, epoch: Epoch) -> Result<(), ApiError> {
        if self.epoch() == epoch {
            Ok(())
        } else {
            Err(ApiError::SignedOut)
        }
    }

    /// Whether a refused request may be tried again. A newer token costs nothing; fetching one is subject to the
    /// breaker.
    pub(crate) fn may_retry(&self, refused: &HeldToken) -> bool {
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
