//! Reasons for which a delivery to Slack is not sent.

use crate::domain::pipeline::delivery::Reason;

/// A member paused the Slack link.
pub const PAUSED: Reason = Reason::new("the Slack integration is paused; set it active and replay this delivery");
/// Slack revoked the link's token.
pub const DISCONNECTED: Reason =
    Reason::new("Slack revoked the connection; connect Slack again and replay this delivery");
/// The link was deleted.
pub const DELETED: Reason =
    Reason::new("the Slack integration was deleted; connect Slack again and replay this delivery");
/// No channel is chosen.
pub const NO_CHANNEL: Reason = Reason::new("no Slack channel is chosen; choose one and replay this delivery");
/// The link filter does not match.
pub const LINK_FILTER: Reason = Reason::new("the Slack integration's link filter asks for another link");
/// The trigger filter does not match.
pub const TRIGGER_FILTER: Reason = Reason::new("the Slack integration's trigger filter asks for other kinds of step");
/// The topic has a thread already.
pub const NOT_FIRST: Reason = Reason::new("the channel was notified of it before");
/// The topic has no thread to reply in.
pub const NO_THREAD: Reason = Reason::new(
    "the channel was not notified of the pull request, and a comment does not say whether its branch is asked for",
);
