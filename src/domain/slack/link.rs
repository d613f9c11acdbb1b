//! An organisation's connection to one Slack workspace, and its event filters.
//!
//! Not here: its tokens, which `app::slack::links` decrypts on use.

use std::{collections::BTreeSet, str::FromStr};

use url::Url;
use uuid::Uuid;

use crate::domain::{
    Error, Result,
    ambient::Time,
    error::Violation,
    ids::{DestinationId, OrganisationId, SlackLinkId, UserId},
    pipeline::{delivery::Reason, event::Fact},
    routes::workflow_step::{StepKind, WORKFLOW_STEP_COMPLETED, WorkflowStep},
    slack::reason,
};

/// A connected Slack workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlackLink {
    /// Its identifier.
    pub id: SlackLinkId,
    /// The owning organisation.
    pub organisation_id: OrganisationId,
    /// The destination of its notifications; outlives a reconnection.
    pub destination_id: DestinationId,
    /// The user who connected it.
    pub created_by: UserId,
    /// Slack's id of the workspace, such as `T01ABC123`; of the enterprise, such as `E01ABC123`, for an org-wide
    /// installation.
    pub team_id: String,
    /// True if the app is installed for a whole Slack enterprise.
    pub org_wide: bool,
    /// The enterprise of the workspace.
    pub enterprise_id: Option<String>,
    /// Our app's id at Slack.
    pub app_id: String,
    /// The bot's user, by which our own messages are recognised.
    pub bot_user_id: String,
    /// The workspace's name.
    pub team_name: String,
    /// The chosen channel's id; empty until one is chosen.
    pub channel_id: String,
    /// The chosen channel's name, without `#`.
    pub channel_name: String,
    /// State of the connection.
    pub status: SlackLinkStatus,
    /// Only these kinds of step; empty means all.
    pub triggers: BTreeSet<StepKind>,
    /// Only this link; `None` means all.
    pub link_id: Option<Uuid>,
    /// Time of connecting.
    pub created_at: Time,
    /// Time of the last change by a user.
    pub updated_at: Time,
}

/// State of a Slack link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlackLinkStatus {
    /// It sends notifications.
    Active,
    /// A member paused it.
    Paused,
    /// Slack reports its token as dead: connect again.
    Disconnected,
}

impl SlackLinkStatus {
    /// Returns the name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            SlackLinkStatus::Active => "active",
            SlackLinkStatus::Paused => "paused",
            SlackLinkStatus::Disconnected => "disconnected",
        }
    }
}

impl FromStr for SlackLinkStatus {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        [SlackLinkStatus::Active, SlackLinkStatus::Paused, SlackLinkStatus::Disconnected]
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| Error::invalid("/status", "must be active, paused or disconnected"))
    }
}

/// Decision of a link on an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Routing {
    /// Not concerned.
    Ignore,
    /// Deliver.
    Send,
    /// Skip, as configured.
    Skip(Reason),
    /// Should be delivered and cannot be.
    Fail(Reason),
}

impl SlackLink {
    /// Returns the URL that opens the app in Slack.
    ///
    /// # Errors
    /// [`Error::Internal`] when the fixed part of it is no address.
    pub fn app_address(&self) -> Result<Url> {
        let mut url = Url::parse("slack://app").map_err(|error| Error::Internal(error.to_string()))?;
        url.query_pairs_mut().append_pair("team", &self.team_id).append_pair("id", &self.app_id);
        Ok(url)
    }

    /// Returns true if `fact` concerns Slack links.
    pub fn is_concerned(fact: &Fact) -> bool {
        fact.kind == WORKFLOW_STEP_COMPLETED
    }

    /// Decides on `fact` for this link: by status, chosen channel, link filter and trigger filter, in this order.
    pub fn route(&self, fact: &Fact) -> Routing {
        if !Self::is_concerned(fact) {
            return Routing::Ignore;
        }
        if self.status == SlackLinkStatus::Disconnected {
            return Routing::Fail(reason::DISCONNECTED);
        }
        if self.status == SlackLinkStatus::Paused {
            return Routing::Skip(reason::PAUSED);
        }
        if self.channel_id.is_empty() {
            return Routing::Skip(reason::NO_CHANNEL);
        }
        let step = WorkflowStep::from(&fact.attributes);
        if let Some(wanted) = self.link_id
            && step.link_id.and_then(|id| Uuid::parse_str(id).ok()) != Some(wanted)
        {
            return Routing::Skip(reason::LINK_FILTER);
        }
        match step.kind {
            Some(kind) if self.triggers.is_empty() || self.triggers.contains(&kind) => Routing::Send,
            _ => Routing::Skip(reason::TRIGGER_FILTER),
        }
    }

