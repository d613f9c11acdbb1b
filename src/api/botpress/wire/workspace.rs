//! Workspaces, as the product's command line asks for them: of what it counts and bills, nothing is here.

use poem_openapi::{Object, types::Example};

use super::MetaOut;
use crate::{
    api::shared::{
        time::Timestamp,
        word::{Vocabulary, Word},
    },
    app::registry::Workspace,
};

/// A word that is always the same, because the product asks for one.
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

always!(Billing, "BillingVersion", "v4", "How it is billed. Nothing is.");
always!(Plan, "Plan", "community", "What was booked. Nothing was.");

/// A workspace.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Workspace", rename_all = "camelCase")]
pub struct WorkspaceOut {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Its handle, before the names of its integrations.
    pub handle: String,
    /// Its first owner.
    pub owner_id: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was changed.
    pub updated_at: Timestamp,
    /// How many bots it has: none, here.
    pub bot_count: i64,
    /// How it is billed. Nothing is.
    pub billing_version: Word<Billing>,
    /// What was booked. Nothing was.
    pub plan: Word<Plan>,
    /// Whether it is blocked. None is.
    pub blocked: bool,
    /// What it may spend. Nothing is spent.
    pub spending_limit: f64,
    /// The trial that it is in. None is in any, and the product says so by `null`.
    #[oai(nullable)]
    pub active_trial_id: Option<String>,
}

impl WorkspaceOut {
    /// Of a workspace.
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
    /// Where the list goes on: nowhere, it is whole.
    pub meta: MetaOut,
}

/// What is to change of a workspace.
#[derive(Clone, Debug, Object)]
#[oai(rename = "WorkspaceUpdate", skip_serializing_if_is_none, example)]
pub struct WorkspaceIn {
    /// What people call it.
    pub name: Option<String>,
    /// Its handle: only the one that it has.
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

/// Whether a handle can be had.
#[derive(Clone, Debug, Object)]
#[oai(rename = "HandleAvailability", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct HandleOut {
    /// Whether it can.
    pub available: bool,
    /// Others that can.
    pub suggestions: Vec<String>,
    /// Which of the caller's own workspaces has it.
    pub used_by: Option<String>,
}

/// A bot. There is none here.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Bot")]
pub struct BotOut {
    /// Its id.
    pub id: String,
}

/// The bots of a workspace: none.
#[derive(Clone, Debug, Object)]
#[oai(rename = "BotList")]
pub struct BotsOut {
    /// The bots.
    pub bots: Vec<BotOut>,
    /// Where the list goes on: nowhere.
    pub meta: MetaOut,
}

impl BotsOut {
    /// No bots.
    pub fn none() -> Self {
        Self { bots: Vec::new(), meta: MetaOut::default() }
    }
}
