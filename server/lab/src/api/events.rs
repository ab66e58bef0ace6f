//! Event streams: the full state of a run or a simulation, after every change.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::FromRequestParts,
    http::{HeaderName, request::Parts},
    response::{
        IntoResponse,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::stream;
use serde::Serialize;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};
use web::{error::ApiError, extract::client_ip};

use crate::{state::Lab, stream_limit::StreamPermit};

/// How long a visitor with too many streams should wait. A stream without an event stays open for as long.
pub(super) const QUIET: Duration = Duration::from_secs(20);

const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Proof that this visitor may open another event stream.
pub(super) struct StreamSlot {
    lab: Arc<Lab>,
    permit: StreamPermit,
}

impl FromRequestParts<Arc<Lab>> for StreamSlot {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, lab: &Arc<Lab>) -> Result<Self, ApiError> {
        match lab.streams.open(client_ip(parts)) {
            Some(permit) => Ok(Self {
                lab: Arc::clone(lab),
                permit,
            }),
            None => Err(ApiError::rate_limited(QUIET).with_detail(
                "Too many pages on your network follow the lab live. Close one of them, then reload this page.",
            )),
        }
    }
}

impl StreamSlot {
    /// Streams an event now and after every change. The stream ends when `event` returns `None`, the lab closes, or a
    /// wait lasts until `deadline`. A header keeps proxies from buffering the events, as nginx would do.
    pub(super) fn stream<C: Send + Sync + 'static>(
        self,
        changes: watch::Receiver<C>,
        deadline: impl Fn() -> Instant + Send + 'static,
        event: impl Fn(&C) -> Option<Event> + Send + 'static,
    ) -> impl IntoResponse {
        let Self { lab, permit } = self;
        let first = (lab, permit, changes, deadline, event, true);
        let events = stream::unfold(
            first,
            async |(lab, permit, mut changes, deadline, event, is_first)| {
                if !is_first {
                    tokio::select! {
                        // Events are sent before the end.
                        biased;
                        outcome = changes.changed() => outcome.ok()?,
                        () = lab.closed() => return None,
                        () = sleep_until(deadline()) => return None,
                    }
                }
                let next = event(&changes.borrow_and_update())?;
                Some((
                    Ok::<_, Infallible>(next),
                    (lab, permit, changes, deadline, event, false),
                ))
            },
        );
        (
            [(X_ACCEL_BUFFERING, "no")],
            Sse::new(events).keep_alive(KeepAlive::default()),
        )
    }
}

/// An event with its data in JSON.
pub(super) fn event(name: &str, data: &impl Serialize) -> Event {
    Event::default().event(name).json_data(data).unwrap_or_default()
}
