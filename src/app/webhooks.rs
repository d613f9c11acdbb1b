//! Settings of webhooks: created, listed, read, changed, deleted.
//!
//! Not here: requests to incoming webhooks (`incoming`) and calls of outgoing ones (`outgoing`).

mod chat;
mod checks;
mod destinations;
pub mod endpoints;
pub mod history;
pub mod incoming;
mod managed;
pub mod matcher;
pub mod outgoing;
mod reach;
mod routes;
mod scripts;
pub mod sender;

use std::{sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::json;

pub(in crate::app) use reach::Reach;

use super::{
    Caller,
    apps::Apps,
    channels::Channels,
    kernel::{Base, throttle::Throttle},
    pipeline::Pipeline,
    tenancy::{
        Tenancy,
        vault::{SecretLocation, Vault},
    },
};
use crate::{
    domain::{
        Error, Result, apps,
        channels::person::Person,
        ids::{IntegrationId, OrganisationId},
        secret::Secret,
        webhooks::{
            Direction, Incoming, Look, Script, Way, Webhook, WebhookRefusal,
            script::ScriptMode,
            setup::{Draft, DraftWay, OutgoingDraft},
        },
    },
    provider::{guard::Guard, script::ScriptEngine, webhook},
    store::{
        self, Tx,
        apps::installations::SealedSecrets,
        webhooks::{self, Stored},
    },
};

/// Service of incoming and outgoing webhooks.
#[derive(Clone)]
pub struct Webhooks {
    base: Base,
    tenancy: Arc<Tenancy>,
    pipeline: Arc<Pipeline>,
    channels: Arc<Channels>,
    apps: Arc<Apps>,
    vault: Arc<Vault>,
    guard: Guard,
    scripts: ScriptEngine,
    inbound: Arc<Throttle>,
    rules: Rules,
}

/// Settings of the operator for webhooks.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Mode of webhook scripts: whether they are enabled, and for whom.
    pub script_mode: ScriptMode,
    /// True if outgoing webhooks are retried only where Rocket.Chat would retry them.
    pub strict_retries: bool,
    /// True if the addresses of incoming webhooks may add and remove outgoing ones.
    pub self_service_hooks: bool,
    /// Longest duration of a call.
    pub call_limit: Duration,
}

impl Webhooks {
    /// Creates the service. `inbound` limits the messages that arrive by a webhook's token.
    pub fn new(
        base: Base,
        (tenancy, pipeline, channels, apps): (Arc<Tenancy>, Arc<Pipeline>, Arc<Channels>, Arc<Apps>),
        (vault, guard, scripts): (Arc<Vault>, Guard, ScriptEngine),
        inbound: Arc<Throttle>,
        rules: Rules,
    ) -> Self {
        Self { base, tenancy, pipeline, channels, apps, vault, guard, scripts, inbound, rules }
    }
}

/// Script engine that a webhook names by default.
const ENGINE: &str = "isolated-vm";
/// Length of a token, in characters.
const TOKEN_LENGTH: usize = 48;

/// A webhook with its token, for callers who manage it.
#[derive(Clone, Debug)]
pub struct OpenWebhook {
    /// The webhook.
    pub webhook: Webhook,
    /// Its token, if it has one.
    pub token: Option<Secret>,
}

/// Identification of a webhook by a caller.
#[derive(Clone, Debug)]
pub enum WebhookKey {
    /// Identifier.
    Id(String),
    /// One of the URLs of an outgoing webhook.
    Url(String),
}

