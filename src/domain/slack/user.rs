//! Somebody in Slack, and whether the address that Slack tells of them is one to believe.

use crate::domain::tenancy::member;

/// Somebody in Slack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlackUser {
    /// Slack's id, such as `U01ABC123`.
    pub id: String,
    /// The workspace whose member this is: another one than ours for people of a shared channel.
    pub team_id: String,
    /// The Enterprise organisation whose member this is.
    pub enterprise_id: Option<String>,
    /// The full name where there is one; otherwise the name in Slack.
    pub name: String,
    /// The address, where the app may see it.
    pub email: Option<String>,
    /// Whether it is a program.
    pub is_bot: bool,
    /// Whether the account was switched off.
    pub deleted: bool,
    /// Whether Slack says that it is somebody from elsewhere. That it does not say so means nothing.
    pub is_stranger: bool,
    /// Whether Slack knows that the address is theirs.
    pub is_email_confirmed: Option<bool>,
}

impl SlackUser {
    /// The address by which this may be taken for a member of ours: of a person who belongs to the workspace, or to the
    /// Enterprise organisation, that is connected as `team_id` and lies in `enterprise_id`. Whoever administers another
    /// workspace gives its people what addresses they like, and they come here through shared channels.
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
