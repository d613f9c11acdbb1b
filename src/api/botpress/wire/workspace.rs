//! Workspaces, as the product's command line expects them. The product's usage and billing have no equivalent here.

use poem_openapi::{Object, types::Example};

use super::MetaOut;
use crate::{
    api::shared::{
        time::Timestamp,
        word::{Vocabulary, Word},
    },
    app::registry::Workspace,
    domain::tenancy::member::Member,
};

/// Declares an enum with a single value, for a member that the product requires.
macro_rules! always {
    ($name:ident, $shown:literal, $word:literal, $description:literal) => {
        #[doc = $description]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name;

        impl Vocabulary for $name {
            const NAME: &'static str = $shown;
            const DESCRIPTION: &'static str = $description;

            fn words() -> Vec<(&'static str, Self)> {
                vec![($word, Self)]
            }

            fn word(self) -> &'static str {
                $word
            }
        }
    };
}

always!(Billing, "BillingVersion", "v4", "Version of the billing; nothing is billed.");
always!(Plan, "Plan", "community", "Booked plan; there are no plans.");

/// A workspace.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Workspace", rename_all = "camelCase")]
pub struct WorkspaceOut {
    /// Unique id.
    pub id: String,
    /// Display name.
    pub name: String,
    /// Handle, the prefix of the names of its integrations.
    pub handle: String,
    /// User id of its first owner.
    pub owner_id: String,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
    /// Number of bots: always 0.
    pub bot_count: i64,
    /// Version of the billing; nothing is billed.
    pub billing_version: Word<Billing>,
    /// Booked plan; there are no plans.
    pub plan: Word<Plan>,
    /// Always false: workspaces are never blocked.
    pub blocked: bool,
    /// Spending limit; nothing is billed.
    pub spending_limit: f64,
    /// Id of the active trial; always `null`, because there are no trials.
    #[oai(nullable)]
    pub active_trial_id: Option<String>,
}

impl WorkspaceOut {
    /// Makes the representation of a workspace.
    pub fn of(id: String, known: Workspace) -> Self {
        Self {
            id,
            name: known.organisation.name,
            handle: known.organisation.slug.as_str().to_owned(),
            owner_id: known.owner_id.to_string(),
            created_at: known.organisation.created_at.into(),
            updated_at: known.updated_at.into(),
            bot_count: 0,
            billing_version: Word(Billing),
            plan: Word(Plan),
            blocked: false,
            spending_limit: 0.0,
            active_trial_id: None,
        }
    }
}

/// Workspaces.
#[derive(Clone, Debug, Object)]
#[oai(rename = "WorkspaceList")]
pub struct WorkspacesOut {
    /// The workspaces.
    pub workspaces: Vec<WorkspaceOut>,
    /// Metadata of the page; the list is never paged.
    pub meta: MetaOut,
}

/// Changes to a workspace.
#[derive(Clone, Debug, Object)]
#[oai(rename = "WorkspaceUpdate", skip_serializing_if_is_none, example)]
pub struct WorkspaceIn {
    /// Display name.
    pub name: Option<String>,
    /// Handle; only its present value is accepted.
    pub handle: Option<String>,
}

impl Example for WorkspaceIn {
    fn example() -> Self {
        Self { name: Some("Acme".into()), handle: None }
    }
}

/// A handle.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Handle", example)]
pub struct HandleIn {
    /// The handle.
    pub handle: String,
}

impl Example for HandleIn {
    fn example() -> Self {
        Self { handle: "acme".into() }
    }
}

/// Availability of a handle.
#[derive(Clone, Debug, Object)]
#[oai(rename = "HandleAvailability", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct HandleOut {
    /// True if the handle is available.
    pub available: bool,
    /// Available alternatives.
    pub suggestions: Vec<String>,
    /// The caller's own workspace that has the handle.
    pub used_by: Option<String>,
}

/// A bot. This service has none.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Bot")]
pub struct BotOut {
    /// Unique id.
    pub id: String,
}

/// The bots of a workspace; always empty.
#[derive(Clone, Debug, Object)]
#[oai(rename = "BotList")]
pub struct BotsOut {
    /// The bots.
    pub bots: Vec<BotOut>,
    /// Metadata of the page.
    pub meta: MetaOut,
}

impl BotsOut {
    /// Returns the empty list.
    pub fn none() -> Self {
        Self { bots: Vec::new(), meta: MetaOut::default() }
    }
}

/// A plugin. This service has none.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Plugin")]
pub struct PluginOut {
    /// Unique id.
    pub id: String,
}

/// Plugins; always empty.
#[derive(Clone, Debug, Object)]
#[oai(rename = "PluginList")]
pub struct PluginsOut {
    /// The plugins.
    pub plugins: Vec<PluginOut>,
    /// Metadata of the page.
    pub meta: MetaOut,
}

impl PluginsOut {
    /// Returns the empty list.
    pub fn none() -> Self {
        Self { plugins: Vec::new(), meta: MetaOut::default() }
    }
}

/// A caller's account.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Account", rename_all = "camelCase")]
pub struct AccountInnerOut {
    /// User id.
    pub id: String,
    /// Email address, for display; empty if none is known.
    pub email: String,
    /// Username.
    pub display_name: String,
    /// Always false: members' email addresses are not verified.
    pub email_verified: bool,
    /// Time of joining the workspace.
    pub created_at: Timestamp,
}

/// The caller's account.
#[derive(Clone, Debug, Object)]
#[oai(rename = "AccountAnswer")]
pub struct AccountOut {
    /// The account.
    pub account: AccountInnerOut,
}

impl From<Member> for AccountOut {
    fn from(member: Member) -> Self {
        let account = AccountInnerOut {
            id: member.user_id.to_string(),
            email: member.email.unwrap_or_default(),
            display_name: member.username,
            email_verified: false,
            created_at: member.created_at.into(),
        };
        Self { account }
    }
}
