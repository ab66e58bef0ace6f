//! Phases and time-outs of one connection, from its first byte to its end.
//!
//! hyper has one timer for both the wait between two requests and the head of a request (`header_read_timeout`). They
//! need different limits. Proxies keep connections open and idle for a minute or more, and answer 502 if one closes
//! while they use it. A head that has begun is either complete within seconds or an attack (slowloris). So hyper's
//! timer is off, and this module watches the bytes instead.
//!
//! A connection is always in one phase, and each phase has a deadline:
//!
//! | phase | from | until | limit |
//! |---|---|---|---|
//! | idle | the end of a response, or the start | the first byte of a request | `http.idle_timeout` |
//! | head | that byte | the end of the head | `http.header_timeout` |
//! | request | that | the end of the response | none here: handlers have their own time limits |
//!
//! In every phase, a write that makes no progress for `http.write_timeout` ends the connection.
//!
//! What hyper cannot parse never reaches our routes: hyper answers 400, 414 or 431 directly. It writes that response
//! while no request is in progress and nothing else is written, so the stream recognises it and adds the security
//! headers.

use std::{
    io::{self, IoSlice},
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, Response},
};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, sleep_until},
};

use crate::{config::Http, middleware::security_headers};

/// The limits of a connection's phases.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timeouts {
    idle: Duration,
    head: Duration,
    write: Duration,
}

/// Which limit a connection exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExceededTimeout {
    Idle,
    Head,
    Write,
}

/// What a connection is doing. Shared by its stream, its service and its watchdog.
#[derive(Debug, Clone)]
pub(super) struct Monitor(Arc<Mutex<Progress>>);

#[derive(Debug)]
struct Progress {
    phase: Phase,
    /// When the phase began.
    since: Instant,
    /// Since when the peer has not accepted what we want to write.
    blocked: Option<Instant>,
    /// The last response is complete, but hyper may still hold a part of it.
    unflushed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Idle,
    Head,
    Request,
}

/// A request in progress. Dropping it makes the connection idle.
#[derive(Debug)]
pub(super) struct RequestGuard(Monitor);

/// A stream that reports reads and writes to the monitor.
#[derive(Debug)]
pub(super) struct Monitored<S> {
    stream: S,
    monitor: Monitor,
    /// The rest of a response from hyper itself, with our headers.
    extended: Bytes,
}

/// A response body that holds the request's guard until it is sent.
#[derive(Debug)]
pub(super) struct GuardedBody {
    body: Body,
    _guard: RequestGuard,
}

impl Timeouts {
    pub(super) fn new(http: &Http) -> Self {
        Self {
            idle: http.idle_timeout,
            head: http.header_timeout,
            write: http.write_timeout,
        }
    }

    /// The limits for a connection that is to be refused: it may last only this long.
    pub(super) fn at_most(self, limit: Duration) -> Self {
        Self {
            idle: self.idle.min(limit),
            head: self.head.min(limit),
            write: self.write.min(limit),
        }
    }
}

impl ExceededTimeout {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Head => "head",
            Self::Write => "write",
        }
    }
}

impl Monitor {
    /// Starts monitoring a connection that has just been accepted.
    pub(super) fn start() -> Self {
        Self(Arc::new(Mutex::new(Progress {
            phase: Phase::Idle,
            since: Instant::now(),
            blocked: None,
            unflushed: false,
        })))
    }

    pub(super) fn watch<S>(&self, stream: S) -> Monitored<S> {
        Monitored {
            stream,
            monitor: self.clone(),
            extended: Bytes::new(),
        }
    }

    /// Marks the head of a request as complete.
    pub(super) fn begin_request(&self) -> RequestGuard {
        self.progress().enter(Phase::Request);
        RequestGuard(self.clone())
    }