    /// Takes over the configuration of a former connection to the same workspace. A paused link stays paused.
    pub fn keep(&mut self, former: &SlackLink) {
        self.channel_id.clone_from(&former.channel_id);
        self.channel_name.clone_from(&former.channel_name);
        self.triggers.clone_from(&former.triggers);
        self.link_id = former.link_id;
        self.status = match former.status {
            SlackLinkStatus::Paused => SlackLinkStatus::Paused,
            SlackLinkStatus::Active | SlackLinkStatus::Disconnected => SlackLinkStatus::Active,
        };
    }

    /// Applies an update; absent fields stay.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every broken rule; nothing is changed then.
    pub fn change(&mut self, change: SlackLinkChange, now: Time) -> Result<()> {
        let mut violations = change.broken;
        let mut broken = |field: &str, message: &str| {
            violations.push(Violation { field: field.into(), message: message.into() });
        };
        let mut changed = self.clone();
        if let Some(id) = change.channel_id {
            if !is_channel_id(&id) {
                broken("/slackChannelId", CHANNEL_ID_RULE);
            } else if id != changed.channel_id {
                changed.channel_id = id;
                changed.channel_name = String::new();
            }
        }
        if let Some(name) = change.channel_name {
            if !is_channel_name(&name) {
                broken("/slackChannelName", CHANNEL_NAME_RULE);
            } else {
                changed.channel_name = name.trim_start_matches('#').to_owned();
            }
        }
        if let Some(triggers) = change.triggers {
            changed.triggers = triggers;
        }
        match change.link_id.as_deref() {
            None => {}
            Some("") => changed.link_id = None,
            Some(id) => match Uuid::parse_str(id) {
                Ok(id) => changed.link_id = Some(id),
                Err(_) => broken("/linkId", "must be a UUID, or empty for all links"),
            },
        }
        match change.status {
            None => {}
            Some(SlackLinkStatus::Disconnected) => {
                broken("/status", "can be set to ACTIVE or PAUSED; to disconnect, delete the integration");
            }
            Some(_) if self.status == SlackLinkStatus::Disconnected => {
                broken("/status", "Slack has revoked this connection; connect Slack again by the OAuth URL");
            }
            Some(status) => changed.status = status,
        }
        if !violations.is_empty() {
            return Err(Error::Invalid(violations));
        }
        changed.updated_at = now;
        *self = changed;
        Ok(())
    }
}

const CHANNEL_ID_RULE: &str = "must be a Slack channel id such as \"C01ABC123\", or empty";
const CHANNEL_NAME_RULE: &str = "must be at most 80 characters without control characters";

