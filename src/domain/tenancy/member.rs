//! Members of an organisation, their roles and permissions.
//!
//! Not here: authentication.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde_json::{Value, json};

use crate::domain::{
    Error, Result,
    ambient::{Time, timestamp},
    ids::{MemberId, OrganisationId, UserId},
};

/// Type of the event that announces a new member of the organisation.
pub const MEMBER_CREATED: &str = "member.created";

/// A user's membership of one organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The membership.
    pub id: MemberId,
    /// The organisation.
    pub organisation_id: OrganisationId,
    /// The user, who may be a member elsewhere too.
    pub user_id: UserId,
    /// Unique within the organisation.
    pub username: String,
    /// Optional, for people.
    pub email: Option<String>,
    /// The `sub` claim under which an external issuer knows this user.
    pub subject: Option<String>,
    /// The role.
    pub role: Role,
    /// Permissions set individually; `None` means those of the role.
    pub permissions: Option<BTreeSet<Permission>>,
    /// Identities without proof of ownership.
    pub unproven: Unproven,
    /// Time of joining.
    pub created_at: Time,
}

/// Identities of a member that were claimed by another and not accepted by their holder: they authenticate nobody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unproven {
    /// The user's id.
    pub user: bool,
    /// The subject.
    pub subject: bool,
}

impl Member {
    /// Returns the member as the data of an event.
    pub fn event_data(&self) -> Value {
        let mut data = json!({
            "id": self.user_id,
            "username": self.username,
            "role": self.role.as_str(),
            "createdAt": timestamp(self.created_at),
        });
        if let Some(email) = &self.email {
            data["email"] = email.as_str().into();
        }
        data
    }

    /// Returns true for an owner who holds every permission of owners and is not merely invited.
    pub fn is_full_owner(&self) -> bool {
        self.role == Role::Owner && self.permissions.is_none() && !self.is_invited()
    }

    /// Returns true if none of the member's identities is proven: only an invitation so far.
    pub fn is_invited(&self) -> bool {
        self.unproven.user && (self.subject.is_none() || self.unproven.subject)
    }

    /// Returns true if a JWT with this `sub` authenticates the member.
    pub fn answers_to(&self, sub: &str) -> bool {
        (self.has_subject(sub) && !self.unproven.subject) || (self.is_user(sub) && !self.unproven.user)
    }

    /// Returns true if the holder of `sub` has an invitation to accept or decline here. A membership that a subject has
    /// accepted is not offered to a user any more.
    pub fn invites(&self, sub: &str) -> bool {
        (self.has_subject(sub) && self.unproven.subject) || (self.is_user(sub) && self.is_invited())
    }

    /// Accepts the identity that `sub` names. A subject that accepts takes the membership over: the user's id does not
    /// count beside it, for it may be another's.
    pub fn accept(&mut self, sub: &str) {
        if self.has_subject(sub) && self.unproven.subject {
            self.unproven = Unproven { user: !self.is_user(sub), subject: false };
        } else if self.is_user(sub) {
            self.unproven.user = false;
        }
    }

    fn has_subject(&self, sub: &str) -> bool {
        self.subject.as_deref() == Some(sub)
    }

    fn is_user(&self, sub: &str) -> bool {
        sub.parse() == Ok(self.user_id)
    }

    /// Returns the effective permissions: those set individually, or else those of the role.
    pub fn effective_permissions(&self) -> BTreeSet<Permission> {
        self.permissions.clone().unwrap_or_else(|| self.role.implies())
    }
}

