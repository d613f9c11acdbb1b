//! Requests to incoming webhooks. The address has a token in it, which is looked at before everything else; then it is
//! read what was sent, a script may change it, and it is posted.

mod kept;
mod places;
mod subscribers;

use aws_lc_rs::constant_time;
use bytes::Bytes;
use futures_util::future;
use serde_json::{Map, Value};

use self::places::Found;
pub use subscribers::{Sample, Subscriber};

use super::Webhooks;
use super::secret_place;
use crate::{
    app::{pipeline::intake::Arrival, tenancy::credential::sha256},
    domain::{
        Error, Result,
        ambient::Time,
        channels::{Channel, message::Message, person::Person},
        ids::{ChannelId, EventId, OrganisationId},
        pipeline::event::EventSource,
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

/// A request to an incoming webhook, as it came.
#[derive(Clone, Debug)]
pub struct HookRequest {
    /// The integration that its address names.
    pub id: String,
    /// The token that its address has in it.
    pub token: Secret,
    /// The user that its address names, where it does.
    pub user_id: Option<String>,
    /// The path with its query.
    pub target: String,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// What it says that its body is.
    pub content_type: Option<String>,
    /// The body.
    pub body: Bytes,
}

/// What the sender is told.
#[derive(Clone, Debug, PartialEq)]
pub enum HookAnswer {
    /// It is done.
    Done {
        /// What the script wants to be told with it.
        response: Option<Value>,
    },
    /// The script says no.
    Refused(Value),
    /// What became of each channel.
    Separate(Vec<Told>),
}

/// What became of one channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The channel, as the sender wrote it.
    pub target: String,
    /// What was posted there, or why nothing was.
    pub result: Result<Posted, PostFault>,
}

/// A message that was posted.
#[derive(Clone, Debug, PartialEq)]
pub struct Posted {
    /// Its event.
    pub id: EventId,
    /// Where.
    pub channel_id: ChannelId,
    /// What it says.
    pub message: Message,
    /// When.
    pub at: Time,
}

/// What a request wants to be posted, and in whose name.
struct Wish {
    content: Map<String, Value>,
    poster: Person,
    response: Option<Value>,
}

impl Webhooks {
    /// Posts what an incoming webhook is sent. Everything is durable when this returns.
    ///
    /// # Errors
    /// [`HookRefusal`] as [`Error::Webhook`], [`Error::RateLimited`], [`Error::Unavailable`] while scripts are busy: the
    /// request is kept then, and worked on later.
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

    /// Makes of a request what its webhook makes of it.
    async fn work_on_hook(&self, webhook: &Webhook, request: &HookRequest) -> Result<HookAnswer> {
        let poster = self.hook_poster(webhook).await?;
        let Direction::Incoming(incoming) = &webhook.direction else { return Err(HookRefusal::Unknown.into()) };
        if !webhook.enabled {
            return Err(HookRefusal::Disabled.into());
        }
        let payload = Payload::read(Packing::of(request.content_type.as_deref()), &request.body)?;
        let wish = match webhook.script.runnable() {
            None => payload.into_content()?.map(|content| Wish { content, poster, response: None }),
            Some(text) => match self.ask_script(webhook, text, (request, payload), &poster).await? {
                ScriptReply::Refused(error) => return Ok(HookAnswer::Refused(error)),
                ScriptReply::NoObject => return Err(HookRefusal::ScriptContent.into()),
                ScriptReply::Nothing { response } => return Ok(HookAnswer::Done { response }),
                ScriptReply::Post { content, user: None, response } => Some(Wish { content, poster, response }),
                ScriptReply::Post { content, user: Some(name), response } => {
                    let poster = self.person_named(webhook.organisation_id, &name).await?;
                    Some(Wish { content, poster: poster.ok_or(PostFault::NoSuchUser)?, response })
                }
            },
        };
        let Some(wish) = wish else { return Ok(HookAnswer::Done { response: None }) };
        if post::names_a_target(&wish.content) && !incoming.override_destination {
            return Err(HookRefusal::Override.into());
        }
        let Wish { content, poster, response } = wish;
        let post = Post::read(&content, webhook)?;
        let separate = post.separate;
        let told = self.post_from(webhook, &poster, post).await?;
        let separately = separate && response.is_none();
        Ok(if separately { HookAnswer::Separate(told) } else { HookAnswer::Done { response } })
    }

    /// Says that an address is good, and whose webhook it is. An id that there is not and a wrong token are told alike.
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

    /// Whoever a webhook posts as, by the name that they have now.
    pub(in crate::app) async fn hook_poster(&self, webhook: &Webhook) -> Result<Person> {
        let Some(user_id) = webhook.poster.user_id else { return Ok(Person::bot()) };
        match store::tenancy::members::find(self.base.store.reader(), webhook.organisation_id, user_id).await {
            Ok(member) => Ok(Person { user_id: Some(user_id), username: member.username }),
            Err(Error::NotFound { .. }) => Err(HookRefusal::PosterGone.into()),
            Err(error) => Err(error),
        }
    }

    /// What the script makes of a request. What it keeps is saved also where it then fails.
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
        let kept = store::webhooks::script_store(self.base.store.reader(), webhook.id).await?;
        let method = ScriptMethod::ProcessIncomingRequest;
        let ScriptRun { result, console, store: changed, .. } =
            self.scripts.run(webhook.organisation_id, text, (method, &argument), kept).await?;
        for line in console {
            tracing::debug!(integration = %webhook.id, level = ?line.level, text = line.text, "a script says");
        }
        if let Some(changed) = changed {
            let writer = self.base.store.writer();
            store::webhooks::keep_script_store(writer, webhook, &changed, self.base.now()).await?;
        }
        let value = result.map_err(|fault| {
            tracing::debug!(integration = %webhook.id, %fault, "a script failed");
            HookRefusal::Script(fault)
        })?;
        Ok(ScriptReply::read(value))
    }

    /// Posts to every channel that a post names, or else to the webhook's own. All of them are looked at before anything
    /// is posted; where one cannot be posted to and the sender does not want to hear of each, nothing is.
    pub(in crate::app) async fn post_from(&self, webhook: &Webhook, poster: &Person, post: Post) -> Result<Vec<Told>> {
        let Post { targets, mut message, separate } = post;
        let targets = if targets.is_empty() { webhook.channels.clone() } else { targets };
        message.user = Some(poster.clone());
        let mut found: Vec<(String, Result<Found, PostFault>)> = Vec::with_capacity(targets.len());
        for target in targets {
            let place = self.find_place(webhook.organisation_id, poster, &target).await?;
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
                Ok(place) => Ok(self.open_place(webhook.organisation_id, poster, place).await?),
                Err(fault) => Err(fault),
            };
            open.push((target, channel));
        }
        // At the same time, so that they share a commit.
        let posted = open.into_iter().map(|(target, channel)| async {
            let result = match channel {
                Ok(channel) => Ok(self.post_in(webhook.organisation_id, &channel, message.clone()).await?),
                Err(fault) => Err(fault),
            };
            Ok(Told { target, result })
        });
        future::try_join_all(posted).await
    }

    async fn post_in(&self, organisation_id: OrganisationId, channel: &Channel, message: Message) -> Result<Posted> {
        let arrival = Arrival::posted(organisation_id, EventSource::Channel, (channel.id, message.data()));
        let accepted = self.pipeline.accept(arrival).await?;
        self.base.metrics.events("accepted", 1);
        Ok(Posted { id: accepted.id, channel_id: channel.id, message, at: self.base.now() })
    }
}
