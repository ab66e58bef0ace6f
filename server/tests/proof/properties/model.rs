//! The reference model: a list of the issued tokens, and what the rules in `server/rotation/README.md`
//! require for each.
//!
//! It contains no JTI, no row and no transaction, only generations and times.

use super::plan::Device;

/// The state that judges a history. All times are in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) grace: i64,
    pub(crate) disabled: bool,
    pub(crate) laptop: ModelFamily,
    pub(crate) phone: ModelFamily,
}

/// One session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ModelFamily {
    /// How long a token lives without use.
    pub(crate) idle: i64,
    pub(crate) absolute_end: i64,
    /// All tokens ever issued, oldest first: the token of generation `n` is at index `n - 1`, and the last is live.
    pub(crate) tokens: Vec<ModelToken>,
    pub(crate) rotated_at: i64,
    /// When the live token was first used, as stored in the database.
    pub(crate) confirmed_at: Option<i64>,
    /// The same, as stored in the memory of this process.
    pub(crate) seen_at: Option<i64>,
    pub(crate) over: Option<Over>,
    /// The session's row was pruned.
    pub(crate) forgotten: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ModelToken {
    pub(crate) expires_at: i64,
    pub(crate) consumed_at: Option<i64>,
    /// Its row in the blacklist was pruned.
    pub(crate) forgotten: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Over {
    pub(crate) why: &'static str,
    pub(crate) at: i64,
}

/// An action on a session, with the token chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResolvedAction {
    /// The token of this generation is presented.
    Present(usize),
    LogOut,
    Revoke,
    RevokeOthers,
    LogOutEverywhere,
    SetPassword,
    Disable,
}

/// The result of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ModelOutcome {
    /// The token of this generation.
    Granted(usize),
    Stale,
    Reuse,
    Over(&'static str),
    Expired,
    Disabled,
    /// The session no longer exists.
    Unknown,
    /// Whether this action changed anything.
    Done(bool),
}

impl Model {
    pub(crate) fn family(&self, device: Device) -> &ModelFamily {
        match device {
            Device::Laptop => &self.laptop,
            Device::Phone => &self.phone,
        }
    }

    pub(crate) fn family_mut(&mut self, device: Device) -> &mut ModelFamily {
        match device {
            Device::Laptop => &mut self.laptop,
            Device::Phone => &mut self.phone,
        }
    }

    /// The expected result, and the reason in words.
    pub(crate) fn judge(
        &mut self,
        device: Device,
        deed: ResolvedAction,
        now: i64,
    ) -> (ModelOutcome, &'static str) {
        let (grace, disabled) = (self.grace, self.disabled);
        let (this, other) = match device {
            Device::Laptop => (&mut self.laptop, &mut self.phone),
            Device::Phone => (&mut self.phone, &mut self.laptop),
        };
        let both = |this: &mut ModelFamily, other: &mut ModelFamily, why| {
            this.end(why, now);
            other.end(why, now);
            ModelOutcome::Done(true)
        };
        match deed {
            ResolvedAction::Present(generation) => this.present(generation, grace, disabled, now),
            ResolvedAction::LogOut => (ModelOutcome::Done(this.end("logout", now)), "logged out"),
            ResolvedAction::Revoke => (ModelOutcome::Done(this.end("revoked_by_user", now)), "revoked"),
            ResolvedAction::RevokeOthers => (
                ModelOutcome::Done(other.end("revoked_by_user", now)),
                "others revoked",
            ),
            ResolvedAction::LogOutEverywhere => (both(this, other, "logout_all"), "logged out everywhere"),
            ResolvedAction::SetPassword => (both(this, other, "password_changed"), "password set"),
            ResolvedAction::Disable if disabled => (ModelOutcome::Done(false), "disabled again"),
            ResolvedAction::Disable => {
                let verdict = both(this, other, "revoked_by_operator");
                self.disabled = true;
                (verdict, "disabled")
            }
        }
    }

