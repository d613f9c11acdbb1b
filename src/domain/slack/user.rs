//! A Slack user, and the trust in the e-mail address that Slack gives.
//!
//! Not here: the look-up of a member by that address.

use crate::domain::tenancy::member;

/// A Slack user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlackUser {
    /// Slack's id, such as `U01ABC123`.
    pub id: String,
    /// The user's workspace: another one than ours for people of a shared channel.
    pub team_id: String,
    /// The user's Enterprise organisation.
    pub enterprise_id: Option<String>,
    /// The full name if there is one; otherwise the name in Slack.
    pub name: String,
    /// The address, if the app may see it.
    pub email: Option<String>,
    /// True for a bot.
    pub is_bot: bool,
    /// True if the account was deactivated.
    pub deleted: bool,
    /// True if Slack marks the user as external. The absence of that mark means nothing.
    pub is_stranger: bool,
    /// True if Slack has confirmed the address.
    pub is_email_confirmed: Option<bool>,
}

impl SlackUser {
    /// Returns the address that may identify a member of ours: of a person who belongs to the workspace, or to the
    /// Enterprise organisation, that is connected as `team_id` and lies in `enterprise_id`. Administrators of other
    /// workspaces give their people any address they like, and these come here through shared channels.
    pub fn trusted_email(&self, team_id: &str, enterprise_id: Option<&str>) -> Option<&str> {
        let own = self.enterprise_id.as_deref();
        let belongs = self.team_id == team_id || own.is_some_and(|own| own == team_id || Some(own) == enterprise_id);
        let is_person = !self.is_bot && !self.deleted && !self.is_stranger;
        let email = self.email.as_deref().filter(|email| member::email(email).is_ok());
        email.filter(|_| belongs && is_person && self.is_email_confirmed != Some(false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user() -> SlackUser {
        SlackUser {
            id: "U1".into(),
            team_id: "T1".into(),
            enterprise_id: None,
            name: "Ann".into(),
            email: Some("ann@acme.example".into()),
            is_bot: false,
            deleted: false,
            is_stranger: false,
            is_email_confirmed: None,
        }
    }

    #[test]
    fn only_a_person_of_the_workspace_is_believed() {
        let of_the_enterprise = SlackUser { team_id: "T2".into(), enterprise_id: Some("E1".into()), ..user() };
        let elsewhere = SlackUser { team_id: "T2".into(), ..user() };
        for (user, team_id, enterprise_id, believed) in [
            (user(), "T1", None, true),
            (SlackUser { is_email_confirmed: Some(true), ..user() }, "T1", None, true),
            (SlackUser { is_email_confirmed: Some(false), ..user() }, "T1", None, false),
            (SlackUser { is_bot: true, ..user() }, "T1", None, false),
            (SlackUser { deleted: true, ..user() }, "T1", None, false),
            (SlackUser { is_stranger: true, ..user() }, "T1", None, false),
            (SlackUser { email: None, ..user() }, "T1", None, false),
            (SlackUser { email: Some(String::new()), ..user() }, "T1", None, false),
            (SlackUser { email: Some("ann".into()), ..user() }, "T1", None, false),
            (SlackUser { email: Some("ann\0@acme.example".into()), ..user() }, "T1", None, false),
            (elsewhere.clone(), "T1", None, false),
            (elsewhere, "T1", Some("E1"), false),
            (of_the_enterprise.clone(), "T1", Some("E1"), true),
            (of_the_enterprise.clone(), "E1", Some("E1"), true),
            (of_the_enterprise.clone(), "T1", Some("E2"), false),
            (of_the_enterprise, "T1", None, false),
        ] {
            let expected = believed.then_some("ann@acme.example");
            assert_eq!(user.trusted_email(team_id, enterprise_id), expected, "{user:?} {team_id} {enterprise_id:?}");
        }
    }
}
