//! Client networks: which addresses count as one client, for every limit.

use std::net::IpAddr;

/// The address itself, or the /64 network of an IPv6 address, because one subscriber has all of it.
pub fn network_of(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(ip) => IpAddr::from((ip.to_bits() & !u128::from(u64::MAX)).to_be_bytes()),
    }
}