/// Role of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Uses the configuration.
    Member,
    /// Changes the configuration.
    Admin,
    /// Admin, and responsible for the organisation: there is always at least one.
    Owner,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 3] = [Role::Member, Role::Admin, Role::Owner];

    /// Returns the name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Member => "member",
            Role::Admin => "admin",
            Role::Owner => "owner",
        }
    }

    /// Returns the permissions of the role.
    pub fn implies(self) -> BTreeSet<Permission> {
        Permission::ALL.into_iter().filter(|permission| self >= permission.least_role()).collect()
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        Role::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| Error::invalid("/role", "must be owner, admin or member"))
    }
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $wire:literal, $role:ident;)+) => {
        /// A permission of a caller. Tokens are scoped with the same names.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Permission { $($(#[$doc])* $name),+ }

        impl Permission {
            /// Every permission.
            pub const ALL: [Permission; [$($wire),+].len()] = [$(Permission::$name),+];

            /// Returns the name on the wire and in the database.
            pub fn as_str(self) -> &'static str {
                match self { $(Permission::$name => $wire),+ }
            }

            /// Returns the lowest role that implies it.
            fn least_role(self) -> Role {
                match self { $(Permission::$name => Role::$role),+ }
            }
        }
    };
}

permissions! {
    /// See the organisation.
    OrganisationRead = "organisation:read", Member;
    /// Rename the organisation, create others.
    OrganisationManage = "organisation:manage", Owner;
    /// See the members.
    MembersRead = "members:read", Member;
    /// Add, change and remove members.
    MembersManage = "members:manage", Admin;
    /// Create, list and revoke one's own tokens.
    TokensManage = "tokens:manage", Member;
    /// See public channels and those that the caller is a member of.
    ChannelsRead = "channels:read", Member;
    /// Create, change and remove channels and their members.
    ChannelsManage = "channels:manage", Admin;
    /// Send events.
    EventsWrite = "events:write", Member;
    /// Read events.
    EventsRead = "events:read", Member;
    /// Read deliveries and their attempts.
    DeliveriesRead = "deliveries:read", Member;
    /// Replay deliveries.
    DeliveriesReplay = "deliveries:replay", Admin;
    /// See the Slack integration and its channels.
    SlackRead = "slack:read", Member;
    /// Connect, change, test and remove the Slack integration.
    SlackManage = "slack:manage", Admin;
    /// See the linked GitHub installations.
    GithubRead = "github:read", Member;
    /// Link and unlink GitHub installations, replay their events.
    GithubManage = "github:manage", Admin;
    /// See the routes.
    RoutesRead = "routes:read", Member;
    /// Create, change and remove routes, which may send every event of the organisation, also those of private channels.
    RoutesManage = "routes:manage", Admin;
    /// See the workflows.
    WorkflowsRead = "workflows:read", Member;
    /// Create, change and remove workflows.
    WorkflowsManage = "workflows:manage", Admin;
    /// Run workflows.
    WorkflowsRun = "workflows:run", Member;
    /// See the installed apps, their settings, and the channels that they are enabled in.
    IntegrationsRead = "integrations:read", Member;
    /// Install, change and remove apps and their settings, and enable and disable them.
    IntegrationsManage = "integrations:manage", Admin;
    /// Set up every incoming webhook.
    ManageIncomingIntegrations = "manage-incoming-integrations", Admin;
    /// Set up one's own incoming webhooks.
    ManageOwnIncomingIntegrations = "manage-own-incoming-integrations", Admin;
    /// Set up every outgoing webhook.
    ManageOutgoingIntegrations = "manage-outgoing-integrations", Admin;
    /// Set up one's own outgoing webhooks.
    ManageOwnOutgoingIntegrations = "manage-own-outgoing-integrations", Admin;
    /// See the audit log.
    AuditRead = "audit:read", Admin;
    /// Create portal sessions: one-use links that sign a browser in as the caller.
    PortalSessionsCreate = "portal-sessions:create", Admin;
    /// See stored secrets in answers that have them.
    SecretsRead = "secrets:read", Owner;
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Permission {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        Permission::ALL.into_iter().find(|permission| permission.as_str() == text).ok_or_else(|| {
            let all = Permission::ALL.map(Permission::as_str).join(", ");
            Error::invalid("/permissions", format!("{text:?} is not a permission; there are {all}"))
        })
    }
}

/// Validates a username: 1 to 64 of letters, digits, `.`, `_`, `-` and `@`.
///
/// # Errors
/// [`Error::Invalid`] naming `/username`.
pub fn username(text: &str) -> Result<String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-@".contains(c);
    if (1..=64).contains(&text.len()) && text.chars().all(allowed) {
        Ok(text.to_owned())
    } else {
        Err(Error::invalid("/username", "must be 1 to 64 of letters, digits, dots, underscores, hyphens and @"))
    }
}

