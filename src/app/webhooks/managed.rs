//! Webhooks of one direction, for those who manage them: listed, read, changed in part, removed; their tokens, secrets
//! and runs.
//!
//! Not here: set-up in the words of Rocket.Chat (`webhooks`), and the history as a whole (`history`).

use super::{OpenWebhook, Reach, WebhookKey, Webhooks, given_token};
use crate::{
    app::Caller,
    domain::{
        Error, Result,
        error::Noun,
        ids::{AttemptId, IntegrationId},
        page::{Page, PageRequest},
        pipeline::delivery::Attempt,
        secret::Secret,
        webhooks::{
            Look, Script, Way, Webhook, WebhookRefusal,
            setup::{Draft, DraftWay},
        },
    },
    store::{
        self,
        webhooks::{self, Stored},
    },
};

impl Webhooks {
    /// Creates a webhook. It posts as the caller unless the draft names somebody.
    ///
    /// # Errors
    /// As [`Webhooks::create_webhook_integration`].
    pub async fn create_webhook(&self, caller: &Caller, mut draft: Draft) -> Result<Webhook> {
        if draft.username.is_none() {
            draft.username = Some(self.person(caller).await?.username);
        }
        Ok(self.create_webhook_integration(caller, draft).await?.webhook)
    }

    /// Lists the webhooks of a direction that the caller manages, newest first.
    ///
    /// # Errors
    /// [`WebhookRefusal::NotAllowed`].
    pub async fn list_webhooks(&self, caller: &Caller, way: Way, page: PageRequest) -> Result<Page<Webhook>> {
        let reach = Reach::of(caller);
        if !reach.some(way) {
            return Err(WebhookRefusal::NotAllowed(way).into());
        }
        let all = webhooks::list(self.base.store.reader(), caller.organisation_id).await?;
        let all = all.into_iter().rev().map(|stored| stored.webhook);
        let wanted = |webhook: &Webhook| {
            Way::of(&webhook.direction) == way
                && reach.manages(webhook, caller).is_ok()
                && page.after.is_none_or(|after| webhook.id.0 < after)
        };
        let items = all.filter(wanted).take(page.limit as usize + 1).collect();
        Ok(Page::cut(items, page.limit, |webhook: &Webhook| webhook.id.0))
    }

    /// Returns a webhook of a direction.
    ///
    /// # Errors
    /// [`WebhookRefusal::Unknown`], and then [`WebhookRefusal::NotYours`] or [`WebhookRefusal::NotAllowed`].
    pub async fn get_webhook(&self, caller: &Caller, way: Way, id: IntegrationId) -> Result<Webhook> {
        Ok(self.managed(caller, way, id).await?.webhook)
    }

    /// Changes a webhook of a direction: `change` is applied to the draft that leaves it as it is.
    ///
    /// # Errors
    /// As [`Webhooks::get_webhook`], and [`Error::Webhook`] with the first violated rule.
    pub async fn update_webhook(
        &self,
        caller: &Caller,
        (way, id): (Way, IntegrationId),
        change: impl FnOnce(&mut Draft) + Send,
    ) -> Result<Webhook> {
        let Stored { webhook: former, .. } = self.managed(caller, way, id).await?;
        let mut draft = Draft::of(&former);
        draft.username = Some(self.poster_name(&former).await?);
        change(&mut draft);
        // A script that stays may stay also where none is saved.
        let script = if draft.script == former.script.text { former.script.clone() } else { Script::default() };
        draft.script = draft.script.filter(|text| former.script.text.as_ref() != Some(text));
        let checked = self.check_draft(caller, &draft).await?;
        let token = match &draft.way {
            DraftWay::Incoming { .. } => None,
            DraftWay::Outgoing(outgoing) => given_token(outgoing),
        };
        self.save_webhook(caller, &former, &draft, checked, (Look::default(), script), token).await
    }

    /// Deletes a webhook of a direction. Its pending deliveries fail.
    ///
    /// # Errors
    /// As [`Webhooks::get_webhook`].
    pub async fn delete_webhook(&self, caller: &Caller, way: Way, id: IntegrationId) -> Result<()> {
        self.managed(caller, way, id).await?;
        self.remove_webhook_integration(caller, &WebhookKey::Id(id.to_string()), way).await.map(drop)
    }

    /// Returns the token of a webhook of a direction.
    ///
    /// # Errors
    /// As [`Webhooks::get_webhook`]; [`Error::NotFound`] where it has none.
    pub async fn get_webhook_token(&self, caller: &Caller, way: Way, id: IntegrationId) -> Result<Secret> {
        let OpenWebhook { token, .. } = self.opened(self.managed(caller, way, id).await?).await?;
        token.ok_or_else(|| Error::not_found(Noun::Secret, id))
    }

