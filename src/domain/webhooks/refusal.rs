//! Why a webhook integration cannot be set up, found or used. Each dialect has its own word for each.

use super::{Direction, incoming_refusal::HookRefusal};

/// Which way a webhook integration works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// It is posted to.
    Incoming,
    /// It is called.
    Outgoing,
}

impl Way {
    /// That of a direction.
    pub fn of(direction: &Direction) -> Self {
        match direction {
            Direction::Incoming(_) => Way::Incoming,
            Direction::Outgoing(_) => Way::Outgoing,
        }
    }
}

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookRefusal {
    /// The caller may manage none of this direction.
    #[error("this needs the permission to manage {} webhooks, all of them or one's own", way(.0))]
    NotAllowed(Way),
    /// It is somebody else's, and the caller may manage their own alone.
    #[error("this {} webhook is somebody else's, and you may manage your own", way(.0))]
    NotYours(Way),
    /// The caller may not see it.
    #[error("you may not see this webhook")]
    Hidden,
    /// There is none with that id that may be looked at.
    #[error("there is no such webhook here")]
    Unknown,
    /// There is none with that id, or that URL, that may be changed.
    #[error("there is no such webhook to change")]
    NothingToChange,
    /// It is neither of the two directions.
    #[error("a webhook is webhook-incoming or webhook-outgoing")]
    Type,
    /// No channel is named.
    #[error("name a channel, such as #general or @ada")]
    NoChannel,
    /// A channel is named without its sign.
    #[error("a channel begins with # or @, such as #general or @ada")]
    ChannelSign,
    /// No user is named to post as.
    #[error("name the user in whose name it posts")]
    NoUsername,
    /// Scripts are not taken any more.
    #[error("scripts are frozen by configuration: none is saved, those that are there go on")]
    ScriptsFrozen,
    /// No member has that name.
    #[error("there is no member of that name to post as")]
    UserUnknown(Way),
    /// No member has that name, in a change.
    #[error("there is no member of that name to post as")]
    PosterUnknown,
    /// No channel or member has that name or id.
    #[error("there is no channel or member {0}")]
    ChannelUnknown(String),
    /// The caller is not in a channel.
    #[error("you are not in {0}; join it, or ask somebody who manages all webhooks")]
    NotInChannel(String),
    /// Nothing is called for that.
    #[error("there is no such event")]
    EventUnknown,
    /// The event happens in no channel, and no other one is named.
    #[error("this event happens in no channel: name a target channel")]
    NoTargetRoom,
    /// There is nothing to call.
    #[error("name at least one URL")]
    NoUrls,
    /// A URL is not called.
    #[error("{url:?} is not called: {why}")]
    UrlRefused {
        /// The URL.
        url: String,
        /// Why not.
        why: String,
    },
    /// Such an event is for those who manage all webhooks.
    #[error("a webhook for all channels is set up by those who manage all outgoing webhooks")]
    NeedsAll,
    /// All private or direct channels are for those who manage all webhooks.
    #[error("{0} is for those who manage all outgoing webhooks")]
    PrivateNeedsAll(String),
    /// It has no token.
    #[error("an outgoing webhook is changed with its token")]
    NoToken,
    /// No webhook is named.
    #[error("name a webhook by its id")]
    NoId,
    /// There is no outgoing one with that id that the caller manages.
    #[error("there is no such outgoing webhook here that you may manage")]
    NoSuchOutgoing,
    /// It is an incoming one, which has no history.
    #[error("this is an incoming webhook, and it has no history")]
    NotOutgoing,
    /// There is no such run in its history.
    #[error("there is no such run in the history of this webhook")]
    NoSuchRun,
    /// A run has nothing that could be sent once more.
    #[error("this run has nothing that could be sent once more")]
    RunWithoutData,
    /// There are as many as an organisation may have.
    #[error("an organisation has at most {0} webhooks (limits.webhooks_per_organisation); remove one first")]
    TooMany(usize),
    /// A request to an incoming one is refused.
    #[error(transparent)]
    Hook(#[from] HookRefusal),
}

fn way(way: &Way) -> &'static str {
    match way {
        Way::Incoming => "incoming",
        Way::Outgoing => "outgoing",
    }
}