/// Validates an e-mail address, for shape alone: characters, an `@`, characters.
///
/// # Errors
/// [`Error::Invalid`] naming `/email`.
pub fn email(text: &str) -> Result<String> {
    match text.split_once('@') {
        Some((local, domain))
            if !local.is_empty()
                && !domain.is_empty()
                && text.len() <= 254
                && !text.chars().any(|c| c.is_whitespace() || c.is_control()) =>
        {
            Ok(text.to_owned())
        }
        _ => Err(Error::invalid("/email", "must be an e-mail address of at most 254 bytes")),
    }
}

/// Validates the `sub` of an external issuer: 1 to 255 characters, none of them a control character (OpenID Connect
/// Core, 2).
///
/// # Errors
/// [`Error::Invalid`] naming `/subject`.
pub fn subject(text: &str) -> Result<String> {
    if (1..=255).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err(Error::invalid("/subject", "must be 1 to 255 characters without control characters"))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const USER: Uuid = Uuid::from_u128(7);

    fn with(subject: Option<&str>, user: bool, subject_unproven: bool) -> Member {
        Member {
            id: Uuid::from_u128(1).into(),
            organisation_id: Uuid::from_u128(2).into(),
            user_id: USER.into(),
            username: "ada".into(),
            email: None,
            subject: subject.map(str::to_owned),
            role: Role::Owner,
            permissions: None,
            unproven: Unproven { user, subject: subject_unproven },
            created_at: Time::UNIX_EPOCH,
        }
    }

    #[test]
    fn an_identity_counts_once_it_is_accepted() {
        let user = USER.to_string();
        let mut added = with(Some("idp|ada"), true, true);
        for sub in ["idp|ada", &user] {
            assert!(!added.answers_to(sub) && added.invites(sub) && !added.is_full_owner(), "{sub}");
        }
        assert!(!added.invites("idp|eve") && !added.answers_to("idp|eve"));
        added.accept("idp|eve");
        assert!(added.is_invited(), "another's word accepts nothing");
        added.accept("idp|ada");
        assert!(added.answers_to("idp|ada") && added.is_full_owner());
        assert!(!added.answers_to(&user) && !added.invites(&user), "the user's id may be another's");

        let mut renamed = with(Some("idp|mole"), false, true);
        assert!(renamed.answers_to(&user) && !renamed.answers_to("idp|mole") && renamed.invites("idp|mole"));
        renamed.accept("idp|mole");
        assert!(renamed.answers_to("idp|mole") && !renamed.answers_to(&user), "the accepting identity takes it over");

        let mut named = with(None, true, false);
        assert!(named.invites(&user) && named.is_invited());
        named.accept(&user);
        assert!(named.answers_to(&user) && !named.is_invited());
    }

    #[test]
    fn roles_nest() {
        assert!(Role::Member.implies().is_subset(&Role::Admin.implies()));
        assert!(Role::Admin.implies().is_subset(&Role::Owner.implies()));
        assert_eq!(Role::Owner.implies().len(), Permission::ALL.len());
        assert!(!Role::Member.implies().contains(&Permission::SlackManage));
        assert!(!Role::Admin.implies().contains(&Permission::OrganisationManage));
    }

    #[test]
    fn wire_names_come_back() {
        for permission in Permission::ALL {
            assert_eq!(permission.as_str().parse::<Permission>().ok(), Some(permission));
        }
        for role in Role::ALL {
            assert_eq!(role.as_str().parse::<Role>().ok(), Some(role));
        }
        assert!("root".parse::<Role>().is_err());
    }

    #[test]
    fn emails_have_two_sides() {
        for good in ["a@b", "ada.lovelace@example.org"] {
            assert!(email(good).is_ok(), "{good}");
        }
        for bad in ["", "@", "a@", "@b", "a b@c", "a"] {
            assert!(email(bad).is_err(), "{bad}");
        }
    }
}
