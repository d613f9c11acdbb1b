//! Bounded log of received API calls, newest last, without arguments (they may hold secrets).

use std::collections::VecDeque;

use parking_lot::Mutex;
use serde::Serialize;

use crate::clock::rfc3339;

const KEPT: usize = 20_000;

/// A call with the outcome of its answer.
#[derive(Clone)]
pub(crate) struct Call {
    /// API method, such as `chat.postMessage` or `GET /user`.
    pub(crate) method: String,
    /// Workspace of the token, if the token is valid; at GitHub the installation's id or the user's name.
    pub(crate) team: Option<String>,
    /// Channel as the caller named it; at GitHub the subject of the route.
    pub(crate) channel: Option<String>,
    /// Microseconds since 1970.
    pub(crate) at: i64,
    /// HTTP status, or 0 when no answer was given.
    pub(crate) status: u16,
    /// Slack's error code, or GitHub's message.
    pub(crate) error: Option<String>,
    /// Set when a fault shaped this answer.
    pub(crate) fault: bool,
}

/// A call as the control API shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CallView {
    seq: u64,
    time: String,
    method: String,
    team: Option<String>,
    channel: Option<String>,
    status: u16,
    ok: bool,
    error: Option<String>,
    fault: bool,
}

/// Bounded log of calls.
#[derive(Default)]
pub(crate) struct CallLog {
    inner: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    first_seq: u64,
    calls: VecDeque<Call>,
}

impl CallLog {
    pub(crate) fn push(&self, call: Call) {
        let mut kept = self.inner.lock();
        if kept.calls.len() == KEPT {
            kept.calls.pop_front();
            kept.first_seq += 1;
        }
        kept.calls.push_back(call);
    }

    /// Returns the stored calls, oldest first, optionally of one method.
    pub(crate) fn list(&self, method: Option<&str>) -> Vec<CallView> {
        let kept = self.inner.lock();
        (kept.first_seq..)
            .zip(&kept.calls)
            .filter(|(_, call)| method.is_none_or(|wanted| wanted == call.method))
            .map(|(seq, call)| CallView {
                seq,
                time: rfc3339(call.at),
                method: call.method.clone(),
                team: call.team.clone(),
                channel: call.channel.clone(),
                status: call.status,
                ok: (200..300).contains(&call.status) && call.error.is_none(),
                error: call.error.clone(),
                fault: call.fault,
            })
            .collect()
    }

    pub(crate) fn clear(&self) {
        *self.inner.lock() = Kept::default();
    }
}