    /// Replaces the token of a webhook of a direction by a random one. The former one is invalid at once.
    ///
    /// # Errors
    /// As [`Webhooks::get_webhook`].
    pub async fn rotate_webhook_token(&self, caller: &Caller, way: Way, id: IntegrationId) -> Result<Secret> {
        let Stored { webhook, .. } = self.managed(caller, way, id).await?;
        let token = self.fresh_token();
        let sealed = self.seal_token(&webhook, Some(&token)).await?;
        let tx = self.base.store.begin().await?;
        webhooks::set_token(&tx, &webhook, sealed).await?;
        self.audit_webhook(&tx, caller, "webhook.rotate_token", &webhook).await?;
        tx.commit().await?;
        Ok(token)
    }

    /// Returns the secret that signs the calls of an outgoing webhook.
    ///
    /// # Errors
    /// As [`Webhooks::get_webhook`]; [`Error::Forbidden`], [`Error::NotFound`] where it has none.
    pub async fn get_webhook_signing_secret(&self, caller: &Caller, id: IntegrationId) -> Result<Secret> {
        self.managed(caller, Way::Outgoing, id).await?;
        self.apps.get_signing_secret(caller, id).await
    }

    /// Replaces the secret that signs the calls of an outgoing webhook. For a day the former one signs too.
    ///
    /// # Errors
    /// As [`Webhooks::get_webhook`]; [`Error::Forbidden`], [`Error::Conflict`] where a concurrent request replaces it.
    pub async fn rotate_webhook_signing_secret(&self, caller: &Caller, id: IntegrationId) -> Result<Secret> {
        self.managed(caller, Way::Outgoing, id).await?;
        self.apps.rotate_signing_secret(caller, id).await
    }

    /// Lists the runs of an outgoing webhook, newest first.
    ///
    /// # Errors
    /// As [`Webhooks::get_webhook`].
    pub async fn list_webhook_runs(
        &self,
        caller: &Caller,
        id: IntegrationId,
        page: PageRequest,
    ) -> Result<Page<Attempt>> {
        self.managed(caller, Way::Outgoing, id).await?;
        let reader = self.base.store.reader();
        let runs = webhooks::history::list(reader, caller.organisation_id, id, page).await?;
        Ok(Page::cut(runs, page.limit, |run| run.id.0))
    }

    /// Removes the completed runs of an outgoing webhook. A run that will be retried stays.
    ///
    /// # Errors
    /// As [`Webhooks::get_webhook`].
    pub async fn delete_webhook_runs(&self, caller: &Caller, id: IntegrationId) -> Result<()> {
        self.managed(caller, Way::Outgoing, id).await?;
        self.clear_webhook_history(caller, &id.to_string()).await
    }

    /// Replays a run of an outgoing webhook, with a fresh retry schedule.
    ///
    /// # Errors
    /// As [`Webhooks::get_webhook`]; [`WebhookRefusal::NoSuchRun`], [`WebhookRefusal::RunWithoutData`].
    pub async fn replay_webhook_run(&self, caller: &Caller, id: IntegrationId, run: AttemptId) -> Result<()> {
        self.managed(caller, Way::Outgoing, id).await?;
        self.replay_outgoing_webhook(caller, &id.to_string(), &run.to_string()).await
    }

    /// Finds a webhook of a direction that the caller manages.
    async fn managed(&self, caller: &Caller, way: Way, id: IntegrationId) -> Result<Stored> {
        let reach = Reach::of(caller);
        if !reach.some(way) {
            return Err(WebhookRefusal::NotAllowed(way).into());
        }
        let found = self.find_webhook(caller.organisation_id, &WebhookKey::Id(id.to_string()), Some(way)).await?;
        let stored = found.ok_or(WebhookRefusal::Unknown)?;
        reach.manages(&stored.webhook, caller)?;
        Ok(stored)
    }

    /// Returns the present username of the member as whom a webhook posts.
    async fn poster_name(&self, webhook: &Webhook) -> Result<String> {
        let poster = &webhook.poster;
        let Some(user_id) = poster.user_id else { return Ok(poster.username.clone()) };
        match store::tenancy::members::find(self.base.store.reader(), webhook.organisation_id, user_id).await {
            Ok(member) => Ok(member.username),
            Err(Error::NotFound { .. }) => Ok(poster.username.clone()),
            Err(error) => Err(error),
        }
    }
}
