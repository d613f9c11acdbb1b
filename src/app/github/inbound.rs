//! Accepts GitHub's webhooks once their signature is verified over the raw bytes: installations are synchronised, and
//! every other webhook becomes an event of each organisation that linked the installation.
//!
//! Not here: the matching of these events with subscriptions (`domain::github`).

use bytes::Bytes;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::GithubConnections;
use crate::{
    app::{
        Caller,
        pipeline::{
            events::Accepted,
            intake::{Idempotency, NewEvent},
            reports::Report,
        },
        tenancy::{
            credential::sha256,
            signatures::{Check, SignatureCheck, Verified, refused},
        },
    },
    domain::{
        Error, Result,
        ambient::Time,
        github::{self, EVENT_PREFIX, GithubInstallation, reason},
        ids::{EventId, OrganisationId},
        pipeline::event::Fact,
        tenancy::member::Permission,
    },
    provider::github::{signature, webhook},
    store::{self, Tx, pipeline::events::IdempotencyKey},
};

/// Lifetime of a delivery's idempotency record: GitHub allows redelivery for three days.
const IDEMPOTENCY_LIFETIME: chrono::Duration = chrono::Duration::days(7);

/// Length from which on a payload is parsed on a blocking thread.
const LONG_BYTES: usize = 64 << 10;

/// A webhook delivery from GitHub, unparsed.
#[derive(Clone, Debug)]
pub struct GithubDelivery<'a> {
    /// `X-GitHub-Event`.
    pub event: Option<&'a str>,
    /// `X-GitHub-Delivery`.
    pub delivery_id: Option<&'a str>,
    /// Proof that `X-Hub-Signature-256` was verified.
    pub signature: Verified,
    /// `Content-Type`.
    pub content_type: Option<&'a str>,
    /// Raw bytes of the body.
    pub body: Bytes,
}

/// Outcome of a webhook delivery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GithubReceipt {
    /// Number of events that were accepted, one for each linked organisation.
    pub events: usize,
    /// Number of events that had been accepted before.
    pub repeated: usize,
    /// True if it concerns nobody here: a ping, or an installation that is not linked.
    pub ignored: bool,
    /// The reason for which it became no event, if it became none.
    pub reason: Option<&'static str>,
}

impl GithubReceipt {
    fn ignored(reason: &'static str) -> Self {
        Self { ignored: true, reason: Some(reason), ..Self::default() }
    }

    fn kept() -> Self {
        Self { reason: Some(KEPT), ..Self::default() }
    }
}

/// Reasons for which a delivery becomes no event.
const PING: &str = "a ping shows that this URL is reachable, and notifies nobody";
const AUTHORIZATION: &str = "a user's authorization of the app is not kept here, so nobody is notified of its end";
const KEPT: &str = "the record of the installation was brought up to date, and nobody is notified of that";
const UNREADABLE: &str = "the installation cannot be read";
const NO_INSTALLATION: &str = "it names no installation, and so no organization that could be notified";
const UNLINKED: &str = "no organization has linked this installation";

impl Check for signature::Check {
    fn update(&mut self, bytes: &[u8]) {
        signature::Check::update(self, bytes);
    }

    fn finish(self: Box<Self>) -> Result<()> {
        signature::Check::finish(*self).map_err(|forgery| refused("GitHub", &forgery))
    }
}

impl GithubConnections {
    /// Begins the verification of a request by its `X-Hub-Signature-256`.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] where the header is missing or malformed, [`Error::FailedPrecondition`] where no
    /// GitHub App is configured.
    pub fn begin_github_signature(&self, signature: Option<&[u8]>) -> Result<SignatureCheck> {
        self.github()?;
        let verifier = self.signatures.as_ref();
        let verifier = verifier.ok_or_else(|| Error::Internal("GitHub's signatures cannot be verified".into()))?;
        let check = verifier.begin(signature).map_err(|forgery| refused("GitHub", &forgery))?;
        Ok(SignatureCheck::new(check))
    }

