//! Percentiles.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Two percentiles of many durations, in milliseconds.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Percentiles {
    /// Median.
    pub p50_ms: f64,
    /// 99th percentile.
    pub p99_ms: f64,
}

impl Percentiles {
    /// Computes them; zero without durations.
    pub fn of(mut all: Vec<Duration>) -> Self {
        all.sort_unstable();
        Self { p50_ms: nearest_rank(&all, 50), p99_ms: nearest_rank(&all, 99) }
    }
}

/// Computes the median, in milliseconds.
pub fn median_ms(mut all: Vec<Duration>) -> f64 {
    all.sort_unstable();
    nearest_rank(&all, 50)
}

fn nearest_rank(sorted: &[Duration], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).map_or(0.0, |duration| duration.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let all = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!(Percentiles::of(all), Percentiles { p50_ms: 100.0, p99_ms: 198.0 });
        assert_eq!(median_ms(vec![Duration::from_millis(7)]), 7.0);
        assert_eq!(median_ms(Vec::new()), 0.0);
    }
}