impl Webhooks {
    /// Creates a webhook.
    ///
    /// # Errors
    /// [`Error::Webhook`] with the first violated rule, in the order of the checks.
    pub async fn create_webhook_integration(&self, caller: &Caller, draft: Draft) -> Result<OpenWebhook> {
        let way = draft.way();
        if !Reach::of(caller).some(way) {
            return Err(WebhookRefusal::NotAllowed(way).into());
        }
        let (poster, channels, direction) = self.check_draft(caller, &draft).await?;
        let now = self.base.now();
        let token = match &draft.way {
            DraftWay::Incoming { .. } => Some(self.fresh_token()),
            DraftWay::Outgoing(outgoing) => given_token(outgoing),
        };
        let webhook = Webhook {
            id: self.base.ambient.id(),
            organisation_id: caller.organisation_id,
            installation_id: self.base.ambient.id(),
            name: draft.name.clone(),
            enabled: draft.enabled,
            poster,
            channels,
            look: look(&draft, &Look::default()),
            script: self.script(caller, &draft, &Script::default()).await?,
            direction,
            created_by: self.person(caller).await?,
            created_at: now,
            updated_by: None,
            updated_at: now,
        };
        let signing_secret = webhook::generate(self.base.ambient.random());
        let secrets = SealedSecrets {
            credential: self.seal_token(&webhook, token.as_ref()).await?,
            signing_secret: Some(self.vault.seal(secret_place(&webhook, "signing_secret"), &signing_secret).await?),
            ..SealedSecrets::default()
        };
        let tx = self.base.store.begin().await?;
        self.tenancy.demand_room_for_webhook(&tx, caller.organisation_id).await?;
        self.tenancy.demand_room_for_urls(&tx, None, &webhook).await?;
        webhooks::insert(&tx, &webhook, secrets).await?;
        self.audit_webhook(&tx, caller, "webhook.create", &webhook).await?;
        tx.commit().await?;
        Ok(OpenWebhook { webhook, token })
    }

