//! Cost and exposure of token lifetimes: how long an attacker keeps access, and how often a tab refreshes. Pure
//! arithmetic over the server's own policy and the client's own schedule.

use std::time::Duration;

use rotation::{Lifetimes, Policy, PolicyError};
use session_client::schedule::until_refresh;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Values of the first slider, in seconds: round values, spaced about evenly over the logarithm.
pub const ACCESS: [u64; 22] = [
    MINUTE,
    2 * MINUTE,
    3 * MINUTE,
    4 * MINUTE,
    5 * MINUTE,
    7 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    20 * MINUTE,
    30 * MINUTE,
    45 * MINUTE,
    HOUR,
    90 * MINUTE,
    2 * HOUR,
    3 * HOUR,
    4 * HOUR,
    6 * HOUR,
    8 * HOUR,
    10 * HOUR,
    12 * HOUR,
    16 * HOUR,
    DAY,
];

/// Values of the second slider.
pub const IDLE: [u64; 20] = [
    HOUR,
    2 * HOUR,
    3 * HOUR,
    4 * HOUR,
    6 * HOUR,
    8 * HOUR,
    12 * HOUR,
    16 * HOUR,
    DAY,
    36 * HOUR,
    2 * DAY,
    3 * DAY,
    5 * DAY,
    7 * DAY,
    10 * DAY,
    14 * DAY,
    21 * DAY,
    30 * DAY,
    60 * DAY,
    90 * DAY,
];

/// Our own values, as slider positions.
pub const OUR_ACCESS: usize = 7;
pub const OUR_IDLE: usize = 13;

/// The longest time until every node of Keyturn learns that a session has ended. `background` of the server promises
/// it.
pub const KNOWN_WITHIN: Duration = Duration::from_secs(1);

/// The results for a pair of lifetimes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// Refreshes of one open tab per day, in tenths.
    pub tenths_a_day: u64,
    /// How long a stolen access token works at most, if the server cannot end a session before it expires.
    pub access_unstoppable: Duration,
    /// The same with Keyturn, from the end of the session.
    pub access_stoppable: Duration,
    /// How long a stolen refresh token works if it is not used.
    pub refresh_unused: Duration,
    /// How long an attacker who refreshes keeps access, if the victim never comes back.
    pub refresh_unmissed: Duration,
    /// The same if the victim's tab is open: it refreshes with a used token, and that ends the session.
    pub refresh_missed: Duration,
}

/// The policy with these lifetimes, and our own values for everything else.
///
/// # Errors
/// As the server reports them at startup.
pub fn policy(access: Duration, idle: Duration) -> Result<Policy, PolicyError> {
    let ours = Policy::KEYTURN;
    let lifetimes = Lifetimes {
        access,
        refresh_idle: idle,
        // One slider covers both kinds of computers.
        refresh_idle_shared: idle,
        refresh_absolute: ours.lifetimes.refresh_absolute.max(idle),
    };
    Policy::new(lifetimes, ours.reuse_grace)
}

/// Calculates the results of a valid policy.
pub fn estimate(policy: &Policy) -> Estimate {
    let Lifetimes {
        access,
        refresh_idle,
        refresh_absolute,
        ..
    } = policy.lifetimes;
    Estimate {
        tenths_a_day: tenths_a_day(access),
        access_unstoppable: access,
        access_stoppable: KNOWN_WITHIN.min(access),
        refresh_unused: refresh_idle,
        refresh_unmissed: refresh_absolute,
        refresh_missed: access + policy.reuse_grace,
    }
}

/// Refreshes of an open tab per day, in tenths, if each happens exactly when it is planned.
pub fn tenths_a_day(access: Duration) -> u64 {
    10 * DAY / until_refresh(access, 0.0).as_secs().max(1)
}

/// `103`, or `1.5` where a whole number would be too coarse.
pub fn count(tenths: u64) -> String {
    if tenths < 100 && !tenths.is_multiple_of(10) {
        format!("{}.{}", tenths / 10, tenths % 10)
    } else {
        ((tenths + 5) / 10).to_string()
    }
}

/// `15 min`, `90 min`, `7 days`, `15 min 10 s`: the two largest units that are not zero.
pub fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    let units = [(DAY, "days"), (HOUR, "h"), (MINUTE, "min"), (1, "s")];
    let mut rest = seconds;
    let mut words = Vec::new();
    for (size, unit) in units {
        let number = rest / size;
        // A day is 24 hours, so that it can be compared with hours.
        if number == 0 || (size == DAY && seconds <= DAY) {
            continue;
        }
        rest %= size;
        words.push(match (number, size) {
            (1, DAY) => "1 day".to_owned(),
            _ => format!("{number} {unit}"),
        });
    }
    words.truncate(2);
    words.join(" ")
}