fn is_channel_id(id: &str) -> bool {
    id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Returns true if `id` has the form of an id of Slack's channels.
pub fn is_plausible_channel(id: &str) -> bool {
    !id.is_empty() && is_channel_id(id)
}

fn is_channel_name(name: &str) -> bool {
    name.chars().count() <= 80 && !name.chars().any(char::is_control)
}

/// Validates the id and the name of a channel; each violation names its field.
pub fn channel_violations(id: (&str, &str), name: (&str, &str)) -> Vec<Violation> {
    let rules = [(id, is_channel_id as fn(&str) -> bool, CHANNEL_ID_RULE), (name, is_channel_name, CHANNEL_NAME_RULE)];
    let broken = rules.into_iter().filter(|((_, text), is_good, _)| !is_good(text));
    broken.map(|((field, _), _, rule)| Violation { field: field.into(), message: rule.into() }).collect()
}

/// An update of a link: `None` leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SlackLinkChange {
    /// Slack's id of the channel; empty deselects it.
    pub channel_id: Option<String>,
    /// Its name.
    pub channel_name: Option<String>,
    /// The kinds of step to let through; empty means all.
    pub triggers: Option<BTreeSet<StepKind>>,
    /// The link to let through, a UUID; empty means all.
    pub link_id: Option<String>,
    /// Active or paused.
    pub status: Option<SlackLinkStatus>,
    /// Violations found while parsing the update; they are listed with the others.
    pub broken: Vec<Violation>,
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::domain::routes::workflow_step::{LINK_ID, STEP_KIND};

    const LINK: Uuid = Uuid::from_u128(7);

    fn link() -> SlackLink {
        SlackLink {
            id: Uuid::nil().into(),
            organisation_id: Uuid::nil().into(),
            destination_id: Uuid::nil().into(),
            created_by: Uuid::nil().into(),
            team_id: "T1".into(),
            org_wide: false,
            enterprise_id: None,
            app_id: "A1".into(),
            bot_user_id: "U0".into(),
            team_name: "Acme".into(),
            channel_id: "C1".into(),
            channel_name: "alerts".into(),
            status: SlackLinkStatus::Active,
            triggers: BTreeSet::new(),
            link_id: None,
            created_at: Time::UNIX_EPOCH,
            updated_at: Time::UNIX_EPOCH,
        }
    }

    fn step(kind: StepKind, link: Option<String>) -> Fact {
        let kind = (STEP_KIND, kind.as_str().to_owned());
        let attributes = [kind].into_iter().chain(link.map(|link| (LINK_ID, link))).collect();
        Fact { attributes, ..Fact::plain(WORKFLOW_STEP_COMPLETED, None, Value::Null) }
    }

    #[test]
    fn routing_table() {
        let entry = || step(StepKind::Entry, Some(LINK.to_string().to_uppercase()));
        let with = |change: fn(&mut SlackLink)| {
            let mut link = link();
            change(&mut link);
            link.route(&entry())
        };
        assert_eq!(with(|_| {}), Routing::Send);
        assert_eq!(with(|l| l.link_id = Some(LINK)), Routing::Send, "the case of a UUID does not matter");
        assert_eq!(with(|l| l.link_id = Some(Uuid::nil())), Routing::Skip(reason::LINK_FILTER));
        assert_eq!(with(|l| l.triggers = [StepKind::Entry].into()), Routing::Send);
        assert_eq!(with(|l| l.triggers = [StepKind::Exit].into()), Routing::Skip(reason::TRIGGER_FILTER));
        assert_eq!(with(|l| l.channel_id.clear()), Routing::Skip(reason::NO_CHANNEL));
        assert_eq!(with(|l| l.status = SlackLinkStatus::Paused), Routing::Skip(reason::PAUSED));
        assert_eq!(with(|l| l.status = SlackLinkStatus::Disconnected), Routing::Fail(reason::DISCONNECTED));
        let other = Fact { kind: "message.posted".into(), ..entry() };
        assert_eq!(link().route(&other), Routing::Ignore);
        let filtered = SlackLink { link_id: Some(LINK), ..link() };
        assert_eq!(filtered.route(&step(StepKind::Entry, None)), Routing::Skip(reason::LINK_FILTER));
    }

    #[test]
    fn a_change_is_partial() {
        let mut changed = SlackLink { link_id: Some(LINK), triggers: [StepKind::Exit].into(), ..link() };
        let now = Time::UNIX_EPOCH + chrono::Duration::seconds(5);
        changed.change(SlackLinkChange::default(), now).unwrap();
        assert_eq!((changed.link_id, changed.triggers.len(), changed.updated_at), (Some(LINK), 1, now));
        let clear =
            SlackLinkChange { link_id: Some(String::new()), triggers: Some(BTreeSet::new()), ..Default::default() };
        changed.change(clear, now).unwrap();
        assert_eq!((changed.link_id, changed.triggers.len()), (None, 0));
    }

    #[test]
    fn another_channel_forgets_the_old_name() {
        let mut changed = link();
        changed
            .change(SlackLinkChange { channel_id: Some("C2".into()), ..Default::default() }, Time::UNIX_EPOCH)
            .unwrap();
        assert_eq!((changed.channel_id.as_str(), changed.channel_name.as_str()), ("C2", ""));
    }

    #[test]
    fn a_refused_change_changes_nothing() {
        let mut unchanged = link();
        let change = SlackLinkChange {
            channel_id: Some("#no".into()),
            link_id: Some("nonsense".into()),
            status: Some(SlackLinkStatus::Disconnected),
            ..Default::default()
        };
        let Err(Error::Invalid(violations)) = unchanged.change(change, Time::UNIX_EPOCH) else { panic!("accepted") };
        let fields: Vec<_> = violations.iter().map(|v| v.field.as_str()).collect();
        assert_eq!(fields, ["/slackChannelId", "/linkId", "/status"]);
        assert_eq!(unchanged, link());
    }

    #[test]
    fn a_dead_connection_is_not_activated_manually() {
        let mut dead = SlackLink { status: SlackLinkStatus::Disconnected, ..link() };
        let change = SlackLinkChange { status: Some(SlackLinkStatus::Active), ..Default::default() };
        assert!(dead.change(change, Time::UNIX_EPOCH).is_err());
    }
}
