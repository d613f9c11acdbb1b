//! Schedules of interval apps: five crontab fields, evaluated in a time zone.
//!
//! Not here: the timer queue, which stores the next tick.
//!
//! croner reads the fields and finds the next time on a wall clock. The meaning on a day of a clock change is decided
//! here:
//!
//! - A schedule that names hours, such as `30 2 * * *`, ticks at these hours once. A tick within a gap fires once, when
//!   the gap ends; a tick within a repeated hour fires the first time.
//! - A schedule for every hour, whose second field begins with `*`, follows elapsed time: nothing is made up for a gap,
//!   and a repeated hour is ticked through twice.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Duration, LocalResult, NaiveDateTime, Offset, TimeZone, Utc};
use chrono_tz::Tz;
use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};
use serde_json::Value;

use crate::domain::{ambient::Time, error::Violation};

/// A time zone with an IANA name, such as `Europe/Berlin`; by itself, `UTC`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone(Tz);

impl Default for Zone {
    fn default() -> Self {
        Self(Tz::UTC)
    }
}

impl FromStr for Zone {
    type Err = Violation;
    fn from_str(name: &str) -> Result<Self, Violation> {
        let message = || "must be an IANA time zone such as \"Europe/Berlin\", or \"UTC\"".to_owned();
        name.parse().map(Self).map_err(|_| Violation { field: "time_zone".to_owned(), message: message() })
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

/// A schedule: five crontab fields.
#[derive(Clone, Debug)]
pub struct Schedule {
    text: String,
    cron: Cron,
    /// True if it names no hours.
    every_hour: bool,
}

impl PartialEq for Schedule {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// The fields: name, smallest and largest number, and the recognised names, the first for the smallest number.
const FIELDS: [(&str, u32, u32, &[&str]); 5] = [
    ("minute", 0, 59, &[]),
    ("hour", 0, 23, &[]),
    ("day of the month", 1, 31, &[]),
    ("month", 1, 12, &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
    ("day of the week", 0, 7, &["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
];

/// Maximum length of a line, longer than any meaningful one.
const MAX_TEXT: usize = 500;

impl Schedule {
    /// Parses `minute hour day-of-month month day-of-week`, as in crontab(5): numbers, `*`, lists, ranges, steps, and
    /// the names of months and days in English, in any case. Where both kinds of day are given, either is enough.
    ///
    /// # Errors
    /// A [`Violation`] of `/value`: for seconds, names like `@hourly`, milliseconds, and days that never come.
    pub fn parse(text: &str) -> Result<Self, Violation> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let wrong = |message: String| Violation { field: "/value".to_owned(), message };
        if text.len() > MAX_TEXT {
            return Err(wrong(format!("has more than {MAX_TEXT} characters")));
        }
        if fields.len() != FIELDS.len() {
            return Err(wrong(not_five(&fields)));
        }
        for (field, spec) in fields.iter().zip(FIELDS) {
            check_field(field, spec).map_err(wrong)?;
        }
        let text = fields.join(" ");
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(&text).map_err(|error| wrong(format!("is not a crontab line: {error}")))?;
        if never_comes(&cron) {
            return Err(wrong("names a day that never comes".to_owned()));
        }
        Ok(Self { cron, every_hour: fields[1].starts_with('*'), text })
    }

    /// Returns the schedule in a setting's value; an empty value means never.
    ///
    /// # Errors
    /// A [`Violation`] of `/value`.
    pub fn of_value(value: &Value) -> Result<Option<Self>, Violation> {
        match value {
            Value::Null => Ok(None),
            Value::String(text) if text.trim().is_empty() => Ok(None),
            Value::String(text) => Self::parse(text).map(Some),
            _ => Err(Violation { field: "/value".to_owned(), message: format!("must be a text, {EXAMPLE}") }),
        }
    }

    /// The five fields.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the first tick after `time`. `None` when the calendar ends.
    pub fn next_after(&self, time: Time, zone: Zone) -> Option<Time> {
        let Zone(zone) = zone;
        let mut wall = local(time, zone);
        let mut inclusive = false;
        // Each iteration steps out of a gap or of a repeated hour; a day has 1440 minutes.
        for _ in 0..2_000 {
            let next = self.cron.find_next_occurrence(&wall, inclusive).ok()?;
            inclusive = false;
            match zone.from_local_datetime(&next) {
                LocalResult::Single(at) => return Some(self.in_repeated_hour(time, zone, at.to_utc())),
                LocalResult::Ambiguous(first, second) if self.every_hour => {
                    let at = if first > time { first } else { second };
                    return Some(self.in_repeated_hour(time, zone, at.to_utc()));
                }
                LocalResult::Ambiguous(first, _) if first > time => return Some(first.to_utc()),
                LocalResult::Ambiguous(..) => wall = next,
                LocalResult::None => {
                    let end = change_within(next.and_utc() - Duration::days(1), Duration::days(2), zone);
                    if !self.every_hour {
                        return Some(end);
                    }
                    (wall, inclusive) = (local(end, zone), true);
                }
            }
        }
        None
    }

    /// Corrects a tick of an every-hour schedule, found by going on from `time` on the wall clock: if the clock is
    /// moved back before it, there may be an earlier tick in the repeated hour.
    fn in_repeated_hour(&self, time: Time, zone: Tz, found: Time) -> Time {
        let LocalResult::Ambiguous(first, second) = zone.from_local_datetime(&local(time, zone)) else { return found };
        if !self.every_hour || first != time {
            return found;
        }
        let again = change_within(time, second.to_utc() - first.to_utc(), zone);
        let next = self.cron.find_next_occurrence(&local(again, zone), true).ok();
        let Some(next) = next.and_then(|next| zone.from_local_datetime(&next).latest()) else { return found };
        found.min(next.to_utc())
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Returns the wall-clock time.
fn local(time: DateTime<Utc>, zone: Tz) -> NaiveDateTime {
    time.with_timezone(&zone).naive_local()
}

/// Returns the time of the clock change between `from` and `from + within`; there is one, at a whole second.
fn change_within(from: Time, within: Duration, zone: Tz) -> Time {
    let offset = |seconds: i64| {
        let at = from + Duration::seconds(seconds);
        zone.offset_from_utc_datetime(&at.naive_utc()).fix()
    };
    let (mut before, mut after) = (0, within.num_seconds() + 1);
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        if offset(middle) == offset(0) { before = middle } else { after = middle }
    }
    from + Duration::seconds(after)
}

const EXAMPLE: &str = "such as \"*/5 * * * *\" for every five minutes";

fn not_five(fields: &[&str]) -> String {
    let hint = match fields {
        [] => "it is empty",
        [first, ..] if first.starts_with('@') => "names that begin with @ are not known",
        [number] if number.bytes().all(|byte| byte.is_ascii_digit()) => "milliseconds are not known",
        [_, _, _, _, _, _, ..] => "there are more; seconds and years are not known",
        _ => "there are fewer",
    };
    format!("must be the five fields of a crontab line, {EXAMPLE}; {hint}")
}

/// Checks a field by crontab(5). croner accepts more, such as `L`, `#` and `W`, and is lax about names.
fn check_field(field: &str, (name, low, high, names): (&str, u32, u32, &[&str])) -> Result<(), String> {
    let number = |text: &str| match text.parse::<u32>() {
        Ok(number) if text.bytes().all(|byte| byte.is_ascii_digit()) => Some(number),
        _ => (0..).zip(names).find(|(_, name)| name.eq_ignore_ascii_case(text)).map(|(index, _)| low + index),
    };
    let in_range = |number: &u32| (low..=high).contains(number);
    let is_right = |part: &str| {
        let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
        let is_count = |step: &str| {
            step.starts_with(|c: char| c.is_ascii_digit())
                && number(step).is_some_and(|step| (1..=high).contains(&step))
        };
        let has_step = step.is_none_or(is_count);
        let has_range = match range.split_once('-') {
            _ if range == "*" => true,
            Some((from, to)) => match (number(from).filter(in_range), number(to).filter(in_range)) {
                (Some(from), Some(to)) => from <= to,
                _ => false,
            },
            None => step.is_none() && number(range).is_some_and(|number| in_range(&number)),
        };
        has_range && has_step
    };
    if field.split(',').all(is_right) {
        return Ok(());
    }
    let shown: String = field.chars().take(40).collect();
    Err(format!("{shown:?} is no {name}: {low} to {high}, lists (1,2), ranges (1-5), steps (*/5, 1-9/2) or *"))
}

/// Returns true if all of its days are like 30 February. A day of the week always comes.
fn never_comes(cron: &Cron) -> bool {
    const LONGEST: [u16; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let pattern = &cron.pattern;
    let first = pattern.days.values().into_iter().min().unwrap_or(1);
    let longest = pattern.months.values().into_iter().filter_map(|month| LONGEST.get(usize::from(month) - 1)).max();
    pattern.is_dow_wildcard() && longest.is_some_and(|longest| first > *longest)
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    fn time(text: &str) -> Time {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    /// Returns the next ticks after a time, as UTC, without their date where it is that of the time.
    fn ticks(line: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
        let (schedule, zone) = (Schedule::parse(line).unwrap(), zone.parse().unwrap());
        let mut at = time(after);
        let mut next = || {
            let next = schedule.next_after(at, zone).unwrap();
            assert!(next > at, "{line} after {at} gave {next}");
            let format = if next.date_naive() == time(after).date_naive() { "%H:%M" } else { "%m-%d %H:%M" };
            at = next;
            next.format(format).to_string()
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn a_tick_is_strictly_later() {
        for (line, after, expected) in [
            ("* * * * *", "2026-01-01T12:00:00Z", "2026-01-01T12:01:00Z"),
            ("* * * * *", "2026-01-01T11:59:59.999Z", "2026-01-01T12:00:00Z"),
            ("* * * * *", "2026-01-01T12:00:00.001Z", "2026-01-01T12:01:00Z"),
            ("*/5 * * * *", "2026-12-31T23:57:00Z", "2027-01-01T00:00:00Z"),
            ("30 8,17 * * *", "2026-01-01T08:30:00Z", "2026-01-01T17:30:00Z"),
            ("0 9 * * mon-FRI", "2026-01-02T09:00:00Z", "2026-01-05T09:00:00Z"),
            ("0 0 * * 7", "2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z"),
            ("0 0 * * 5-7", "2026-01-03T00:00:00Z", "2026-01-04T00:00:00Z"),
            ("0 0 1-7/3 JAN,jul *", "2026-01-04T00:00:00Z", "2026-01-07T00:00:00Z"),
            ("0 0 13 * 5", "2026-01-10T00:00:00Z", "2026-01-13T00:00:00Z"),
            ("0 0 13 * 5", "2026-01-13T00:00:00Z", "2026-01-16T00:00:00Z"),
            ("0 0 29 2 *", "2096-02-29T00:00:00Z", "2104-02-29T00:00:00Z"),
            ("  0\t0 31  12 * ", "2026-12-31T00:00:00Z", "2027-12-31T00:00:00Z"),
        ] {
            let next = Schedule::parse(line).unwrap().next_after(time(after), Zone::default());
            assert_eq!(next, Some(time(expected)), "{line} after {after}");
        }
        let end = NaiveDate::MAX.and_hms_opt(0, 0, 0).unwrap().and_utc();
        assert_eq!(Schedule::parse("* * * * *").unwrap().next_after(end, Zone::default()), None);
    }

    #[test]
    fn a_tick_within_a_gap_fires_once_at_its_end() {
        // Berlin, 29 March 2026: after 01:59 comes 03:00, which is 01:00 UTC.
        let after = "2026-03-29T00:00:00Z";
        assert_eq!(ticks("30 2 * * *", "Europe/Berlin", after, 2), ["01:00", "03-30 00:30"]);
        assert_eq!(ticks("0,20,40 2 * * *", "Europe/Berlin", after, 2), ["01:00", "03-30 00:00"]);
        assert_eq!(ticks("*/20 2-3 * * *", "Europe/Berlin", after, 4), ["01:00", "01:20", "01:40", "03-30 00:00"]);
        assert_eq!(ticks("30 2,14 * * *", "Europe/Berlin", after, 2), ["01:00", "12:30"]);
        assert_eq!(ticks("0 3 * * *", "Europe/Berlin", after, 2), ["01:00", "03-30 01:00"]);
        // Lord Howe Island moves its clock by half an hour: 02:00 becomes 02:30, at 15:30 UTC.
        assert_eq!(ticks("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T15:00:00Z", 2), ["15:30", "10-04 15:15"]);
        // Beirut, 29 March 2026: the day begins at 01:00.
        assert_eq!(ticks("0 0 * * *", "Asia/Beirut", "2026-03-28T12:00:00Z", 2), ["22:00", "03-29 21:00"]);
    }

    #[test]
    fn a_tick_within_a_repeated_hour_fires_once() {
        // Berlin, 25 October 2026: 02:00 to 02:59 comes at 00:00 UTC and again at 01:00 UTC.
        let after = "2026-10-25T00:00:00Z";
        assert_eq!(ticks("30 2 * * *", "Europe/Berlin", after, 2), ["00:30", "10-26 01:30"]);
        assert_eq!(ticks("*/30 2,3 * * *", "Europe/Berlin", after, 3), ["00:30", "02:00", "02:30"]);
        for second in ["2026-10-25T01:00:00Z", "2026-10-25T01:15:00Z", "2026-10-25T01:45:00Z"] {
            assert_eq!(ticks("30 2 * * *", "Europe/Berlin", second, 1), ["10-26 01:30"], "{second}");
        }
    }

    #[test]
    fn every_hour_goes_on_as_time_goes_on() {
        let gap = "2026-03-29T00:00:00Z";
        assert_eq!(ticks("15 * * * *", "Europe/Berlin", gap, 3), ["00:15", "01:15", "02:15"]);
        assert_eq!(ticks("15 */2 * * *", "Europe/Berlin", gap, 2), ["02:15", "04:15"]);
        let twice = "2026-10-24T23:30:00Z";
        let hourly = ["10-25 00:15", "10-25 01:15", "10-25 02:15"];
        assert_eq!(ticks("15 * * * *", "Europe/Berlin", twice, 3), hourly);
        for zone in ["Europe/Berlin", "Australia/Lord_Howe", "America/New_York", "UTC"] {
            let zone: Zone = zone.parse().unwrap();
            let schedule = Schedule::parse("*/10 * * * *").unwrap();
            for from in ["2026-03-28T12:00:00Z", "2026-04-04T12:00:00Z", "2026-10-03T12:00:00Z", "2026-10-24T12:00:00Z"]
            {
                let mut at = time(from);
                for _ in 0..200 {
                    let next = schedule.next_after(at, zone).unwrap();
                    assert_eq!(next, at + Duration::minutes(10), "{zone}");
                    at = next;
                }
            }
        }
    }

    #[test]
    fn an_invalid_crontab_line_is_refused() {
        for (text, says) in [
            ("", "it is empty"),
            ("60000", "milliseconds are not known"),
            ("@every 5m", "begin with @"),
            ("@hourly", "begin with @"),
            ("0 */5 * * * *", "seconds and years are not known"),
            ("* * * *", "there are fewer"),
            ("60 * * * *", "\"60\" is no minute: 0 to 59"),
            ("* 24 * * *", "is no hour"),
            ("* * 0 * *", "is no day of the month"),
            ("* * L * *", "is no day of the month"),
            ("* * 15W * *", "is no day of the month"),
            ("* * ? * *", "is no day of the month"),
            ("* * * 13 *", "is no month"),
            ("* * * mon *", "is no month"),
            ("* * * * 8", "is no day of the week"),
            ("* * * * 5#2", "is no day of the week"),
            ("* * * * +5", "is no day of the week"),
            ("* * * * monday", "is no day of the week"),
            ("* * * * sunmon", "is no day of the week"),
            ("*/0 * * * *", "is no minute"),
            ("5/10 * * * *", "is no minute"),
            ("9-5 * * * *", "is no minute"),
            ("1,,2 * * * *", "is no minute"),
            ("1- * * * *", "is no minute"),
            ("*/feb * * * *", "is no minute"),
            ("\u{663} * * * *", "is no minute"),
            ("every day at nine o'clock", "is no minute"),
            ("0 0 30 2 *", "never comes"),
            ("0 0 31 2,4,jun *", "never comes"),
        ] {
            let violation = Schedule::parse(text).unwrap_err();
            assert!(violation.message.contains(says), "{text}: {}", violation.message);
        }
        assert!(Schedule::parse(&"1,".repeat(100_000)).unwrap_err().message.contains("more than 500"));
        assert!("Mars/Olympus".parse::<Zone>().is_err());
        assert_eq!(Zone::default().to_string(), "UTC");
    }
}
