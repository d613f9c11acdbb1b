//! Retry schedule of an outgoing webhook.
//!
//! Not here: the schedule of other destinations (`pipeline`).

use std::time::Duration;

use super::Outgoing;

/// The default backoff rule.
pub const DEFAULT_RULE: &str = "powers-of-ten";
/// Maximum pause, regardless of the rule.
pub const MAX_BACKOFF: Duration = Duration::from_secs(7 * 24 * 3600);

/// Decision after a failed call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AfterFailure {
    /// Retry it, as the retry with this number, counted from 1.
    Again {
        /// Pause before the retry.
        pause: Duration,
        /// Number of the retry.
        number: u32,
    },
    /// The retries are exhausted.
    TooMany,
    /// Retries are disabled.
    NotWanted,
    /// The backoff rule is unknown.
    NoSuchRule {
        /// The rule, as entered.
        rule: String,
    },
}

impl Outgoing {
    /// Decides after a failed call with `again` retries before it: 0 for the first call.
    pub fn after_failure(&self, again: u32) -> AfterFailure {
        let most = self.retry_count.unwrap_or_default();
        if !self.retry_failed_calls || most == 0 {
            return AfterFailure::NotWanted;
        }
        if again >= most {
            return AfterFailure::TooMany;
        }
        let rule = self.retry_delay.as_deref().unwrap_or(DEFAULT_RULE);
        match backoff(rule, again) {
            Some(pause) => AfterFailure::Again { pause, number: again + 1 },
            None => AfterFailure::NoSuchRule { rule: rule.to_owned() },
        }
    }
}

/// Returns the pause of a backoff rule, `n` from 0. Exactly as specified, without jitter: the user chose these pauses.
fn backoff(rule: &str, n: u32) -> Option<Duration> {
    let pause = match rule {
        "powers-of-ten" => Duration::from_millis(10_u64.saturating_pow(n.saturating_add(2))),
        "powers-of-two" => Duration::from_secs(2_u64.saturating_pow(n.saturating_add(1))),
        "increments-of-two" => Duration::from_secs((u64::from(n) + 1) * 2),
        _ => return None,
    };
    Some(pause.min(MAX_BACKOFF))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::webhooks::OutgoingEvent;

    fn outgoing(retry_count: Option<u32>, rule: Option<&str>) -> Outgoing {
        Outgoing {
            event: OutgoingEvent::SendMessage,
            urls: vec![],
            trigger_words: vec![],
            trigger_word_anywhere: false,
            target_room: None,
            run_on_edits: false,
            retry_failed_calls: true,
            retry_count,
            retry_delay: rule.map(str::to_owned),
            impersonate_user: false,
        }
    }

    #[test]
    fn each_rule_has_its_pauses() {
        for (rule, pauses) in [
            ("powers-of-ten", [100, 1_000, 10_000, 100_000]),
            ("powers-of-two", [2_000, 4_000, 8_000, 16_000]),
            ("increments-of-two", [2_000, 4_000, 6_000, 8_000]),
        ] {
            let found = [0, 1, 2, 3].map(|n| backoff(rule, n).unwrap().as_millis());
            assert_eq!(found, pauses, "{rule}");
            assert_eq!(backoff(rule, u32::MAX), Some(MAX_BACKOFF), "{rule}");
        }
        assert_eq!(backoff("Powers-of-ten", 0), None);
    }

    #[test]
    fn the_count_is_of_the_calls_after_the_first() {
        let two = outgoing(Some(2), None);
        let again = |millis, number| AfterFailure::Again { pause: Duration::from_millis(millis), number };
        assert_eq!(two.after_failure(0), again(100, 1));
        assert_eq!(two.after_failure(1), again(1_000, 2));
        assert_eq!(two.after_failure(2), AfterFailure::TooMany);
        assert_eq!(outgoing(None, None).after_failure(0), AfterFailure::NotWanted);
        assert_eq!(outgoing(Some(0), None).after_failure(0), AfterFailure::NotWanted);
        let off = Outgoing { retry_failed_calls: false, ..two };
        assert_eq!(off.after_failure(0), AfterFailure::NotWanted);
        let odd = outgoing(Some(1), Some("soon"));
        assert_eq!(odd.after_failure(0), AfterFailure::NoSuchRule { rule: "soon".into() });
    }
}
