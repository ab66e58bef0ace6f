//! Lifetimes of tokens that the operator has not set.

use super::Tokens;

/// Adjusts the default lifetimes to the configured ones, so that an operator who sets one need not know the others.
/// Two configured lifetimes are never changed: if they contradict each other, that is an error.
pub(super) fn fill_unset(tokens: &mut Tokens, is_set: impl Fn(&str) -> bool) {
    let [access, idle, shared, absolute, grace] = [
        "access_ttl",
        "refresh_idle_ttl",
        "refresh_idle_ttl_shared",
        "refresh_absolute_ttl",
        "reuse_grace",
    ]
    .map(is_set);
    // From the longest to the shortest: first what must be longer than the configured values, …
    if !absolute {
        for (is_set, other) in [
            (idle, tokens.refresh_idle_ttl),
            (shared, tokens.refresh_idle_ttl_shared),
        ] {
            if is_set {
                tokens.refresh_absolute_ttl = tokens.refresh_absolute_ttl.max(other);
            }
        }
    }
    if !idle {
        if shared {
            tokens.refresh_idle_ttl = tokens.refresh_idle_ttl.max(tokens.refresh_idle_ttl_shared);
        }
        if access && tokens.refresh_idle_ttl <= tokens.access_ttl {
            tokens.refresh_idle_ttl = tokens.refresh_absolute_ttl;
        }
        // … then what must be shorter.
        tokens.refresh_idle_ttl = tokens.refresh_idle_ttl.min(tokens.refresh_absolute_ttl);
    }
    if !shared {
        if access && tokens.refresh_idle_ttl_shared <= tokens.access_ttl {
            tokens.refresh_idle_ttl_shared = tokens.refresh_idle_ttl;
        }
        tokens.refresh_idle_ttl_shared = tokens.refresh_idle_ttl_shared.min(tokens.refresh_idle_ttl);
    }
    if !access {
        let shortest = tokens.refresh_idle_ttl.min(tokens.refresh_idle_ttl_shared);
        tokens.access_ttl = tokens.access_ttl.min(shortest / 2);
    }
    if !grace {
        tokens.reuse_grace = tokens.reuse_grace.min(tokens.access_ttl / 2);
    }
}
