//! Logs of a version: outcomes of its calls, in every organisation that installed it. Its makers see the answers of
//! their own server, but neither the calling organisation nor the content.
//!
//! Not here: calling an app and recording the attempt (`apps::calls`, `worker`).

use uuid::Uuid;

use super::{Registry, not_found, version_id};
use crate::{
    app::Caller,
    domain::{
        Error, Result,
        ambient::Time,
        pipeline::delivery::{Attempt, AttemptState},
        registry::definition::DefinitionKind::Integration,
        tenancy::member::Permission,
    },
    store::registry,
};

/// Attempts that one page covers.
const PAGE_LINES: u64 = 100;

/// Filters and page of the log.
#[derive(Clone, Debug)]
pub struct LogQuery {
    /// Earliest time, inclusive.
    pub from: Time,
    /// Latest time.
    pub until: Option<Time>,
    /// Level.
    pub level: Option<String>,
    /// Text that the message must contain; case is ignored.
    pub contains: Option<String>,
    /// A user, a workflow or a conversation. A version has none of these, so such a filter matches no line.
    pub about: [Option<String>; 3],
    /// Token of the page, from the preceding one.
    pub next_token: Option<String>,
}

/// A page of a version's log.
#[derive(Clone, Debug)]
pub struct LogPage {
    /// Lines, oldest first.
    pub lines: Vec<LogLine>,
    /// Token of the next page, if there is one.
    pub next_token: Option<String>,
}

/// A line of a version's log.
#[derive(Clone, Debug)]
pub struct LogLine {
    /// Time of the attempt.
    pub at: Time,
    /// Level: `info` for a delivered call, `warn` for one that is retried, `error` for a failed one.
    pub level: &'static str,
    /// Address, answer and duration of the call.
    pub message: String,
}

impl Registry {
    /// Returns the outcomes of a version's calls, oldest first. Since filters apply within a page, a page may be short,
    /// and even empty, before the last.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], [`Error::Invalid`] where the time ends before it begins or the token
    /// is malformed.
    pub async fn get_integration_logs(&self, caller: &Caller, id: &str, query: LogQuery) -> Result<LogPage> {
        caller.require(Permission::IntegrationsRead)?;
        if query.until.is_some_and(|until| until < query.from) {
            return Err(Error::invalid("timeEnd", "must not be before timeStart"));
        }
        let after = query.next_token.as_deref().map(str::parse::<Uuid>).transpose();
        let wrong = |_| Error::invalid("nextToken", "is not one of this list's; ask for the first page again");
        let after = after.map_err(wrong)?;
        let reader = self.base.store.reader();
        let found = registry::find(reader, Integration, caller.organisation_id, version_id(Integration, id)?).await?;
        let found = found.ok_or_else(|| not_found(Integration, id))?;
        let mut attempts = registry::calls(reader, found.id, (query.from, query.until), after, PAGE_LINES + 1).await?;
        let more = attempts.len() as u64 > PAGE_LINES;
        attempts.truncate(PAGE_LINES as usize);
        let next_token = attempts.last().filter(|_| more).map(|last| last.id.to_string());
        let wanted = query.contains.as_deref().map(str::to_lowercase);
        let fits = |line: &LogLine| {
            query.about.iter().all(Option::is_none)
                && query.level.as_ref().is_none_or(|level| level == line.level)
                && wanted.as_ref().is_none_or(|wanted| line.message.to_lowercase().contains(wanted))
        };
        Ok(LogPage { lines: attempts.iter().map(line).filter(fits).collect(), next_token })
    }
}

fn line(attempt: &Attempt) -> LogLine {
    let level = match attempt.outcome {
        AttemptState::Delivered => "info",
        AttemptState::Retried => "warn",
        AttemptState::Failed => "error",
    };
    let (address, duration_ms) = (&attempt.address, attempt.duration.as_millis());
    let answer = match attempt.status_code {
        Some(status) => format!("{address} answered with the status {status} after {duration_ms} ms"),
        None => format!("{address} did not answer within {duration_ms} ms"),
    };
    let message = match &attempt.reason {
        Some(reason) => format!("{answer}, call {}: {reason}", attempt.number),
        None => format!("{answer}, call {}", attempt.number),
    };
    LogLine { at: attempt.created_at, level, message }
}