    /// Runs the connection until it ends or exceeds a limit. Dropping `connection` closes it.
    ///
    /// # Errors
    /// The exceeded limit.
    pub(super) async fn within<F: Future>(
        &self,
        timeouts: Timeouts,
        connection: F,
    ) -> Result<F::Output, ExceededTimeout> {
        let mut connection = pin!(connection);
        let mut alarm = pin!(sleep_until(Instant::now()));
        std::future::poll_fn(|context| {
            // Polled first, because what has already arrived counts.
            if let Poll::Ready(output) = connection.as_mut().poll(context) {
                return Poll::Ready(Ok(output));
            }
            // Every change of phase happens in the poll above, so the deadline needs no separate waker.
            let Some((deadline, expired)) = self.progress().deadline(timeouts) else {
                return Poll::Pending;
            };
            if alarm.deadline() != deadline {
                alarm.as_mut().reset(deadline);
            }
            ready!(alarm.as_mut().poll(context));
            Poll::Ready(Err(expired))
        })
        .await
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress {
    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.since = Instant::now();
    }

    fn received(&mut self) {
        if self.phase == Phase::Idle {
            self.enter(Phase::Head);
        }
    }

    fn wrote(&mut self) {
        self.blocked = None;
        // The rest of a response that hyper has already taken from the body.
        if self.phase == Phase::Idle {
            self.since = Instant::now();
        }
    }

    fn could_not_write(&mut self) {
        self.blocked.get_or_insert_with(Instant::now);
    }

    fn deadline(&self, timeouts: Timeouts) -> Option<(Instant, ExceededTimeout)> {
        let reading = match self.phase {
            Phase::Idle => Some((self.since + timeouts.idle, ExceededTimeout::Idle)),
            Phase::Head => Some((self.since + timeouts.head, ExceededTimeout::Head)),
            Phase::Request => None,
        };
        let writing = self
            .blocked
            .map(|since| (since + timeouts.write, ExceededTimeout::Write));
        reading.into_iter().chain(writing).min_by_key(|(at, _)| *at)
    }
}

impl RequestGuard {
    /// Keeps the guard until the response is sent.
    pub(super) fn until_sent(self, response: Response<Body>) -> Response<GuardedBody> {
        response.map(|body| GuardedBody { body, _guard: self })
    }
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        let mut progress = self.0.progress();
        progress.enter(Phase::Idle);
        progress.unflushed = true;
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Monitored<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.monitor.progress().received();
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> Monitored<S> {
    fn record_progress(&self, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &polled {
            Poll::Ready(Ok(written)) if *written > 0 => self.monitor.progress().wrote(),
            Poll::Ready(_) => {}
            Poll::Pending => self.monitor.progress().could_not_write(),
        }
        polled
    }

    /// Takes over a response that hyper writes without our routes: a head without a body.
    fn extend(&mut self, slices: &[IoSlice<'_>]) -> Option<usize> {
        let progress = self.monitor.progress();
        if progress.phase == Phase::Request || progress.unflushed {
            return None;
        }
        drop(progress);
        let head: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
        let fields = head.strip_suffix(b"\r\n")?;
        if !fields.starts_with(b"HTTP/1.1 4") || !fields.ends_with(b"\r\n") {
            return None;
        }
        let mut extended = fields.to_vec();
        let mut ours = HeaderMap::new();
        security_headers::add_common_headers(&mut ours);
        for (name, value) in &ours {
            extended.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
        extended.extend(b"\r\n");
        self.extended = extended.into();
        Some(head.len())
    }

    fn poll_extended(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.extended.is_empty() {
            let polled = Pin::new(&mut self.stream).poll_write(context, &self.extended);
            let written = ready!(self.record_progress(polled))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            drop(self.extended.split_to(written));
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Monitored<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_extended(context))?;
        if let Some(taken) = self.extend(slices) {
            return Poll::Ready(Ok(taken));
        }
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.record_progress(polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper flushes when it has nothing more to write.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_extended(context))?;
        self.monitor.progress().unflushed = false;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_extended(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl HttpBody for GuardedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