    /// Accepts a delivery, which is durable when this returns. If the event of one organisation could not be committed,
    /// those of the others are, and a redelivery adds the missing one.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub async fn receive_github_event(&self, delivery: GithubDelivery<'_>) -> Result<GithubReceipt> {
        let name =
            named("X-GitHub-Event", delivery.event, |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')?;
        let id = named("X-GitHub-Delivery", delivery.delivery_id, |b| b.is_ascii_alphanumeric() || b == b'-')?;
        let payload = read_payload(delivery.content_type, delivery.body).await?;
        let outcome = self.take_in(name, id, payload).await;
        match &outcome {
            Ok(GithubReceipt { ignored: true, .. }) => self.base.metrics.events("ignored", 1),
            Ok(receipt) => {
                self.base.metrics.events("accepted", receipt.events as u64);
                self.base.metrics.events("repeated", receipt.repeated as u64);
            }
            Err(_) => {}
        }
        outcome
    }

    async fn take_in(&self, name: &str, delivery_id: &str, payload: Value) -> Result<GithubReceipt> {
        let installation = webhook::installation(&payload["installation"]);
        match (name, installation) {
            ("ping", _) => Ok(GithubReceipt::ignored(PING)),
            ("github_app_authorization", _) => Ok(GithubReceipt::ignored(AUTHORIZATION)),
            ("installation", Some(installation)) => self.keep_installation(&payload, &installation).await,
            ("installation_repositories", Some(installation)) => self.keep_repositories(&payload, &installation).await,
            ("installation_target", _) => self.keep_account(&payload).await,
            ("installation" | "installation_repositories", None) => {
                tracing::warn!(event = name, delivery_id, "GitHub sent an unreadable installation");
                Ok(GithubReceipt::ignored(UNREADABLE))
            }
            _ => match payload["installation"]["id"].as_i64() {
                Some(id) => self.fan_out(name, delivery_id, id, payload).await,
                None => Ok(GithubReceipt::ignored(NO_INSTALLATION)),
            },
        }
    }

    /// Stores an installation that was created, changed, suspended or deleted: webhooks may be out of order and
    /// repeated.
    async fn keep_installation(&self, payload: &Value, installation: &GithubInstallation) -> Result<GithubReceipt> {
        let now = self.base.now();
        let tx = self.base.store.begin().await?;
        let (id, login) = (installation.id, &installation.account.login);
        let report = |organisation_id, lost| Report::connection(organisation_id, github::PROVIDER, login, lost);
        let mut reports = Vec::new();
        if payload["action"] == "deleted" {
            store::github::installations::delete(&tx, self.base.ambient.id(), installation, now).await?;
            for link in store::github::links::delete_all(&tx, installation.id).await? {
                let detail = json!({"installation_id": installation.id, "why": "deleted at GitHub"});
                self.base.audit(&tx, (link.organisation_id, "github"), "github_link.unlink", link.id, detail).await?;
                reports.push(report(link.organisation_id, Some(reason::DELETED.text().to_owned())));
            }
        } else {
            let former = suspended(&tx, id).await?;
            store::github::installations::save(&tx, self.base.ambient.id(), installation, now).await?;
            let repositories = webhook::repositories(&payload["repositories"]);
            let changed_at = installation.updated_at;
            store::github::installations::save_repositories(&tx, id, &repositories, false, changed_at).await?;
            let now_suspended = suspended(&tx, id).await?;
            if former.is_some() && former != now_suspended {
                let lost = now_suspended.unwrap_or_default().then(|| reason::SUSPENDED.text().to_owned());
                let linked = store::github::links::organisations(&tx, id).await?;
                reports.extend(linked.into_iter().map(|organisation_id| report(organisation_id, lost.clone())));
            }
        }
        self.pipeline.commit_reports(tx, &reports).await?;
        Ok(GithubReceipt::kept())
    }

