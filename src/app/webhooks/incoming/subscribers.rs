//! Further uses of an incoming webhook's address: a check, samples, and, where the operator allows it, adding and
//! removing outgoing webhooks.
//!
//! An address is given away for posting, whereas an outgoing webhook reads. Therefore it adds one only for a channel
//! that it is set up for and of which its poster is a member.

use serde_json::json;
use url::Url;

use crate::{
    app::{
        Caller,
        webhooks::{OpenWebhook, WebhookKey, Webhooks},
    },
    domain::{
        Error, Result,
        ambient::Time,
        channels::person::Person,
        secret::Secret,
        tenancy::member::Permission,
        webhooks::{
            Direction, OutgoingEvent, Way, Webhook, WebhookRefusal,
            incoming_refusal::HookRefusal,
            setup::{Draft, DraftWay, OutgoingDraft},
        },
    },
    store,
};

/// A request to call a URL when a message is posted.
#[derive(Clone, Debug, Default)]
pub struct Subscriber {
    /// `newMessageOnChannel` or `newMessageToUser`.
    pub event: String,
    /// Name of the outgoing webhook.
    pub name: String,
    /// URL to be called.
    pub target_url: String,
    /// Channel, with or without its sign.
    pub channel_name: Option<String>,
    /// User, with or without the sign.
    pub username: Option<String>,
    /// Prefixes of the messages for which it is called.
    pub trigger_words: Vec<String>,
}

/// Values for sample calls.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Member as whom the webhook posts.
    pub poster: Person,
    /// Channel, as it is written in the settings.
    pub channel: String,
    /// Time of the sample.
    pub at: Time,
}

impl Webhooks {
    /// Verifies an address.
    ///
    /// # Errors
    /// [`HookRefusal`] as [`Error::Webhook`].
    pub async fn check_webhook(&self, id: &str, token: &Secret) -> Result<()> {
        self.known_hook(id, token).await.map(drop)
    }

    /// Returns the values for sample calls.
    ///
    /// # Errors
    /// [`HookRefusal`] as [`Error::Webhook`].
    pub async fn sample_webhook(&self, id: &str, token: &Secret) -> Result<Sample> {
        let webhook = self.known_hook(id, token).await?;
        let poster = self.hook_poster(&webhook).await?;
        Ok(Sample { poster, channel: webhook.channels.into_iter().next().unwrap_or_default(), at: self.base.now() })
    }

    /// Adds an outgoing webhook in the name of an incoming one's poster. It receives only messages of the channels that
    /// the incoming one is set up for, even if its senders may choose others, and of which the poster is a member, even
    /// if they manage more.
    ///
    /// # Errors
    /// [`Error::Webhook`]; where the operator does not allow it, an address is reported as unknown.
    pub async fn add_webhook_subscriber(&self, id: &str, token: &Secret, wanted: Subscriber) -> Result<OpenWebhook> {
        let webhook = self.self_serving_hook(id, token).await?;
        let poster = self.poster_as_caller(&webhook).await?;
        let caller = poster.narrowed(Permission::ManageOwnOutgoingIntegrations, Permission::ManageOutgoingIntegrations);
        let signed = |sign: char, name: Option<String>| {
            let name = name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
            name.map(|name| if name.starts_with(sign) { name } else { format!("{sign}{name}") })
        };
        let channel = match wanted.event.as_str() {
            "newMessageOnChannel" => signed('#', wanted.channel_name).unwrap_or_default(),
            "newMessageToUser" => signed('@', wanted.username).ok_or(HookRefusal::NoTarget)?,
            _ => return Err(WebhookRefusal::EventUnknown.into()),
        };
        if !webhook.channels.contains(&channel) {
            return Err(HookRefusal::Override.into());
        }
        let outgoing = OutgoingDraft {
            event: OutgoingEvent::SendMessage.to_string(),
            urls: vec![wanted.target_url],
            trigger_words: wanted.trigger_words,
            ..OutgoingDraft::default()
        };
        let draft = Draft {
            name: wanted.name,
            enabled: true,
            username: Some(self.hook_poster(&webhook).await?.username),
            channel,
            way: DraftWay::Outgoing(Box::new(outgoing)),
            ..Draft::default()
        };
        let made = self.create_webhook_integration(&caller, draft).await?;
        self.audit_subscriber(&webhook, "webhook.add_subscriber", &made).await?;
        Ok(made)
    }

    /// Removes an outgoing webhook that an incoming one's poster created.
    ///
    /// # Errors
    /// As [`Webhooks::add_webhook_subscriber`].
    pub async fn remove_webhook_subscriber(&self, id: &str, token: &Secret, target_url: &str) -> Result<OpenWebhook> {
        let webhook = self.self_serving_hook(id, token).await?;
        let caller = self.poster_as_caller(&webhook).await?;
        let all = store::webhooks::list(self.base.store.reader(), webhook.organisation_id).await?;
        let calls = |outgoing: &Webhook| match &outgoing.direction {
            Direction::Outgoing(of) => {
                of.urls.iter().any(|url| same(url, target_url)) && outgoing.created_by.user_id == Some(caller.user_id)
            }
            Direction::Incoming(_) => false,
        };
        let found = all.into_iter().map(|stored| stored.webhook).find(calls).ok_or(HookRefusal::NoSubscriber)?;
        let key = WebhookKey::Id(found.id.to_string());
        let removed = self.remove_webhook_integration(&caller, &key, Way::Outgoing).await;
        let removed = removed.map_err(|error| match error {
            Error::Forbidden { .. } => WebhookRefusal::NotAllowed(Way::Outgoing).into(),
            other => other,
        })?;
        self.audit_subscriber(&webhook, "webhook.remove_subscriber", &removed).await?;
        Ok(removed)
    }

    /// Finds the webhook of an address that may add and remove outgoing ones. Without the operator's permission no
    /// address may.
    async fn self_serving_hook(&self, id: &str, token: &Secret) -> Result<Webhook> {
        if !self.rules.self_service_hooks {
            return Err(HookRefusal::Unknown.into());
        }
        self.known_hook(id, token).await
    }

    /// Attributes a change to the address in the audit log, since its poster did not make it.
    async fn audit_subscriber(&self, by: &Webhook, action: &'static str, of: &OpenWebhook) -> Result<()> {
        let tx = self.base.store.begin().await?;
        let actor = format!("webhook {}", by.id);
        let detail = json!({"name": of.webhook.name, "channels": of.webhook.channels});
        self.base.audit(&tx, (by.organisation_id, &actor), action, of.webhook.id, detail).await?;
        tx.commit().await
    }

    /// Returns a webhook's poster as a caller with all of their permissions.
    async fn poster_as_caller(&self, webhook: &Webhook) -> Result<Caller> {
        let user_id = webhook.poster.user_id.ok_or(WebhookRefusal::NotAllowed(Way::Outgoing))?;
        match store::tenancy::members::find(self.base.store.reader(), webhook.organisation_id, user_id).await {
            Ok(member) => Ok(Caller::member(&member, None)),
            Err(Error::NotFound { .. }) => Err(HookRefusal::PosterGone.into()),
            Err(error) => Err(error),
        }
    }
}

fn same(url: &str, other: &str) -> bool {
    url == other || Url::parse(url).is_ok_and(|url| Url::parse(other).is_ok_and(|other| url == other))
}
