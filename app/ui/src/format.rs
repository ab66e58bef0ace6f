//! Times as people read them. Pure: the current time and the time zone are parameters.

use std::time::Duration;

/// The time from `now` to `ends`, as `14:32`; `0:00` after the end. Whole seconds are rounded up, so that the last
/// value before the end is `0:01`.
pub fn countdown(ends: Duration, now: Duration) -> String {
    let seconds = remaining_seconds(ends, now);
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    if minutes < 60 {
        format!("{minutes}:{seconds:02}")
    } else {
        format!("{}:{:02}:{seconds:02}", minutes / 60, minutes % 60)
    }
}

/// The remaining whole seconds, rounded up.
pub fn remaining_seconds(ends: Duration, now: Duration) -> u64 {
    ends.saturating_sub(now)
        .as_millis()
        .div_ceil(1000)
        .try_into()
        .unwrap_or(u64::MAX)
}

/// A date as `21 November 2026`, for a person `offset` minutes ahead of UTC.
pub fn date(at: u64, offset: i32) -> String {
    let local = Civil::of(at, offset);
    format!("{} {} {}", local.day, MONTHS[local.month - 1], local.year)
}

/// A moment as `21 November 2026, 14:32`.
pub fn date_time(at: u64, offset: i32) -> String {
    let local = Civil::of(at, offset);
    format!("{}, {:02}:{:02}", date(at, offset), local.hour, local.minute)
}

/// The time with seconds: `14:32:05`.
pub fn time_of_day(at: u64, offset: i32) -> String {
    let local = Civil::of(at, offset);
    format!("{:02}:{:02}:{:02}", local.hour, local.minute, at % 60)
}

/// The same moment in RFC 3339 format, for `<time datetime>`.
pub fn rfc3339(at: u64) -> String {
    let utc = Civil::of(at, 0);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        utc.year,
        utc.month,
        utc.day,
        utc.hour,
        utc.minute,
        at % 60
    )
}

/// How long ago something happened, in words that remain true for a while.
pub fn ago(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..=89 => return "just now".into(),
        90..=5_399 => ((seconds + 30) / 60, "minute"),
        5_400..=129_599 => ((seconds + 1_800) / 3_600, "hour"),
        _ => ((seconds + 43_200) / 86_400, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural} ago")
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Calendar date and time. A date library would weigh more than the rest of this page.
struct Civil {
    year: u64,
    month: usize,
    day: u64,
    hour: u64,
    minute: u64,
}

impl Civil {
    fn of(at: u64, offset: i32) -> Self {
        // Year 9999 is far enough; without a bound, a damaged number would count years without end.
        let at = at
            .min(253_402_300_799)
            .saturating_add_signed(i64::from(offset) * 60);
        let (mut days, of_day) = (at / 86_400, at % 86_400);
        let mut year = 1970;
        while days >= days_in_year(year) {
            days -= days_in_year(year);
            year += 1;
        }
        let mut month = 1;
        while days >= days_in_month(year, month) {
            days -= days_in_month(year, month);
            month += 1;
        }
        Self {
            year,
            month,
            day: days + 1,
            hour: of_day / 3600,
            minute: of_day % 3600 / 60,
        }
    }
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_in_year(year: u64) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

fn days_in_month(year: u64, month: usize) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(millis: u64) -> String {
        countdown(Duration::from_millis(millis), Duration::ZERO)
    }

    #[test]
    fn ago_rounds_to_one_unit() {
        for (seconds, words) in [
            (0, "just now"),
            (89, "just now"),
            (90, "2 minutes ago"),
            (3_600, "60 minutes ago"),
            (5_400, "2 hours ago"),
            (86_400, "24 hours ago"),
            (129_600, "2 days ago"),
            (2_592_000, "30 days ago"),
        ] {
            assert_eq!(ago(seconds), words);
        }
    }

    #[test]
    fn a_countdown_has_minutes_and_seconds() {
        assert_eq!(left(872_000), "14:32");
        assert_eq!(left(65_001), "1:06");
        assert_eq!(left(1), "0:01");
        assert_eq!(left(0), "0:00");
        assert_eq!(left(3_600_000), "1:00:00");
    }

    #[test]
    fn a_finished_countdown_stays_at_zero() {
        assert_eq!(countdown(Duration::from_secs(5), Duration::from_secs(9)), "0:00");
    }

    #[test]
    fn dates_agree_with_the_calendar() {
        assert_eq!(date(0, 0), "1 January 1970");
        assert_eq!(date(951_782_400, 0), "29 February 2000");
        assert_eq!(date(1_795_228_200, 0), "21 November 2026");
        assert_eq!(date(4_107_542_399, 0), "28 February 2100");
        assert_eq!(date(4_107_542_400, 0), "1 March 2100");
    }

    #[test]
    fn local_time_may_be_another_day() {
        assert_eq!(date_time(1_795_228_200, 0), "21 November 2026, 02:30");
        assert_eq!(date_time(1_795_228_200, -480), "20 November 2026, 18:30");
        assert_eq!(date_time(1_795_228_200, 330), "21 November 2026, 08:00");
    }

    #[test]
    fn time_of_day_includes_seconds() {
        assert_eq!(time_of_day(1_795_228_205, 330), "08:00:05");
    }

    #[test]
    fn rfc3339_is_in_utc() {
        assert_eq!(rfc3339(1_795_228_205), "2026-11-21T02:30:05Z");
    }
}