    /// Stores the repositories that the installation gained or lost. Then the whole list is requested, because nothing
    /// orders two deliveries that overtook each other.
    async fn keep_repositories(&self, payload: &Value, installation: &GithubInstallation) -> Result<GithubReceipt> {
        let (id, changed_at) = (installation.id, installation.updated_at);
        let tx = self.base.store.begin().await?;
        store::github::installations::save(&tx, self.base.ambient.id(), installation, self.base.now()).await?;
        let stored = store::github::installations::find(&tx, id).await?;
        if stored.is_some() {
            for (list, removed) in [("repositories_added", false), ("repositories_removed", true)] {
                let repositories = webhook::repositories(&payload[list]);
                store::github::installations::save_repositories(&tx, id, &repositories, removed, changed_at).await?;
            }
        }
        tx.commit().await?;
        if stored.is_some() {
            let app = self.clone();
            self.base.afterwards(async move {
                if let Err(error) = app.reconcile_repositories(id, changed_at).await {
                    tracing::warn!(%error, installation = id, "GitHub's list of repositories could not be read");
                }
            });
        }
        Ok(GithubReceipt::kept())
    }

    /// Replaces the repositories by GitHub's list. It is requested after the webhook and therefore newer, even where
    /// GitHub's clock is ahead of ours.
    pub(super) async fn reconcile_repositories(&self, installation_id: i64, reported_at: Time) -> Result<()> {
        let asked_at = self.base.now().max(reported_at);
        let repositories = self.github()?.repositories(installation_id).await?;
        let tx = self.base.store.begin().await?;
        store::github::installations::replace_repositories(&tx, installation_id, &repositories, asked_at).await?;
        tx.commit().await
    }

    /// Renames an account; its number stays.
    async fn keep_account(&self, payload: &Value) -> Result<GithubReceipt> {
        let account = &payload["account"];
        let (Some(id), Some(login)) = (account["id"].as_i64(), account["login"].as_str()) else {
            return Ok(GithubReceipt::ignored(UNREADABLE));
        };
        let html_url = account["html_url"].as_str().unwrap_or_default();
        let tx = self.base.store.begin().await?;
        store::github::installations::rename_account(&tx, id, login, html_url).await?;
        tx.commit().await?;
        Ok(GithubReceipt::kept())
    }

    /// Accepts an event for each organisation that linked the installation, each separately and under the delivery's
    /// id.
    async fn fan_out(
        &self,
        name: &str,
        delivery_id: &str,
        installation_id: i64,
        payload: Value,
    ) -> Result<GithubReceipt> {
        let organisations = store::github::links::organisations(self.base.store.reader(), installation_id).await?;
        if organisations.is_empty() {
            tracing::debug!(installation = installation_id, event = name, "GitHub installation is not linked");
            return Ok(GithubReceipt::ignored(UNLINKED));
        }
        let fact = github_fact(name, payload);
        let new_events = organisations.into_iter().map(|organisation_id| NewEvent {
            id: None,
            organisation_id,
            source: github::SOURCE,
            fact: fact.clone(),
            made_from: None,
            path: Vec::new(),
            idempotency: Some(idempotency(organisation_id, delivery_id, self.base.now())),
            planned: Vec::new(),
        });
        let outcomes: Vec<Result<Accepted>> =
            join_all(new_events.map(|new_event| self.pipeline.accept(new_event))).await;
        let mut receipt = GithubReceipt::default();
        let mut failure = None;
        for outcome in outcomes {
            match outcome {
                Ok(Accepted { repeated: true, .. }) => receipt.repeated += 1,
                Ok(Accepted { repeated: false, .. }) => receipt.events += 1,
                Err(error) => {
                    tracing::error!(%error, delivery_id, "an event of GitHub's could not be accepted");
                    failure = Some(error);
                }
            }
        }
        failure.map_or(Ok(receipt), Err)
    }

    /// Accepts the event of an earlier delivery again, as a new event that is matched with the current subscriptions.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`] where the organisation has no event of that delivery, or no longer.
    pub async fn reprocess_github_delivery(&self, caller: &Caller, delivery_id: &str) -> Result<EventId> {
        caller.require(Permission::GithubManage)?;
        let organisation_id = caller.organisation_id;
        let key = idempotency_key_of(organisation_id, delivery_id);
        let event = store::pipeline::events::find_by_key(self.base.store.reader(), &key).await?;
        let new_event = NewEvent {
            id: None,
            organisation_id,
            source: github::SOURCE,
            fact: event.fact,
            made_from: None,
            path: Vec::new(),
            idempotency: None,
            planned: Vec::new(),
        };
        let accepted = self.pipeline.accept(new_event).await?;
        let tx = self.base.store.begin().await?;
        let detail = json!({"delivery_id": delivery_id, "former_event_id": event.id});
        self.base
            .audit(&tx, (organisation_id, &caller.actor()), "github_delivery.reprocess", accepted.id, detail)
            .await?;
        tx.commit().await?;
        self.base.metrics.events("accepted", 1);
        Ok(accepted.id)
    }
}

