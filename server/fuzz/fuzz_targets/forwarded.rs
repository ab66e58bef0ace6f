//! `X-Forwarded-For` and `Forwarded`: an untrusted peer is the client itself, and behind trusted proxies no client chooses
//! its own address.
//!
//! The first byte chooses: if it is even (`0`), the second says by its bits which of the lines that follow are `Forwarded`.
//! If it is odd (`1`), a chain of proxies is built from the bytes, and the lines at the end are what the client sent.

#![no_main]

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::LazyLock,
};

use axum::http::{HeaderMap, HeaderName, HeaderValue, header::FORWARDED};
use keyturn_fuzz::{config::TrustedProxies, extract::resolve, header_values};
use libfuzzer_sys::fuzz_target;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PEERS: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1)),
];

static TRUSTED: LazyLock<TrustedProxies> =
    LazyLock::new(|| serde_json::from_str(r#"["10.0.0.0/8", "fd00::/8", "192.0.2.7"]"#).expect("networks"));
static OTHERS: LazyLock<TrustedProxies> =
    LazyLock::new(|| serde_json::from_str(r#"["172.16.0.0/12", "fe80::/10"]"#).expect("networks"));

fuzz_target!(|data: &[u8]| {
    let Some((choice, data)) = data.split_first() else {
        return;
    };
    let peer = PEERS[usize::from(choice >> 1 & 1)];
    if choice & 1 == 0 {
        any_headers(peer, data);
    } else {
        chain_of_proxies(peer, &mut Bytes(data));
    }
});

// ------------------------------------------------------------------------------------------------------------- any headers

fn any_headers(peer: IpAddr, data: &[u8]) {
    let Some((standard, data)) = data.split_first() else {
        return;
    };
    let mut headers = HeaderMap::new();
    for (number, value) in header_values(data).into_iter().enumerate() {
        let is_standard = standard >> (number % 8) & 1 == 1;
        headers.append(if is_standard { FORWARDED } else { X_FORWARDED_FOR }, value);
    }
    for trusted in [&TrustedProxies::Unset, &TrustedProxies::None, &OTHERS] {
        assert_eq!(resolve(peer, &headers, trusted), peer);
    }
    let client = resolve(peer, &headers, &TRUSTED);
    // One spelling for one address, or a client would have two rate limits.
    assert_eq!(client, client.to_canonical());
    assert!(client == peer || is_mentioned(&headers, client), "{client}");
    if !headers.values().any(|value| value.as_bytes().contains(&b'"')) {
        assert_eq!(client, expected_client(peer, &headers));
    }
}

/// An independent reading of headers without quotes: join the lines, split at each comma, go from the right.
fn expected_client(peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let last_hop = |name: HeaderName, address: fn(&str) -> Option<IpAddr>| {
        let lines: Vec<_> = headers
            .get_all(&name)
            .iter()
            .map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned())
            .collect();
        if lines.is_empty() {
            return None;
        }
        let list = lines.join(",");
        let mut elements: Vec<_> = list.split(',').map(without_blanks).collect();
        elements.retain(|element| !element.is_empty());
        let mut nearest = peer;
        while let Some(ip) = elements.pop().and_then(address) {
            nearest = ip;
            if !TRUSTED.contains(ip) {
                break;
            }
        }
        Some(nearest)
    };
    let forwarded = last_hop(FORWARDED, |element| {
        let is_for = |name: &str| without_blanks(name).eq_ignore_ascii_case("for");
        let mut nodes = element.split(';').filter_map(|pair| pair.split_once('='));
        let mut nodes = nodes.by_ref().filter(|(name, _)| is_for(name));
        let (_, node) = nodes.next()?;
        if nodes.next().is_some() {
            return None;
        }
        expected_address(without_blanks(node))
    });
    match (last_hop(X_FORWARDED_FOR, expected_address), forwarded) {
        (Some(one), Some(other)) => {
            if one == other {
                one
            } else {
                peer
            }
        }
        (one, other) => one.or(other).unwrap_or(peer),
    }
}

/// An address, bare or with a port; with a port an IPv6 address is in brackets.
fn expected_address(text: &str) -> Option<IpAddr> {
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Some(ip.to_canonical());
    }
    let without_brackets = |text: &str| {
        let ip: Ipv6Addr = text.strip_prefix('[')?.strip_suffix(']')?.parse().ok()?;
        Some(IpAddr::V6(ip).to_canonical())
    };
    if let Some(ip) = without_brackets(text) {
        return Some(ip);
    }
    let (address, port) = text.rsplit_once(':')?;
    let is_number = (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit());
    let is_obfuscated = port.len() > 1
        && port.starts_with('_')
        && port
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if !is_number && !is_obfuscated {
        return None;
    }
    let v4 = || address.parse::<Ipv4Addr>().ok().map(IpAddr::V4);
    without_brackets(address).or_else(v4)
}

fn without_blanks(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// Whether these headers contain an address.
fn is_mentioned(headers: &HeaderMap, ip: IpAddr) -> bool {
    headers.values().any(|value| {
        let text = String::from_utf8_lossy(value.as_bytes());
        text.split(|c: char| !(c.is_ascii_hexdigit() || c == ':' || c == '.'))
            .flat_map(|word| [word, word.split(':').next().unwrap_or_default()])
            .filter_map(|word| word.parse::<IpAddr>().ok())
            .any(|found| found.to_canonical() == ip)
    })
}

// ------------------------------------------------------------------------------------------------------- chain of proxies

/// What is left of the input; zeros when nothing is left.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn next(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().map_or((0, &[][..]), |(b, rest)| (*b, rest));
        self.0 = rest;
        first
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.next())
    }
}

