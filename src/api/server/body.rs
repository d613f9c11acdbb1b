//! The deadline of a request's body: in all, and by its rate.
//!
//! Its size is bounded where it is read.

use std::{io, time::Duration};

use futures_util::{StreamExt, stream};
use poem::Body;
use tokio::time::{Instant, timeout_at};

use super::Limits;

/// A body may be slower than the least rate for this long.
const GRACE: Duration = Duration::from_secs(5);

/// A body that fails with [`io::ErrorKind::TimedOut`] when it does not arrive in time.
pub(super) fn timed(body: Body, limits: &Limits) -> Body {
    let (begun, total, rate) = (Instant::now(), limits.body_timeout, limits.body_bytes_per_second);
    let frames = body.into_bytes_stream().boxed();
    Body::from_bytes_stream(stream::unfold((frames, 0_usize), move |(mut frames, received)| async move {
        let deadline = begun + allowed(received, total, rate);
        let frame = match timeout_at(deadline, frames.next()).await {
            Ok(frame) => frame?,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        };
        let length = frame.as_ref().map_or(0, |bytes| bytes.len());
        Some((frame, (frames, received.saturating_add(length))))
    }))
}

/// Time that a body has had when the next byte has to be there.
fn allowed(received: usize, total: Duration, bytes_per_second: u32) -> Duration {
    let seconds = received as f64 / f64::from(bytes_per_second.max(1));
    total.min(GRACE + Duration::try_from_secs_f64(seconds).unwrap_or(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_a_grace_then_a_rate_and_an_end() {
        let total = Duration::from_secs(30);
        for (received, seconds) in [(0, 5), (1_000, 6), (20_000, 25), (25_000, 30), (1 << 40, 30)] {
            assert_eq!(allowed(received, total, 1_000), Duration::from_secs(seconds), "{received}");
        }
        assert_eq!(allowed(0, Duration::from_secs(1), 1_000), Duration::from_secs(1));
    }
}
