//! Limits on the number of open connections: for the whole listener, and per client address.
//!
//! Each connection uses a file descriptor, and a second one while a file is sent. Without a limit, clients that open
//! idle connections exhaust the descriptors, and the server can then open neither files nor database connections.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use crate::{
    config::{Http, TrustedProxies},
    network::network_of,
};

/// How many refused connections may be open at a time to receive the reason. Beyond that they are closed without a
/// response.
const REFUSALS: usize = 32;
/// The interval in which all refusals share one warning, because refusing must stay cheaper than connecting.
const WARNING_EVERY: Duration = Duration::from_secs(10);
/// The divisor of `http.max_connections` for the other listeners, the lab's and the administrator's.
const SMALL_SHARE: usize = 8;

/// Counts the open connections of one or more listeners and refuses those beyond the limits.
#[derive(Debug, Clone)]
pub struct ConnectionGate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    all: usize,
    per_address: usize,
    /// A proxy's connections carry the requests of many clients.
    trusted_proxies: TrustedProxies,
    /// Whether connections count in the metrics.
    has_metrics: bool,
    open: Mutex<OpenConnections>,
    refusals: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct OpenConnections {
    all: usize,
    by_network: HashMap<IpAddr, usize>,
    last_warning: Option<Instant>,
    refused_since: u64,
}

/// An open connection. Dropping it frees its place.
#[derive(Debug)]
pub(super) struct Admission {
    gate: ConnectionGate,
    /// `None`: a trusted proxy, which is not counted per address.
    network: Option<IpAddr>,
}

/// Which limit was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConnectionLimit {
    Total,
    PerAddress,
}

impl ConnectionGate {
    /// The gate of the site's listener.
    pub fn new(http: &Http) -> Self {
        Self::with(http, http.max_connections, true)
    }

    /// The gate of listeners with few clients. They get a small part of the site's connections.
    pub fn small(http: &Http) -> Self {
        Self::with(http, http.max_connections.div_ceil(SMALL_SHARE), false)
    }

    fn with(http: &Http, all: usize, has_metrics: bool) -> Self {
        Self(Arc::new(Inner {
            all,
            per_address: http.max_connections_per_address,
            trusted_proxies: http.trusted_proxies.clone(),
            has_metrics,
            open: Mutex::default(),
            refusals: Arc::new(Semaphore::new(REFUSALS)),
        }))
    }

    /// Admits and counts a connection.
    ///
    /// # Errors
    /// The limit that it would exceed.
    pub(super) fn admit(&self, peer: IpAddr) -> Result<Admission, ConnectionLimit> {
        let peer = peer.to_canonical();
        let is_proxy = self.0.trusted_proxies.contains(peer);
        let network = (!is_proxy).then(|| network_of(peer));
        let mut open = self.open();
        if open.all >= self.0.all {
            return Err(self.refuse(&mut open, ConnectionLimit::Total));
        }
        if let Some(network) = network {
            if open.by_network.get(&network).copied().unwrap_or(0) >= self.0.per_address {
                return Err(self.refuse(&mut open, ConnectionLimit::PerAddress));
            }
            *open.by_network.entry(network).or_insert(0) += 1;
        }
        open.all += 1;
        if self.0.has_metrics {
            metrics::counter!("keyturn_connections_accepted_total").increment(1);
        }
        self.report(open.all);
        Ok(Admission {
            gate: self.clone(),
            network,
        })
    }

    /// A permit to tell a refused connection why, if not too many are being told already.
    pub(super) fn refusal_permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0.refusals).try_acquire_owned().ok()
    }

    pub(super) fn has_metrics(&self) -> bool {
        self.0.has_metrics
    }

    fn refuse(&self, open: &mut OpenConnections, refusal: ConnectionLimit) -> ConnectionLimit {
        open.refused_since += 1;
        if self.0.has_metrics {
            metrics::counter!("keyturn_connections_refused_total", "limit" => refusal.key()).increment(1);
        }
        let now = Instant::now();
        if open.last_warning.is_none_or(|at| now - at >= WARNING_EVERY) {
            tracing::warn!(
                limit = refusal.key(),
                open = open.all,
                refused = open.refused_since,
                "connection refused: limit reached"
            );
            open.last_warning = Some(now);
            open.refused_since = 0;
        }
        refusal
    }

    fn report(&self, open: usize) {
        if self.0.has_metrics {
            // `f64` because that is the type of gauges; it represents a count of connections exactly.
            metrics::gauge!("keyturn_connections_open")
                .set(f64::from(u32::try_from(open).unwrap_or(u32::MAX)));
        }
    }

    fn open(&self) -> MutexGuard<'_, OpenConnections> {
        // Counters stay correct even if a holder panicked.
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        let mut open = self.gate.open();
        open.all -= 1;
        if let Some(network) = self.network
            && let Entry::Occupied(mut count) = open.by_network.entry(network)
        {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
        self.gate.report(open.all);
    }
}

impl ConnectionLimit {
    /// The configuration key of the limit.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Total => "http.max_connections",
            Self::PerAddress => "http.max_connections_per_address",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(all: usize, per_address: usize, proxies: &[&str]) -> ConnectionGate {
        let proxies = proxies.iter().map(|net| net.parse().expect("a network"));
        let trusted_proxies = TrustedProxies::Networks(proxies.collect());
        ConnectionGate::new(&Http {
            max_connections: all,
            max_connections_per_address: per_address,
            trusted_proxies,
            ..Http::default()
        })
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn connections_per_address_are_limited() {
        let gate = gate(10, 2, &[]);
        let held: Vec<_> = (0..2).map(|_| gate.admit(ip("192.0.2.1"))).collect();
        assert!(held.iter().all(Result::is_ok));
        assert_eq!(
            gate.admit(ip("192.0.2.1")).err(),
            Some(ConnectionLimit::PerAddress)
        );
        // The same address on a dual-stack socket.
        assert_eq!(
            gate.admit(ip("::ffff:192.0.2.1")).err(),
            Some(ConnectionLimit::PerAddress)
        );
        assert!(gate.admit(ip("192.0.2.2")).is_ok());
        drop(held);
        assert!(gate.admit(ip("192.0.2.1")).is_ok());
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        let gate = gate(10, 1, &[]);
        let _held = gate.admit(ip("2001:db8:1:2::1")).expect("the first");
        assert_eq!(
            gate.admit(ip("2001:db8:1:2:ffff::9")).err(),
            Some(ConnectionLimit::PerAddress)
        );
        assert!(gate.admit(ip("2001:db8:1:3::1")).is_ok());
    }

    #[test]
    fn a_trusted_proxy_has_only_the_total_limit() {
        let gate = gate(3, 1, &["10.0.0.0/8"]);
        let held: Vec<_> = (0..3).map(|_| gate.admit(ip("10.1.2.3"))).collect();
        assert!(held.iter().all(Result::is_ok));
        assert_eq!(gate.admit(ip("10.1.2.3")).err(), Some(ConnectionLimit::Total));
        assert_eq!(gate.admit(ip("192.0.2.1")).err(), Some(ConnectionLimit::Total));
    }

    #[test]
    fn a_closed_connection_frees_its_place() {
        let gate = gate(2, 1, &[]);
        for last in 0..100_u8 {
            drop(gate.admit(IpAddr::from([192, 0, 2, last])));
        }
        let open = gate.open();
        assert_eq!((open.all, open.by_network.len()), (0, 0));
    }
}
