//! Trusted proxies: the peers whose forwarding headers are trusted.

use std::{fmt, net::IpAddr};

use ipnet::{IpNet, Ipv4Net};
use serde::{
    Deserialize, Deserializer,
    de::{Error, SeqAccess, Visitor},
};

/// The value that means “there is no proxy”.
const NONE: &str = "none";
/// The accepted values, for error messages.
const CHOICES: &str =
    r#"a list of addresses and networks, such as ["127.0.0.1", "10.0.0.0/8", "fd00::/8"], or "none""#;

/// `http.trusted_proxies`: the peers whose `X-Forwarded-For`, `Forwarded` and `X-Request-Id` headers are trusted.
///
/// In TOML: a list, one address, or the word `none`. In the environment: the same, or addresses separated by commas.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum TrustedProxies {
    /// The key is missing. Forwarding headers are ignored; an https origin requires an explicit choice.
    #[default]
    Unset,
    /// There is no proxy: forwarding headers are ignored.
    None,
    Networks(Vec<IpNet>),
}

impl TrustedProxies {
    /// Whether a peer's forwarding headers are trusted.
    pub fn contains(&self, ip: IpAddr) -> bool {
        match self {
            Self::Unset | Self::None => false,
            Self::Networks(networks) => networks.iter().any(|network| network.contains(&ip)),
        }
    }

    /// Checks the choice for an https origin. TLS usually ends at a proxy, and without the proxy's address all clients
    /// would share one address, one rate limit, and one entry in the list of sessions.
    ///
    /// # Errors
    /// What is missing, and both choices.
    pub(super) fn check_https(&self) -> Result<(), String> {
        match self {
            Self::Unset => Err(format!(
                "is required with an https origin: name the proxies in front of this server ({CHOICES} if browsers \
                 connect to it directly)"
            )),
            Self::Networks(networks) if networks.is_empty() => Err(format!(
                "is an empty list, which with an https origin may mean two things: write {CHOICES} if browsers connect \
                 to this server directly"
            )),
            Self::None | Self::Networks(_) => Ok(()),
        }
    }

    fn parse(texts: &[String]) -> Result<Self, String> {
        match texts {
            [one] if unquoted(one).eq_ignore_ascii_case(NONE) => Ok(Self::None),
            many => many
                .iter()
                .map(|text| network(text))
                .collect::<Result<_, _>>()
                .map(Self::Networks),
        }
    }
}

/// Parses an address or a network, with or without quotes, brackets and blanks around it.
fn network(text: &str) -> Result<IpNet, String> {
    let refuse = || format!("“{text}” is not an address or a network; write {CHOICES}");
    let bare = unquoted(text);
    let (address, prefix) = match bare.split_once('/') {
        Some((address, prefix)) => (address.trim(), Some(prefix.trim())),
        None => (bare, None),
    };
    let address = address
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(address);
    let address: IpAddr = address.parse().map_err(|_| refuse())?;
    let network = match prefix {
        Some(prefix) => {
            let prefix = prefix.parse().map_err(|_| refuse())?;
            IpNet::new(address, prefix).map_err(|_| refuse())?
        }
        None => IpNet::from(address),
    };
    let network = unmapped(network);
    if network.prefix_len() == 0 {
        return Err(format!(
            "“{text}” trusts every address, so every visitor could choose theirs; name the networks of your proxies"
        ));
    }
    Ok(network)
}

/// Converts IPv4-mapped networks to IPv4. An IPv6 socket shows IPv4 peers as `::ffff:a.b.c.d`, and peers are compared
/// as IPv4.
fn unmapped(network: IpNet) -> IpNet {
    let IpNet::V6(v6) = network else {
        return network;
    };
    let mapped = v6
        .addr()
        .to_ipv4_mapped()
        .zip(v6.prefix_len().checked_sub(96))
        .and_then(|(address, prefix)| Ipv4Net::new(address, prefix).ok());
    mapped.map_or(network, IpNet::V4)
}

fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let unquoted = ['"', '\'']
        .into_iter()
        .find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote));
    unquoted.unwrap_or(text).trim()
}

impl<'de> Deserialize<'de> for TrustedProxies {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;

        impl<'de> Visitor<'de> for Texts {
            type Value = TrustedProxies;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(CHOICES)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                // The environment has no lists of strings; brackets around a single value belong to an IPv6 address.
                let texts: Vec<_> = text.split(',').map(str::to_owned).collect();
                TrustedProxies::parse(&texts).map_err(E::custom)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = list.next_element::<String>()? {
                    texts.push(text);
                }
                TrustedProxies::parse(&texts).map_err(A::Error::custom)
            }
        }

        deserializer.deserialize_any(Texts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(texts: &[&str]) -> Result<TrustedProxies, String> {
        TrustedProxies::parse(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    }

    fn trusts(texts: &[&str], ip: &str) -> bool {
        let ip: IpAddr = ip.parse().expect("an address");
        parse(texts).expect("a list of networks").contains(ip)
    }

    #[test]
    fn every_common_spelling_of_an_address_is_understood() {
        for text in [
            "127.0.0.1",
            "127.0.0.1/32",
            " 127.0.0.1 ",
            "\"127.0.0.1\"",
            "'127.0.0.1/32'",
            "::ffff:127.0.0.1",
        ] {
            assert!(trusts(&[text], "127.0.0.1"), "{text}");
            assert!(!trusts(&[text], "127.0.0.2"), "{text}");
        }
        for text in ["::1", "[::1]", "::1/128", "[::1]/128", " \"[::1]\" "] {
            assert!(trusts(&[text], "::1"), "{text}");
            assert!(!trusts(&[text], "::2"), "{text}");
        }
        for text in [
            "10.0.0.0/8",
            "10.20.30.40/8",
            "10.0.0.0 / 8",
            "::ffff:10.0.0.0/104",
        ] {
            assert!(trusts(&[text], "10.255.0.1"), "{text}");
            assert!(!trusts(&[text], "11.0.0.1"), "{text}");
        }
        assert!(trusts(&["192.0.2.1", "fd00::/8"], "fd00:1::1"));
    }

    #[test]
    fn none_means_no_proxy() {
        for text in ["none", "None", " \"none\" "] {
            assert_eq!(parse(&[text]), Ok(TrustedProxies::None), "{text}");
        }
        assert!(parse(&["none", "127.0.0.1"]).is_err());
    }

    #[test]
    fn invalid_networks_are_refused_with_both_choices() {
        for text in [
            "",
            "localhost",
            "127.0.0.1:80",
            "[::1]:80",
            "10.0.0.0/33",
            "010.0.0.1",
            "10.0.0.0/",
            "::1%eth0",
        ] {
            let why = parse(&[text]).expect_err(text);
            assert!(
                why.contains("[\"127.0.0.1\"") && why.contains("\"none\""),
                "{why}"
            );
        }
        for text in ["0.0.0.0/0", "::/0", "::ffff:0.0.0.0/96"] {
            assert!(parse(&[text]).expect_err(text).contains("trusts every address"));
        }
    }

    #[test]
    fn an_https_origin_needs_an_explicit_choice() {
        for unclear in [TrustedProxies::Unset, TrustedProxies::Networks(Vec::new())] {
            let why = unclear.check_https().expect_err("unclear");
            assert!(
                why.contains("[\"127.0.0.1\"") && why.contains("\"none\""),
                "{why}"
            );
        }
        assert_eq!(TrustedProxies::None.check_https(), Ok(()));
        assert_eq!(
            parse(&["127.0.0.1"]).and_then(|proxies| proxies.check_https()),
            Ok(())
        );
    }
}
