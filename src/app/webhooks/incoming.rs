//! Requests to incoming webhooks: the token in the address is verified before anything else; then the body is parsed, a
//! script may transform it, and the result is posted.
//!
//! Not here: settings of webhooks (`webhooks`), and self-service by an address (`subscribers`).

mod kept;
mod places;
mod subscribers;

use aws_lc_rs::constant_time;
use bytes::Bytes;
use futures_util::future;
use serde_json::{Map, Value};

pub use subscribers::{Sample, Subscriber};

use self::places::Found;
use super::{Webhooks, secret_place};
use crate::{
    app::{pipeline::intake::NewEvent, tenancy::credential::sha256},
    domain::{
        Error, Result,
        ambient::Time,
        channels::{self, Channel, message::Message, person::Person},
        ids::{ChannelId, EventId, OrganisationId},
        secret::Secret,
        webhooks::{
            Direction, Webhook,
            incoming_refusal::HookRefusal,
            incoming_script::{self, Asked, ScriptReply},
            payload::{Packing, Payload},
            post::{self, Post, PostFault},
            script::{ScriptMethod, ScriptRun},
        },
    },
    store::{self, webhooks::Stored},
};

/// A request to an incoming webhook, unparsed.
#[derive(Clone, Debug)]
pub struct HookRequest {
    /// Id of the webhook, from the address.
    pub id: String,
    /// Token, from the address.
    pub token: Secret,
    /// Id of the user, if the address contains one.
    pub user_id: Option<String>,
    /// Path and query.
    pub target: String,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// Value of `Content-Type`.
    pub content_type: Option<String>,
    /// Raw bytes of the body.
    pub body: Bytes,
}

/// Response to the sender.
#[derive(Clone, Debug, PartialEq)]
pub enum HookAnswer {
    /// Accepted.
    Done {
        /// Response that the script asked for.
        response: Option<Value>,
    },
    /// Refused by the script.
    Refused(Value),
    /// Result of each channel.
    Separate(Vec<Told>),
}

/// Result of one channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The channel, as the sender wrote it.
    pub target: String,
    /// The posted message, or the reason that prevented it.
    pub result: Result<Posted, PostFault>,
}

/// A posted message.
#[derive(Clone, Debug, PartialEq)]
pub struct Posted {
    /// Id of its event.
    pub id: EventId,
    /// Channel.
    pub channel_id: ChannelId,
    /// Content.
    pub message: Message,
    /// Time of the post.
    pub at: Time,
}

/// Content that a request asks to post, with its poster and the script's response.
struct PostRequest {
    content: Map<String, Value>,
    poster: Person,
    response: Option<Value>,
}

impl Webhooks {
    /// Posts the content of a request to an incoming webhook. Everything is durable when this returns.
    ///
    /// # Errors
    /// [`HookRefusal`] as [`Error::Webhook`], [`Error::RateLimited`], [`Error::Unavailable`] while scripts are busy:
    /// the request is stored then, and processed later.
    pub async fn receive_webhook(&self, request: HookRequest) -> Result<HookAnswer> {
        let webhook = self.known_hook(&request.id, &request.token).await?;
        self.inbound.admit(webhook.id.0, self.base.now())?;
        if webhook.script.runnable().is_some() && self.was_kept(&webhook, &request).await? {
            return Ok(HookAnswer::Done { response: None });
        }
        match self.work_on_hook(&webhook, &request).await {
            Err(busy @ Error::Unavailable { .. }) => {
                self.keep_hook(&webhook, &request).await?;
                Err(busy)
            }
            answer => answer,
        }
    }

    /// Processes a request by the rules of its webhook.
    async fn work_on_hook(&self, webhook: &Webhook, request: &HookRequest) -> Result<HookAnswer> {
        let poster = self.hook_poster(webhook).await?;
        let Direction::Incoming(incoming) = &webhook.direction else { return Err(HookRefusal::Unknown.into()) };
        if !webhook.enabled {
            return Err(HookRefusal::Disabled.into());
        }
        let payload = Payload::read(Packing::of(request.content_type.as_deref()), &request.body)?;
        let wanted = match webhook.script.runnable() {
            None => payload.into_content()?.map(|content| PostRequest { content, poster, response: None }),
            Some(text) => match self.ask_script(webhook, text, (request, payload), &poster).await? {
                ScriptReply::Refused(error) => return Ok(HookAnswer::Refused(error)),
                ScriptReply::NoObject => return Err(HookRefusal::ScriptContent.into()),
                ScriptReply::Nothing { response } => return Ok(HookAnswer::Done { response }),
                ScriptReply::Post { content, user: None, response } => Some(PostRequest { content, poster, response }),
                ScriptReply::Post { content, user: Some(name), response } => {
                    let poster = self.person_named(webhook.organisation_id, &name).await?;
                    Some(PostRequest { content, poster: poster.ok_or(PostFault::NoSuchUser)?, response })
                }
            },
        };
        let Some(wanted) = wanted else { return Ok(HookAnswer::Done { response: None }) };
        if post::names_a_target(&wanted.content) && !incoming.override_destination {
            return Err(HookRefusal::Override.into());
        }
        let PostRequest { content, poster, response } = wanted;
        let post = Post::read(&content, webhook)?;
        let separate = post.separate;
        let results = self.post_from((webhook.organisation_id, &webhook.channels), &poster, post).await?;
        let separately = separate && response.is_none();
        Ok(if separately { HookAnswer::Separate(results) } else { HookAnswer::Done { response } })
    }

