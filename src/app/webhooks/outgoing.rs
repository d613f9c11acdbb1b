//! Calls of outgoing webhooks: what is sent, what a script makes of it, what is posted of the answer, and whether a call
//! that failed is made again. Each is written down step by step.
//!
//! The worker asks for them. What waits is in the database, so a pause outlives the process.

mod answer;
mod run;
mod scripts;

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use self::{run::Run, scripts::Prepared};
use super::{Webhooks, secret_place};
use crate::{
    app::{apps::calls::excerpt, pipeline::reports::Report},
    domain::{
        Error, Result, apps,
        channels::{Channel, message::Message},
        ids::IntegrationId,
        pipeline::{
            delivery::{AttemptOutcome, Delivery, Next, Outcome, Reason},
            destination::Destination,
            event::Event,
        },
        webhooks::{
            Direction, Outgoing, OutgoingEvent, Webhook, destination,
            outgoing_payload::{Telling, payload},
            retry::AfterFailure,
        },
    },
    provider::{
        guard::{Answer, Failure, Outgoing as Sent, Unreachable},
        redact,
        script::request::Request,
    },
    store::{self, apps::installations::SealedSecrets, webhooks::Stored},
};

/// Maximum number of bytes that are read of an answer.
const ANSWER_BYTES: usize = 1024 * 1024;
/// Reason for which nothing more is sent after an answer 410.
const GONE: &str = "the endpoint says that it is gone (410), so the outgoing webhook was switched off; put its URL right \
                    and enable it";

/// Inputs of a run.
struct Job<'a> {
    webhook: &'a Webhook,
    outgoing: &'a Outgoing,
    secrets: &'a SealedSecrets,
    delivery: &'a Delivery,
    event: &'a Event,
    message: Message,
    url: &'a str,
    payload: Value,
}

impl Webhooks {
    /// Returns the outgoing webhook of a destination, as it is configured now, or the reason for which it is not called.
    pub(super) async fn callable(&self, destination: &Destination) -> Result<Result<Stored, Reason>> {
        let Destination { organisation_id, name, address: url, .. } = destination;
        let id: Option<IntegrationId> = name.split(':').next().and_then(|id| id.parse().ok());
        let Some(id) = id else { return Ok(Err(apps::destination::DELETED)) };
        let stored = match store::webhooks::find(self.base.store.reader(), *organisation_id, id).await {
            Ok(stored) => stored,
            Err(Error::NotFound { .. }) => return Ok(Err(apps::destination::DELETED)),
            Err(error) => return Err(error),
        };
        Ok(match &stored.webhook.direction {
            Direction::Incoming(_) => Err(apps::destination::DELETED),
            Direction::Outgoing(_) if !stored.webhook.enabled => Err(destination::DISABLED),
            Direction::Outgoing(outgoing) if !outgoing.urls.contains(url) => Err(destination::URL_REMOVED),
            Direction::Outgoing(_) => Ok(stored),
        })
    }

    /// Calls a URL of an outgoing webhook once.
    ///
    /// # Errors
    /// When the database fails; nothing was called then, or it is called again.
    pub(super) async fn call_webhook(
        &self,
        Stored { webhook, secrets }: &Stored,
        url: &str,
        delivery: &Delivery,
        event: &Event,
    ) -> Result<AttemptOutcome> {
        let Direction::Outgoing(outgoing) = &webhook.direction else {
            return Err(Error::Internal("an incoming webhook is not called".into()));
        };
        let token = match &secrets.credential {
            Some(sealed) => Some(self.vault.unseal(secret_place(webhook, "credential"), sealed).await?),
            None => None,
        };
        let kind = OutgoingEvent::of_kind(&event.fact.kind).unwrap_or(outgoing.event);
        let message = Message::read(&event.fact.data);
        let word = webhook.triggered(outgoing, &message).flatten();
        let channel = self.channel_of(event).await?;
        let telling = Telling {
            token: token.as_ref().map(|token| token.expose()),
            trigger_word: word,
            site_url: self.base.public_url.as_str().trim_end_matches('/'),
            channel: channel.as_ref(),
        };
        let payload = payload(kind, event, &telling);
        let mut run = Run::begin(url, kind.as_str(), word, token);
        run.set("data", payload.clone());
        run.step("mapped-args-to-data");
        let job = Job { webhook, outgoing, secrets, delivery, event, message, url, payload };
        let (began, timer) = (self.base.now(), Instant::now());
        let next = self.carry_out(&job, &mut run).await?;
        let outcome = AttemptOutcome {
            outcome: of_run(run.outcome.clone()),
            next: Some(next),
            address: redact(url).into_owned(),
            request: std::mem::take(&mut run.request),
            answer: run.answer.take(),
            status_code: run.status,
            duration: timer.elapsed(),
            began,
            history_of: Some(webhook.id),
            detail: Some(run.into_detail()),
        };
        Ok(outcome)
    }