/// Returns whether an installation is suspended; `None` where it is not known, or deleted.
async fn suspended(tx: &Tx, id: i64) -> Result<Option<bool>> {
    let found = store::github::installations::find(tx, id).await?;
    Ok(found.map(|stored| stored.installation.suspended_at.is_some()))
}

fn idempotency(organisation_id: OrganisationId, delivery_id: &str, now: Time) -> Idempotency {
    let key = idempotency_key_of(organisation_id, delivery_id);
    // GitHub signs its deliveries, and redelivers the same body under the same id.
    Idempotency { fingerprint: sha256(key.key.as_bytes()), key, expires_at: now + IDEMPOTENCY_LIFETIME }
}

fn idempotency_key_of(organisation_id: OrganisationId, delivery_id: &str) -> IdempotencyKey {
    // GitHub's ids are GUIDs, which are compared without regard to case.
    let key = delivery_id.to_ascii_lowercase();
    IdempotencyKey { organisation_id, source: github::SOURCE, key }
}

fn github_fact(name: &str, data: Value) -> Fact {
    Fact::plain(&format!("{EVENT_PREFIX}{name}"), None, data)
}

/// Returns a header's value of 1 to 100 allowed bytes.
fn named<'a>(name: &str, value: Option<&'a str>, allowed: fn(u8) -> bool) -> Result<&'a str> {
    let value = value.ok_or_else(|| Error::invalid(name, "is needed"))?;
    if (1..=100).contains(&value.len()) && value.bytes().all(allowed) {
        Ok(value)
    } else {
        Err(Error::invalid(name, "is not one that GitHub would send"))
    }
}

/// Parses the payload; a long one is parsed on a blocking thread, so that it delays no other request.
async fn read_payload(content_type: Option<&str>, body: Bytes) -> Result<Value> {
    if body.len() < LONG_BYTES {
        return payload(content_type, &body);
    }
    let content_type = content_type.map(str::to_owned);
    let work = tokio::task::spawn_blocking(move || payload(content_type.as_deref(), &body));
    work.await.map_err(|error| Error::Internal(format!("a payload was not parsed: {error}")))?
}

/// Parses the payload: JSON, or a form with JSON in its only field, depending on the app's configuration at GitHub.
fn payload(content_type: Option<&str>, body: &[u8]) -> Result<Value> {
    let broken = |error: serde_json::Error| Error::invalid("", format!("is not JSON: {error}"));
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return serde_json::from_slice(body).map_err(broken);
    }
    let mut fields = url::form_urlencoded::parse(body).filter(|(name, _)| name == "payload");
    match (fields.next(), fields.next()) {
        (Some((_, json)), None) => serde_json::from_str(&json).map_err(broken),
        _ => Err(Error::invalid("/payload", "must be there once")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_json_or_a_form_with_json() {
        let json = br#"{"zen":"a+b"}"#;
        let form = b"payload=%7B%22zen%22%3A%22a%2Bb%22%7D";
        assert_eq!(payload(Some("application/json"), json).unwrap()["zen"], "a+b");
        assert_eq!(payload(Some("application/x-www-form-urlencoded; charset=utf-8"), form).unwrap()["zen"], "a+b");
        let twice = [&form[..], b"&", &form[..]].concat();
        assert!(payload(Some("application/x-www-form-urlencoded"), &twice).is_err());
        assert!(payload(Some("application/x-www-form-urlencoded"), b"other=1").is_err());
        assert!(payload(None, b"[").is_err());
    }

    #[test]
    fn headers_are_what_github_would_send() {
        let word = |b: u8| b.is_ascii_lowercase();
        assert_eq!(named("h", Some("push"), word).unwrap(), "push");
        let long = "a".repeat(101);
        for bad in [None, Some(""), Some("a b"), Some(long.as_str())] {
            assert!(named("h", bad, word).is_err(), "{bad:?}");
        }
    }
}
