//! `keyturn keys`: lists and replaces the signing keys of access tokens. Running nodes apply a change within a second.

use std::time::Duration;

use clap::Subcommand;
use rotation::Timestamp;
use store::keys::{KeyEntry, KeyState, StoredKey};
use web::{
    telemetry,
    tokens::keys::{KeyManager, KeyRetirement, KeyRevocation, KeyRotation, SigningStart},
};

use super::{
    error::CliError,
    operator::{Operator, format_time},
};

#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// List all keys with their state, the oldest first, ended ones included
    List,
    /// Publish a new key; it begins to sign when all verifiers had time to fetch it
    Rotate {
        /// Sign with the new key immediately; other verifiers may refuse its tokens until they have fetched it
        #[arg(long)]
        now: bool,
    },
    /// Stop signing with a key; tokens that it signed stay valid until they expire
    Retire {
        /// The key's id, as `keyturn keys list` shows it
        #[arg(value_name = "KID")]
        kid: String,
    },
    /// End a key that may have been stolen; tokens that it signed are refused from now on
    Revoke {
        /// The key's id, as `keyturn keys list` shows it
        #[arg(value_name = "KID")]
        kid: String,
    },
}

pub(super) async fn run(command: KeysCommand, operator: &Operator) -> Result<(), CliError> {
    let Operator {
        config,
        store,
        clock,
        random,
    } = operator;
    let manager =
        KeyManager::new(config.signing, &config.master_secrets, store, clock, random).for_operator();
    if !matches!(command, KeysCommand::List) {
        // Key operations belong in the security log, whichever process performs them.
        telemetry::start_logging(&config.log);
    }
    let text = match command {
        KeysCommand::List => list(&manager, &manager.list().await?),
        KeysCommand::Rotate { now } => {
            let start = if now {
                SigningStart::Immediately
            } else {
                SigningStart::AfterPublication
            };
            describe_rotation(&manager.rotate(start).await?, clock.now())
        }
        KeysCommand::Retire { kid } => describe_retirement(&kid, manager.retire(&kid).await?, clock.now()),
        KeysCommand::Revoke { kid } => describe_revocation(&kid, &manager.revoke(&kid).await?),
    };
    println!("{text}");
    Ok(())
}

fn list(manager: &KeyManager, keys: &[StoredKey]) -> String {
    if keys.is_empty() {
        return "There are no keys yet; the first start makes one.".to_owned();
    }
    let signer = manager.signer(keys);
    let mut lines = vec![row("KID", "ALG", "STATE", "SIGNS FROM", "ENDS")];
    lines.extend(keys.iter().map(|key| {
        let entry = &key.entry;
        let state = match key.state {
            KeyState::Active if signer == Some(entry.kid.as_str()) => "signs",
            KeyState::Active if entry.retires_at.is_none() => "published",
            KeyState::Active => "verifies",
            KeyState::Retired => "retired",
            KeyState::Revoked => "revoked",
        };
        let ends = entry.retires_at.map_or_else(|| "-".to_owned(), format_time);
        row(
            entry.kid.as_str(),
            &entry.alg,
            state,
            &format_time(entry.signs_from),
            &ends,
        )
    }));
    let older = keys
        .iter()
        .filter(|key| key.state == KeyState::Active && !manager.is_under_newest_secret(key))
        .count();
    if older > 0 {
        lines.push(format!(
            "{older} of them still need an older version of secrets.master; the next start or rotation changes that."
        ));
    }
    lines.join("\n")
}

fn row(kid: &str, alg: &str, state: &str, signs_from: &str, ends: &str) -> String {
    format!("{kid:<16} {alg:<6} {state:<10} {signs_from:<21} {ends}")
}

fn describe_rotation(rotated: &KeyRotation, now: Timestamp) -> String {
    let KeyEntry {
        kid, alg, signs_from, ..
    } = &rotated.next;
    let at_once = *signs_from <= now;
    let start = if at_once {
        "signs from now on".to_owned()
    } else {
        format!("signs from {}", when(*signs_from, now))
    };
    let first = if rotated.is_new {
        format!("Published the new {alg} key {kid}; it {start}.")
    } else {
        format!("The {alg} key {kid} was published before; it {start}. No other key was made.")
    };
    let then = match &rotated.previous {
        Some(KeyEntry {
            kid,
            retires_at: Some(end),
            ..
        }) => format!(
            "{} {kid}; it verifies until {}, when its last token has ended, and then retires.",
            if at_once {
                "Signing stopped for"
            } else {
                "Until then signs"
            },
            when(*end, now)
        ),
        _ => "No other key signed.".to_owned(),
    };
    format!("{first}\n{then}")
}

fn describe_retirement(kid: &str, retirement: KeyRetirement, now: Timestamp) -> String {
    match retirement {
        KeyRetirement::Immediate => {
            format!("Retired {kid}: it had signed nothing, is no longer published and verifies nothing.")
        }
        KeyRetirement::Scheduled(end) => format!(
            "{kid} has a successor. It verifies until {}, when its last token has ended, and then retires automatically.",
            when(end, now)
        ),
        KeyRetirement::AlreadyEnded(state) => {
            format!("{kid} was {} before; nothing was changed.", state.as_str())
        }
    }
}

fn describe_revocation(kid: &str, revocation: &KeyRevocation) -> String {
    let first = match revocation.previous_state {
        KeyState::Active => format!(
            "Revoked {kid}: running nodes stop publishing it and refuse its tokens within a second; browsers refresh and \
             go on. Verifiers elsewhere may hold on to it for up to five minutes."
        ),
        KeyState::Retired => format!("{kid} had retired; it is marked as revoked now."),
        KeyState::Revoked => format!("{kid} was revoked before; nothing was changed."),
    };
    match &revocation.successor {
        Some(next) => format!(
            "{first}\nThe new {} key {} signs from now on.",
            next.alg, next.kid
        ),
        None => first,
    }
}

/// A moment in readable form, and how far away it is.
fn when(at: Timestamp, now: Timestamp) -> String {
    // To the nearest second: the write itself took some milliseconds.
    let away = Duration::from_secs((now.until(at) + Duration::from_millis(500)).as_secs());
    format!("{} (in {})", format_time(at), humantime::format_duration(away))
}
