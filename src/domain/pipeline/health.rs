//! Rules of the health of destinations: what an outcome means for it.
//!
//! Not here: the circuit of a destination (`destination`), the retries of a delivery (`retry`).

use chrono::SecondsFormat;

use super::{
    delivery::Outcome,
    destination::{Health, PROBE_INTERVAL},
};
use crate::domain::ambient::Time;

/// Rules of the health of destinations.
#[derive(Clone, Copy, Debug)]
pub struct HealthRules {
    /// Number of failed attempts in a row after which a destination is failing.
    pub failing_after: i32,
    /// Time after which a destination that is failing all the while is disabled; `None`: never.
    pub disable_after: Option<chrono::Duration>,
}

impl HealthRules {
    /// Returns the new health of a destination after an attempt that came to `outcome` at `now`, where it changes, and
    /// counts the attempt in the run of failures.
    pub fn learn(&self, health: &Health, failures: &mut i32, outcome: &Outcome, now: Time) -> Option<Health> {
        let (reason, refused) = match outcome {
            Outcome::Delivered => {
                *failures = 0;
                return (*health != Health::Healthy).then_some(Health::Healthy);
            }
            Outcome::Gone { reason } => return Some(Health::Disabled { reason: reason.clone(), since: now }),
            // Nothing is wrong with the destination: the message, or the whole connection, is refused.
            Outcome::MessageRefused { .. } | Outcome::ConnectionDead { .. } => return None,
            Outcome::Throttled { .. } => ("the upstream asks for a pause", false),
            Outcome::Unreachable { reason } => (&**reason, false),
            Outcome::Faltered { reason } => (&**reason, false),
            Outcome::AddressRefused { reason } => (&**reason, true),
        };
        *failures = failures.saturating_add(1);
        let since = health.failing_since();
        if let (Some(since), Some(limit)) = (since, self.disable_after)
            && now >= since + limit
        {
            let failing = since.to_rfc3339_opts(SecondsFormat::Secs, true);
            let reason = format!("no attempt has succeeded since {failing}; enable it when it works again: {reason}");
            return Some(Health::Disabled { reason, since: now });
        }
        match since {
            _ if refused => {
                let (reason, since) = (reason.to_owned(), since.unwrap_or(now));
                Some(Health::Failing { reason, since, probe_at: Some(now + PROBE_INTERVAL) })
            }
            None if *failures >= self.failing_after => {
                let reason = format!("{failures} attempts in a row failed; the last one: {reason}");
                Some(Health::Failing { reason, since: now, probe_at: None })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: HealthRules = HealthRules { failing_after: 3, disable_after: Some(chrono::Duration::days(5)) };

    fn at(hours: i64) -> Time {
        Time::from_timestamp(hours * 3600, 0).unwrap()
    }

    fn down() -> Outcome {
        Outcome::Unreachable { reason: "refused".into() }
    }

    fn failing(since: i64, probe_at: Option<Time>) -> Health {
        Health::Failing { reason: "x".into(), since: at(since), probe_at }
    }

    #[test]
    fn a_run_of_failures_is_failing_and_one_success_ends_it() {
        let mut run = 0;
        for outcome in [down(), Outcome::Faltered { reason: "500".into() }] {
            assert_eq!(RULES.learn(&Health::Healthy, &mut run, &outcome, at(1)), None);
        }
        let refused = Outcome::MessageRefused { reason: "400".into() };
        assert_eq!(RULES.learn(&Health::Healthy, &mut run, &refused, at(1)), None, "it says nothing");
        let now = RULES.learn(&Health::Healthy, &mut run, &down(), at(1)).unwrap();
        let reason = "3 attempts in a row failed; the last one: refused".to_owned();
        assert_eq!(now, Health::Failing { reason, since: at(1), probe_at: None });
        assert_eq!(RULES.learn(&now, &mut run, &down(), at(2)), None, "it is still that");
        assert_eq!((RULES.learn(&now, &mut run, &Outcome::Delivered, at(2)), run), (Some(Health::Healthy), 0));
        assert_eq!(RULES.learn(&Health::Healthy, &mut run, &Outcome::Delivered, at(2)), None);
    }

    #[test]
    fn a_refused_address_opens_the_circuit_and_keeps_the_time() {
        let refused = Outcome::AddressRefused { reason: "archived".into() };
        let open = |since| {
            let probe_at = Some(at(9) + PROBE_INTERVAL);
            Some(Health::Failing { reason: "archived".into(), since: at(since), probe_at })
        };
        assert_eq!(RULES.learn(&Health::Healthy, &mut 0, &refused, at(9)), open(9));
        assert_eq!(RULES.learn(&failing(2, None), &mut 0, &refused, at(9)), open(2));
    }

    #[test]
    fn long_failure_disables_unless_the_operator_turned_that_off() {
        let long = |rules: HealthRules, now| rules.learn(&failing(0, None), &mut 9, &down(), at(now));
        assert_eq!(long(RULES, 119), None);
        let Some(Health::Disabled { reason, since }) = long(RULES, 120) else { panic!() };
        assert_eq!(since, at(120));
        assert!(reason.starts_with("no attempt has succeeded since 1970-01-01T00:00:00Z"), "{reason}");
        assert_eq!(long(HealthRules { disable_after: None, ..RULES }, 120), None);
    }
}
