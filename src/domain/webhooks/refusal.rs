//! Reasons to refuse the set-up, look-up or use of a webhook. Each dialect has its own code for each.
//!
//! Not here: refusals of requests to an incoming one (`incoming_refusal`).

use super::{Direction, incoming_refusal::HookRefusal};

/// Direction of a webhook, without its settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// It receives requests.
    Incoming,
    /// It is called.
    Outgoing,
}

impl Way {
    /// Returns the direction of its settings.
    pub fn of(direction: &Direction) -> Self {
        match direction {
            Direction::Incoming(_) => Way::Incoming,
            Direction::Outgoing(_) => Way::Outgoing,
        }
    }
}

/// Reason for a refusal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookRefusal {
    /// The caller may not manage webhooks of this direction.
    #[error("this needs the permission to manage {} webhooks, all of them or one's own", way(.0))]
    NotAllowed(Way),
    /// It is another member's, and the caller may manage only their own.
    #[error("this {} webhook is somebody else's, and you may manage your own", way(.0))]
    NotYours(Way),
    /// The caller may not see it.
    #[error("you may not see this webhook")]
    Hidden,
    /// No webhook with that id is visible to the caller.
    #[error("there is no such webhook here")]
    Unknown,
    /// No webhook with that id or URL may be changed by the caller.
    #[error("there is no such webhook to change")]
    NothingToChange,
    /// The type is neither of the two directions.
    #[error("a webhook is webhook-incoming or webhook-outgoing")]
    Type,
    /// No channel is named.
    #[error("name a channel, such as #general or @ada")]
    NoChannel,
    /// A channel is named without `#` or `@`.
    #[error("a channel begins with # or @, such as #general or @ada")]
    ChannelSign,
    /// No user to post as is named.
    #[error("name the user in whose name it posts")]
    NoUsername,
    /// Scripts are frozen: none can be saved.
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
    /// There is no such event for outgoing webhooks.
    #[error("there is no such event")]
    EventUnknown,
    /// The event belongs to no channel, and no channel for the answers is named.
    #[error("this event happens in no channel: name a target channel")]
    NoTargetRoom,
    /// No URL is given.
    #[error("name at least one URL")]
    NoUrls,
    /// A URL is refused.
    #[error("{url:?} is not called: {why}")]
    UrlRefused {
        /// The URL.
        url: String,
        /// The reason.
        why: String,
    },
    /// Such an event requires the permission to manage all webhooks.
    #[error("a webhook for all channels is set up by those who manage all outgoing webhooks")]
    NeedsAll,
    /// All private or direct channels require the permission to manage all webhooks.
    #[error("{0} is for those who manage all outgoing webhooks")]
    PrivateNeedsAll(String),
    /// It has no token.
    #[error("an outgoing webhook is changed with its token")]
    NoToken,
    /// No webhook is named.
    #[error("name a webhook by its id")]
    NoId,
    /// The caller manages no outgoing webhook with that id.
    #[error("there is no such outgoing webhook here that you may manage")]
    NoSuchOutgoing,
    /// It is an incoming one, which has no history.
    #[error("this is an incoming webhook, and it has no history")]
    NotOutgoing,
    /// There is no such run in its history.
    #[error("there is no such run in the history of this webhook")]
    NoSuchRun,
    /// A run has no data to replay.
    #[error("this run has nothing that could be sent once more")]
    RunWithoutData,
    /// The organisation has the maximum number of webhooks.
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