    /// All states that these actions could have produced, if they had run one after the other in some order with these
    /// verdicts.
    pub(crate) fn explain(&self, done: &[(Device, ResolvedAction, ModelOutcome)], now: i64) -> Vec<Self> {
        let mut found = Vec::new();
        self.explain_rest(done, &mut vec![false; done.len()], now, &mut found);
        found
    }

    fn explain_rest(
        &self,
        done: &[(Device, ResolvedAction, ModelOutcome)],
        used: &mut [bool],
        now: i64,
        found: &mut Vec<Self>,
    ) {
        if used.iter().all(|used| *used) {
            if !found.contains(self) {
                found.push(self.clone());
            }
            return;
        }
        for (index, (device, deed, verdict)) in done.iter().enumerate() {
            if used[index] {
                continue;
            }
            let mut next = self.clone();
            if next.judge(*device, *deed, now).0 == *verdict {
                used[index] = true;
                next.explain_rest(done, used, now, found);
                used[index] = false;
            }
        }
    }
}

impl ModelFamily {
    /// A session that begins at `now`.
    pub(crate) fn new(now: i64, idle: i64, absolute: i64) -> Self {
        let second = now - now.rem_euclid(1_000);
        let absolute_end = second + absolute;
        Self {
            idle,
            absolute_end,
            tokens: vec![ModelToken {
                expires_at: absolute_end.min(second + idle),
                consumed_at: None,
                forgotten: false,
            }],
            rotated_at: now,
            confirmed_at: None,
            seen_at: None,
            over: None,
            forgotten: false,
        }
    }

    pub(crate) fn live(&self) -> usize {
        self.tokens.len()
    }

    fn present(
        &mut self,
        generation: usize,
        grace: i64,
        disabled: bool,
        now: i64,
    ) -> (ModelOutcome, &'static str) {
        let live = self.live();
        // The token contains its expiry, and after that the server does not look it up.
        if self.tokens[generation - 1].expires_at <= now {
            return (ModelOutcome::Expired, "expired");
        }
        if self.forgotten {
            return (ModelOutcome::Unknown, "forgotten");
        }
        if disabled {
            return (ModelOutcome::Disabled, "account disabled");
        }
        if let Some(over) = self.over {
            return (ModelOutcome::Over(over.why), "over");
        }
        if self.tokens[live - 1].expires_at <= now {
            return (ModelOutcome::Expired, "expired");
        }
        if generation == live {
            let second = now - now.rem_euclid(1_000);
            self.tokens[live - 1].consumed_at = Some(now);
            self.tokens.push(ModelToken {
                expires_at: self.absolute_end.min(second + self.idle),
                consumed_at: None,
                forgotten: false,
            });
            self.rotated_at = now;
            self.confirmed_at = None;
            self.seen_at = None;
            return (ModelOutcome::Granted(live + 1), "rotated");
        }
        let forgiving = grace > 0;
        if generation + 1 == live {
            if forgiving && (now - self.rotated_at).abs() <= grace {
                return (ModelOutcome::Granted(live), "replayed within the grace");
            }
            let used_at = self.confirmed_at.into_iter().chain(self.seen_at).min();
            match used_at {
                None if forgiving => return (ModelOutcome::Granted(live), "replayed because unconfirmed"),
                Some(at) if forgiving && (now - at).abs() <= grace => {
                    return (ModelOutcome::Stale, "stale parent");
                }
                _ => {}
            }
            self.end("reuse_detected", now);
            return (ModelOutcome::Reuse, "reuse of the parent");
        }
        let (token, successor) = (&self.tokens[generation - 1], &self.tokens[generation]);
        let is_known = !token.forgotten && !successor.forgotten;
        let replaced_at = successor.consumed_at.filter(|_| is_known);
        if forgiving && replaced_at.is_some_and(|at| (now - at).abs() <= grace) {
            return (ModelOutcome::Stale, "stale");
        }
        self.end("reuse_detected", now);
        (ModelOutcome::Reuse, "reuse of an older one")
    }

    /// Ends the session; `false` if it had ended already.
    fn end(&mut self, why: &'static str, at: i64) -> bool {
        if self.over.is_some() || self.forgotten {
            return false;
        }
        self.over = Some(Over { why, at });
        true
    }
}
