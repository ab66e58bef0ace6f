//! A server whose responses and their timing the test controls.

use std::{cell::RefCell, rc::Rc};

use futures::{FutureExt, channel::oneshot, future::LocalBoxFuture};
use session_client::{ApiRequest, Method, TransportError};

use crate::shared::TransportResult;

type UnansweredRequest = (String, oneshot::Sender<TransportResult>);

/// A request as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecordedRequest {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) bearer: Option<String>,
    pub(crate) body: Option<String>,
}

/// The server: it answers when the test says so.
#[derive(Clone, Default)]
pub(crate) struct ManualServer {
    log: Rc<RefCell<Vec<RecordedRequest>>>,
    open: Rc<RefCell<Vec<UnansweredRequest>>>,
}

impl ManualServer {
    pub(super) fn answer(&self, path: &str, answer: TransportResult) {
        let position = self.open.borrow().iter().position(|(open, _)| open == path);
        let position =
            position.unwrap_or_else(|| panic!("no open request to {path}, only {:?}", self.open_paths()));
        let (_, reply) = self.open.borrow_mut().remove(position);
        // The caller may have been dropped meanwhile.
        let _ = reply.send(answer);
    }

    pub(super) fn log(&self) -> Vec<RecordedRequest> {
        self.log.borrow().clone()
    }

    pub(super) fn open_paths(&self) -> Vec<String> {
        self.open.borrow().iter().map(|(path, _)| path.clone()).collect()
    }
}

impl session_client::Transport for ManualServer {
    fn send(&self, request: ApiRequest) -> LocalBoxFuture<'static, TransportResult> {
        self.log.borrow_mut().push(RecordedRequest {
            method: request.method,
            path: request.path.clone(),
            bearer: request.bearer.map(|token| token.expose().to_owned()),
            body: request.body,
        });
        let (reply, answer) = oneshot::channel();
        self.open.borrow_mut().push((request.path, reply));
        answer
            .map(|answer| answer.unwrap_or(Err(TransportError)))
            .boxed_local()
    }
}
