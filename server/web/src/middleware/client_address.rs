//! Resolves the client's address once per request, so that rate limits, the log and the list of sessions agree.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};

use crate::{
    current_request,
    extract::{ClientAddress, Peer, resolve},
    state::AppState,
};

/// Middleware that resolves the client's address.
pub async fn resolve_client_address(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = request.extensions().get::<Peer>().copied();
    if let Some(Peer(peer)) = peer {
        let peer = peer.ip().to_canonical();
        let trusted = &state.config.http.trusted_proxies;
        if !trusted.contains(peer) {
            state.proxy_warnings.warn_once(peer, request.headers());
        }
        let client = resolve(peer, request.headers(), trusted);
        request.extensions_mut().insert(ClientAddress(client));
        return current_request::with_client(client, next.run(request)).await;
    }
    next.run(request).await
}
