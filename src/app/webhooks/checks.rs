//! Look-ups before a webhook is set up: its poster, its channels, its URLs. Violations are reported in the order in
//! which Rocket.Chat checks them.
//!
//! Not here: rules without a look-up (`domain::webhooks::setup`).

use super::{Reach, Webhooks};
use crate::{
    app::Caller,
    domain::{
        Error, Result,
        channels::person::{BOT, Person},
        ids::{ChannelId, OrganisationId, UserId},
        webhooks::{
            Direction, Incoming, Target, Way, Webhook, WebhookRefusal,
            setup::{self, Draft, DraftWay},
        },
    },
    store,
};

/// Meaning of a name in a list of channels.
enum ChannelTarget {
    Channel(ChannelId),
    Person,
    /// Every channel of a kind.
    AllOfKind,
}

impl Webhooks {
    /// Validates a draft, and returns its poster, its channels and its direction.
    pub(super) async fn check_draft(&self, caller: &Caller, draft: &Draft) -> Result<(Person, Vec<String>, Direction)> {
        match &draft.way {
            DraftWay::Incoming { override_destination } => {
                let channels = setup::incoming_channels(&draft.channel)?;
                let username = draft.username.as_deref().map(str::trim).filter(|name| !name.is_empty());
                let username = username.ok_or(WebhookRefusal::NoUsername)?;
                self.demand_scripts(draft)?;
                let poster = self.poster(caller.organisation_id, username).await?;
                let poster = poster.ok_or(WebhookRefusal::UserUnknown(Way::Incoming))?;
                self.demand_channels(caller, Way::Incoming, &channels).await?;
                let override_destination = override_destination.unwrap_or_default();
                Ok((poster, channels, Direction::Incoming(Incoming { override_destination })))
            }
            DraftWay::Outgoing(wanted) => {
                let sees_all = Reach::of(caller).all(Way::Outgoing);
                self.demand_scripts(draft)?;
                let (outgoing, channels) =
                    setup::outgoing(wanted, (draft.username.as_deref(), &draft.channel), sees_all)?;
                for url in &outgoing.urls {
                    self.demand_url(url)?;
                }
                let username = draft.username.as_deref().unwrap_or_default().trim();
                let poster = self.poster(caller.organisation_id, username).await?;
                let poster = poster.ok_or(WebhookRefusal::UserUnknown(Way::Outgoing))?;
                setup::may_listen(&channels, sees_all)?;
                self.demand_channels(caller, Way::Outgoing, &channels).await?;
                Ok((poster, channels, Direction::Outgoing(outgoing)))
            }
        }
    }

    /// Validates a change of an incoming webhook, whose checks have an order of their own.
    pub(super) async fn check_incoming_change(
        &self,
        caller: &Caller,
        former: &Webhook,
        draft: &Draft,
    ) -> Result<(Person, Vec<String>)> {
        let channels = setup::incoming_channels(&draft.channel)?;
        Reach::of(caller).manages(former, caller)?;
        self.demand_scripts(draft)?;
        self.demand_channels(caller, Way::Incoming, &channels).await?;
        let poster = match draft.username.as_deref().map(str::trim).filter(|name| !name.is_empty()) {
            None => former.poster.clone(),
            Some(username) => {
                let poster = self.poster(caller.organisation_id, username).await?;
                poster.ok_or(WebhookRefusal::PosterUnknown)?
            }
        };
        Ok((poster, channels))
    }

    /// Finds a member by username, or the bot.
    pub(in crate::app) async fn poster(&self, organisation_id: OrganisationId, name: &str) -> Result<Option<Person>> {
        let member = store::tenancy::members::find_by_username(self.base.store.reader(), organisation_id, name).await?;
        let person = |user_id, username| Person { user_id: Some(user_id), username };
        let member = member.map(|member| person(member.user_id, member.username));
        Ok(member.or_else(|| (name == BOT).then(Person::bot)))
    }

    fn demand_scripts(&self, draft: &Draft) -> Result<(), WebhookRefusal> {
        let refused = draft.has_script() && !self.rules.script_mode.saves();
        if refused { Err(WebhookRefusal::ScriptsFrozen) } else { Ok(()) }
    }

    fn demand_url(&self, url: &str) -> Result<(), WebhookRefusal> {
        let refused = |why: String| WebhookRefusal::UrlRefused { url: url.to_owned(), why };
        self.guard.check(url).map(drop).map_err(|why| refused(why.to_string()))
    }

    /// Demands that every channel exists, and that the caller is a member of it unless they may manage both all
    /// webhooks of this direction and their own.
    async fn demand_channels(&self, caller: &Caller, way: Way, channels: &[String]) -> Result<()> {
        let anywhere = Reach::of(caller).both(way);
        for channel in channels {
            let target = self.channel_target(caller.organisation_id, channel).await?;
            let target = target.ok_or_else(|| WebhookRefusal::ChannelUnknown(channel.clone()))?;
            let is_in = match target {
                ChannelTarget::Channel(id) if !anywhere => {
                    store::channels::has_member(self.base.store.reader(), id, caller.user_id).await?
                }
                ChannelTarget::Person => anywhere,
                ChannelTarget::Channel(_) | ChannelTarget::AllOfKind => true,
            };
            if !is_in {
                return Err(WebhookRefusal::NotInChannel(channel.clone()).into());
            }
        }
        Ok(())
    }

    async fn channel_target(&self, organisation_id: OrganisationId, text: &str) -> Result<Option<ChannelTarget>> {
        let reader = self.base.store.reader();
        match Target::read(text) {
            Target::AllPublic | Target::AllPrivate | Target::AllDirect => Ok(Some(ChannelTarget::AllOfKind)),
            Target::Channel(name) | Target::Either(name) => {
                if let Some(channel) = store::channels::find_by_name(reader, organisation_id, &name).await? {
                    return Ok(Some(ChannelTarget::Channel(channel.id)));
                }
                let Ok(id) = name.parse::<ChannelId>() else { return Ok(None) };
                match store::channels::find(reader, organisation_id, id).await {
                    Ok(channel) => Ok(Some(ChannelTarget::Channel(channel.id))),
                    Err(Error::NotFound { .. }) => Ok(None),
                    Err(error) => Err(error),
                }
            }
            Target::User(name) => {
                if self.poster(organisation_id, &name).await?.is_some() {
                    return Ok(Some(ChannelTarget::Person));
                }
                let Ok(id) = name.parse::<UserId>() else { return Ok(None) };
                match store::tenancy::members::find(reader, organisation_id, id).await {
                    Ok(_) => Ok(Some(ChannelTarget::Person)),
                    Err(Error::NotFound { .. }) => Ok(None),
                    Err(error) => Err(error),
                }
            }
        }
    }
}