    /// The channel of an event, where it is in one that is still there.
    async fn channel_of(&self, event: &Event) -> Result<Option<Channel>> {
        let Some(id) = event.fact.channel_id else { return Ok(None) };
        match store::channels::find(self.base.store.reader(), event.organisation_id, id).await {
            Ok(channel) => Ok(Some(channel)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn carry_out(&self, job: &Job<'_>, run: &mut Run) -> Result<Next> {
        let wanted = match self.prepare(job, run).await? {
            Prepared::Send(wanted) => wanted,
            Prepared::Ended(next) => return Ok(next),
        };
        let request = match Request::read(&wanted) {
            Ok(Some(request)) => request,
            Ok(None) => {
                run.finish("after-prepare-no-url_or_method");
                return Ok(Next::Delivered);
            }
            Err(reason) => {
                run.fail("pre-http-call");
                run.because(&reason);
                return Ok(Next::Failed { reason });
            }
        };
        run.step("pre-http-call");
        run.set("url", request.url.as_str());
        let data = wanted.get("data").cloned().unwrap_or_default();
        run.request = run.shown(&data);
        run.set("httpCallData", data);
        let answer = self.send_signed(job, request).await?;
        run.step("after-http-call");
        match answer {
            Err(failure) => self.not_answered(job, run, failure),
            Ok(Answer { incomplete: Some(reason), .. }) if reason != Unreachable::AnswerTooLarge => {
                self.not_answered(job, run, Failure::Unreachable(reason))
            }
            Ok(answer) => self.answered(job, run, &wanted, &answer).await,
        }
    }

    async fn send_signed(&self, job: &Job<'_>, request: Request) -> Result<Result<Answer, Failure>> {
        let Request { method, url, mut headers, body, timeout } = request;
        let whose = (job.webhook.organisation_id, job.webhook.installation_id);
        // After those of the script: what signs is ours.
        headers.extend(self.apps.signature(whose, job.secrets, (job.delivery.id.0, self.base.now()), &body).await?);
        let limit = timeout.unwrap_or(Duration::MAX).min(self.rules.call_limit);
        Ok(self.guard.send(Sent { method, url, headers, body }, limit, ANSWER_BYTES).await)
    }

    /// Decides the next step after a call without an answer.
    fn not_answered(&self, job: &Job<'_>, run: &mut Run, failure: Failure) -> Result<Next> {
        run.set("error", true);
        run.outcome = failure.into();
        let reason = match &run.outcome {
            Outcome::Unreachable { reason } => format!("the endpoint was not reached, or did not answer: {reason}"),
            Outcome::AddressRefused { reason } => reason.clone(),
            _ => failure_text(&failure),
        };
        run.set("httpError", json!({"message": reason}));
        // A URL that may not be called may not be called later either.
        if self.rules.strict_retries || matches!(failure, Failure::Refused(_)) {
            return Ok(Next::Failed { reason });
        }
        Ok(self.again(job, run, reason, None))
    }

    /// Decides the next step after an answer.
    async fn answered(
        &self,
        job: &Job<'_>,
        run: &mut Run,
        wanted: &Map<String, Value>,
        answer: &Answer,
    ) -> Result<Next> {
        let (status, text) = (answer.status, String::from_utf8_lossy(&answer.body));
        run.status = Some(status);
        run.answer = Some(run.text(&excerpt(&answer.body)));
        let result = json!(run.text(&text)).to_string();
        run.set("httpResult", result);
        if let Some(next) = self.process(job, run, wanted, answer).await? {
            return Ok(next);
        }
        let strict = self.rules.strict_retries;
        let is_success = match strict {
            true => matches!(status, 200..=202) && !answer.body.is_empty(),
            false => matches!(status, 200..=299),
        };
        if is_success {
            self.post_default(job, run, answer).await?;
            return Ok(Next::Delivered);
        }
        let reason = format!("the endpoint answered {status}");
        run.outcome = Outcome::Faltered { reason: reason.clone() };
        match status {
            410 if !strict || !answer.body.is_empty() => {
                run.fail("after-process-http-status-410");
                self.webhook_gone(job.webhook).await?;
                Ok(Next::Failed { reason: GONE.to_owned() })
            }
            500 if strict && !answer.body.is_empty() => {
                run.fail("after-process-http-status-500");
                Ok(Next::Failed { reason })
            }
            _ => Ok(self.again(job, run, reason, answer.retry_after(self.base.now()))),
        }
    }

    /// Posts the message in an answer, where there is one.
    async fn post_default(&self, job: &Job<'_>, run: &mut Run, answer: &Answer) -> Result<()> {
        let content_type = answer.headers.get("content-type").and_then(|value| value.to_str().ok());
        let Some(content) = answer::message_in(content_type, &answer.body) else { return Ok(()) };
        match self.post_answer(job, &content).await? {
            Ok(posted) => {
                run.set("resultMessage", posted);
                run.finish("url-response-sent-message");
            }
            Err(fault) => {
                run.because(&fault.to_string());
                run.finish("after-http-call-send-message-failed");
            }
        }
        Ok(())
    }

    /// Decides whether a failed call is retried, and the time. Where the target asks for a longer pause than the
    /// webhook's backoff rule, it has it.
    fn again(&self, job: &Job<'_>, run: &mut Run, reason: String, asked: Option<Duration>) -> Next {
        let before = u32::try_from(job.delivery.attempts).unwrap_or_default();
        match job.outgoing.after_failure(before) {
            AfterFailure::Again { pause, number } => {
                run.fail(&format!("going-to-retry-{number}"));
                let asked = asked.filter(|_| !self.rules.strict_retries).unwrap_or_default();
                Next::RetryAt { at: self.base.now() + pause.max(asked), reason }
            }
            AfterFailure::TooMany => {
                run.fail("too-many-retries");
                Next::Exhausted { reason }
            }
            AfterFailure::NotWanted => {
                run.fail("failed-and-not-configured-to-retry");
                Next::Failed { reason }
            }
            AfterFailure::NoSuchRule { rule } => {
                run.fail("failed-and-retry-delay-is-invalid");
                let wrong =
                    format!("{rule:?} is no rule of pauses; choose powers-of-ten, powers-of-two or increments-of-two");
                run.because(&wrong);
                Next::Failed { reason: format!("{reason}; {wrong}") }
            }
        }
    }

    /// Switches a webhook off whose endpoint is gone, and says so in the audit log; what waits for it ends.
    async fn webhook_gone(&self, webhook: &Webhook) -> Result<()> {
        let now = self.base.now();
        let tx = self.base.store.begin().await?;
        let found = store::webhooks::find(&tx, webhook.organisation_id, webhook.id).await;
        let mut webhook = match found {
            // Somebody changed it meanwhile: what was called is not what it is now.
            Ok(stored) if stored.webhook.updated_at != webhook.updated_at => return Ok(()),
            Ok(stored) => stored.webhook,
            Err(Error::NotFound { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        webhook.enabled = false;
        webhook.updated_at = now;
        store::webhooks::update(&tx, &webhook, None).await?;
        let disabled = self.switch_destinations(&tx, &webhook, |_| Some(GONE), now).await?;
        let whose = (webhook.organisation_id, "endpoint");
        self.base.audit(&tx, whose, "webhook.disable", webhook.id, json!({"reason": GONE})).await?;
        let reports: Vec<Report> = disabled.into_iter().map(|destination| Report::health(destination, false)).collect();
        self.pipeline.commit_reports(tx, &reports).await
    }
}

/// Classifies a run for its destination: a URL that is refused, or gone, says nothing of the other runs.
fn of_run(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::AddressRefused { reason } | Outcome::Gone { reason } => Outcome::MessageRefused { reason },
        outcome => outcome,
    }
}

fn failure_text(failure: &Failure) -> String {
    match failure {
        Failure::Refused(refusal) => format!("the URL {refusal}"),
        Failure::Unreachable(reason) => reason.to_string(),
    }
}