    /// Verifies an address and returns its webhook. An unknown id and a wrong token are reported alike.
    pub(in crate::app) async fn known_hook(&self, id: &str, token: &Secret) -> Result<Webhook> {
        let found = match id.parse() {
            Ok(id) => store::webhooks::find_anywhere(self.base.store.reader(), id).await?,
            Err(_) => None,
        };
        let kept = match &found {
            Some(stored) => self.open_hook_token(stored).await?,
            None => None,
        };
        let wanted = kept.as_ref().map_or([0; 32], |token| sha256(token.expose().as_bytes()));
        let same = constant_time::verify_slices_are_equal(&sha256(token.expose().as_bytes()), &wanted).is_ok();
        match found.map(|stored| stored.webhook).filter(|_| same) {
            Some(webhook) if matches!(webhook.direction, Direction::Incoming(_)) => Ok(webhook),
            Some(_) | None => Err(HookRefusal::Unknown.into()),
        }
    }

    async fn open_hook_token(&self, Stored { webhook, secrets }: &Stored) -> Result<Option<Secret>> {
        let Some(sealed) = &secrets.credential else { return Ok(None) };
        self.vault.unseal(secret_place(webhook, "credential"), sealed).await.map(Some)
    }

    /// Returns the member as whom a webhook posts, with their current username.
    pub(in crate::app) async fn hook_poster(&self, webhook: &Webhook) -> Result<Person> {
        let Some(user_id) = webhook.poster.user_id else { return Ok(Person::bot()) };
        match store::tenancy::members::find(self.base.store.reader(), webhook.organisation_id, user_id).await {
            Ok(member) => Ok(Person { user_id: Some(user_id), username: member.username }),
            Err(Error::NotFound { .. }) => Err(HookRefusal::PosterGone.into()),
            Err(error) => Err(error),
        }
    }

    /// Runs the script on a request.
    async fn ask_script(
        &self,
        webhook: &Webhook,
        text: &str,
        (request, payload): (&HookRequest, Payload),
        poster: &Person,
    ) -> Result<ScriptReply> {
        if !self.rules.script_mode.runs() {
            return Err(HookRefusal::ScriptsDisabled.into());
        }
        let asked = Asked {
            id: webhook.id,
            token: &request.token,
            user_id: request.user_id.as_deref(),
            target: &request.target,
            headers: &request.headers,
        };
        let argument = incoming_script::argument(&asked, &payload, poster);
        let ran = self.run_script(webhook, text, (ScriptMethod::ProcessIncomingRequest, &argument)).await;
        let ScriptRun { result, console, .. } = ran?;
        for line in console {
            tracing::debug!(integration = %webhook.id, level = ?line.level, text = line.text, "script console");
        }
        let value = result.map_err(|fault| {
            tracing::debug!(integration = %webhook.id, %fault, "script failed");
            HookRefusal::Script(fault)
        })?;
        Ok(ScriptReply::read(value))
    }

    /// Posts to every channel that a post names, or else to those of the webhook. All of them are checked before the
    /// first post; unless the sender asked for a result per channel, a single failure prevents all posts.
    pub(in crate::app) async fn post_from(
        &self,
        (organisation_id, channels): (OrganisationId, &[String]),
        poster: &Person,
        post: Post,
    ) -> Result<Vec<Told>> {
        let Post { targets, mut message, separate } = post;
        let targets = if targets.is_empty() { channels.to_vec() } else { targets };
        message.user = Some(poster.clone());
        let mut found: Vec<(String, Result<Found, PostFault>)> = Vec::with_capacity(targets.len());
        for target in targets {
            let place = self.find_place(organisation_id, poster, &target).await?;
            if let Err(fault) = &place
                && !separate
            {
                return Err(fault.clone().into());
            }
            let again = found.iter().any(|(_, known)| place.is_ok() && *known == place);
            if !again {
                found.push((target, place));
            }
        }
        let mut open = Vec::with_capacity(found.len());
        for (target, place) in found {
            let channel = match place {
                Ok(place) => Ok(self.open_place(organisation_id, poster, place).await?),
                Err(fault) => Err(fault),
            };
            open.push((target, channel));
        }
        // Concurrently, so that they share a group commit.
        let posted = open.into_iter().map(|(target, channel)| async {
            let result = match channel {
                Ok(channel) => Ok(self.post_in(organisation_id, &channel, message.clone()).await?),
                Err(fault) => Err(fault),
            };
            Ok(Told { target, result })
        });
        future::try_join_all(posted).await
    }

    async fn post_in(&self, organisation_id: OrganisationId, channel: &Channel, message: Message) -> Result<Posted> {
        let new_event = NewEvent::plain(organisation_id, channels::event::SOURCE, message.posted(channel.id));
        let accepted = self.pipeline.accept(new_event).await?;
        self.base.metrics.events("accepted", 1);
        Ok(Posted { id: accepted.id, channel_id: channel.id, message, at: self.base.now() })
    }
}
