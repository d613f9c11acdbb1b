//! What else the address of an incoming webhook is good for: whoever has it can make outgoing ones for the places where
//! it may post, within what its poster may, and remove them again.

use url::Url;

use crate::{
    app::{
        App, Caller,
        webhook_integrations::{OpenWebhook, WebhookKey},
    },
    domain::{
        Error, Result,
        ambient::Time,
        secret::Secret,
        webhook_integration::{
            Direction, OutgoingEvent, Person, Way, WebhookIntegration, WebhookRefusal,
            incoming_refusal::HookRefusal,
            setup::{Draft, DraftWay, OutgoingDraft},
        },
    },
    store,
};

/// Somebody who wants to be called when a message is posted.
#[derive(Clone, Debug, Default)]
pub struct Subscriber {
    /// `newMessageOnChannel` or `newMessageToUser`.
    pub event: String,
    /// What it is to be called.
    pub name: String,
    /// Where it is to be called.
    pub target_url: String,
    /// The channel, with or without its sign.
    pub channel_name: Option<String>,
    /// The user, with or without the sign.
    pub username: Option<String>,
    /// It is called for messages that begin with one of these.
    pub trigger_words: Vec<String>,
}

/// What examples are made of.
#[derive(Clone, Debug)]
pub struct Sample {
    /// In whose name the webhook posts.
    pub poster: Person,
    /// Where, as somebody wrote it.
    pub channel: String,
    /// When.
    pub at: Time,
}

impl App {
    /// Whether an address is good.
    ///
    /// # Errors
    /// [`HookRefusal`] as [`Error::Webhook`].
    pub async fn check_webhook(&self, id: &str, token: &Secret) -> Result<()> {
        self.known_hook(id, token).await.map(drop)
    }

    /// What the examples of calls are made of.
    ///
    /// # Errors
    /// [`HookRefusal`] as [`Error::Webhook`].
    pub async fn sample_webhook(&self, id: &str, token: &Secret) -> Result<Sample> {
        let webhook = self.known_hook(id, token).await?;
        let poster = self.hook_poster(&webhook).await?;
        Ok(Sample { poster, channel: webhook.channels.into_iter().next().unwrap_or_default(), at: self.now() })
    }

    /// Makes an outgoing webhook in the name of an incoming one's poster. It listens only to places where the incoming
    /// one may post: an address that was given away for posting does not open every channel of its poster.
    ///
    /// # Errors
    /// [`Error::Webhook`].
    pub async fn add_webhook_subscriber(&self, id: &str, token: &Secret, wanted: Subscriber) -> Result<OpenWebhook> {
        let webhook = self.known_hook(id, token).await?;
        let caller = self.poster_as_caller(&webhook).await?;
        let signed = |sign: char, name: Option<String>| {
            let name = name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
            name.map(|name| if name.starts_with(sign) { name } else { format!("{sign}{name}") })
        };
        let channel = match wanted.event.as_str() {
            "newMessageOnChannel" => signed('#', wanted.channel_name).unwrap_or_default(),
            "newMessageToUser" => signed('@', wanted.username).ok_or(HookRefusal::NoTarget)?,
            _ => return Err(WebhookRefusal::EventUnknown.into()),
        };
        let Direction::Incoming(incoming) = &webhook.direction else { return Err(HookRefusal::Unknown.into()) };
        if !incoming.override_destination && !webhook.channels.contains(&channel) {
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
        self.create_webhook_integration(&caller, draft).await
    }

    /// Removes an outgoing webhook that an incoming one's poster made.
    ///
    /// # Errors
    /// [`Error::Webhook`].
    pub async fn remove_webhook_subscriber(&self, id: &str, token: &Secret, target_url: &str) -> Result<OpenWebhook> {
        let webhook = self.known_hook(id, token).await?;
        let caller = self.poster_as_caller(&webhook).await?;
        let all = store::webhook_integrations::list(self.parts.store.reader(), webhook.organisation_id).await?;
        let calls = |outgoing: &WebhookIntegration| match &outgoing.direction {
            Direction::Outgoing(of) => {
                of.urls.iter().any(|url| same(url, target_url)) && outgoing.created_by.user_id == Some(caller.user_id)
            }
            Direction::Incoming(_) => false,
        };
        let found = all.into_iter().map(|stored| stored.webhook).find(calls).ok_or(HookRefusal::NoSubscriber)?;
        let key = WebhookKey::Id(found.id.to_string());
        self.remove_webhook_integration(&caller, &key, Way::Outgoing).await.map_err(|error| match error {
            Error::Forbidden { .. } => WebhookRefusal::NotAllowed(Way::Outgoing).into(),
            other => other,
        })
    }

    /// A webhook's poster, with all that they may.
    async fn poster_as_caller(&self, webhook: &WebhookIntegration) -> Result<Caller> {
        let user_id = webhook.poster.user_id.ok_or(WebhookRefusal::NotAllowed(Way::Outgoing))?;
        match store::members::find(self.parts.store.reader(), webhook.organisation_id, user_id).await {
            Ok(member) => Ok(Caller::member(&member, None)),
            Err(Error::NotFound { .. }) => Err(HookRefusal::PosterGone.into()),
            Err(error) => Err(error),
        }
    }
}

fn same(url: &str, other: &str) -> bool {
    url == other || Url::parse(url).is_ok_and(|url| Url::parse(other).is_ok_and(|other| url == other))
}
