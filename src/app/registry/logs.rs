//! What became of the calls of a version, wherever it is installed. Its makers see how their own server answered, and
//! nothing of who called it or what was said.

use uuid::Uuid;

use super::Registry;
use super::{not_found, version_id};
use crate::{
    app::Caller,
    domain::{
        Error, Result,
        ambient::Time,
        pipeline::delivery::{Attempt, AttemptState},
        tenancy::member::Permission,
    },
    store::registry,
};

/// How many lines there are at a time.
const PAGE_LINES: u64 = 100;

/// What logs ask for.
#[derive(Clone, Debug)]
pub struct LogQuery {
    /// From then on.
    pub from: Time,
    /// Until then.
    pub until: Option<Time>,
    /// Only of this level.
    pub level: Option<String>,
    /// Only with this text in the message, whatever its case.
    pub contains: Option<String>,
    /// Only of a user, a workflow or a conversation. A version knows none, so there is no such line.
    pub about: [Option<String>; 3],
    /// Where the former page ended.
    pub next_token: Option<String>,
}

/// Some lines of a version's log.
#[derive(Clone, Debug)]
pub struct LogPage {
    /// Oldest first.
    pub lines: Vec<LogLine>,
    /// Where the next page begins, if there is one.
    pub next_token: Option<String>,
}

/// A line of a version's log.
#[derive(Clone, Debug)]
pub struct LogLine {
    /// When.
    pub at: Time,
    /// How grave: `info`, `warn` where it is tried again, `error`.
    pub level: &'static str,
    /// What happened.
    pub message: String,
}

impl Registry {
    /// What became of the calls of a version, oldest first. Where only some lines fit, a page may be short, and even
    /// empty, before the last.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], [`Error::Invalid`] where the time ends before it begins or the token is
    /// none.
    pub async fn get_integration_logs(&self, caller: &Caller, id: &str, query: LogQuery) -> Result<LogPage> {
        caller.require(Permission::IntegrationsRead)?;
        if query.until.is_some_and(|until| until < query.from) {
            return Err(Error::invalid("timeEnd", "must not be before timeStart"));
        }
        let after = query.next_token.as_deref().map(str::parse::<Uuid>).transpose();
        let wrong = |_| Error::invalid("nextToken", "is not one of this list's; ask for the first page again");
        let after = after.map_err(wrong)?;
        let reader = self.base.store.reader();
        let found =
            registry::find(reader, caller.organisation_id, version_id(id)?).await?.ok_or_else(|| not_found(id))?;
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
    let came = match attempt.status_code {
        Some(status) => format!("{address} answered with the status {status} after {duration_ms} ms"),
        None => format!("{address} did not answer within {duration_ms} ms"),
    };
    let message = match &attempt.reason {
        Some(reason) => format!("{came}, call {}: {reason}", attempt.number),
        None => format!("{came}, call {}", attempt.number),
    };
    LogLine { at: attempt.created_at, level, message }
}
