//! Opening a port.

use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::error::CliError;

/// Opens a port.
///
/// # Errors
/// [`CliError::Listen`] with the configuration key, if the port is taken or not allowed.
pub(super) async fn bind(address: SocketAddr, key: &'static str) -> Result<TcpListener, CliError> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|why| CliError::Listen { key, address, why })
}
