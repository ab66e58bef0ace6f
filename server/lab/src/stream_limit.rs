//! Limits the number of event streams per visitor.
//!
//! A stream holds a connection and a file descriptor for as long as its page is open. Each page needs one.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::IpAddr,
    sync::{Arc, Mutex},
};

use web::network::network_of;

use crate::lock::lock;

/// More than the tabs that a person watches at the same time, even together with other people on a small network.
const STREAMS: usize = 12;

/// Counts the open event streams of each IPv4 address and IPv6 /64 network.
#[derive(Debug, Clone, Default)]
pub struct StreamLimiter(Arc<Mutex<HashMap<Option<IpAddr>, usize>>>);

/// An open stream. Dropping it frees its place.
#[derive(Debug)]
pub struct StreamPermit {
    streams: StreamLimiter,
    network: Option<IpAddr>,
}

impl StreamLimiter {
    /// Counts a new stream. `None` if the visitor has reached the limit; requests without an address share one count.
    pub fn open(&self, visitor: Option<IpAddr>) -> Option<StreamPermit> {
        let network = visitor.map(network_of);
        let mut open = lock(&self.0);
        let count = open.entry(network).or_insert(0);
        if *count >= STREAMS {
            return None;
        }
        *count += 1;
        Some(StreamPermit {
            streams: self.clone(),
            network,
        })
    }
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        if let Entry::Occupied(mut count) = lock(&self.streams.0).entry(self.network) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_visitor_cannot_take_the_streams_of_others() {
        let streams = StreamLimiter::default();
        let ip = |text: &str| Some(text.parse().expect("an address"));
        let held: Vec<_> = (0..STREAMS).map(|_| streams.open(ip("2001:db8::1"))).collect();
        assert!(held.iter().all(Option::is_some));
        assert!(streams.open(ip("2001:db8::2")).is_none(), "the same /64");
        for other in [ip("2001:db8:1::1"), ip("192.0.2.1"), None] {
            assert!(streams.open(other).is_some(), "{other:?}");
        }
        drop(held);
        assert!(streams.open(ip("2001:db8::1")).is_some());
        assert!(lock(&streams.0).is_empty());
    }
}