    /// Lists the webhooks that the caller may see, oldest first.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub async fn list_webhook_integrations(&self, caller: &Caller) -> Result<Vec<OpenWebhook>> {
        let reach = Reach::of(caller);
        reach.demand_any()?;
        let stored = webhooks::list(self.base.store.reader(), caller.organisation_id).await?;
        let mut seen = Vec::with_capacity(stored.len());
        for stored in stored.into_iter().filter(|stored| reach.lists(&stored.webhook, caller)) {
            seen.push(self.opened(stored).await?);
        }
        Ok(seen)
    }

    /// Returns a webhook, restricted to those that `created_by` created if given.
    ///
    /// # Errors
    /// [`Error::Webhook`]: [`WebhookRefusal::Unknown`], and then [`WebhookRefusal::Hidden`].
    pub async fn get_webhook_integration(
        &self,
        caller: &Caller,
        id: &str,
        created_by: Option<&str>,
    ) -> Result<OpenWebhook> {
        let stored = self.find_webhook(caller.organisation_id, &WebhookKey::Id(id.to_owned()), None).await?;
        let stored = stored.filter(|stored| created_by.is_none_or(|by| stored.webhook.created_by.id() == by));
        let stored = stored.ok_or(WebhookRefusal::Unknown)?;
        Reach::of(caller).manages(&stored.webhook, caller).map_err(|_| WebhookRefusal::Hidden)?;
        self.opened(stored).await
    }

    /// Changes a webhook. An incoming one keeps the fields that the change omits; an outgoing one is replaced as a
    /// whole.
    ///
    /// # Errors
    /// [`Error::Webhook`] with the first violated rule, in the order of the checks.
    pub async fn update_webhook_integration(
        &self,
        caller: &Caller,
        key: &WebhookKey,
        draft: Draft,
    ) -> Result<OpenWebhook> {
        let way = draft.way();
        let found = self.find_webhook(caller.organisation_id, key, Some(way)).await?;
        let Stored { webhook: former, .. } = found.ok_or(WebhookRefusal::NothingToChange)?;
        let (poster, channels, direction, token) = match &draft.way {
            DraftWay::Incoming { override_destination } => {
                let Direction::Incoming(incoming) = &former.direction else {
                    return Err(WebhookRefusal::NothingToChange.into());
                };
                let (poster, channels) = self.check_incoming_change(caller, &former, &draft).await?;
                let override_destination = override_destination.unwrap_or(incoming.override_destination);
                (poster, channels, Direction::Incoming(Incoming { override_destination }), None)
            }
            DraftWay::Outgoing(outgoing) => {
                if !Reach::of(caller).some(way) {
                    return Err(WebhookRefusal::NotAllowed(way).into());
                }
                let (poster, channels, direction) = self.check_draft(caller, &draft).await?;
                let token = given_token(outgoing).ok_or(WebhookRefusal::NoToken)?;
                Reach::of(caller).manages(&former, caller)?;
                (poster, channels, direction, Some(token))
            }
        };
        let keeps = matches!(direction, Direction::Incoming(_));
        let before =
            if keeps { (former.look.clone(), former.script.clone()) } else { (Look::default(), Script::default()) };
        let webhook = self.save_webhook(caller, &former, &draft, (poster, channels, direction), before, token).await?;
        let found = self.find_webhook(caller.organisation_id, &WebhookKey::Id(webhook.id.to_string()), None).await?;
        self.opened(found.ok_or(WebhookRefusal::NothingToChange)?).await
    }

    /// Saves a checked change. Fields of the look and the script that the draft omits are those `before`.
    pub(super) async fn save_webhook(
        &self,
        caller: &Caller,
        former: &Webhook,
        draft: &Draft,
        (poster, channels, direction): (Person, Vec<String>, Direction),
        before: (Look, Script),
        token: Option<Secret>,
    ) -> Result<Webhook> {
        let webhook = Webhook {
            name: draft.name.clone(),
            enabled: draft.enabled,
            poster,
            channels,
            look: look(draft, &before.0),
            script: self.script(caller, draft, &before.1).await?,
            direction,
            updated_by: Some(self.person(caller).await?),
            updated_at: self.base.now(),
            ..former.clone()
        };
        let sealed = self.seal_token(&webhook, token.as_ref()).await?;
        let tx = self.base.store.begin().await?;
        self.tenancy.demand_room_for_urls(&tx, Some(former), &webhook).await?;
        webhooks::update(&tx, &webhook, sealed).await?;
        self.settle_destinations(&tx, former, &webhook).await?;
        self.audit_webhook(&tx, caller, "webhook.update", &webhook).await?;
        tx.commit().await?;
        Ok(webhook)
    }

    /// Deletes a webhook and returns its former state. Its pending deliveries fail.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Webhook`].
    pub async fn remove_webhook_integration(&self, caller: &Caller, key: &WebhookKey, way: Way) -> Result<OpenWebhook> {
        let reach = Reach::of(caller);
        reach.demand_any()?;
        let found = self.find_webhook(caller.organisation_id, key, Some(way)).await?;
        let stored = found.ok_or(WebhookRefusal::NothingToChange)?;
        reach.manages(&stored.webhook, caller)?;
        let open = self.opened(stored).await?;
        let webhook = &open.webhook;
        let tx = self.base.store.begin().await?;
        let reason = apps::destination::DELETED.text();
        self.switch_destinations(&tx, webhook, |_| Some(reason), self.base.now()).await?;
        webhooks::delete(&tx, webhook.id).await?;
        self.audit_webhook(&tx, caller, "webhook.delete", webhook).await?;
        tx.commit().await?;
        Ok(open)
    }

    /// Finds a webhook of an organisation by its key, restricted to a direction if given.
    pub(in crate::app) async fn find_webhook(
        &self,
        organisation_id: OrganisationId,
        key: &WebhookKey,
        way: Option<Way>,
    ) -> Result<Option<Stored>> {
        let reader = self.base.store.reader();
        let found = match key {
            WebhookKey::Id(id) => match id.parse::<IntegrationId>() {
                Err(_) => None,
                Ok(id) => match webhooks::find(reader, organisation_id, id).await {
                    Ok(stored) => Some(stored),
                    Err(Error::NotFound { .. }) => None,
                    Err(error) => return Err(error),
                },
            },
            WebhookKey::Url(url) => {
                let all = webhooks::list(reader, organisation_id).await?;
                let calls = |stored: &Stored| match &stored.webhook.direction {
                    Direction::Outgoing(outgoing) => outgoing.urls.contains(url),
                    Direction::Incoming(_) => false,
                };
                all.into_iter().find(calls)
            }
        };
        Ok(found.filter(|stored| way.is_none_or(|way| Way::of(&stored.webhook.direction) == way)))
    }

    /// Returns the caller as a person, with their current username.
    pub(in crate::app) async fn person(&self, caller: &Caller) -> Result<Person> {
        let member =
            store::tenancy::members::find(self.base.store.reader(), caller.organisation_id, caller.user_id).await?;
        Ok(Person { user_id: Some(member.user_id), username: member.username })
    }

    /// Returns a script as it is stored, with its error if it does not compile.
    async fn script(&self, caller: &Caller, draft: &Draft, former: &Script) -> Result<Script> {
        let text = draft.script.clone().or_else(|| former.text.clone());
        let error = match text.as_deref().filter(|text| draft.script_enabled && !text.trim().is_empty()) {
            Some(text) => self.scripts.compile(caller.organisation_id, text).await?.err(),
            None => None,
        };
        let engine = draft.script_engine.clone().or_else(|| former.engine.clone());
        Ok(Script {
            enabled: draft.script_enabled,
            text,
            engine: Some(engine.unwrap_or_else(|| ENGINE.to_owned())),
            skip_transpile: draft.skip_transpile.unwrap_or(former.skip_transpile),
            error,
        })
    }

    async fn opened(&self, stored: Stored) -> Result<OpenWebhook> {
        let token = match &stored.secrets.credential {
            Some(sealed) => Some(self.vault.unseal(secret_place(&stored.webhook, "credential"), sealed).await?),
            None => None,
        };
        Ok(OpenWebhook { webhook: stored.webhook, token })
    }

    async fn seal_token(&self, webhook: &Webhook, token: Option<&Secret>) -> Result<Option<Vec<u8>>> {
        match token {
            Some(token) => Ok(Some(self.vault.seal(secret_place(webhook, "credential"), token).await?)),
            None => Ok(None),
        }
    }

    /// Returns a random token of letters and digits.
    fn fresh_token(&self) -> Secret {
        // 2 of the 64 digits of base64 are neither, so 88 random ones leave more than enough.
        let random = BASE64_STANDARD.encode(self.base.ambient.random::<64>());
        Secret::new(random.chars().filter(char::is_ascii_alphanumeric).take(TOKEN_LENGTH).collect::<String>())
    }

    async fn audit_webhook(&self, tx: &Tx, caller: &Caller, action: &'static str, webhook: &Webhook) -> Result<()> {
        let detail = json!({"name": webhook.name, "type": webhook.direction.as_str()});
        self.base.audit(tx, (caller.organisation_id, &caller.actor()), action, webhook.id, detail).await
    }
}

/// Returns the row and column to which a secret of a webhook is bound.
pub(in crate::app) fn secret_place<'a>(webhook: &Webhook, column: &'a str) -> SecretLocation<'a> {
    let (organisation_id, row) = (webhook.organisation_id, webhook.installation_id.0);
    SecretLocation { organisation_id, table: "installation", column, row }
}

fn look(draft: &Draft, former: &Look) -> Look {
    let kept = |wanted: &Option<String>, former: &Option<String>| wanted.clone().or_else(|| former.clone());
    Look {
        alias: kept(&draft.alias, &former.alias),
        avatar: kept(&draft.avatar, &former.avatar),
        emoji: kept(&draft.emoji, &former.emoji),
    }
}

fn given_token(outgoing: &OutgoingDraft) -> Option<Secret> {
    let token = outgoing.token.as_deref().map(str::trim).filter(|token| !token.is_empty());
    token.map(Secret::new)
}