/// The same for screen readers.
pub fn spoken(time: Duration) -> String {
    let words = span(time);
    let spelt = words.split(' ').map(|word| match word {
        "h" => "hours",
        "min" => "minutes",
        "s" => "seconds",
        word => word,
    });
    let spelt: Vec<&str> = spelt.collect();
    let mut spelt = spelt.join(" ");
    // Singular.
    for unit in ["hour", "minute", "second"] {
        if spelt == format!("1 {unit}s") || spelt.starts_with(&format!("1 {unit}s ")) {
            spelt = spelt.replacen(&format!("{unit}s"), unit, 1);
        }
    }
    spelt
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_sliders_start_with_the_policy_of_keyturn() {
        let lifetimes = Policy::KEYTURN.lifetimes;
        assert_eq!(secs(ACCESS[OUR_ACCESS]), lifetimes.access);
        assert_eq!(secs(IDLE[OUR_IDLE]), lifetimes.refresh_idle);
        assert!(ACCESS.is_sorted() && IDLE.is_sorted());
    }

    #[test]
    fn the_estimate_for_the_policy_of_keyturn() {
        let policy = policy(secs(15 * MINUTE), secs(7 * DAY)).expect("it is sound");
        assert_eq!(
            estimate(&policy),
            Estimate {
                tenths_a_day: 1028,
                access_unstoppable: secs(15 * MINUTE),
                access_stoppable: secs(1),
                refresh_unused: secs(7 * DAY),
                refresh_unmissed: secs(30 * DAY),
                refresh_missed: secs(15 * MINUTE + 10),
            }
        );
    }

    #[test]
    fn a_tab_refreshes_a_minute_or_a_tenth_before_expiry() {
        // 54 s, 9 min, 23 h 59 min.
        assert_eq!(tenths_a_day(secs(MINUTE)), 16_000);
        assert_eq!(tenths_a_day(secs(10 * MINUTE)), 1_600);
        assert_eq!(tenths_a_day(secs(DAY)), 10);
    }

    #[test]
    fn a_shorter_lifetime_means_less_exposure_and_more_refreshes() {
        let all: Vec<Estimate> = ACCESS
            .iter()
            .map(|&access| estimate(&policy(secs(access), secs(7 * DAY)).expect("it is sound")))
            .collect();
        assert!(all.is_sorted_by(|one, next| {
            one.tenths_a_day > next.tenths_a_day
                && one.access_unstoppable < next.access_unstoppable
                && one.refresh_missed < next.refresh_missed
                && one.access_stoppable == next.access_stoppable
        }));
    }

    #[test]
    fn contradictory_lifetimes_get_the_error_of_the_server() {
        assert_eq!(
            policy(secs(2 * HOUR), secs(HOUR)),
            Err(PolicyError::AccessOutlivesIdle)
        );
        assert_eq!(
            policy(secs(HOUR), secs(HOUR)),
            Err(PolicyError::AccessOutlivesIdle)
        );
        // No other pair of values does.
        for access in ACCESS {
            for idle in IDLE {
                assert_eq!(policy(secs(access), secs(idle)).is_ok(), access < idle);
            }
        }
    }

    #[test]
    fn times_and_numbers_are_formatted() {
        for (seconds, words) in [
            (1, "1 s"),
            (MINUTE, "1 min"),
            (910, "15 min 10 s"),
            (90 * MINUTE, "1 h 30 min"),
            (DAY, "24 h"),
            (36 * HOUR, "1 day 12 h"),
            (7 * DAY, "7 days"),
        ] {
            assert_eq!(span(secs(seconds)), words);
        }
        assert_eq!(spoken(secs(910)), "15 minutes 10 seconds");
        assert_eq!(spoken(secs(36 * HOUR)), "1 day 12 hours");
        assert_eq!(spoken(secs(MINUTE)), "1 minute");
        assert_eq!(spoken(secs(90 * MINUTE)), "1 hour 30 minutes");
        assert_eq!(count(1028), "103");
        assert_eq!(count(10), "1");
        assert_eq!(count(15), "1.5");
    }
}