fn chain_of_proxies(peer: IpAddr, bytes: &mut Bytes) {
    let flags = bytes.next();
    let (is_standard, is_one_line, has_other) = (flags & 1 == 1, flags & 2 == 2, flags & 4 == 4);
    let client = if flags & 8 == 8 {
        IpAddr::V6(bytes.array::<16>().into()).to_canonical()
    } else {
        IpAddr::V4(bytes.array::<4>().into())
    };
    if TRUSTED.contains(client) {
        return;
    }
    // The first proxy writes the client's address, and each of the others that of the proxy before it.
    let mut hops = vec![element(client, is_standard, bytes.next())];
    for _ in 0..bytes.next() % 4 {
        let [a, b, c, spelling] = bytes.array();
        let proxy = match spelling >> 6 {
            0 => IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, a.into(), 0, 0, b.into(), c.into())),
            1 => IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)),
            _ => IpAddr::V4(Ipv4Addr::new(10, a, b, c)),
        };
        hops.push(element(proxy, is_standard, spelling));
    }
    let hops = hops.join(if flags & 16 == 16 { "," } else { " ,, \t" });

    let (header, other) = if is_standard {
        (FORWARDED, X_FORWARDED_FOR)
    } else {
        (X_FORWARDED_FOR, FORWARDED)
    };
    let mut sent = header_values(bytes.0);
    let other_value = if has_other { sent.pop() } else { None };
    let mut headers = HeaderMap::new();
    let last = if is_one_line { sent.pop() } else { None };
    for value in sent {
        headers.append(&header, value);
    }
    // A proxy adds to the client's line, or adds another line after it.
    let line = match last {
        Some(value) => [value.as_bytes(), b", ", hops.as_bytes()].concat(),
        None => hops.into_bytes(),
    };
    headers.append(&header, HeaderValue::from_bytes(&line).expect("a header value"));
    let has_other = other_value.is_some();
    if let Some(value) = other_value {
        headers.append(other, value);
    }

    let found = resolve(peer, &headers, &TRUSTED);
    // By the header that its proxies do not write, a client can only hide among all clients of the proxy.
    assert!(
        found == client || has_other && found == peer,
        "{found} and not {client}: {headers:?}"
    );
    assert_eq!(resolve(client, &headers, &TRUSTED), client);
}

/// One element as a proxy writes it, in one of the spellings that proxies use.
fn element(ip: IpAddr, is_standard: bool, spelling: u8) -> String {
    let port = ["", ":4711", ":_hidden"][usize::from(spelling % 3)];
    let node = match ip {
        IpAddr::V4(v4) if spelling & 8 == 8 && port.is_empty() => v4.to_ipv6_mapped().to_string(),
        IpAddr::V4(v4) => format!("{v4}{port}"),
        IpAddr::V6(v6) if spelling & 8 == 8 && port.is_empty() && !is_standard => v6.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]{port}"),
    };
    if !is_standard {
        return node;
    }
    let node = if node.contains(':') || spelling & 16 == 16 {
        format!("\"{node}\"")
    } else {
        node
    };
    // The client chooses the host: a proxy quotes it.
    match spelling >> 4 & 3 {
        0 => format!("for={node}"),
        1 => format!("proto=https;For={node};by=203.0.113.43"),
        2 => format!("by=\"_a\";host=\"keyturn.example, \\\"x\" ; FOR={node}"),
        _ => format!("for={node};host=\"a,b;for=6.6.6.6;c\\\\\""),
    }
}
